//! Code in the documentation is compiled and run, or is no code.

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::page::{Kind, Page, comments, markdown, read};

/// Rust that is compiled and not run, by its first line, and why. `.ci/quickstart` runs it.
const NOT_RUN: [(&str, &str); 1] = [(
    "use actix_web::{App, HttpServer, post, rt::time::sleep};",
    "the README's program serves until it is stopped",
)];

/// What shows that the commands of a block of the README work.
enum Shown {
    /// This file, by these words.
    By(&'static str, &'static str),
    Not,
}

/// The blocks that are for a shell, by their page and how they begin.
const COMMANDS: [(&str, &str, Shown); 6] = [
    (
        "README.md",
        "cargo run --example quickstart",
        Shown::By(".ci/quickstart", "--example quickstart"),
    ),
    ("README.md", "tests/run", Shown::By(".ci/run", "tests/run")),
    (
        "README.md",
        "cargo new orders",
        Shown::By(".ci/quickstart", "readme 'cargo new orders'"),
    ),
    (
        "README.md",
        "order() {",
        Shown::By(".ci/quickstart", "readme 'order() {'"),
    ),
    (
        "CONTRIBUTING.md",
        "tests/run",
        Shown::By(".ci/run", "tests/run"),
    ),
    // Takes a quarter of an hour on a machine that does nothing else.
    ("CONTRIBUTING.md", "benches/load/run", Shown::Not),
];

/// Fences of what is no Rust.
const OTHERS: [&str; 3] = ["sh", "text", "toml"];

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
            let is_tested = page.kind != Kind::Markdown || file == "README.md";
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
fn each_command_for_a_shell_is_run_somewhere() {
    let mut commands = Vec::new();
    for page in markdown() {
        let blocks = blocks(&page).into_iter();
        let blocks = blocks.filter(|(fence, _)| fence == "sh");
        commands.extend(blocks.map(|(_, code)| (page.file.clone(), code)));
    }
    assert_eq!(commands.len(), COMMANDS.len(), "{commands:?}");
    for (file, begin, shown) in COMMANDS {
        let is_there = |(page, code): &(String, String)| page == file && code.starts_with(begin);
        assert!(commands.iter().any(is_there), "{file} has no {begin:?}");
        if let Shown::By(script, words) = shown {
            assert!(
                read(script).contains(words),
                "{script} does not run {begin:?}"
            );
        }
    }
}
