//! The documentation holds together: its links lead somewhere, its code is compiled, its log lines
//! are those of the crate.

mod anchors;
mod examples;
mod glossary;
mod links;
mod page;
mod quotations;
