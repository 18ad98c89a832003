use metrics::{Key, Level, Metadata, with_recorder};

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// A counter, by its key. No handle is kept: it would be one of the recorder at the time, or of none.
pub(super) struct Counter(Key);

impl Counter {
    pub(super) fn new(key: Key) -> Self {
        Self(key)
    }

    pub(super) fn add(&self, times: u64) {
        with_recorder(|recorder| recorder.register_counter(&self.0, &METADATA)).increment(times);
    }
}

/// A histogram, by its key, as with [`Counter`].
pub(super) struct Histogram(Key);

impl Histogram {
    pub(super) fn new(key: Key) -> Self {
        Self(key)
    }

    pub(super) fn record(&self, sample: f64) {
        with_recorder(|recorder| recorder.register_histogram(&self.0, &METADATA)).record(sample);
    }
}

/// One for each value of a label.
pub(super) struct Labelled<T>(Vec<(&'static str, T)>);

impl<T> Labelled<T> {
    pub(super) fn new(keys: Vec<(&'static str, Key)>, make: fn(Key) -> T) -> Self {
        let made = keys.into_iter().map(|(value, key)| (value, make(key)));
        Self(made.collect())
    }

    /// That of a value. There is one for each; the catalogue has them all.
    pub(super) fn with(&self, value: &str) -> Option<&T> {
        let mut all = self.0.iter();
        all.find(|(its, _)| *its == value).map(|(_, found)| found)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, each)| each)
    }
}
