//! Code in the documentation is compiled and run, or is no code.

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::page::{Kind, Page, comments, markdown, read};

/// Rust that is compiled and not run, by its first line, and why. `.ci/quickstart` runs it.
const NOT_RUN: [(&str, &str); 1] = [(
    "use std::{sync::atomic::{AtomicU64, Ordering}, time::Duration};",
    "the README's program serves until it is stopped",
)];

/// The commands of the README, by their first word or line, and the file that shows that they work.
const COMMANDS: [(&str, &str); 4] = [
    ("order() {", ".ci/quickstart"),
    (
        "cargo run --example playground",
        "tests/browser/src/playground.rs",
    ),
    // Takes a quarter of an hour. Its --help is the least that has to work.
    ("benches/load/run", "benches/load/run"),
    ("tests/run", ".ci/run"),
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
fn each_command_of_the_readme_is_run_by_somebody() {
    let pages = markdown();
    let readme = pages.iter().find(|page| page.file == "README.md").unwrap();
    let blocks = blocks(readme).into_iter();
    let commands: Vec<_> = blocks.filter(|(fence, _)| fence == "sh").collect();
    assert_eq!(commands.len(), COMMANDS.len());
    for ((_, code), (begin, by)) in commands.iter().zip(COMMANDS) {
        assert!(code.starts_with(begin), "{code:?} is not {begin:?}");
        let by = read(by);
        let named = match begin {
            "order() {" => "readme sh",
            "cargo run --example playground" => "playground",
            "benches/load/run" => "--help",
            other => other,
        };
        assert!(by.contains(named), "nobody runs {begin:?}");
    }
}
