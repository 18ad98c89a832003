use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use sha2::{Digest, Sha256};

use super::valid_json;

/// The SHA-256 of a value's canonical JSON text.
pub(crate) fn digest<T: Serialize + ?Sized>(value: &T) -> Result<[u8; 32], serde_json::Error> {
    if let Some(digest) = digest_in_order(value) {
        return Ok(digest);
    }
    let text = serde_json::to_string(value)?;
    Ok(Sha256::digest(valid_json(&text)).into())
}

/// The digest of a value without objects, such as a text or a tuple of texts: as it is written it
/// is canonical, so it goes into the digest without a text in between. `None` for any other value,
/// and for one that cannot be written.
fn digest_in_order<T: Serialize + ?Sized>(value: &T) -> Option<[u8; 32]> {
    let mut sink = Sink(Sha256::new());
    let mut serializer = Serializer::with_formatter(&mut sink, InOrder);
    value.serialize(&mut serializer).ok()?;
    Some(sink.0.finalize().into())
}

/// Where the text goes.
struct Sink(Sha256);

impl io::Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.update(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives up where something may have to be put in order.
struct InOrder;

impl Formatter for InOrder {
    fn begin_object<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A text that has been serialised before, by whomever.
    fn write_raw_fragment<W: io::Write + ?Sized>(&mut self, _: &mut W, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::RawValue};

    use super::*;

    /// By way of the text.
    fn expected(value: &impl Serialize) -> [u8; 32] {
        let text = serde_json::to_string(value).unwrap();
        Sha256::digest(valid_json(&text)).into()
    }

    #[test]
    fn with_and_without_a_text_in_between_the_digest_is_the_same() {
        let raw = RawValue::from_string(" [ 1, \"\\u0041\" ] ".to_owned()).unwrap();
        let in_order = (
            "a\"\\\n\u{1}é",
            7,
            1.5,
            None::<u8>,
            [true],
            'x',
            "\u{7f}/\u{2028}",
        );
        assert_eq!(digest_in_order(&in_order), Some(expected(&in_order)));
        assert_eq!(digest_in_order(&""), Some(expected(&"")));
        assert_eq!(digest_in_order(&()), Some(expected(&())));

        let not_in_order = json!([{ "b": 1, "a": 2 }]);
        for digested in [digest_in_order(&not_in_order), digest_in_order(&raw)] {
            assert_eq!(digested, None);
        }
        assert_eq!(digest(&not_in_order).unwrap(), expected(&not_in_order));
        assert_eq!(digest(&raw).unwrap(), expected(&raw));
    }
}
