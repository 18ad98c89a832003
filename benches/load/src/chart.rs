//! The bars of the README.

use std::fmt::Write;

use crate::{
    comparison::Comparison, outcome::Outcome, plan::CROWD, program::Program, serve::Subject,
};

const WIDTH: f64 = 860.0;
const LABELS: f64 = 330.0;
const LONGEST: f64 = 410.0;
const LINE: f64 = 24.0;
const TOP: f64 = 74.0;

/// Light and dark, each with a ground of its own: a page can be dark where the system is light.
const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}\
.title{font-weight:600;font-size:15px}.note{fill:#59636e}.ground{fill:#fff;stroke:#d1d9e0}\
.ours{fill:#0969da}.floor{fill:#8c959f}.bare{fill:#57606a}.peer{fill:#bf8700}\
@media (prefers-color-scheme:dark){\
text{fill:#e6edf3}.note{fill:#9198a1}.ground{fill:#0d1117;stroke:#3d444d}\
.ours{fill:#4493f8}.floor{fill:#656c76}.bare{fill:#9198a1}.peer{fill:#d29922}}";

/// What the colours mean.
const LEGEND: [(&str, &str); 4] = [
    ("bare", "no middleware"),
    ("ours", "this crate"),
    ("floor", "the least it takes, by hand"),
    ("peer", "others"),
];

/// Requests per second of the rows that say most.
pub(crate) fn chart(comparison: &Comparison) -> String {
    let shown = comparison.0.iter().filter(|outcome| is_shown(outcome));
    let bars: Vec<_> = shown
        .filter_map(|outcome| Some((outcome, outcome.rate()?)))
        .collect();
    let longest = bars.iter().map(|(_, rate)| *rate).fold(1.0, f64::max);
    let height = TOP + LINE * bars.len() as f64 + 16.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Requests per second\">\n\
         <style>{STYLE}</style>\n\
         <rect class=\"ground\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n\
         <text class=\"title\" x=\"16\" y=\"30\">Requests per second of one worker on one core, and what share of the bare handler's</text>\n",
        WIDTH - 1.0,
        height - 1.0,
    );
    let mut x = 16.0;
    for (class, meaning) in LEGEND {
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"44\" width=\"12\" height=\"12\" rx=\"2\"/>\
             <text class=\"note\" x=\"{}\" y=\"54\">{meaning}</text>",
            x + 18.0,
        );
        x += 46.0 + 7.0 * meaning.len() as f64;
    }
    for (n, (outcome, rate)) in bars.iter().enumerate() {
        let y = TOP + LINE * n as f64;
        let length = (LONGEST * rate / longest).max(1.0);
        let middle = y + 13.0;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{}\" x=\"{LABELS}\" y=\"{y}\" width=\"{length:.1}\" height=\"17\" rx=\"2\"/>\
             <text class=\"note\" x=\"{:.1}\" y=\"{middle}\">{}</text>",
            LABELS - 8.0,
            outcome.row.name,
            class(outcome),
            LABELS + length + 8.0,
            value(outcome, *rate),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Neither JSON nor the unix socket nor waits nor crowds: they are in the tables.
fn is_shown(outcome: &Outcome) -> bool {
    let row = &outcome.row;
    let name = row.name.as_str();
    let is_variant = ["JSON", "unix", "Value", "wait", CROWD]
        .iter()
        .any(|what| name.contains(what));
    row.is_full_load() && (row.is_peer() || !is_variant)
}

fn class(outcome: &Outcome) -> &'static str {
    match outcome.row.program {
        Program::Own(Subject::Bare) => "bare",
        Program::Own(Subject::Floor(_)) => "floor",
        Program::Own(_) => "ours",
        Program::Express(_) | Program::ActixIdempotent => "peer",
    }
}

fn value(outcome: &Outcome, rate: f64) -> String {
    let thousands = format!("{:.1} k", rate / 1e3);
    match outcome.median(|sample| sample.of_bare) {
        Some(ratio) => format!("{thousands}, {:.0} %", ratio * 100.0),
        None => thousands,
    }
}
