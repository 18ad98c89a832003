/// A label beside that of the guard, and all values that it can have.
#[derive(Debug)]
pub(crate) struct Label {
    /// Its name.
    pub(crate) name: &'static str,
    /// All its values.
    pub(crate) values: fn() -> Vec<&'static str>,
}
