//! Canonical JSON text.

use actix_web_idempotency::internals::canonical_json;
use proptest::{collection::vec, prelude::*, sample::select};
use serde::de::IgnoredAny;

use super::{
    cases,
    tree::{Tree, trees},
};

fn canonical(text: &str) -> String {
    canonical_json(text.as_bytes()).unwrap()
}

/// What JSON is made of, and what breaks it.
fn soups() -> impl Strategy<Value = String> {
    let pieces = [
        "{", "}", "[", "]", ":", ",", " ", "\n", "\"", "\"a\"", "\"b\"", "\"a\":", "\"b\":", "0",
        "-1.5e3", "true", "null", "\\", "\\\"", "\\u0061", "\\ud800", "\\udc00", "\\/", "é",
        "\u{1}",
    ];
    vec(select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

/// Objects that repeat members, and strings that decode to nothing.
fn loose() -> impl Strategy<Value = String> {
    let text = || {
        select(vec![
            r#""a""#,
            r#""\u0061""#,
            r#""b""#,
            r#""\ud800""#,
            r#""\uD800""#,
        ])
    };
    let leaf = prop_oneof![text().prop_map(str::to_owned), Just("1".to_owned())];
    leaf.prop_recursive(5, 32, 5, move |inner| {
        let member = (text(), select(vec!["", " "]), inner.clone())
            .prop_map(|(name, space, value)| format!("{space}{name}:{space}{value}"));
        prop_oneof![
            vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn however_a_value_is_spelt_its_canonical_text_is_one(
        tree in trees(), one: u64, other: u64,
    ) {
        prop_assert_eq!(canonical(&tree.spelt(one)), canonical(&tree.spelt(other)));
    }

    /// So two values never have one canonical text.
    #[test]
    fn canonical_text_says_the_value_that_came(tree in trees(), seed: u64) {
        prop_assert_eq!(Tree::read(&canonical(&tree.spelt(seed))), tree);
    }

    #[test]
    fn canonical_text_is_short_and_its_own_canonical_text(
        text in prop_oneof![loose(), (trees(), any::<u64>()).prop_map(|(tree, seed)| tree.spelt(seed))],
    ) {
        let once = canonical(&text);
        prop_assert!(once.len() <= text.len());
        prop_assert_eq!(canonical(&once), once);
    }

    #[test]
    fn an_object_that_repeats_a_member_stays_as_it_came(
        name in "[a-c]", one in loose(), between in loose(), two in loose(),
    ) {
        let came = format!(r#"{{"{name}": {one}, "d":{between} ,"{name}":{two}}}"#);
        prop_assert_eq!(canonical(&came), came.clone());
        let inside = format!(r#" {{"y":[ {came} ],"x":1}} "#);
        prop_assert_eq!(canonical(&inside), format!(r#"{{"x":1,"y":[{came}]}}"#));
    }

    #[test]
    fn members_are_in_order_down_to_the_bound(
        holders in vec(any::<bool>(), 0..300),
    ) {
        let nested = |innermost: &str| {
            let mut text = innermost.to_owned();
            for is_object in &holders {
                text = if *is_object { format!(r#"{{"k":{text}}}"#) } else { format!("[{text}]") };
            }
            text
        };
        let innermost = if holders.len() < 128 { r#"{"a":1,"b":2}"# } else { r#"{"b":2, "a":1}"# };
        prop_assert_eq!(canonical(&nested(r#"{"b":2, "a":1}"#)), nested(innermost));
    }

    #[test]
    fn any_bytes_have_a_canonical_text_if_they_are_json(
        bytes in prop_oneof![vec(any::<u8>(), 0..64), soups().prop_map(String::into_bytes)],
    ) {
        let is_json = serde_json::from_slice::<IgnoredAny>(&bytes).is_ok() && str::from_utf8(&bytes).is_ok();
        let canonical = canonical_json(&bytes);
        prop_assert_eq!(canonical.is_some(), is_json);
        if let Some(text) = canonical {
            prop_assert_eq!(canonical_json(text.as_bytes()), Some(text));
        }
    }
}
