use std::{fmt, str::FromStr};

use anyhow::bail;

use super::{Passage, Payload};

/// What a server puts around its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Nothing.
    Bare,
    /// What a passage through the middlewares cannot do without, written by hand.
    Floor(Passage),
    /// `ApiLock`.
    Lock(Payload),
    /// `Idempotency`.
    Keys,
    /// `ApiLock` over bytes, on a store that holds a million locks already.
    CrowdedLock,
    /// `Idempotency` on a store that holds a million claims already.
    CrowdedKeys,
    /// `Idempotency` around a handler that commits a row with its claim.
    Commit,
    /// The same with claims that are not waited for.
    AsynchronousClaims,
    /// The pattern of the book, by hand.
    Book,
    /// `Idempotency` whose duplicates wait, around a handler that takes its time.
    WaitingKeys,
}

const NAMES: [(&str, Subject); 15] = [
    ("bare", Subject::Bare),
    ("floor-lock", Subject::Floor(Passage::Lock)),
    ("floor-first-run", Subject::Floor(Passage::FirstRun)),
    ("floor-commit", Subject::Floor(Passage::Commit)),
    ("floor-replay", Subject::Floor(Passage::Replay)),
    ("lock-bytes", Subject::Lock(Payload::Bytes)),
    ("lock-json", Subject::Lock(Payload::Json)),
    ("lock-value", Subject::Lock(Payload::Value)),
    ("keys", Subject::Keys),
    ("commit", Subject::Commit),
    ("asynchronous-claims", Subject::AsynchronousClaims),
    ("book", Subject::Book),
    ("crowded-lock", Subject::CrowdedLock),
    ("crowded-keys", Subject::CrowdedKeys),
    ("waiting-keys", Subject::WaitingKeys),
];

impl FromStr for Subject {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match NAMES.iter().find(|(name, _)| *name == text) {
            Some((_, subject)) => Ok(*subject),
            None => bail!("there is no subject {text}"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, subject)| subject == self);
        f.write_str(name.map_or("?", |(name, _)| name))
    }
}
