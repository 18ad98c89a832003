use std::borrow::Cow;

use percent_encoding::percent_decode;

/// The pairs of a form, sorted by name; those of one name stay in their order. Each is written with
/// its lengths.
///
/// Names and values are bytes here. Read as text, two that are no UTF-8 would look alike.
pub(crate) fn form(body: &[u8]) -> Vec<u8> {
    let mut pairs: Vec<_> = pairs(body).collect();
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut out = Vec::with_capacity(body.len() + 16 * pairs.len());
    for (name, value) in pairs {
        for text in [name, value] {
            out.extend_from_slice(&(text.len() as u64).to_be_bytes());
            out.extend_from_slice(&text);
        }
    }
    out
}

/// As [browsers read them](https://url.spec.whatwg.org/#urlencoded-parsing), but for the last step:
/// bytes that are not UTF-8 are kept. Replaced they would all be one, and a form in Latin-1 would
/// be equal to another.
fn pairs(body: &[u8]) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    let pairs = body.split(|byte| *byte == b'&');
    pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next(), parts.next());
        (
            decoded(name.unwrap_or_default()),
            decoded(value.unwrap_or_default()),
        )
    })
}

fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return percent_decode(text).into();
    }
    let mut spaced = text.to_vec();
    for byte in spaced.iter_mut().filter(|byte| **byte == b'+') {
        *byte = b' ';
    }
    Cow::Owned(percent_decode(&spaced).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a form says when all of it is UTF-8, by the book.
    fn by_the_book(body: &[u8]) -> Vec<(String, String)> {
        form_urlencoded::parse(body).into_owned().collect()
    }

    #[test]
    fn pairs_are_read_as_the_standard_says() {
        for body in [
            "",
            "a",
            "a=",
            "=a",
            "a=b=c",
            "&&a=1&&b=2&",
            "a+b=%20+%2B",
            "%41=%6a%6A",
            "a=%",
            "a=%4",
            "a=%4g%zz",
            "a=%C3%A9é",
            "a;b=1",
        ] {
            let mut expected = by_the_book(body.as_bytes());
            expected.sort_by(|(a, _), (b, _)| a.cmp(b));
            let pairs = expected.iter().flat_map(|(name, value)| [name, value]);
            let written: Vec<u8> = pairs
                .flat_map(|part| [&(part.len() as u64).to_be_bytes(), part.as_bytes()].concat())
                .collect();
            assert_eq!(form(body.as_bytes()), written, "{body}");
        }
    }

    #[test]
    fn names_and_values_are_decoded_and_the_rest_is_told_apart() {
        let same = |one: &[u8], other: &[u8]| form(one) == form(other);
        assert!(same(b"a+b=%41&c", b"c=&a%20b=A&&"));
        assert!(same(b"a=1=2", b"a=1%3D2"));
        assert!(same(b"a=%e9", b"a=%E9"));
        assert!(same(b"a=%E9", b"a=\xe9"));
        assert!(!same(b"a+b=1", b"a%2Bb=1"));
        assert!(same(b"100%", b"100%25"), "an escape that is none stays");
    }

    #[test]
    fn forms_that_are_not_utf_8_are_equal_only_byte_by_byte() {
        assert_ne!(form(b"name=%E9"), form(b"name=%E8"));
        assert_ne!(form(b"name=\xe9"), form(b"name=\xe8"));
        assert_ne!(form(b"name=%E9"), form("name=\u{fffd}".as_bytes()));
    }
}
