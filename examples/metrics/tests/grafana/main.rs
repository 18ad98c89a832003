//! The example's dashboard and alerts ask for what is emitted, and show all of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed"
)]

mod expression;

use std::collections::BTreeSet;

use actix_web_idempotency::internals::emitted_metrics;
use serde::Deserialize;
use serde_json::Value;

use expression::{Expression, without_variables};

const DASHBOARD: &str = include_str!("../../grafana/dashboard.json");
const ALERTS: &str = include_str!("../../grafana/alerts.yml");

/// The panels of the dashboard that show something.
fn panels() -> Vec<Value> {
    let dashboard: Value = DASHBOARD.parse().unwrap();
    let mut panels = dashboard["panels"].as_array().unwrap().clone();
    panels.retain(|panel| panel["type"] != "row");
    panels
}

fn titles() -> Vec<String> {
    let title = |panel: &Value| panel["title"].as_str().unwrap().to_owned();
    panels().iter().map(title).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    #[serde(rename = "for", default)]
    lasts: Option<String>,
    labels: Labels,
    annotations: Annotations,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    severity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Annotations {
    summary: String,
    description: String,
}

fn rules() -> Vec<Rule> {
    let rules: Rules = serde_saphyr::from_str(ALERTS).unwrap();
    let [group] = <[Group; 1]>::try_from(rules.groups).ok().unwrap();
    assert_eq!(group.name, "actix-web-idempotency");
    group.rules
}

/// What stands between such brackets in a text.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let parts = text.split(open).skip(1);
    parts
        .map(|part| part.split(close).next().unwrap().trim())
        .collect()
}

#[test]
fn the_dashboard_asks_for_what_is_emitted_and_shows_all_of_it() {
    let mut shown = BTreeSet::new();
    for panel in panels() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = Expression::read(target["expr"].as_str().unwrap());
            let legend = target["legendFormat"].as_str().unwrap();
            let named: BTreeSet<_> = between(legend, "{{", "}}")
                .into_iter()
                .map(str::to_owned)
                .collect();
            // Or two lines would have one name.
            assert_eq!(named, expression.labels, "{target}");
            assert_eq!(target["datasource"]["uid"], "${datasource}");
            shown.extend(expression.metrics);
        }
    }
    let emitted = emitted_metrics();
    let emitted: BTreeSet<_> = emitted.iter().map(|(name, _)| *name).collect();
    assert_eq!(shown, emitted);
}

#[test]
fn the_dashboard_can_be_imported() {
    let dashboard: Value = DASHBOARD.parse().unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let [source, guard] = variables.as_slice() else {
        panic!("{variables:?}");
    };
    assert_eq!(
        (&source["name"], &source["type"], &source["query"]),
        (
            &"datasource".into(),
            &"datasource".into(),
            &"prometheus".into()
        )
    );
    assert_eq!(guard["name"], "guard");
    let query = guard["query"]["query"].as_str().unwrap();
    let [asked] = between(query, "label_values(", ")")[..] else {
        panic!("{query}");
    };
    let (metric, label) = asked.split_once(", ").unwrap();
    assert!(Expression::read(metric).labels.contains(label));
    let all = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = all.iter().map(|it| it["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), all.len());
    assert_eq!(BTreeSet::from_iter(titles()).len(), titles().len());
    for panel in panels() {
        assert_eq!(panel["datasource"]["uid"], "${datasource}");
        assert!(!panel["description"].as_str().unwrap().is_empty());
    }
}

#[test]
fn alerts_ask_for_what_is_emitted() {
    let rules = rules();
    let names: BTreeSet<_> = rules.iter().map(|rule| rule.alert.as_str()).collect();
    assert_eq!(names.len(), rules.len());
    for rule in &rules {
        let name = &rule.alert;
        let expression = Expression::read(&rule.expr);
        assert!(expression.is_comparison, "{name} would always fire");
        let owners = ["guard", "store"].map(str::to_owned);
        assert!(
            owners.iter().any(|it| expression.labels.contains(it)),
            "{name}"
        );
        assert!(["critical", "warning"].contains(&rule.labels.severity.as_str()));
        let lasts = rule.lasts.as_deref().unwrap_or("0m");
        let minutes = lasts.strip_suffix('m').unwrap();
        minutes.parse::<u8>().unwrap();
        let Annotations {
            summary,
            description,
        } = &rule.annotations;
        assert!(description.ends_with('.'), "{name} says what to do");
        for label in between(summary, "{{ $labels.", " }}") {
            assert!(expression.labels.contains(label), "{name}: {label}");
        }
    }
}

#[test]
fn each_alert_is_tried() {
    // By promtool, in .ci/deep: of a guard with every trouble there is, as many fire.
    let tried = include_str!("../../grafana/alerts.test.yml");
    let [fire, ..] = between(tried, "- value: ", "\n")[..] else {
        panic!("it says how many fire");
    };
    assert_eq!(fire, rules().len().to_string());
}

#[test]
fn queries_that_are_tried_are_those_of_panels() {
    // By promtool, in .ci/deep.
    let tried = include_str!("../../grafana/dashboard.test.yml");
    let tried = between(tried, "- expr: ", "\n");
    assert!(!tried.is_empty());
    let panels = panels();
    let targets = panels
        .iter()
        .flat_map(|it| it["targets"].as_array().unwrap());
    let queries: BTreeSet<_> = targets
        .map(|target| without_variables(target["expr"].as_str().unwrap()))
        .collect();
    for query in tried {
        assert!(queries.contains(query), "{query} is of no panel");
    }
}

#[test]
fn what_alerts_point_at_is_there() {
    let emitted = emitted_metrics();
    let rules = rules();
    let (mut values, mut panels) = (0, 0);
    for rule in &rules {
        let text = &rule.annotations.description;
        let words = text.split(|c: char| !c.is_alphanumeric() && !"_=".contains(c));
        for word in words {
            if let Some((label, value)) = word.split_once('=') {
                let mut labels = emitted.iter().filter_map(|(_, label)| label.as_ref());
                let known = labels.any(|(its, values)| *its == label && values.contains(&value));
                assert!(known, "{}: {word}", rule.alert);
                values += 1;
            }
            if word.starts_with("Idempotency") {
                assert!(rules.iter().any(|rule| rule.alert == word), "{word}");
            }
        }
        for panel in between(text, "the panel \"", "\"") {
            assert!(titles().iter().any(|title| title == panel), "{panel}");
            panels += 1;
        }
    }
    assert!(values > 5 && panels > 0, "{values} {panels}");
}
