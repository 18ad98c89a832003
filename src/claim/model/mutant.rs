/// A way in which the promise was broken by somebody before, and could be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutant {
    /// A release does not look whose claim it frees.
    ReleaseOfAnything,
    /// A completion does not look whose entry it overwrites.
    CompletionOfAnything,
    /// A waiter that gives up takes the owner's claim away.
    WaiterDeletes,
    /// A claim looks first, and writes then.
    ClaimInTwoSteps,
    /// An owner that goes releases its key though there is a response.
    AnswerReleased,
    /// An undo that finds nothing looks no more.
    UndoneOnce,
    /// An owner that goes before it was answered leaves no undo.
    NotUndone,
    /// An undo of a claim that was sent twice ends at its first find.
    UndoneAtFirstFind,
    /// A run that frees its key forgets that its claim was sent twice.
    NotUndoneAfterRun,
    /// A claim that was refused forgets that it was sent twice.
    NotUndoneAfterRefusal,
    /// A claim with another fingerprint is answered with the record.
    FingerprintIgnored,
    /// A claim that has expired is still somebody's, for ever.
    NeverTakenOver,
    /// A response in doubt is recorded in the background, though its rows may not be there.
    RecordedInDoubt,
    /// A commit does not look whose claim it completes.
    CommitOfAnything,
    /// A release removes a record.
    ReleaseOfRecord,
    /// A claim in doubt is freed although dead owners are not to be followed.
    ReleasedInDoubt,
}
