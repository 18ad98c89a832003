//! What was measured, as Markdown.

mod commands;
mod crowded;
mod latency;
mod machine;
mod peers;
mod throughput;
mod verdict;
mod waiting;

use crate::{
    comparison::Comparison,
    options::Options,
    waiters::{Crowd, WakeUps},
};

const ABOUT: &str = "\
What the middlewares cost, measured by `tools/load/run`; [src/plan.rs](src/plan.rs) has all rows. \
One server with one worker on one core; wrk with 64 connections, and Redis or PostgreSQL (16 connections, `fsync` off but for the rows *on disk*), on another. 200 bytes of \
JSON with a key and a content of their own in each request; for replays one whose answer is recorded. \
Rows on *bytes* say `text/plain`, or digest the body as it came; rows on *JSON* compare it by value. \
A *floor* does by hand what cannot be done without, and nothing for the day that something fails: on \
Redis the bare handler with the same commands on one connection, on PostgreSQL with the same \
statements on the same pool, in memory a middleware around one map. A run counts only when no status, no length of an \
answer and no number of handler runs was wrong. Medians of all rounds, ratios within each round.";

/// The page without what is aimed at, which is for maintainers: `0.45 (0.57: no)` becomes `0.45`.
pub(crate) fn without_aims(report: &str) -> String {
    let mut parts = report.split(" (");
    let mut page = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let aim = part.split_once(')').filter(|(aim, _)| {
            let figure = aim.strip_suffix(": yes").or(aim.strip_suffix(": no"));
            figure.is_some_and(|figure| figure.parse::<f64>().is_ok())
        });
        match aim {
            Some((_, rest)) => page.push_str(rest),
            None => page.extend([" (", part]),
        }
    }
    page
}

/// The whole page.
pub(crate) fn report(
    comparison: &Comparison,
    waiters: Option<&(Vec<WakeUps>, Crowd)>,
    options: &Options,
    redis: &str,
) -> String {
    let mut sections = vec![
        "# The load comparison".to_owned(),
        ABOUT.to_owned(),
        machine::description(options, redis),
    ];
    let mut add = |title: &str, table: Option<String>| {
        if let Some(table) = table {
            sections.extend([format!("## {title}"), table]);
        }
    };
    add("Throughput", throughput::table(comparison));
    add("With a million live keys", crowded::table(comparison));
    add("Against others", peers::table(comparison));
    add("What Redis does", commands::table(comparison));
    add("Latency, 8 connections", latency::table(comparison));
    add(
        "From the first answer to the waiter's",
        waiters.map(|(wake_ups, crowd)| waiting::table(wake_ups, crowd)),
    );
    let failures: String = (comparison.failures())
        .map(|(name, why)| format!("* {name}: {why}\n"))
        .collect();
    add("Failed", (!failures.is_empty()).then_some(failures));
    let mut page = String::new();
    for section in sections {
        page.push_str(section.trim_end());
        page.push_str("\n\n");
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_for_readers_has_figures_and_no_aims() {
        let report = "| lock (bytes) | 0.45 (0.57: no) | 1.18 (1.20: yes) | 12 (34: no) |\n";
        assert_eq!(
            without_aims(report),
            "| lock (bytes) | 0.45 | 1.18 | 12 |\n"
        );
    }
}
