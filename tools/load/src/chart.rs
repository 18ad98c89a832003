//! The bars of the README, drawn from the table in `results.md`: one source for lengths, figures and shares.

use std::fmt::Write;

use anyhow::{Context, Result};

use crate::row::BARE;

const WIDTH: f64 = 780.0;
const LABELS: f64 = 270.0;
const LONGEST: f64 = 360.0;
const LINE: f64 = 26.0;
const TOP: f64 = 52.0;

/// Light and dark, each with a ground of its own: a page can be dark where the system is light.
const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}\
.title{font-weight:600;font-size:15px}.note{fill:#59636e}.ground{fill:#fff;stroke:#d1d9e0}\
.ours{fill:#0969da}.bare{fill:#57606a}.peer{fill:#bf8700}\
@media (prefers-color-scheme:dark){\
text{fill:#e6edf3}.note{fill:#9198a1}.ground{fill:#0d1117;stroke:#3d444d}\
.ours{fill:#4493f8}.bare{fill:#9198a1}.peer{fill:#d29922}}";

/// A row of the table, how the chart calls it, and its colour.
const BARS: [(&str, &str, &str); 6] = [
    (BARE, "no middleware", "bare"),
    ("ApiLock, memory, bytes", "ApiLock, memory", "ours"),
    (
        "Idempotency, memory, replay, bytes",
        "Idempotency, memory, replay",
        "ours",
    ),
    ("ApiLock, Redis, bytes", "ApiLock, Redis", "ours"),
    (
        "Idempotency, Redis, replay, bytes",
        "Idempotency, Redis, replay",
        "ours",
    ),
    (
        "actix-idempotent, Redis, replay",
        "actix-idempotent, Redis, replay",
        "peer",
    ),
];

/// Requests per second of the rows that say most.
pub(crate) fn chart(results: &str) -> Result<String> {
    let bare = rate(results, BARE)?;
    let height = TOP + LINE * BARS.len() as f64 + 12.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Requests per second\">\n\
         <style>{STYLE}</style>\n\
         <rect class=\"ground\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n\
         <text class=\"title\" x=\"16\" y=\"30\">Requests per second of one worker on one core</text>\n",
        WIDTH - 1.0,
        height - 1.0,
    );
    for (n, (row, label, class)) in BARS.into_iter().enumerate() {
        let rate = rate(results, row)?;
        let share = rate / bare;
        let y = TOP + LINE * n as f64;
        let (length, middle) = ((LONGEST * share).max(1.0), y + 13.0);
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{label}</text>\
             <rect class=\"{class}\" x=\"{LABELS}\" y=\"{y}\" width=\"{length:.1}\" height=\"17\" rx=\"2\"/>\
             <text class=\"note\" x=\"{:.1}\" y=\"{middle}\">{:.0},000, {:.0} %</text>",
            LABELS - 8.0,
            LABELS + length + 8.0,
            rate / 1e3,
            share * 100.0,
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// The requests per second of a row.
fn rate(results: &str, row: &str) -> Result<f64> {
    let begin = format!("| {row} | ");
    let cells = results.lines().find_map(|line| line.strip_prefix(&begin));
    let cell = cells.and_then(|cells| cells.split(" | ").next());
    let cell = cell.with_context(|| format!("results.md has no row {row:?}"))?;
    let rate = cell.replace(',', "").parse();
    rate.with_context(|| format!("{row:?} has {cell:?} requests per second"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chart_shows_the_figures_of_the_table() -> Result<()> {
        let drawn = chart(include_str!("../results.md"))?;
        assert_eq!(
            drawn,
            include_str!("../chart.svg"),
            "tools/load/run --chart"
        );
        Ok(())
    }

    #[test]
    fn shares_are_those_of_the_figures_beside_them() -> Result<()> {
        let table = BARS
            .map(|(row, ..)| format!("| {row} | 10,000 | .. |\n"))
            .concat();
        let table = table.replacen("10,000", "40,000", 1);
        assert_eq!(
            chart(&table)?.matches("10,000, 25 %").count(),
            BARS.len() - 1
        );
        let err = chart("| bare handler | x | .. |").unwrap_err();
        assert!(err.to_string().contains("\"x\""), "{err}");
        Ok(())
    }
}
