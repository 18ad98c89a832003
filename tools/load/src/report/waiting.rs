use super::verdict::within;
use crate::waiters::{Crowd, WakeUps};

pub(super) fn table(wake_ups: &[WakeUps], crowd: &Crowd) -> String {
    let mut out = String::from("| | median, µs | p99, µs | of |\n|---|--:|--:|--:|\n");
    for one in wake_ups {
        let (median, p99) = one.targets;
        out.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            one.name,
            within(one.percentile(50), median),
            within(one.percentile(99), p99),
            one.count(),
        ));
    }
    let calls = crowd.work.calls.iter();
    let calls: Vec<_> = calls
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    let calls = match calls.as_slice() {
        [] => "nothing".to_owned(),
        calls => calls.join(", "),
    };
    out.push_str(&format!(
        "\n{} that wait for one key in another process cost Redis in {:.0} seconds: {calls}. When \
         the first was answered all had the answer after {:.1} ms.\n",
        crowd.waiters,
        crowd.watched.as_secs_f64(),
        crowd.all_answered.as_secs_f64() * 1e3,
    ));
    out
}
