//! The table in this module's documentation names tests that exist.

use std::{collections::HashSet, fs, path::Path};

/// The sources of this module, or of one file named as in the table.
fn source(file: Option<&str>) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let here = root.join("tests/it/security");
    match file {
        Some(file) if file.starts_with("src/") => fs::read_to_string(root.join(file)).unwrap(),
        Some(file) => fs::read_to_string(root.join("tests/it").join(file)).unwrap(),
        None => {
            let files = fs::read_dir(here).unwrap().map(|file| file.unwrap().path());
            files
                .map(|file| fs::read_to_string(file).unwrap())
                .collect()
        }
    }
}

/// The names of the functions that are tests.
fn tests(source: &str) -> HashSet<&str> {
    let attributes = [
        "#[test]",
        "#[tokio::test",
        "#[actix_web::test",
        "each_store!(",
    ];
    let mut found = HashSet::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        is_test |= attributes
            .iter()
            .any(|attribute| line.starts_with(attribute));
        if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
            found.extend(name.split('(').next());
            is_test = false;
        }
    }
    found
}

/// What stands in code style in the last column, row by row.
fn named() -> Vec<Vec<String>> {
    let docs = include_str!("mod.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "));
    let last = docs.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let rows = last.map(|tests| {
        tests
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    });
    rows.filter(|row: &Vec<_>| !row.is_empty()).collect()
}

#[test]
fn every_test_that_the_table_names_exists() {
    let mut checked = 0;
    for row in named() {
        // Names in a row belong to the file that was named last.
        let mut file = None;
        for name in row {
            if name.ends_with(".rs") {
                file = Some(name);
                continue;
            }
            let source = source(file.as_deref());
            assert!(tests(&source).contains(&*name), "{name} is not in {file:?}");
            checked += 1;
        }
    }
    assert!(checked > 45, "only {checked} names were found");
}

#[test]
fn every_test_of_this_module_stands_in_the_table() {
    let named: HashSet<_> = named().into_iter().flatten().collect();
    let source = source(None);
    for test in tests(&source) {
        let is_of_the_table = test.contains("the_table");
        assert!(is_of_the_table || named.contains(test), "{test}");
    }
}
