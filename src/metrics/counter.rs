use metrics::{Key, Level, Metadata, with_recorder};

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// A counter, by its key. No handle is kept: it would be one of the recorder at the time, or of none.
pub(super) struct Counter(Key);

impl Counter {
    pub(super) fn of(key: Key) -> Self {
        Self(key)
    }

    pub(super) fn add(&self, times: u64) {
        with_recorder(|recorder| recorder.register_counter(&self.0, &METADATA)).increment(times);
    }
}
