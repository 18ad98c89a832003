use super::verdict::at_most;
use crate::{comparison::Comparison, outcome::Outcome, store::Store};

const WRITES: f64 = 0.2;

/// What Redis had to do for a request.
pub(super) fn table(comparison: &Comparison) -> Option<String> {
    let on_redis = comparison.0.iter().filter(|outcome| {
        let is_on_redis = matches!(outcome.row.store, Store::Redis | Store::Unix);
        is_on_redis && outcome.row.is_full_load() && outcome.rate().is_some()
    });
    let lines: String = on_redis.map(line).collect();
    let head = "| | commands per request | reads from sockets per request | Redis CPU, µs per \
                request |\n|---|---|--:|--:|\n";
    (!lines.is_empty()).then(|| format!("{head}{lines}"))
}

fn line(outcome: &Outcome) -> String {
    let row = &outcome.row;
    let reads = outcome.median(|sample| Some(sample.per_request(sample.work.reads)));
    let cpu = outcome.median(|sample| {
        let micros = sample.store_cpu.as_secs_f64() * 1e6;
        Some(micros / sample.tally.requests as f64)
    });
    let target = row.floor.is_some().then_some(WRITES);
    format!(
        "| {} | {} | {} | {:.1} |\n",
        row.name,
        commands(outcome),
        at_most(reads, target),
        cpu.unwrap_or_default()
    )
}

/// Of the first round: what is sent does not depend on how fast it is.
fn commands(outcome: &Outcome) -> String {
    let Some(sample) = outcome.samples.first() else {
        return String::new();
    };
    let calls = sample.work.calls.iter();
    let calls = calls.map(|(name, count)| (name, sample.per_request(*count)));
    let calls = calls.filter(|(_, count)| *count >= 0.005);
    let calls = calls.map(|(name, count)| format!("{name} {count:.2}"));
    calls.collect::<Vec<_>>().join(", ")
}
