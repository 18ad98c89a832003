//! Anchors within the crate's own pages. rustdoc looks whether an item exists, not whether its page
//! has such a heading.

use super::page::{Kind, Page, comments, comments_of, files, markdown, read, root};

const PUBLISHED: &str = "https://docs.rs/actix-web-idempotency";

/// The file in which a module of the crate is written.
fn file_of(module: &[&str]) -> Option<String> {
    let path = module.join("/");
    let candidates = match module {
        [] => vec!["src/lib.rs".to_owned()],
        _ => vec![format!("src/{path}.rs"), format!("src/{path}/mod.rs")],
    };
    candidates
        .into_iter()
        .find(|file| root().join(file).exists())
}

/// The module that a file is.
fn module_of(file: &str) -> Vec<&str> {
    let path = file.strip_prefix("src/").unwrap();
    let path = path
        .trim_end_matches(".rs")
        .trim_end_matches("mod")
        .trim_end_matches('/');
    match path {
        "lib" => Vec::new(),
        path => path.split('/').collect(),
    }
}

fn anchors_in(file: &str, kind: Kind) -> Vec<String> {
    let pages = comments_of(file);
    let pages = pages.iter().filter(|page| page.kind == kind);
    pages.flat_map(Page::anchors).collect()
}

/// The anchors on the page of what a link names.
fn anchors_of(page: &Page, path: &str) -> Vec<String> {
    if path.is_empty() {
        return page.anchors();
    }
    if path == "Self" {
        return anchors_in(&page.file, Kind::Item);
    }
    let here = module_of(&page.file);
    let named: Vec<_> = path.split("::").collect();
    let item = *named.last().unwrap();
    if item.starts_with(char::is_uppercase) {
        let defined = ["struct", "enum", "trait"].map(|what| format!("pub {what} {item}"));
        let files = files("src", ".rs").into_iter().filter(|file| {
            let code = read(file);
            let mut lines = code.lines();
            lines.any(|line| {
                let rest = defined
                    .iter()
                    .find_map(|start| line.strip_prefix(start.as_str()));
                rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            })
        });
        let methods = |file: &String| {
            let code = read(file);
            let names = code
                .split("pub fn ")
                .chain(code.split("pub async fn "))
                .skip(1);
            let names = names.map(|rest| rest.split(['(', '<']).next().unwrap().to_owned());
            names
                .map(|name| format!("method.{name}"))
                .collect::<Vec<_>>()
        };
        let all = super::page::files("src", ".rs");
        return files
            .flat_map(|file| anchors_in(&file, Kind::Item))
            .chain(all.iter().flat_map(methods))
            .collect();
    }
    let mut module: Vec<&str> = match named[0] {
        "crate" => Vec::new(),
        "super" => here[..here.len() - 1].to_vec(),
        _ => here.clone(),
    };
    module.extend(
        named
            .iter()
            .filter(|name| !["crate", "super", "self"].contains(name)),
    );
    if module == ["guide", "design"] {
        let mut shown = markdown()
            .into_iter()
            .filter(|page| page.file == "DESIGN.md");
        return shown.next().unwrap().anchors();
    }
    let file = file_of(&module).unwrap_or_else(|| panic!("{}: {path} is no module", page.file));
    anchors_in(&file, Kind::Module)
}

/// What rustdoc makes of `impl Display for Key`.
fn is_an_implementation(page: &Page, anchor: &str) -> bool {
    let implemented = anchor
        .strip_prefix("impl-")
        .map(|rest| rest.replace('-', " "));
    implemented.is_some_and(|text| read(&page.file).contains(&text))
}

#[test]
fn what_a_link_points_to_within_a_page_is_there() {
    let (mut checked, mut wrong) = (0, Vec::new());
    for page in comments() {
        for link in page.links() {
            let Some((path, anchor)) = link.split_once('#').filter(|_| !link.contains("://"))
            else {
                continue;
            };
            let there = anchors_of(&page, path);
            let is_there = there.iter().any(|known| known == anchor);
            if !is_there && !is_an_implementation(&page, anchor) {
                wrong.push(format!("{}: {link}", page.file));
            }
            checked += 1;
        }
    }
    assert!(wrong.is_empty(), "these lead to no heading: {wrong:#?}");
    assert!(checked > 60, "only {checked} links were found");
}

#[test]
fn addresses_of_published_pages_are_those_of_modules() {
    let mut checked = 0;
    for file in files("src", ".rs").into_iter().chain(files("", ".md")) {
        for rest in read(&file).split(PUBLISHED).skip(1) {
            let end = rest.find([' ', ')', '"', '>', '`', '\n']);
            let address = &rest[..end.unwrap_or(rest.len())];
            if address.is_empty() {
                continue; // the crate's own page
            }
            if address == "-sqlx" {
                continue; // the front page of the other package
            }
            let page = address
                .strip_prefix("/latest/actix_web_idempotency/")
                .unwrap_or_else(|| panic!("{file}: {PUBLISHED}{address} is not the latest page"));
            let (page, anchor) = page.split_once('#').unwrap_or((page, ""));
            let module = page
                .strip_suffix("index.html")
                .unwrap_or_else(|| panic!("{file}: {PUBLISHED}{address} is not a module's page"));
            let module: Vec<_> = module.split_terminator('/').collect();
            let written =
                file_of(&module).unwrap_or_else(|| panic!("{file}: no module {module:?}"));
            let anchors = anchors_in(&written, Kind::Module);
            assert!(
                anchor.is_empty() || anchors.iter().any(|known| known == anchor),
                "{file}: {address} leads to no heading"
            );
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} addresses were found");
}
