//! Code in the documentation is compiled and run, or is no code.

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::page::{Kind, Page, comments, markdown, read};

/// Rust that is compiled and not run, by its first line, and why. `.ci/quickstart` runs it.
const NOT_RUN: [(&str, &str); 2] = [
    (
        "use actix_web::{App, HttpServer, post, rt::time::sleep};",
        "the README's program serves until it is stopped",
    ),
    (
        "use actix_web_idempotency::{Idempotency, Scope};",
        "it needs a PostgreSQL; tests/it/postgres does the same",
    ),
];

/// Pages of which the code is compiled.
const COMPILED: [&str; 2] = ["README.md", "crates/sqlx/README.md"];

/// Blocks for a shell that `.ci/quickstart` does not take from their page, by how they begin, and why.
const NOT_TAKEN: [(&str, &str, &str); 3] = [
    ("README.md", "tests/run", "the gate begins with it"),
    ("CONTRIBUTING.md", "tests/run", "the gate begins with it"),
    (
        "CONTRIBUTING.md",
        "tools/load/run",
        "takes a quarter of an hour on a machine that does nothing else",
    ),
];

/// Fences of what is no Rust.
const OTHERS: [&str; 4] = ["sql", "sh", "text", "toml"];

/// The fences and the code of a page.
fn blocks(page: &Page) -> Vec<(String, String)> {
    let (mut blocks, mut inside) = (Vec::new(), false);
    for event in page.events() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(fence))) => {
                blocks.push((fence.into_string(), String::new()));
                inside = true;
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                panic!(
                    "{}: an indented block, which rustdoc takes for Rust",
                    page.file
                )
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if inside => blocks.last_mut().unwrap().1.push_str(&text),
            _ => {}
        }
    }
    blocks
}

#[test]
fn rust_in_the_documentation_is_compiled_and_run() {
    let mut runs = 0;
    for page in comments().into_iter().chain(markdown()) {
        for (fence, code) in blocks(&page) {
            let words: Vec<_> = fence.split(',').map(str::trim).collect();
            if OTHERS.contains(&words[0]) {
                continue;
            }
            let file = &page.file;
            let first = code.lines().next().unwrap_or_default();
            let is_tested = page.kind != Kind::Markdown || COMPILED.contains(&file.as_str());
            assert!(is_tested, "{file}: nobody compiles {first:?}");
            match words[..] {
                [""] | ["rust"] => runs += 1,
                ["rust", "no_run"] => assert!(
                    NOT_RUN.iter().any(|(known, _why)| *known == first),
                    "{file}: {first:?} is not run, and not in the list"
                ),
                _ => panic!("{file}: ```{fence} is neither run nor a known fence"),
            }
        }
    }
    assert!(runs > 50, "only {runs} blocks were found");
}

#[test]
fn each_block_for_a_shell_is_taken_from_its_page_and_run() {
    let script = read(".ci/quickstart");
    let taken = script.split("$(readme '").skip(1);
    let taken: Vec<_> = taken.map(|rest| rest.split('\'').next().unwrap()).collect();
    let mut left = NOT_TAKEN.to_vec();
    for page in markdown() {
        for (_, code) in blocks(&page).iter().filter(|(fence, _)| fence == "sh") {
            let is_taken = page.file == "README.md" && taken.iter().any(|it| code.starts_with(it));
            let begins = |(file, begin, _): &(&str, &str, &str)| {
                page.file == *file && code.starts_with(begin)
            };
            let known = left.iter().position(begins).map(|n| left.swap_remove(n));
            assert!(is_taken != known.is_some(), "{}: {code}", page.file);
        }
    }
    assert!(left.is_empty(), "they stand nowhere: {left:?}");
    let gate = read(".ci/run");
    for called in ["tests/run", ".ci/quickstart"] {
        let is_called = |line: &str| line.split(' ').next() == Some(called);
        assert!(
            gate.lines().any(is_called),
            ".ci/run does not call {called}"
        );
    }
}
