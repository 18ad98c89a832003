use std::fmt;

use bytes::Bytes;

use super::Headers;
use crate::fingerprint::Fingerprint;

/// What is left of a run that ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// The answer, to be replayed.
    Response(RecordedResponse),
    /// The run ended, but its answer could not be kept.
    Tombstone(Tombstone),
}

impl Record {
    /// What the request looked like that led to this record.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        match self {
            Self::Response(response) => response.fingerprint.as_ref(),
            Self::Tombstone(tombstone) => tombstone.fingerprint.as_ref(),
        }
    }
}

/// A recorded answer. `Debug` shows its size, never its content.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RecordedResponse {
    /// What the request looked like.
    pub fingerprint: Option<Fingerprint>,
    /// The HTTP status.
    pub status: u16,
    /// The headers, in the order in which they are sent.
    pub headers: Headers,
    /// The body's bytes.
    pub body: Bytes,
}

impl RecordedResponse {
    /// The header value that tells where the created thing is.
    fn location(&self) -> Option<Bytes> {
        self.headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("location"))
            .map(|(_, value)| value)
    }

    /// What remains when there is no room for headers and body.
    pub fn to_tombstone(&self) -> Tombstone {
        Tombstone {
            fingerprint: self.fingerprint,
            status: Some(self.status),
            // A copy: a part would keep all the headers in memory.
            location: self.location().map(|url| Bytes::copy_from_slice(&url)),
        }
    }

    /// The bytes of headers and body.
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

/// Stands where an answer could not be kept, so that the work is never done again.
/// `Debug` does not show the location.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tombstone {
    /// What the request looked like.
    pub fingerprint: Option<Fingerprint>,
    /// The HTTP status of the lost answer, when it is known.
    pub status: Option<u16>,
    /// Its `Location` header, when it had one.
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
