use super::verdict::{at_least, thousands};
use crate::{comparison::Comparison, plan::CROWD};

/// What it may cost that others hold keys too.
const OF_EMPTY: f64 = 0.90;

pub(super) fn table(comparison: &Comparison) -> Option<String> {
    let mut lines = String::new();
    for crowded in &comparison.0 {
        let name = crowded.row.name.strip_suffix(CROWD);
        let Some(name) = name.and_then(|name| name.strip_suffix(", ")) else {
            continue;
        };
        let empty = comparison.get(name).and_then(|empty| empty.rate());
        let Some((among_many, alone)) = crowded.rate().zip(empty) else {
            continue;
        };
        lines.push_str(&format!(
            "| {name} | {} | {} | {} |\n",
            thousands(among_many),
            thousands(alone),
            at_least(Some(among_many / alone), Some(OF_EMPTY)),
        ));
    }
    let head = "| | requests/s | on an empty store | of that |\n|---|--:|--:|--:|\n";
    (!lines.is_empty()).then(|| format!("{head}{lines}"))
}
