use std::time::Duration;

/// A number, and whether it is what was aimed at.
pub(super) fn at_least(value: Option<f64>, target: Option<f64>) -> String {
    verdict(value, target, |value, target| value >= target)
}

/// The same where less is better.
pub(super) fn at_most(value: Option<f64>, target: Option<f64>) -> String {
    verdict(value, target, |value, target| value <= target)
}

/// The same of a time, in microseconds.
pub(super) fn within(value: Duration, target: Option<Duration>) -> String {
    let micros = value.as_micros();
    match target.map(|target| target.as_micros()) {
        None => micros.to_string(),
        Some(target) if micros <= target => format!("{micros} ({target}: yes)"),
        Some(target) => format!("{micros} ({target}: no)"),
    }
}

fn verdict(value: Option<f64>, target: Option<f64>, meets: fn(f64, f64) -> bool) -> String {
    match (value, target) {
        (None, _) => "–".to_owned(),
        (Some(value), None) => format!("{value:.2}"),
        (Some(value), Some(target)) => {
            // As it is shown, or 0.57 would miss 0.57.
            let shown = (value * 100.0).round() / 100.0;
            let is_met = if meets(shown, target) { "yes" } else { "no" };
            format!("{value:.2} ({target:.2}: {is_met})")
        }
    }
}

/// With commas between thousands.
pub(super) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
