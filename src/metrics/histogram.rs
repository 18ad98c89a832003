use metrics::{Key, Level, Metadata, with_recorder};

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// A histogram, by its key, as with [`Counter`](super::counter::Counter).
pub(super) struct Histogram(Key);

impl Histogram {
    pub(super) fn of(key: Key) -> Self {
        Self(key)
    }

    pub(super) fn record(&self, sample: f64) {
        with_recorder(|recorder| recorder.register_histogram(&self.0, &METADATA)).record(sample);
    }
}
