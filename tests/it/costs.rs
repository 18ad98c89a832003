//! What the documentation says of costs that do not depend on the machine.

use std::process::Command;

use crate::support::example::member;

/// As they are called in the documentation, and by what counts them.
const PATHS: [(&str, &str); 6] = [
    ("lock over bytes", "lock-bytes"),
    ("lock over JSON", "lock-json"),
    ("first run, bytes", "first-bytes"),
    ("first run, JSON", "first-json"),
    ("replay, bytes", "replay-bytes"),
    ("replay, JSON", "replay-json"),
];

/// The number in a column of the line of a Markdown table that begins with a name.
fn number(table: &str, name: &str, column: usize) -> f64 {
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_start_matches("//!").replace('−', "-");
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut rows = table.lines().map(cells);
    let row = rows.find(|row| row.get(1).is_some_and(|cell| cell == name));
    let row = row.unwrap_or_else(|| panic!("there is no line on {name}:\n{table}"));
    row[column].parse().unwrap()
}

/// Dependencies change as well, and what one of them allocates is no mistake of ours.
const GIVE_OR_TAKE: f64 = 1.0;

#[test]
fn every_path_allocates_as_often_as_is_said() {
    let counted = Command::new(member("allocations")).output().unwrap();
    let counted = String::from_utf8(counted.stdout).unwrap();
    let documented = include_str!("../../DESIGN.md");
    for (name, path) in PATHS {
        let (said, beyond_bare) = (number(documented, name, 2), number(&counted, path, 3));
        let difference = (beyond_bare - said).abs();
        assert!(
            difference <= GIVE_OR_TAKE,
            "{name}: {beyond_bare}, said to be {said}"
        );
    }
}
