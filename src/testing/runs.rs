use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Counts how often a handler ran. Clones count together: the handler has one, the test another.
#[derive(Clone, Debug, Default)]
pub struct Runs(Arc<AtomicUsize>);

impl Runs {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one more, and tells the how manyth it is, from 1 on. A handler calls it first.
    pub fn note(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Asserts how many there were.
    ///
    /// # Panics
    ///
    /// When there were more or fewer.
    #[track_caller]
    pub fn assert_count(&self, expected: usize) {
        let count = self.count();
        assert!(
            count == expected,
            "the handler ran {count} times, not {expected}"
        );
    }
}
