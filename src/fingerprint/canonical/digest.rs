use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};
use sha2::{Digest, Sha256};

use super::valid_json;

/// Room for the text of most payloads.
const USUAL: usize = 256;

/// The SHA-256 of a value's canonical JSON text.
pub(crate) fn digest<T: Serialize + ?Sized>(value: &T) -> Result<[u8; 32], serde_json::Error> {
    let mut is_in_order = true;
    let mut text = Vec::with_capacity(USUAL);
    let watch = Watch::new(&mut is_in_order);
    value.serialize(&mut Serializer::with_formatter(&mut text, watch))?;
    let digest = match str::from_utf8(&text) {
        Ok(text) if !is_in_order => Sha256::digest(valid_json(text)),
        // JSON is UTF-8, so this is canonical.
        Ok(_) | Err(_) => Sha256::digest(&text),
    };
    Ok(digest.into())
}

/// Notes whether something has to be put in order. What serde_json writes is canonical but for the
/// order of an object's members, and those of a `serde_json::Value` are in order too.
struct Watch<'a> {
    is_in_order: &'a mut bool,
    /// The names that were written last in the objects that are open, one behind the other.
    names: String,
    /// Where each of them begins.
    open: Vec<usize>,
    /// Where the name begins that is being written.
    name: Option<usize>,
    is_first: bool,
}

impl<'a> Watch<'a> {
    fn new(is_in_order: &'a mut bool) -> Self {
        Self {
            is_in_order,
            names: String::new(),
            open: Vec::new(),
            name: None,
            is_first: false,
        }
    }

    /// A name has been written.
    fn note(&mut self) {
        let (Some(name), Some(&last)) = (self.name.take(), self.open.last()) else {
            return;
        };
        let follows = self.is_first || self.names[last..name] < self.names[name..];
        // A name that is empty may be a number, which is written by another way.
        *self.is_in_order &= follows && name < self.names.len();
        self.names.replace_range(last..name, "");
    }
}

impl Formatter for Watch<'_> {
    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.push(self.names.len());
        writer.write_all(b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        let last = self.open.pop();
        self.names.truncate(last.unwrap_or_default());
        writer.write_all(b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        is_first: bool,
    ) -> io::Result<()> {
        self.is_first = is_first;
        self.name = Some(self.names.len());
        match is_first {
            true => Ok(()),
            false => writer.write_all(b","),
        }
    }

    fn end_object_key<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.note();
        Ok(())
    }

    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if self.name.is_some() {
            self.names.push_str(fragment);
        }
        writer.write_all(fragment.as_bytes())
    }

    fn write_char_escape<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        // Rare in a name, and not worth being decoded here.
        *self.is_in_order &= self.name.is_none();
        CompactFormatter.write_char_escape(writer, escape)
    }

    /// A text that has been serialised before, by whomever.
    fn write_raw_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        *self.is_in_order = false;
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

    fn is_in_order(value: &impl Serialize) -> bool {
        let mut is_in_order = true;
        let watch = Watch::new(&mut is_in_order);
        let mut text = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut text, watch);
        value.serialize(&mut serializer).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            serde_json::to_string(value).unwrap()
        );
        is_in_order
    }

    #[test]
    fn what_is_in_order_is_seen_and_nothing_else_is_taken_for_it() {
        let nested = json!({ "a": { "z": [{ "b": 1, "c": {} }], "zz": 2 }, "b": { "a": "{\"" } });
        assert!(is_in_order(&nested));
        assert!(is_in_order(&[json!({ "b": 1 }), json!({ "a": 1 })]));
        assert!(
            !is_in_order(&json!({ "a\n": 1 })),
            "an escape is not looked into"
        );
        assert!(
            !is_in_order(&json!({ "": 1 })),
            "an empty name may be a number"
        );
        let pairs = |names: &[&str]| Pairs(names.iter().map(|name| name.to_string()).collect());
        assert!(is_in_order(&pairs(&["a", "aa", "b"])));
        assert!(!is_in_order(&pairs(&["a", "b", "aa"])));
        assert!(
            !is_in_order(&pairs(&["a", "a"])),
            "a repeated member stays as it came"
        );
        assert!(!is_in_order(&[pairs(&["b", "a"])]));
        let numbers = std::collections::BTreeMap::from([(2, 'x'), (10, 'x')]);
        assert!(!is_in_order(&numbers), "10 is before 2");
        for value in [
            nested,
            json!({ "a\n": 1, "a": 2, "": { "\u{7f}": 1, "Z": 2 } }),
        ] {
            assert_eq!(digest(&value).unwrap(), expected(&value));
        }
        assert_eq!(digest(&numbers).unwrap(), expected(&numbers));
    }

    /// An object with these members, in this order.
    struct Pairs(Vec<String>);

    impl Serialize for Pairs {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|name| (name, json!({ "c": 1 }))))
        }
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
