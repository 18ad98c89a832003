use std::time::Duration;

use serde::Serialize;

/// What the server has seen of one request. Times are since its run began.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Request {
    #[serde(serialize_with = "millis")]
    pub(crate) arrived: Option<Duration>,
    /// When its handler began, and when that ended or was cut off.
    #[serde(serialize_with = "millis")]
    pub(crate) began: Option<Duration>,
    #[serde(serialize_with = "millis")]
    pub(crate) ended: Option<Duration>,
    pub(crate) cut_off: bool,
    /// The number of the order that it created.
    pub(crate) order: Option<u64>,
    pub(crate) status: Option<u16>,
    pub(crate) replayed: bool,
    /// Its client hung up before there was an answer.
    pub(crate) left: bool,
}

impl Request {
    /// Whether it came and nobody knows yet what becomes of it, or its handler is at work.
    pub(crate) fn is_open(&self) -> bool {
        let running = self.began.is_some() && self.ended.is_none();
        let undecided = self.status.is_none() && !self.left && self.ended.is_none();
        running || (self.arrived.is_some() && undecided)
    }

    /// Whether it may still arrive, this long after its client has left: a server at its limits
    /// reads late, and what was closed too early never.
    pub(crate) fn may_arrive_after(&self, time: Duration) -> bool {
        self.arrived.is_none() && time < Duration::from_secs(1)
    }
}

fn millis<S: serde::Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_millis() as u64).serialize(to)
}
