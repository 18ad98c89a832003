use std::{thread, time::Duration};

use super::event::{Micros, now};

const PAUSE: Duration = Duration::from_millis(20);
/// How much later than it should a thread may go on. A lease can stand that.
const LATE: Duration = Duration::from_millis(50);

/// Sleeps for a moment. Since when, if that took too long: the process got no processor, or was
/// suspended.
pub(crate) fn stalled() -> Option<Micros> {
    let since = now();
    thread::sleep(PAUSE);
    let slept = Duration::from_micros(now().saturating_sub(since));
    (slept > PAUSE + LATE).then_some(since)
}
