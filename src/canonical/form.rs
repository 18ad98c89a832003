use std::borrow::Cow;

use crate::hex;

/// The pairs of a form, sorted by name; those of one name stay in their order. Each is written with
/// its lengths.
///
/// Names and values are bytes here. Read as text, two that are no UTF-8 would look alike.
pub(crate) fn form(body: &[u8]) -> Vec<u8> {
    let pairs = body.split(|byte| *byte == b'&');
    let mut pairs: Vec<_> = pairs.filter(|pair| !pair.is_empty()).map(pair).collect();
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut out = Vec::with_capacity(body.len() + 16 * pairs.len());
    for (name, value) in pairs {
        for part in [name, value] {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(&part);
        }
    }
    out
}

fn pair(text: &[u8]) -> (Cow<'_, [u8]>, Cow<'_, [u8]>) {
    let (name, value) = match text.iter().position(|byte| *byte == b'=') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[][..]),
    };
    (decoded(name), decoded(value))
}

/// With `+` and `%20` read as what they stand for; a `%` without two digits stands for itself.
fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        rest = behind;
        out.push(match byte {
            b'+' => b' ',
            b'%' => match escaped(behind) {
                Some(byte) => {
                    rest = &behind[2..];
                    byte
                }
                None => b'%',
            },
            other => *other,
        });
    }
    Cow::Owned(out)
}

fn escaped(text: &[u8]) -> Option<u8> {
    let digits = text
        .first_chunk::<2>()?
        .map(|digit| digit.to_ascii_lowercase());
    hex::bytes::<1>(&digits).map(|[byte]| byte)
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
    fn what_is_not_utf8_differs_down_to_the_byte() {
        assert_ne!(form(b"to=Andr%E9"), form(b"to=Andr%E8"));
        assert_ne!(form(b"to=Andr\xe9"), form(b"to=Andr\xe8"));
        assert_eq!(form(b"to=Andr%E9"), form(b"to=Andr\xe9"));
        assert_ne!(form(b"to=%FF"), form(b"to=%EF%BF%BD"));
    }
}
