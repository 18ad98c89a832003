use crate::{row::Row, sample::Sample};

/// What came of a row.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) row: Row,
    pub(crate) samples: Vec<Sample>,
    /// Why runs do not count.
    pub(crate) failures: Vec<String>,
    /// Why it could not be started.
    pub(crate) missing: Option<String>,
}

impl Outcome {
    pub(crate) fn new(row: Row) -> Self {
        Self {
            row,
            samples: Vec::new(),
            failures: Vec::new(),
            missing: None,
        }
    }

    /// The median over all rounds; `None` when the row has failed.
    pub(crate) fn median(&self, of: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        if !self.failures.is_empty() {
            return None;
        }
        median(self.samples.iter().filter_map(of).collect())
    }

    pub(crate) fn rate(&self) -> Option<f64> {
        self.median(|sample| Some(sample.tally.rate()))
    }
}

/// The one in the middle, or between the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    match values.len() % 2 {
        1 => Some(upper),
        _ => Some((values[middle - 1] + upper) / 2.0),
    }
}
