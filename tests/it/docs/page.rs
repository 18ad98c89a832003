use std::{fs, path::Path};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A text that people read: a Markdown file, or one documentation comment in a file of Rust.
pub(super) struct Page {
    /// The file, relative to the repository.
    pub(super) file: String,
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Markdown,
    /// Behind `//!`.
    Module,
    /// Behind `///`.
    Item,
}

impl Page {
    pub(super) fn events(&self) -> impl Iterator<Item = Event<'_>> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES)
    }

    /// Where links go, those of HTML as well.
    pub(super) fn links(&self) -> Vec<String> {
        let mut found = Vec::new();
        for event in self.events() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    found.push(dest_url.into_string());
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    for attribute in ["src=\"", "href=\""] {
                        let values = html.split(attribute).skip(1);
                        found.extend(values.map(|rest| rest.split('"').next().unwrap().to_owned()));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// The anchors of its headings, as rustdoc and forges make them.
    pub(super) fn anchors(&self) -> Vec<String> {
        let (mut anchors, mut heading) = (Vec::new(), None);
        for event in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => anchors.extend(heading.take().map(anchor)),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        anchors
    }
}

fn anchor(heading: String) -> String {
    let letters = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then(|| c.to_ascii_lowercase()),
    });
    letters.collect()
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder whose names end so, but for what tools have put there.
pub(super) fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut places = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(place) = places.pop() {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        if place.is_dir() {
            if !["target", "node_modules", ".git"].contains(&&*name) {
                let inside = fs::read_dir(&place).unwrap();
                places.extend(inside.map(|entry| entry.unwrap().path()));
            }
        } else if name.ends_with(ending) {
            let path = place.strip_prefix(root()).unwrap();
            files.push(path.to_str().unwrap().to_owned());
        }
    }
    files.sort();
    files
}

pub(super) fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|err| panic!("{file}: {err}"))
}

pub(super) fn markdown() -> Vec<Page> {
    let pages = files("", ".md").into_iter().map(|file| Page {
        kind: Kind::Markdown,
        text: read(&file),
        file,
    });
    let pages: Vec<_> = pages.collect();
    assert!(pages.iter().any(|page| page.file == "README.md"));
    pages
}

/// The documentation comments of the crate.
pub(super) fn comments() -> Vec<Page> {
    let files = files("src", ".rs").into_iter();
    let pages: Vec<_> = files.flat_map(|file| comments_of(&file)).collect();
    assert!(
        pages.len() > 300,
        "{} comments are not all of them",
        pages.len()
    );
    pages
}

pub(super) fn comments_of(file: &str) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    let mut before = None;
    for line in read(file).lines() {
        let line = line.trim_start();
        let found = [("//!", Kind::Module), ("///", Kind::Item)]
            .into_iter()
            .find_map(|(mark, kind)| Some((line.strip_prefix(mark)?, kind)));
        let kind = found.map(|(_, kind)| kind);
        if let Some((text, kind)) = found {
            let text = text.strip_prefix(' ').unwrap_or(text);
            if before != Some(kind) {
                pages.push(Page {
                    file: file.to_owned(),
                    kind,
                    text: String::new(),
                });
            }
            let page = pages.last_mut().unwrap();
            page.text.push_str(text);
            page.text.push('\n');
        }
        before = kind;
    }
    pages
}
