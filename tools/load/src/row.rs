use crate::{
    keys::Keys,
    program::Program,
    request::{Media, Request},
    serve::Subject,
    store::Store,
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
    /// The row that does by hand what cannot be done without.
    pub(crate) floor: Option<String>,
    /// The share of the bare handler's throughput that is aimed at.
    pub(crate) target: Option<f64>,
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

    pub(crate) fn request(&self) -> Request {
        let waits = self.program == Program::Own(Subject::WaitingKeys);
        Request {
            path: if waits { "/slow/1" } else { "/orders" },
            media: self.media,
            cookie: None,
        }
    }
}
