use std::fmt;

use crate::{
    request::{Media, Request},
    serve::Subject,
};

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// In the tables, in the chart, and for `--rows`.
    pub(crate) name: String,
    pub(crate) program: Program,
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) media: Media,
    pub(crate) connections: u32,
    /// The bare handler under the same load.
    pub(crate) bare: &'static str,
    /// The row that sends the same Redis commands by hand.
    pub(crate) floor: Option<String>,
    /// The share of the bare handler's throughput that is aimed at.
    pub(crate) target: Option<f64>,
}

/// What is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// One of this program's own servers.
    Own(Subject),
    /// A script in benches/peers/express.
    Express(&'static str),
    /// benches/peers/actix_idempotent.
    ActixIdempotent,
}

/// Where it keeps its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// In itself, if anywhere.
    Memory,
    Redis,
    /// The same over a unix socket.
    Unix,
}

/// What keys its requests have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Each its own.
    Fresh,
    /// All one, whose answer is there.
    Same,
    /// As many in a row one.
    Shared(u32),
}

pub(crate) const BARE: &str = "bare handler";
const CONNECTIONS: u32 = 64;

impl Row {
    pub(crate) fn new(name: impl Into<String>, program: Program, store: Store) -> Self {
        Self {
            name: name.into(),
            program,
            store,
            keys: Keys::Fresh,
            media: Media::Json,
            connections: CONNECTIONS,
            bare: BARE,
            floor: None,
            target: None,
        }
    }

    pub(crate) fn keys(self, keys: Keys) -> Self {
        Self { keys, ..self }
    }

    pub(crate) fn media(self, media: Media) -> Self {
        Self { media, ..self }
    }

    pub(crate) fn floor(self, floor: &str) -> Self {
        Self {
            floor: Some(floor.to_owned()),
            ..self
        }
    }

    pub(crate) fn target(self, target: impl Into<Option<f64>>) -> Self {
        Self {
            target: target.into(),
            ..self
        }
    }

    pub(crate) fn connections(self, connections: u32, bare: &'static str) -> Self {
        Self {
            connections,
            bare,
            ..self
        }
    }

    /// Whether it is one of those that throughput is compared of.
    pub(crate) fn is_full_load(&self) -> bool {
        self.connections == CONNECTIONS
    }

    pub(crate) fn is_peer(&self) -> bool {
        !matches!(self.program, Program::Own(_))
    }

    pub(crate) fn request(&self) -> Request {
        let waits = self.program == Program::Own(Subject::WaitingKeys);
        Request {
            path: if waits { "/slow/1" } else { "/orders" },
            media: self.media,
            cookie: None,
        }
    }
}

impl Keys {
    /// How many requests in a row have the same; 0 for all.
    pub(crate) fn share(self) -> u32 {
        match self {
            Self::Fresh => 1,
            Self::Same => 0,
            Self::Shared(share) => share,
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Redis => "Redis",
            Self::Unix => "Redis by unix socket",
        })
    }
}
