//! A JSON value that writes itself in many ways, and reads itself back.

use std::collections::BTreeMap;

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::SliceRandom};
use serde_json::value::RawValue;

/// Compares by value, numbers by their digits.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    /// A number, `true`, `false` or `null`.
    Scalar(String),
    Text(String),
    Array(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

pub(super) fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        "true|false|null|-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?"
            .prop_map(Tree::Scalar),
        texts().prop_map(Tree::Text),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Tree::Array),
            btree_map(texts(), inner, 0..6).prop_map(Tree::Object),
        ]
    })
}

/// Short ones often, so that some are alike.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[ab\"\\\\/é\u{1}\u{7f}]{0,2}", any::<String>()]
}

impl Tree {
    /// The value in one of its many spellings: white space, order of members, escapes.
    pub(super) fn spelt(&self, seed: u64) -> String {
        let mut speller = Speller {
            whim: SmallRng::seed_from_u64(seed),
            out: String::new(),
        };
        speller.value(self);
        speller.out
    }

    /// The value of a text in which no object repeats a member.
    pub(super) fn read(text: &str) -> Self {
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        Self::parse(raw)
    }

    fn parse(raw: &RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes()[0] {
            b'{' => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
                let members = members.into_iter();
                Self::Object(
                    members
                        .map(|(name, raw)| (name, Self::parse(raw)))
                        .collect(),
                )
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).unwrap();
                Self::Array(items.into_iter().map(Self::parse).collect())
            }
            b'"' => Self::Text(serde_json::from_str(text).unwrap()),
            _ => Self::Scalar(text.to_owned()),
        }
    }
}

struct Speller {
    whim: SmallRng,
    out: String,
}

impl Speller {
    fn value(&mut self, tree: &Tree) {
        self.space();
        match tree {
            Tree::Scalar(text) => self.out.push_str(text),
            Tree::Text(text) => self.text(text),
            Tree::Array(items) => {
                self.out.push('[');
                self.listed(items, Self::value);
                self.out.push(']');
            }
            Tree::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.shuffle(&mut self.whim);
                self.out.push('{');
                self.listed(&members, |speller, (name, value)| {
                    speller.space();
                    speller.text(name);
                    speller.space();
                    speller.out.push(':');
                    speller.value(value);
                });
                self.out.push('}');
            }
        }
        self.space();
    }

    fn listed<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.space();
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
    }

    fn space(&mut self) {
        while self.whim.random_ratio(1, 4) {
            let space = *b" \t\r\n".get(self.whim.random_range(0..4)).unwrap();
            self.out.push(space.into());
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            let short = match c {
                '"' | '\\' | '/' => Some(c),
                '\n' => Some('n'),
                '\t' => Some('t'),
                '\r' => Some('r'),
                '\u{8}' => Some('b'),
                '\u{c}' => Some('f'),
                _ => None,
            };
            let must = c < ' ' || c == '"' || c == '\\';
            match (self.whim.random_range(0..4), short) {
                (0, _) => self.numbered(c),
                (1, Some(short)) => self.out.extend(['\\', short]),
                (_, Some(short)) if must => self.out.extend(['\\', short]),
                _ if must => self.numbered(c),
                _ => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    /// By the number of each of its UTF-16 units, in either case.
    fn numbered(&mut self, c: char) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let escape = match self.whim.random() {
                true => format!("\\u{unit:04x}"),
                false => format!("\\u{unit:04X}"),
            };
            self.out.push_str(&escape);
        }
    }
}
