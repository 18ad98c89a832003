//! What the feature `metrics` counts, and what its example shows of it.

mod counting;
mod example;
mod scrape;
