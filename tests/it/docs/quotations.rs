//! What the documentation quotes from elsewhere stands there.

use pulldown_cmark::Event;

use super::page::{comments, comments_of, files, markdown, read};

const PAGE: &str = "src/guide/troubleshooting.rs";

/// All code but the guide, each run of white space as one space and broken strings put together.
fn code() -> String {
    let files = files("src", ".rs").into_iter();
    let others = files.filter(|file| !file.starts_with("src/guide"));
    let text: String = others.map(|file| read(&file)).collect();
    let text = text.replace("\\\n", " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn log_lines_of_the_guide_are_logged() {
    let code = code();
    let mut checked = 0;
    for page in comments_of(PAGE) {
        for event in page.events() {
            let Event::Code(span) = event else { continue };
            let quoted = span
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            if let Some(quoted) = quoted {
                assert!(code.contains(quoted), "nobody says {quoted:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 15, "only {checked} quotations were found");
}

#[test]
fn the_guide_has_a_remedy_for_every_problem() {
    let text = read(PAGE);
    let problems = comments_of("src/problem/mod.rs").swap_remove(0).anchors();
    assert!(problems.len() > 10, "{problems:?} are not all of them");
    for problem in problems {
        assert!(
            text.contains(&format!("`{problem}`")),
            "{problem} is not in {PAGE}"
        );
    }
}

#[test]
fn every_page_names_the_rust_that_is_needed() {
    let oldest = env!("CARGO_PKG_RUST_VERSION");
    let of_sqlx = read("crates/sqlx/Cargo.toml");
    let of_sqlx = of_sqlx.split("rust-version = \"").nth(1).unwrap();
    let of_sqlx = of_sqlx.split('"').next().unwrap();
    let pages = markdown().into_iter().chain(comments());
    let mut named = 0;
    // Of a release that is out, the changelog says what that one needed.
    for page in pages.filter(|page| page.file != "CHANGELOG.md") {
        for rest in page.text.split("Rust ").skip(1) {
            let rest = rest.trim_start_matches('(');
            let is_version = |c: char| c.is_ascii_digit() || c == '.';
            let version = rest.split(|c| !is_version(c)).next().unwrap();
            let version = version.trim_end_matches('.');
            if version.contains('.') {
                let needed = match page.file.starts_with("crates/sqlx") {
                    true => of_sqlx,
                    false => oldest,
                };
                assert_eq!(version, needed, "{}", page.file);
                named += 1;
            }
        }
    }
    assert_eq!(named, 4, "the READMEs, CONTRIBUTING and the guide name it");
}
