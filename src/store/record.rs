use std::fmt;

use bytes::Bytes;

use super::Headers;
use crate::fingerprint::Fingerprint;

/// The record of a run that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// The response, for replays.
    Response(RecordedResponse),
    /// The run ended, but its response could not be recorded.
    Tombstone(Tombstone),
}

impl Record {
    /// Returns the fingerprint of the request.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        match self {
            Self::Response(response) => response.fingerprint.as_ref(),
            Self::Tombstone(tombstone) => tombstone.fingerprint.as_ref(),
        }
    }
}

/// A recorded response. `Debug` shows its size, never its content.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RecordedResponse {
    /// The fingerprint of the request.
    pub fingerprint: Option<Fingerprint>,
    /// The HTTP status.
    pub status: u16,
    /// The headers, in the order in which they are sent.
    pub headers: Headers,
    /// The body's bytes.
    pub body: Bytes,
}

impl RecordedResponse {
    /// Returns the `Location` header.
    fn location(&self) -> Option<Bytes> {
        self.headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("location"))
            .map(|(_, value)| value)
    }

    /// Returns what is left if there is no room for headers and body.
    pub fn to_tombstone(&self) -> Tombstone {
        Tombstone {
            fingerprint: self.fingerprint,
            status: Some(self.status),
            // A copy: a part would keep all the headers in memory.
            location: self.location().map(|url| Bytes::copy_from_slice(&url)),
        }
    }

    /// Returns the bytes of headers and body.
    pub fn size(&self) -> usize {
        self.headers.size() + self.body.len()
    }
}

impl fmt::Debug for RecordedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Records that work is done whose response could not be recorded, so that it never runs again. `Debug` does
/// not show the location.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tombstone {
    /// The fingerprint of the request.
    pub fingerprint: Option<Fingerprint>,
    /// The HTTP status of the lost response, if it is known.
    pub status: Option<u16>,
    /// Its `Location` header, if it had one.
    pub location: Option<Bytes>,
}

impl fmt::Debug for Tombstone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tombstone")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let answer = RecordedResponse {
            fingerprint: None,
            status: 201,
            headers: [("location", "/secret")].into_iter().collect(),
            body: Bytes::from_static(b"secret"),
        };
        let shown = format!("{answer:?} {:?}", answer.to_tombstone());
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(answer.size(), 27);
    }

    #[test]
    fn a_tombstone_keeps_no_headers_in_memory() {
        let headers: Headers = [("location", "/1"), ("x", "large")].into_iter().collect();
        let memory = headers.as_bytes().as_ptr_range();
        let answer = RecordedResponse {
            fingerprint: None,
            status: 201,
            headers: headers.clone(),
            body: Bytes::new(),
        };
        let location = answer.to_tombstone().location.unwrap();
        assert_eq!(location, "/1");
        assert!(!memory.contains(&location.as_ptr()));
    }
}
