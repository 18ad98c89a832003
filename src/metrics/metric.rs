use metrics::{Key, KeyName, Label as Pair, Recorder, Unit};

/// A metric that the observer emits.
#[derive(Debug)]
pub(crate) struct Metric {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it counts.
    pub(crate) measure: Measure,
    /// Its label beside that of the guard.
    pub(crate) label: Option<Label>,
    /// What it says, for people.
    pub(crate) help: &'static str,
}

impl Metric {
    /// Tells the recorder what it is.
    pub(super) fn describe(&self, recorder: &dyn Recorder) {
        let name = KeyName::from_const_str(self.name);
        let help = self.help.into();
        match self.measure {
            Measure::Times => recorder.describe_counter(name, None, help),
            Measure::Seconds => recorder.describe_histogram(name, Some(Unit::Seconds), help),
            Measure::Bytes => recorder.describe_histogram(name, Some(Unit::Bytes), help),
            Measure::Level => recorder.describe_gauge(name, None, help),
        }
    }

    /// The key of its one series of a guard, or of a store.
    pub(super) fn key(&self, owner: &'static str) -> Key {
        let pair = Pair::from_static_parts(self.measure.owner(), owner);
        Key::from_parts(self.name, vec![pair]).to_retained()
    }

    /// The key of each of its series of a guard, with the value of the label.
    pub(super) fn keys(&self, guard: &'static str) -> Vec<(&'static str, Key)> {
        let Some(label) = &self.label else {
            return Vec::new();
        };
        let keyed = |value| {
            let pair = Pair::from_static_parts(label.name, value);
            let key = self.key(guard).with_extra_labels(vec![pair]);
            (value, key.to_retained())
        };
        (label.values)().into_iter().map(keyed).collect()
    }
}

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// How often something happened, with a counter.
    Times,
    /// How long it took, with a histogram.
    Seconds,
    /// How large it was, with a histogram.
    Bytes,
    /// How full a memory store is, with a gauge.
    Level,
}

impl Measure {
    /// The label that says whose it is.
    pub(super) fn owner(self) -> &'static str {
        match self {
            Self::Times | Self::Seconds | Self::Bytes => "guard",
            Self::Level => "store",
        }
    }
}

/// A label beside that of the guard, and all values that it can have.
#[derive(Debug)]
pub(crate) struct Label {
    /// Its name.
    pub(crate) name: &'static str,
    /// All its values.
    pub(crate) values: fn() -> Vec<&'static str>,
}
