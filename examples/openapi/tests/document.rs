//! The document of the example is valid, and says what the example does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed"
)]

#[allow(dead_code, reason = "the tests of the crate use more of it")]
#[path = "../../../tests/it/support/example.rs"]
mod example;

use std::{collections::BTreeSet, time::Duration};

use reqwest::{RequestBuilder, Response};
use roas::{
    v3_1::spec::Spec,
    validation::{Options, Validate},
};
use serde_json::{Value, json};

use example::Example;

/// Nothing listens there.
const DEAD_REDIS: (&str, &str) = ("REDIS_URL", "redis://127.0.0.1:1/");

/// A client that gives up on what would otherwise take without end.
fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().timeout(Duration::from_secs(20));
    builder.build().unwrap()
}

struct Api {
    example: Example,
    document: Value,
}

impl Api {
    async fn start(environment: &[(&str, &str)]) -> Self {
        let example = Example::start(env!("CARGO_BIN_EXE_openapi").into(), environment);
        let answer = client().get(example.url()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let document = answer.json().await.unwrap();
        Self { example, document }
    }

    /// One that is as the document wants it.
    fn pay(&self, key: &str) -> RequestBuilder {
        self.pay_without_key().header("idempotency-key", key)
    }

    fn pay_without_key(&self) -> RequestBuilder {
        let url = self.example.url().replace("/openapi.json", "/payments");
        let request = client().post(url).header("x-user", "ann");
        request.json(&json!({ "amount": 5, "to": "bob" }))
    }

    fn operation(&self) -> &Value {
        &self.document["paths"]["/payments"]["post"]
    }

    /// The limits of the key.
    fn key_schema(&self) -> &Value {
        let parameters = self.operation()["parameters"].as_array().unwrap();
        let key = parameters.iter().find(|p| p["name"] == "Idempotency-Key");
        let key = key.expect("the key is a parameter");
        assert_eq!(key["in"], "header");
        assert_eq!(key["required"], true);
        &key["schema"]
    }

    /// Asserts that an answer is what the document says of its status: content type, headers and
    /// body. Returns the status and the name of the problem.
    async fn check(&self, request: RequestBuilder) -> (u16, String) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let documented = &self.operation()["responses"][status.to_string()];
        assert!(documented.is_object(), "{status} is not documented");
        for name in ["idempotent-replayed", "retry-after"] {
            let header = answer.headers().get(name);
            let value = header.map(|value| value.to_str().unwrap().parse::<Value>().unwrap());
            if let Some(value) = value {
                let schema = header_schema(documented, name);
                let schema = schema.unwrap_or_else(|| panic!("{status}: {name} is not documented"));
                self.must_fit(schema, &value);
            }
        }
        let media_type = media_type(&answer);
        let text = answer.text().await.unwrap();
        let body = match media_type.as_str() {
            "text/plain" => Value::String(text),
            _ => text.parse().unwrap(),
        };
        let schema = &documented["content"][&media_type]["schema"];
        assert!(
            schema.is_object(),
            "{status}: {media_type} is not documented"
        );
        self.must_fit(schema, &body);
        let name = body["type"].as_str().and_then(|uri| uri.split_once('#'));
        (status, name.map_or("", |(_, name)| name).to_owned())
    }

    fn must_fit(&self, schema: &Value, value: &Value) {
        if let Err(err) = self.validator(schema).validate(value) {
            panic!("{value} does not fit {schema}: {err}");
        }
    }

    /// Of a schema that may refer to the document's components.
    fn validator(&self, schema: &Value) -> jsonschema::Validator {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
        options
            .should_validate_formats(true)
            .build(&schema)
            .unwrap()
    }
}

fn media_type(answer: &Response) -> String {
    let value = answer.headers()["content-type"].to_str().unwrap();
    value.split(';').next().unwrap().to_owned()
}

/// Names of headers have no case.
fn header_schema<'a>(documented: &'a Value, name: &str) -> Option<&'a Value> {
    let headers = documented["headers"].as_object()?;
    let mut headers = headers.iter();
    let found = headers.find(|(documented, _)| documented.eq_ignore_ascii_case(name));
    found.map(|(_, header)| &header["schema"])
}

/// What OpenAPI 3.1 finds wrong.
fn errors(document: &Value) -> Vec<String> {
    match serde_json::from_value::<Spec>(document.clone()) {
        Ok(spec) => match spec.validate(Options::empty(), None) {
            Ok(()) => Vec::new(),
            Err(found) => found.errors.iter().map(ToString::to_string).collect(),
        },
        Err(err) => vec![err.to_string()],
    }
}

#[tokio::test]
async fn the_document_is_valid_openapi() {
    let api = Api::start(&[]).await;
    assert_eq!(api.document["openapi"], "3.1.0");
    assert_eq!(errors(&api.document), Vec::<String>::new());

    // The validator looks.
    let mut without_title = api.document.clone();
    without_title["info"]
        .as_object_mut()
        .unwrap()
        .remove("title");
    let mut without_problem = api.document.clone();
    let schemas = without_problem["components"]["schemas"].as_object_mut();
    schemas.unwrap().remove("Problem").unwrap();
    let mut nowhere = api.document.clone();
    nowhere["paths"]["/payments"]["post"]["parameters"][0]["in"] = json!("nowhere");
    for broken in [without_title, without_problem, nowhere] {
        assert!(!errors(&broken).is_empty(), "{broken}");
    }
}

#[tokio::test]
async fn what_the_api_answers_is_what_its_document_says() {
    let api = Api::start(&[]).await;
    let is = |status: u16, name: &str| (status, name.to_owned());
    let first = api.check(api.pay("a"));
    let second = async {
        tokio::time::sleep(Duration::from_millis(100)).await; // the first takes 1000
        api.check(api.pay("a")).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first, second), (is(201, ""), is(409, "in-flight")));
    assert_eq!(api.check(api.pay("a")).await, is(201, ""));
    let other = api.pay("a").json(&json!({ "amount": 6, "to": "bob" }));
    assert_eq!(api.check(other).await, is(422, "key-reused"));
    assert_eq!(
        api.check(api.pay_without_key()).await,
        is(400, "key-missing")
    );
    let broken = api.pay("no-payment").json(&json!({ "amount": "much" }));
    assert_eq!(api.check(broken).await, is(400, ""));
    let large = api.pay("b").body("x".repeat(17 * 1024));
    assert_eq!(api.check(large).await, is(413, "payload-too-large"));
    let twice = api.pay("b").header("x-user", "bob");
    assert_eq!(api.check(twice).await, is(401, "scope-missing"));

    let api = Api::start(&[DEAD_REDIS]).await;
    assert_eq!(api.check(api.pay("a")).await, is(503, "store-unavailable"));
}

#[tokio::test]
async fn the_limits_of_a_key_are_those_of_the_document() {
    let api = Api::start(&[]).await;
    let schema = api.key_schema();
    let validator = api.validator(schema);
    let longest = schema["maxLength"].as_u64().unwrap() as usize;
    assert_eq!((schema["minLength"].as_u64(), longest), (Some(1), 255));
    for (key, is_key) in [
        ("k".repeat(longest), true),
        ("k".repeat(longest + 1), false),
        ("!~".to_owned(), true),
        ("a b".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(validator.is_valid(&json!(key)), is_key, "{key}");
        let expected = if is_key { 201 } else { 400 };
        assert_eq!(api.check(api.pay(&key)).await.0, expected, "{key}");
    }
}

#[tokio::test]
async fn the_document_names_every_problem_of_this_middleware_and_no_other() {
    let api = Api::start(&[]).await;
    let problem = &api.document["components"]["schemas"]["Problem"];
    let pattern = problem["properties"]["type"]["pattern"].as_str().unwrap();
    let names = pattern
        .strip_prefix("#(")
        .and_then(|p| p.strip_suffix(")$"));
    let documented: BTreeSet<_> = names.unwrap().split('|').collect();
    // The page that explains them has a heading for each.
    let page = include_str!("../../../src/problem/mod.rs");
    let headings = page
        .lines()
        .filter_map(|line| line.strip_prefix("//! ## `"));
    let explained: BTreeSet<_> = headings
        .map(|heading| heading.trim_end_matches('`'))
        .filter(|name| *name != "busy") // the lock's
        .collect();
    assert_eq!(documented, explained);

    let kept_not = json!({
        "type": "https://api.example.com/problems#response-not-stored", "title": "t", "status": 409,
        "detail": "d", "original_status": 201, "location": "/payments/1",
    });
    api.must_fit(problem, &kept_not);
    for (member, wrong) in [
        ("type", json!("https://api.example.com/problems#other")),
        ("type", json!("in-flight")),
        ("status", json!("409")),
        ("status", json!(201)),
        ("original_status", json!(null)),
        ("location", json!(7)),
    ] {
        let mut body = kept_not.clone();
        body[member] = wrong;
        assert!(!api.validator(problem).is_valid(&body), "{body}");
    }
    for required in ["type", "title", "status", "detail"] {
        let mut body = kept_not.clone();
        body.as_object_mut().unwrap().remove(required);
        assert!(!api.validator(problem).is_valid(&body), "{body}");
    }
}
