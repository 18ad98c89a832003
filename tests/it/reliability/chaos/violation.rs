/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) rule: Rule,
    pub(super) key: String,
    /// What was seen.
    pub(super) seen: String,
}

/// What must hold. The documentation of the module says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// A fence belongs to one run, and the store knows it.
    FencesAreTheirOwn,
    /// While a claim lasts, nobody else runs.
    NobodyRunsBesideAValidClaim,
    /// A claim is lost only to a fault.
    NobodyRunsAgainWithoutReason,
    /// What is recorded is not run again.
    NothingRunsAfterItsRecord,
    /// A key has one record.
    OneRecord,
    /// The store hears how a run has ended before the client does.
    ToldBeforeAnswered,
    /// Once there is a record, every answer is that record.
    OneAnswer,
    /// An answer names a run of its key that has come to that end.
    AnswersAreTrue,
    /// After the faults, every key gets its answer in time.
    NothingIsBlocked,
    /// Every claim is ended by whoever has it.
    ClaimsAreEnded,
}
