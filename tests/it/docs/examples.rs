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

/// The blocks of the README that are for a shell, by how they begin.
const COMMANDS: [(&str, Shown); 4] = [
    ("order() {", Shown::By(".ci/quickstart", "readme sh")),
    (
        "cargo run --example playground",
        Shown::By("tests/browser/src/playground.rs", "examples/playground"),
    ),
    // Takes a quarter of an hour on a machine that does nothing else.
    ("benches/load/run", Shown::Not),
    ("tests/run", Shown::By(".ci/run", "tests/run")),
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
    for ((_, code), (begin, shown)) in commands.iter().zip(COMMANDS) {
        assert!(code.starts_with(begin), "{code:?} is not {begin:?}");
        if let Shown::By(file, words) = shown {
            assert!(read(file).contains(words), "{file} does not run {begin:?}");
        }
    }
}
