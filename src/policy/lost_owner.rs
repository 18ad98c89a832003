/// What becomes of a key whose owner died: its process was killed, or cut off from the store, for
/// longer than the lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostOwner {
    /// The next request with the same key and fingerprint runs, and is told that it is not the
    /// first attempt. The default: a crash then heals by itself. The work has to stand it, by a
    /// unique constraint or a [fence](crate::Claim::fence), because the dead owner may have done
    /// a part of it, or all.
    #[default]
    Reexecute,
    /// Nobody runs: 409 `outcome-unknown`, until the retention has passed or an operator has
    /// looked (see [`Inspect`](crate::store::Inspect)). For work that cannot tell whether it was
    /// done before.
    Refuse,
}
