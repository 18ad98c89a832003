//! Canonical JSON text: what two equal JSON values have in common.
//!
//! Object members are sorted by name, white space is dropped and strings are written with the
//! fewest escapes. Numbers keep their digits: `1` is not `1.0`, and no digit of a large one is
//! lost, which is why [RFC 8785](https://www.rfc-editor.org/rfc/rfc8785) (numbers are doubles
//! there) does not serve. An object that repeats a member has no agreed value, so it stays as it
//! came; so does whatever is nested deeper than [`MAX_DEPTH`], which bounds stack and time.
//!
//! The result is a JSON text of the same value, so two texts with one canonical form are equal.

use std::{borrow::Cow, ops::Range};

use serde::de::IgnoredAny;

/// How deep objects and arrays are put in order. serde_json, which reads most of these bodies
/// in the handler, refuses at the same depth.
const MAX_DEPTH: usize = 128;
/// Room for the members of most bodies, so that it need not grow.
const USUAL_MEMBERS: usize = 16;

/// The canonical form of a text that may be JSON; `None` when it is not.
pub(crate) fn from_foreign(text: &[u8]) -> Option<String> {
    let text = str::from_utf8(text).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    Some(from_valid(text))
}

/// The canonical form of a text that is known to be JSON.
pub(crate) fn from_valid(text: &str) -> String {
    let mut writer = Writer {
        text,
        at: 0,
        out: String::with_capacity(text.len()),
        members: Vec::with_capacity(USUAL_MEMBERS),
        unsorted: String::new(),
    };
    writer.value(0);
    writer.out
}

/// Reads valid JSON and writes its canonical form. On anything else it stops early; it never
/// panics and never loops.
struct Writer<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// The members of the objects that are open, those of the innermost last.
    members: Vec<Member<'a>>,
    /// What an object looks like before its members are in order. Kept for its memory.
    unsorted: String,
}

/// A member that has been written.
struct Member<'a> {
    /// Its decoded name.
    name: Cow<'a, str>,
    /// Where name, colon and value stand in what has been written.
    written: Range<usize>,
}

/// A string as it came, its quotes included.
#[derive(Clone, Copy)]
struct Raw<'a> {
    text: &'a str,
    has_escapes: bool,
}

impl<'a> Writer<'a> {
    fn value(&mut self, depth: usize) {
        match self.peek() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => {
                let raw = self.skip_nested();
                self.out.push_str(raw);
            }
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => {
                let _raw = self.string();
            }
            Some(_) => {
                let raw = self.scalar();
                self.out.push_str(raw);
            }
            None => {}
        }
    }

    fn object(&mut self, depth: usize) {
        let (from, out_from, first) = (self.at, self.out.len(), self.members.len());
        self.at += 1;
        self.out.push('{');
        while self.peek() == Some(b'"') {
            if self.members.len() > first {
                self.out.push(',');
            }
            let start = self.out.len();
            let name = self.name();
            self.eat(b':');
            self.out.push(':');
            self.value(depth);
            self.members.push(Member {
                name,
                written: start..self.out.len(),
            });
            if !self.eat(b',') {
                break;
            }
        }
        self.eat(b'}');
        self.out.push('}');
        self.sort(from, out_from, first);
        self.members.truncate(first);
    }

    /// Puts the members of an object in order that has just been written.
    fn sort(&mut self, from: usize, out_from: usize, first: usize) {
        let members = &mut self.members[first..];
        if members.is_sorted_by(|a, b| a.name < b.name) {
            return;
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let repeats = members.windows(2).any(|pair| pair[0].name == pair[1].name);
        self.unsorted.clear();
        // Outer objects are longer than the inner ones before them, and none is longer than this.
        self.unsorted.reserve(self.text.len());
        self.unsorted.push_str(&self.out[out_from..]);
        self.out.truncate(out_from);
        if repeats {
            let as_it_came = self.text.get(from..self.at).unwrap_or_default();
            self.out.push_str(as_it_came);
            return;
        }
        self.out.push('{');
        for (i, Member { written, .. }) in members.iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            let written = written.start - out_from..written.end - out_from;
            self.out.push_str(&self.unsorted[written]);
        }
        self.out.push('}');
    }

    fn array(&mut self, depth: usize) {
        self.at += 1;
        self.out.push('[');
        let mut first = true;
        while !matches!(self.peek(), Some(b']') | None) {
            if !first {
                self.out.push(',');
            }
            first = false;
            self.value(depth);
            if !self.eat(b',') {
                break;
            }
        }
        self.eat(b']');
        self.out.push(']');
    }

    /// Writes a member's name and returns what it says.
    fn name(&mut self) -> Cow<'a, str> {
        let raw = self.string();
        if raw.has_escapes
            && let Ok(decoded) = serde_json::from_str::<String>(raw.text)
        {
            return Cow::Owned(decoded);
        }
        let inner = raw.text.get(1..raw.text.len().saturating_sub(1));
        Cow::Borrowed(inner.unwrap_or_default())
    }

    /// Writes a string and returns it as it came.
    fn string(&mut self) -> Raw<'a> {
        let raw = self.raw_string();
        // Of the escapes only these two have a shorter form. A lone surrogate decodes to nothing
        // and stays as it is, which no decoded string can look like: serde_json never writes
        // such an escape.
        if raw.has_escapes
            && (raw.text.contains("\\u") || raw.text.contains("\\/"))
            && let Ok(decoded) = serde_json::from_str::<String>(raw.text)
            && let Ok(escaped) = serde_json::to_string(&decoded)
        {
            self.out.push_str(&escaped);
        } else {
            self.out.push_str(raw.text);
        }
        raw
    }

    /// Moves over a string.
    fn raw_string(&mut self) -> Raw<'a> {
        let from = self.at;
        let bytes = self.text.as_bytes();
        let mut has_escapes = false;
        self.at += 1;
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.at += 1;
                }
                _ => {}
            }
        }
        self.at = self.at.min(bytes.len());
        let text = self.text.get(from..self.at).unwrap_or_default();
        Raw { text, has_escapes }
    }

    /// Moves over a number, `true`, `false` or `null`.
    fn scalar(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_behind =
            |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
        let end = rest.as_bytes().iter().position(is_behind);
        let (scalar, _) = rest.split_at(end.unwrap_or(rest.len()));
        self.at += scalar.len();
        scalar
    }

    /// Moves over an object or array of any depth, without recursion.
    fn skip_nested(&mut self) -> &'a str {
        let from = self.at;
        let mut open = 0_usize;
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'"' => {
                    self.raw_string();
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn eat(&mut self, expected: u8) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += 1;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        from_foreign(text.as_bytes()).unwrap_or_else(|| panic!("not JSON: {text}"))
    }

    #[test]
    fn members_are_sorted_at_every_level_and_white_space_goes() {
        assert_eq!(
            canonical(" { \"b\" : [ 1 , { \"z\" : 1 , \"a\" : 2 } ] ,\n\t\"a\" : null } "),
            r#"{"a":null,"b":[1,{"a":2,"z":1}]}"#
        );
        assert_eq!(canonical("{}"), "{}");
        assert_eq!(canonical("[ ]"), "[]");
        assert_eq!(canonical(" true"), "true");
    }

    #[test]
    fn numbers_keep_every_digit() {
        for number in [
            "1",
            "1.0",
            "1e2",
            "100",
            "-0",
            "123456789012345678901234567890",
            "0.1",
        ] {
            assert_eq!(canonical(number), number);
        }
    }

    #[test]
    fn strings_are_compared_by_what_they_say() {
        assert_eq!(canonical(r#""\u0041\/\u00e9""#), r#""A/é""#);
        assert_eq!(canonical(r#""a\"b\\\n\t\b\f\r""#), r#""a\"b\\\n\t\b\f\r""#);
        assert_eq!(
            canonical(r#""\u0022\u005c\u000a\u0001""#),
            r#""\"\\\n\u0001""#
        );
        assert_eq!(
            canonical(r#"{"a\n":1,"a\u000A":2}"#),
            r#"{"a\n":1,"a\u000A":2}"#
        );
        assert_eq!(canonical(r#"{"\u0062":1,"a":2}"#), r#"{"a":2,"b":1}"#);
        assert_ne!(
            canonical(r#""é""#),
            canonical("\"e\u{301}\""),
            "no normalisation"
        );
        assert_eq!(
            canonical(r#""\ud800""#),
            r#""\ud800""#,
            "a lone surrogate stays"
        );
        assert_ne!(canonical(r#""\\ud800""#), canonical(r#""\ud800""#));
    }

    #[test]
    fn an_object_with_repeated_members_counts_as_it_came() {
        assert_eq!(
            canonical(r#"{"b":1, "a":2, "b":3}"#),
            r#"{"b":1, "a":2, "b":3}"#
        );
        assert_eq!(canonical(r#"{"a":1,"\u0061":2}"#), r#"{"a":1,"\u0061":2}"#);
        assert_eq!(
            canonical(r#"{"y": {"b":1, "b":2}, "x": 0}"#),
            r#"{"x":0,"y":{"b":1, "b":2}}"#
        );
    }

    #[test]
    fn what_is_not_json_has_no_canonical_form() {
        for text in [
            "",
            "{",
            "{a:1}",
            "[1,]",
            "1 2",
            "'a'",
            "nul",
            "{\"a\":1}}",
            "\"\\x\"",
        ] {
            assert_eq!(from_foreign(text.as_bytes()), None, "{text}");
        }
        assert_eq!(from_foreign(b"\"\xff\""), None);
    }

    #[test]
    fn the_writer_survives_what_is_not_json() {
        for text in [
            "{", "[", "\"", "\"\\", "{\"a", "{\"a\":", "[[[", "}", ",", "{\"a\"}", "é",
        ] {
            from_valid(text);
        }
    }

    #[test]
    fn nesting_beyond_the_bound_stays_as_it_came() {
        let deep = format!(
            "{}{{\"b\":1,\"a\":2}}{}",
            "[".repeat(5000),
            "]".repeat(5000)
        );
        assert_eq!(canonical(&deep), deep);
        let shallow = format!("{}{{\"b\":1,\"a\":2}}{}", "[".repeat(127), "]".repeat(127));
        assert!(canonical(&shallow).contains(r#"{"a":2,"b":1}"#));
    }

    #[test]
    fn canonical_text_is_its_own_canonical_form() {
        let text = r#"{"b":[1.50,"\u00e9\n"],"a":{"d":1,"d":2},"c":{"f":{},"e":[]}}"#;
        let once = canonical(text);
        assert_eq!(canonical(&once), once);
    }
}
