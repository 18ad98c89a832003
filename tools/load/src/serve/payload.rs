/// What the closure given to `ApiLock` makes of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// The digest of its bytes.
    Bytes,
    /// `RequestView::body`, which compares JSON by value.
    Json,
    /// A `serde_json::Value`, which takes longer and loses digits.
    Value,
}
