use std::{collections::VecDeque, fmt, time::Duration};

use tokio::time::Instant;

use crate::runtime::log;

/// How full a store is when it is reported, in percent.
const LEVELS: [u64; 2] = [80, 95];
/// Over how long the rate is measured.
const WINDOW: Duration = Duration::from_secs(60);

/// Watches a store fill up. A full one refuses new keys, so that is reported in advance, once for each
/// level.
pub(super) struct Filling {
    max_entries: usize,
    reported: u64,
    /// When there were how many entries, over the window.
    samples: VecDeque<(Instant, usize)>,
}

/// A level was reached.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    pub(super) entries: usize,
    pub(super) max_entries: usize,
    /// More entries each second. Negative when they become fewer.
    pub(super) per_second: f64,
}

impl Filling {
    /// Of a store that is empty now.
    pub(super) fn new(max_entries: usize) -> Self {
        Self {
            max_entries,
            reported: 0,
            samples: VecDeque::from([(Instant::now(), 0)]),
        }
    }

    /// Takes a sample. Returns a report when the next level has been reached.
    pub(super) fn sample(&mut self, entries: usize) -> Option<Report> {
        let now = Instant::now();
        self.samples.push_back((now, entries));
        let is_older = |at: &Instant| now.duration_since(*at) >= WINDOW;
        while self.samples.get(1).is_some_and(|(at, _)| is_older(at)) {
            self.samples.pop_front();
        }
        let is_reached =
            |level: &&u64| entries as u128 * 100 >= self.max_entries as u128 * u128::from(**level);
        let level = *LEVELS.iter().rfind(is_reached)?;
        if level <= self.reported {
            return None;
        }
        self.reported = level;
        let (since, before) = self.samples[0];
        let seconds = now.duration_since(since).as_secs_f64().max(0.001);
        Some(Report {
            entries,
            max_entries: self.max_entries,
            per_second: (entries as f64 - before as f64) / seconds,
        })
    }
}

impl Report {
    /// Until the store is full, if it goes on like this.
    pub(super) fn left(&self) -> Option<Duration> {
        let free = self.max_entries.saturating_sub(self.entries) as f64;
        (self.per_second > 0.0).then(|| {
            let left = Duration::try_from_secs_f64(free / self.per_second);
            left.unwrap_or(Duration::MAX)
        })
    }

    pub(super) fn log(&self) {
        let Self {
            entries,
            max_entries,
            per_second,
        } = *self;
        let goes_on = match self.left() {
            Some(left) => format!(
                "{per_second:.1} more each second, so it is full in {}",
                Rough(left)
            ),
            None => "no more at present".to_owned(),
        };
        let left_s = self.left().map(|left| left.as_secs());
        log::warn!(
            incident = "store_filling", entries, max_entries, per_second, left_s;
            "the memory store holds {entries} of {max_entries} entries, {goes_on}; a full one refuses new \
             keys with 503: raise max_entries, or shorten the retention"
        );
    }
}

/// A duration in its two largest units.
struct Rough(Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{seconds} s"),
            (0, 0, _) => write!(f, "{minutes} min"),
            (0, ..) => write!(f, "{hours} h {minutes} min"),
            _ => write!(f, "{days} d {hours} h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_level_is_reported_once_with_rate_and_time_left() {
        let mut filling = Filling::new(1000);
        for second in 1..80 {
            advance(Duration::from_secs(1)).await;
            assert_eq!(filling.sample(second * 10), None);
        }
        advance(Duration::from_secs(1)).await;
        let report = filling.sample(800).unwrap();
        assert_eq!((report.entries, report.max_entries), (800, 1000));
        assert!((report.per_second - 10.0).abs() < 0.01, "{report:?}");
        assert_eq!(report.left(), Some(Duration::from_secs(20)));
        assert_eq!(filling.sample(949), None);
        assert!(filling.sample(950).is_some());
        for entries in [1000, 100, 1000] {
            assert_eq!(filling.sample(entries), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rate_is_that_of_the_last_minute() {
        let mut filling = Filling::new(1000);
        advance(Duration::from_secs(1)).await;
        assert_eq!(filling.sample(790), None);
        for _ in 0..120 {
            advance(Duration::from_secs(1)).await;
            assert_eq!(filling.sample(790), None);
        }
        let report = filling.sample(800).unwrap();
        assert!(report.per_second < 1.0, "{report:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn store_that_does_not_grow_has_no_time_left_to_tell() {
        let mut filling = Filling::new(10);
        let at_once = filling.sample(10).unwrap();
        assert_eq!(at_once.left(), Some(Duration::ZERO));
        let shrinking = Report {
            per_second: -1.0,
            ..at_once
        };
        assert_eq!(shrinking.left(), None);
    }

    #[test]
    fn durations_are_told_in_their_largest_units() {
        for (seconds, told) in [
            (0, "0 s"),
            (59, "59 s"),
            (60 * 43 + 12, "43 min"),
            (3600 * 2 + 60 * 14, "2 h 14 min"),
            (86_400 * 3 + 3600 * 5, "3 d 5 h"),
        ] {
            assert_eq!(Rough(Duration::from_secs(seconds)).to_string(), told);
        }
        assert!(Rough(Duration::MAX).to_string().ends_with(" h"));
    }
}
