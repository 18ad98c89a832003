use super::verdict::at_least;
use crate::{
    comparison::Comparison,
    plan::{
        ACTIX_IDEMPOTENT, ACTIX_IDEMPOTENT_REPLAY, API_CONCURRENCY, ASYNCHRONOUS, BOOK, BY_HAND,
        BY_HAND_REPLAY, COMMIT,
    },
};

const FIRST_RUN: &str = "Idempotency, Redis, first run, bytes";
const REPLAY: &str = "Idempotency, Redis, replay, bytes";

/// Ours, another's, and how many times its throughput is aimed at.
const PAIRS: [(&str, &str, Option<f64>); 11] = [
    ("ApiLock, Redis, bytes", API_CONCURRENCY, Some(14.0)),
    ("ApiLock, Redis, JSON", API_CONCURRENCY, None),
    ("ApiLock, memory, bytes", API_CONCURRENCY, Some(20.0)),
    ("ApiLock, memory, JSON", API_CONCURRENCY, None),
    (FIRST_RUN, BY_HAND, Some(10.0)),
    ("Idempotency, Redis, first run, JSON", BY_HAND, None),
    (REPLAY, BY_HAND_REPLAY, None),
    (FIRST_RUN, ACTIX_IDEMPOTENT, Some(5.0)),
    (REPLAY, ACTIX_IDEMPOTENT_REPLAY, Some(5.0)),
    (COMMIT, BOOK, Some(0.5)),
    (ASYNCHRONOUS, BOOK, Some(0.75)),
];

pub(super) fn table(comparison: &Comparison) -> Option<String> {
    let mut lines = String::new();
    for (ours, theirs, target) in PAIRS {
        let rate = |name| comparison.get(name).and_then(|outcome| outcome.rate());
        let times = |name| Some(rate(name)? / rate(theirs)?);
        let Some(verdict) = times(ours).map(|times| at_least(Some(times), target)) else {
            continue;
        };
        let floor = comparison
            .get(ours)
            .and_then(|ours| ours.row.floor.as_deref());
        let of_floor = at_least(floor.and_then(times), None);
        lines.push_str(&format!("| {ours} | {theirs} | {verdict} | {of_floor} |\n"));
    }
    let head =
        "| | against | times its throughput | what its floor is of that |\n|---|---|--:|--:|\n";
    (!lines.is_empty()).then(|| format!("{head}{lines}"))
}
