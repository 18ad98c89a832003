use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use sha2::{Digest, Sha256};

use super::valid_json;

/// Room for the text of most payloads.
const USUAL: usize = 256;

/// The SHA-256 of a value's canonical JSON text.
pub(crate) fn digest<T: Serialize + ?Sized>(value: &T) -> Result<[u8; 32], serde_json::Error> {
    let mut in_order = true;
    let mut text = Vec::with_capacity(USUAL);
    let watch = InOrder(&mut in_order);
    value.serialize(&mut Serializer::with_formatter(&mut text, watch))?;
    let digest = match str::from_utf8(&text) {
        Ok(text) if !in_order => Sha256::digest(valid_json(text)),
        // JSON is UTF-8, so this is canonical.
        Ok(_) | Err(_) => Sha256::digest(&text),
    };
    Ok(digest.into())
}

/// Notes where something may have to be put in order. A value without objects, such as a text or a
/// tuple of texts, is canonical as it is written.
struct InOrder<'a>(&'a mut bool);

impl Formatter for InOrder<'_> {
    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        *self.0 = false;
        writer.write_all(b"{")
    }

    /// A text that has been serialised before, by whomever.
    fn write_raw_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        *self.0 = false;
        writer.write_all(fragment.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::RawValue};

    use super::*;

    /// With every text put in order.
    fn expected(value: &impl Serialize) -> [u8; 32] {
        let text = serde_json::to_string(value).unwrap();
        Sha256::digest(valid_json(&text)).into()
    }

    #[test]
    fn whether_or_not_it_is_put_in_order_the_digest_is_the_same() {
        let in_order = (
            "a\"\\\n\u{1}é",
            7,
            1.5,
            None::<u8>,
            [true],
            'x',
            "\u{7f}/\u{2028}",
        );
        assert_eq!(digest(&in_order).unwrap(), expected(&in_order));
        assert_eq!(digest(&"").unwrap(), expected(&""));
        assert_eq!(digest(&()).unwrap(), expected(&()));
    }

    #[test]
    fn objects_and_raw_texts_are_put_in_order() {
        #[derive(Serialize)]
        struct Unsorted {
            b: u8,
            a: u8,
        }
        let sorted = json!([{ "a": 2, "b": 1 }]);
        let unsorted = [Unsorted { b: 1, a: 2 }];
        assert_eq!(digest(&unsorted).unwrap(), expected(&sorted));
        let raw = RawValue::from_string(r#" [ {"b":1,"\u0061":2} ] "#.to_owned()).unwrap();
        assert_eq!(digest(&raw).unwrap(), expected(&sorted));
    }
}
