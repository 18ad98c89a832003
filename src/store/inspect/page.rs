use super::{Cursor, Inspected};
use crate::store::StoreKey;

/// A part of what a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What was found, in an order of the store's own.
    pub entries: Vec<(StoreKey, Inspected)>,
    /// Where the next page begins; `None` at the end of the walk. There can be a next page when
    /// this one is empty.
    pub next: Option<Cursor>,
}
