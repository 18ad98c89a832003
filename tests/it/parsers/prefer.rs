//! `Prefer: wait=N`.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web_idempotency::internals::preferred_wait;
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::cases;

fn read(lines: &[impl AsRef<[u8]>]) -> Option<u64> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let line = HeaderValue::from_bytes(line.as_ref()).unwrap();
        headers.append(HeaderName::from_static("prefer"), line);
    }
    preferred_wait(&headers).map(|wait| wait.as_secs())
}

#[derive(Clone, Debug)]
struct Preference {
    name: &'static str,
    value: Option<Word>,
    parameters: Vec<Word>,
    space: &'static str,
}

#[derive(Clone, Debug)]
struct Word {
    says: String,
    is_quoted: bool,
}

fn words() -> impl Strategy<Value = Word> {
    let number = || prop_oneof!["[0-9]{1,3}", "[0-9]{9,11}"];
    prop_oneof![
        (number(), any::<bool>()).prop_map(|(says, is_quoted)| Word { says, is_quoted }),
        "[!#$%&'*+.^_`|~a-z0-9-]{1,4}".prop_map(|says| Word {
            says,
            is_quoted: false
        }),
        prop_oneof![
            "[ -~]{0,6}",
            Just(", wait=3".to_owned()),
            Just("\", wait=4;".to_owned())
        ]
        .prop_map(|says| Word {
            says,
            is_quoted: true
        }),
    ]
}

fn preferences() -> impl Strategy<Value = Preference> {
    let name = select(vec![
        "wait",
        "Wait",
        "WAIT",
        "waiter",
        "respond-async",
        "handling",
    ]);
    let space = select(vec!["", " ", "\t", "  "]);
    (
        name,
        option::weighted(0.8, words()),
        vec(words(), 0..3),
        space,
    )
        .prop_map(|(name, value, parameters, space)| Preference {
            name,
            value,
            parameters,
            space,
        })
}

impl Word {
    fn written(&self) -> String {
        match self.is_quoted {
            true => format!(
                "\"{}\"",
                self.says.replace('\\', r"\\").replace('"', "\\\"")
            ),
            false => self.says.clone(),
        }
    }

    /// What a wait says.
    fn seconds(&self) -> Option<u64> {
        let digits = !self.says.is_empty() && self.says.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { self.says.parse().ok() } else { None };
        number.filter(|seconds| *seconds <= u64::from(u32::MAX))
    }
}

impl Preference {
    fn written(&self) -> String {
        let space = self.space;
        let mut text = format!("{space}{}{space}", self.name);
        if let Some(value) = &self.value {
            text += &format!("={space}{}{space}", value.written());
        }
        for parameter in &self.parameters {
            text += &format!(";{space}p{space}={space}{}", parameter.written());
        }
        text + space
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    /// As RFC 7240 has it: of a preference that stands there twice the first one counts.
    #[test]
    fn the_first_wait_counts_if_it_is_a_number(
        lines in vec(vec(preferences(), 0..4), 0..3),
    ) {
        let first = lines.iter().flatten().find(|it| it.name.eq_ignore_ascii_case("wait"));
        let expected = first.and_then(|wait| wait.value.as_ref()?.seconds());
        let written: Vec<_> = lines
            .iter()
            .map(|line| line.iter().map(Preference::written).collect::<Vec<_>>().join(","))
            .collect();
        prop_assert_eq!(read(&written), expected);
    }

    #[test]
    fn any_lines_are_read_without_harm(
        lines in vec(vec(prop_oneof![select(b"wait=\";,\\ 5".to_vec()), 0x20..0x7f_u8, 0x80..=0xff_u8], 0..32), 0..3),
    ) {
        let digits = lines.iter().flatten().any(u8::is_ascii_digit);
        prop_assert!(read(&lines).is_none() || digits);
    }
}
