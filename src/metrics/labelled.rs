use metrics::Key;

/// One for each value of a label.
pub(super) struct Labelled<T>(Vec<(&'static str, T)>);

impl<T> Labelled<T> {
    pub(super) fn of(keys: Vec<(&'static str, Key)>, make: fn(Key) -> T) -> Self {
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
