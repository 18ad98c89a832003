//! What the feature `metrics` counts, and what the example's dashboard and alerts make of it.

mod counting;
mod example;
mod expression;
mod grafana;
mod scrape;
