//! Links out of the documentation, and between Markdown files. Nothing outside can be reached from
//! the tests, so they look at what can be wrong without it.

use std::{collections::BTreeSet, path::Path};

use actix_web::http::Uri;

use super::page::{Kind, Page, comments, markdown, read, root};

/// Whom the documentation sends its readers to, and for what. Another one is a decision, not a slip.
const HOSTS: [(&str, &str); 14] = [
    ("actix.rs", "the framework"),
    ("datatracker.ietf.org", "the draft of the header"),
    ("docs.aws.amazon.com", "what SQS says of its deduplication"),
    ("docs.github.com", "what GitHub says of its webhooks"),
    ("docs.rs", "this crate, and those it works with"),
    ("docs.stripe.com", "what Stripe says of keys and webhooks"),
    ("github.com", "the text of Standard Webhooks"),
    ("keepachangelog.com", "the form of the changelog"),
    ("semver.org", "what versions mean"),
    ("url.spec.whatwg.org", "how forms are written"),
    ("www.postgresql.org", "what PostgreSQL's errors mean"),
    ("www.rfc-editor.org", "the standards"),
    ("www.sqlite.org", "what SQLite's errors mean"),
    ("www.zero2prod.com", "the book whose pattern is compared"),
];

fn external() -> Vec<(String, String)> {
    let pages = markdown().into_iter().chain(comments());
    let links = pages.flat_map(|page| {
        let links = page.links().into_iter();
        let links = links.filter(|link| link.contains("://"));
        let file = page.file.clone();
        links
            .map(move |link| (file.clone(), link))
            .collect::<Vec<_>>()
    });
    links.collect()
}

#[test]
fn addresses_are_well_formed_and_encrypted_and_known() {
    let (mut met, mut wrong) = (BTreeSet::new(), Vec::new());
    for (file, link) in external() {
        let address: Option<Uri> = link.parse().ok();
        let host = address.as_ref().and_then(Uri::host).unwrap_or_default();
        let is_known = HOSTS.iter().any(|(known, _why)| *known == host);
        let is_encrypted = address.as_ref().and_then(Uri::scheme_str) == Some("https");
        if !is_known || !is_encrypted {
            wrong.push(format!("{file}: {link}"));
        }
        met.insert(host.to_owned());
    }
    assert!(wrong.is_empty(), "no https, or not in the list: {wrong:#?}");
    let unused = HOSTS.iter().filter(|(known, _why)| !met.contains(*known));
    let unused: Vec<_> = unused.collect();
    assert!(unused.is_empty(), "nobody is sent there: {unused:?}");
}

#[test]
fn files_that_markdown_links_to_exist() {
    let mut checked = 0;
    for page in markdown() {
        for link in page.links() {
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = Path::new(&page.file).parent().unwrap();
            let target = match path {
                "" => page.file.clone(),
                path => folder.join(path).to_str().unwrap().to_owned(),
            };
            assert!(
                root().join(&target).exists(),
                "{}: {link} is no file",
                page.file
            );
            if !anchor.is_empty() {
                let target = Page {
                    text: read(&target),
                    file: target,
                    kind: Kind::Markdown,
                };
                assert!(
                    target.anchors().iter().any(|known| known == anchor),
                    "{}: {link} leads to no heading",
                    page.file
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 6, "only {checked} links were found");
}
