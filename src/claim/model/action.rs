/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Action {
    /// Time passes.
    Tick,
    /// A request comes in and claims its key.
    Arrive(usize),
    /// The store carries out what a request has asked for.
    Execute { by: usize, reply: ReplyIs },
    /// A request hears what the store said, at last.
    Hear(usize),
    /// The connection of a claim is lost, or goes dead: the claim is sent once more, on another. What
    /// was sent first may still be carried out.
    SendAgain(usize),
    /// A request is told nothing in time. What it has asked for may still be carried out.
    TimeOut(usize),
    /// The store carries out what nobody waits for.
    ExecuteLate(usize),
    /// A handler ends with a response that is recorded.
    Answer(usize),
    /// A handler sends the statement that completes its claim in its transaction, and the commit.
    Commit(usize),
    /// A handler ends with nothing to record.
    Fail(usize),
    /// The background renews a claim.
    Renew(usize),
    /// A waiter hears that what it has seen holds the key no more, and claims it again.
    Wake(usize),
    /// A waiter has waited for as long as it may.
    GiveUp(usize),
    /// A request is dropped: its client has gone, or its worker is stopped.
    Drop(usize),
    /// A process is killed.
    Kill(usize),
    /// The background does what a request has left to it; the store is heard or not.
    Work { by: usize, is_heard: bool },
    /// The store forgets what it wrote last.
    FailOver,
}

/// How a reply fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ReplyIs {
    Heard,
    /// It takes some time.
    Slow,
    /// It never comes, or too late.
    Lost,
    /// It never comes, because its connection is lost, and the claim is sent once more.
    LostAndSentAgain,
}
