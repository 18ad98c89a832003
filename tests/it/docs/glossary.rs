//! `DESIGN.md` names types that exist, and says which can grow.

use std::{collections::BTreeSet, fs, path::Path};

use super::page::read;

/// What decides whether work runs, by the rule in `DESIGN.md`: a new case has to stop the build.
const CANNOT_GROW: [&str; 14] = [
    "Begin",
    "Call",
    "DedupOutcome",
    "ExecutionOutcome",
    "ExpiredLease",
    "FinishOutcome",
    "Held",
    "NewClaim",
    "Page",
    "Record",
    "RecordedResponse",
    "Renewed",
    "StoreTime",
    "Tombstone",
];

/// All code of the crate.
fn code() -> String {
    fn collect(path: &Path, code: &mut String) {
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                collect(&entry.unwrap().path(), code);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    let mut code = String::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut code,
    );
    code
}

/// The name at the beginning of a text.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The names of types that are defined by these words, at the beginning of a line.
fn defined(code: &str, words: &[&str]) -> BTreeSet<String> {
    let lines = code.lines().map(str::trim_start);
    let names = lines.filter_map(|line| {
        let visibility = ["pub(crate) ", "pub(super) ", "pub "];
        let item = (visibility.iter().find_map(|v| line.strip_prefix(v))).unwrap_or(line);
        words.iter().find_map(|word| item.strip_prefix(word))
    });
    names.map(|rest| name(rest).to_owned()).collect()
}

#[test]
fn glossary_names_types_that_exist() {
    let types = defined(&code(), &["struct ", "enum ", "trait ", "type "]);
    let design = read("DESIGN.md");
    let (_, glossary) = design.split_once("\n## Glossary\n").unwrap();
    let (glossary, _) = glossary.split_once("\n## ").unwrap();
    let mut named = 0;
    for row in glossary.lines().filter(|line| line.starts_with("| ")) {
        for code in row.split('`').skip(1).step_by(2) {
            if matches!(code, "Duration" | "NonZeroU32") {
                continue;
            }
            assert!(types.contains(code), "{code} is in the glossary alone");
            named += 1;
        }
    }
    assert!(named > 40, "only {named} types were found");
}

#[test]
fn public_types_can_grow_unless_they_decide_whether_work_runs() {
    let code = code();
    let (mut cannot_grow, mut can_grow) = (BTreeSet::new(), 0);
    // With all that stands before it since the last blank line.
    for item in code.split("\n\n") {
        let definition = item.split("\npub ").nth(1).or(item.strip_prefix("pub "));
        let Some(definition) = definition else {
            continue;
        };
        let is_open = match definition.split_once(' ') {
            Some(("enum", _)) => true,
            Some(("struct", rest)) => rest.contains("\n    pub ") || rest.contains("(pub "),
            _ => false,
        };
        if !is_open {
            continue;
        }
        match item.contains("#[non_exhaustive]") {
            true => can_grow += 1,
            false => _ = cannot_grow.insert(name(definition.split_once(' ').unwrap().1).to_owned()),
        }
    }
    assert!(can_grow > 12, "only {can_grow} types can grow");
    assert_eq!(cannot_grow, CANNOT_GROW.map(str::to_owned).into());
}
