use std::time::Duration;

use super::verdict::{at_least, at_most, thousands};
use crate::{comparison::Comparison, outcome::Outcome, row::BARE, sample::Sample, store::Store};

const OF_FLOOR: f64 = 0.95;
const OF_FLOOR_IN_SQL: f64 = 0.9;
const CPU_OF_FLOOR: f64 = 1.2;

pub(super) fn table(comparison: &Comparison) -> Option<String> {
    comparison.0.first()?;
    let mut out = String::from(
        "| | requests/s | of the bare handler's | of its floor's | server CPU, µs per request | the \
         bare handler's of that | that of its floor's | server core, load core |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let rows = comparison
        .0
        .iter()
        .filter(|outcome| outcome.row.is_full_load());
    for outcome in rows {
        out.push_str(&line(outcome));
    }
    if let Some(note) = comparison.get(BARE).and_then(note_on_wrk) {
        out.push_str(&note);
    }
    out.push_str(&note_on_others(comparison));
    Some(out)
}

fn line(outcome: &Outcome) -> String {
    let row = &outcome.row;
    let name = &row.name;
    if let Some(why) = &outcome.missing {
        return format!("| {name} | not measured: {why} | | | | | | |\n");
    }
    let Some(rate) = outcome.rate() else {
        return format!("| {name} | **failed** | | | | | | |\n");
    };
    let has_floor = row.floor.is_some();
    // A floor in memory does without what makes a claim safe, so nothing is aimed at.
    let is_aimed = row.store != Store::Memory;
    let least = match row.store {
        Store::Postgres | Store::Disk | Store::Sqlite => OF_FLOOR_IN_SQL,
        _ => OF_FLOOR,
    };
    let of_floor = outcome.median(|sample| sample.of_floor);
    let cpu_of_floor = outcome.median(|sample| sample.cpu_of_floor);
    let cpu = outcome.median(|sample| Some(sample.cpu_per_request()));
    let server_core = outcome.median(|sample| Some(sample.server_core * 100.0));
    let load_core = outcome.median(|sample| Some(sample.load_core * 100.0));
    let floored = |text: String| if has_floor { text } else { String::new() };
    format!(
        "| {name} | {} | {} | {} | {:.1} | {} | {} | {:.0} %, {:.0} % |\n",
        thousands(rate),
        at_least(outcome.median(|sample| sample.of_bare), row.target),
        floored(at_least(of_floor, is_aimed.then_some(least))),
        cpu.unwrap_or_default(),
        at_least(outcome.median(|sample| sample.bare_of_cpu), None),
        floored(at_most(cpu_of_floor, is_aimed.then_some(CPU_OF_FLOOR))),
        server_core.unwrap_or_default(),
        load_core.unwrap_or_default(),
    )
}

/// Whether the fastest row was as fast as its server, or only as wrk.
fn note_on_wrk(bare: &Outcome) -> Option<String> {
    let share = |cpu: fn(&Sample) -> Duration| {
        bare.median(|sample| {
            Some(100.0 * cpu(sample).as_secs_f64() / sample.tally.time.as_secs_f64())
        })
    };
    let (server, wrk) = (
        share(|sample| sample.cpu)?,
        share(|sample| sample.tally.cpu)?,
    );
    let limit = match server < 95.0 {
        true => "not the server was the limit, and ratios to it are too good",
        false => "the server was the limit",
    };
    Some(format!(
        "\nThe bare handler's server worked {server:.0} % of the time and wrk {wrk:.0} %: {limit}.\n"
    ))
}

/// Whether the machine had anything else to do.
fn note_on_others(comparison: &Comparison) -> String {
    let samples = comparison.0.iter().flat_map(|outcome| &outcome.samples);
    let others: Vec<f64> = samples.map(|sample| sample.others * 100.0).collect();
    let others = others.iter().sum::<f64>() / others.len().max(1) as f64;
    let quiet = if others < 5.0 {
        ""
    } else {
        ": **too much to trust ratios**"
    };
    format!("\nOther programs used {others:.0} % of both cores{quiet}.\n")
}
