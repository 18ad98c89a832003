use super::verdict::at_most;
use crate::comparison::Comparison;

const OF_FLOOR: f64 = 1.2;

/// What is added to the latency of few connections.
pub(super) fn table(comparison: &Comparison) -> Option<String> {
    let mut lines = String::new();
    let few = comparison
        .0
        .iter()
        .filter(|outcome| !outcome.row.is_full_load());
    for outcome in few {
        let micros = |time: std::time::Duration| time.as_secs_f64() * 1e6;
        let Some(p50) = outcome.median(|sample| Some(micros(sample.tally.p50))) else {
            continue;
        };
        let p99 = outcome.median(|sample| Some(micros(sample.tally.p99)));
        let added = outcome.median(|sample| sample.added.map(micros));
        let of_floor = outcome.median(|sample| sample.added_of_floor);
        let has_floor = outcome.row.floor.is_some();
        let of_floor = has_floor.then(|| at_most(of_floor, Some(OF_FLOOR)));
        lines.push_str(&format!(
            "| {} | {p50:.0} | {:.0} | {} | {} |\n",
            outcome.row.name,
            p99.unwrap_or_default(),
            added.map_or_else(String::new, |added| format!("{added:.0}")),
            of_floor.unwrap_or_default(),
        ));
    }
    let head = "| | p50, µs | p99, µs | p50 added over bare, µs | of what its floor adds |\n\
                |---|--:|--:|--:|--:|\n";
    (!lines.is_empty()).then(|| format!("{head}{lines}"))
}
