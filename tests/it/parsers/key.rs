//! The idempotency key in its header.

use actix_web_idempotency::{IdempotencyKey, internals::read_key};
use proptest::{collection::vec, prelude::*, sample::select};
use sfv::{BareItem, Item, Parser};

use super::cases;

fn read(value: &[u8]) -> Option<String> {
    read_key(value).ok().map(|key| key.as_str().to_owned())
}

/// The contract, read byte by byte.
fn expected(value: &[u8]) -> Option<String> {
    let mut bytes = value.iter().copied();
    let mut key = String::new();
    if value.first() == Some(&b'"') {
        bytes.next();
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => key.push(bytes.next().filter(|byte| b"\"\\".contains(byte))?.into()),
                byte => key.push(byte.into()),
            }
        }
        // RFC 9651 lets a field's value end in spaces.
        bytes.all(|byte| byte == b' ').then_some(())?;
    } else {
        key.extend(bytes.map(char::from));
    }
    let may_be = (1..=255).contains(&key.len()) && key.chars().all(|c| ('!'..='~').contains(&c));
    may_be.then_some(key)
}

fn quoted(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', r"\\").replace('"', "\\\""))
}

/// What keys are made of, and a little beside it.
fn soups() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        &b"a"[..],
        b"1",
        b"-",
        b"~",
        b"\"",
        b"\\",
        b"\\\"",
        b"\\\\",
        b" ",
        b"\t",
        b";",
        b";p=1",
        b",",
        b"\x00",
        b"\x7f",
        b"\x80",
        "é".as_bytes(),
    ];
    vec(select(pieces), 0..6).prop_map(|pieces| pieces.concat())
}

/// What begins with a quote, and often ends with one.
fn begun() -> impl Strategy<Value = Vec<u8>> {
    let end = select(vec![&b"\""[..], b"", b"\" ", b"\";p"]);
    (soups(), end).prop_map(|(inside, end)| [b"\"", &*inside, end].concat())
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![soups(), begun(), vec(any::<u8>(), 0..16)]
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn a_value_is_read_as_the_contract_says_and_otherwise_refused(value in values()) {
        prop_assert_eq!(read(&value), expected(&value));
    }

    #[test]
    fn quoted_and_bare_are_one_key(key in "[!#-~][!-~]{0,253}") {
        prop_assert_eq!(read(key.as_bytes()), Some(key.clone()));
        prop_assert_eq!(read(quoted(&key).as_bytes()), Some(key.clone()));
        prop_assert_eq!(key.parse::<IdempotencyKey>(), read_key(quoted(&key).as_bytes()));
    }

    #[test]
    fn the_length_without_quotes_and_escapes_counts(key in "[\"\\\\a]{250,260}") {
        let read = read(quoted(&key).as_bytes());
        prop_assert_eq!(read, (key.len() <= 255).then_some(key));
    }

    #[test]
    fn what_begins_with_a_quote_is_what_a_parser_of_rfc_9651_says(value in begun()) {
        let string = match Parser::new(&value).parse::<Item>() {
            Ok(Item { bare_item: BareItem::String(text), params }) if params.is_empty() => Some(String::from(text)),
            Ok(_) | Err(_) => None,
        };
        let key = string.filter(|text| !text.is_empty() && !text.contains(' '));
        prop_assert_eq!(read(&value), key);
    }
}
