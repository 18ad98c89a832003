//! How values stand in rows.

use std::{num::NonZeroU32, time::Duration};

use bytes::Bytes;

use super::{DatabaseError, Row, Value};
use crate::{
    fingerprint::Fingerprint,
    store::{ClaimId, Headers, OwnerToken, Record, RecordedResponse, StoreError, Tombstone},
};

/// The status of a record whose status is unknown.
const UNKNOWN: i64 = 0;

/// Milliseconds, few enough to add to a clock.
pub(super) fn millis(time: Duration) -> i64 {
    const MOST: i64 = 100 * 365 * 24 * 3600 * 1000;
    i64::try_from(time.as_millis()).map_or(MOST, |millis| millis.min(MOST))
}

/// The values of a record's columns: status, headers, body.
pub(super) fn values_of(record: &Record) -> [Value<'_>; 3] {
    match record {
        Record::Response(response) => [
            Value::Int(response.status.into()),
            Value::Bytes(Some(response.headers.as_bytes())),
            Value::Bytes(Some(&response.body)),
        ],
        Record::Tombstone(tombstone) => [
            Value::Int(tombstone.status.map_or(UNKNOWN, i64::from)),
            Value::Bytes(tombstone.location.as_deref()),
            Value::Bytes(None),
        ],
    }
}

pub(super) fn value_of(fingerprint: Option<&Fingerprint>) -> Value<'_> {
    Value::Bytes(fingerprint.map(|fingerprint| fingerprint.as_bytes().as_slice()))
}

/// Reads columns, one after the other. `None` is what no version has written there.
pub(super) struct Columns<'a, R> {
    row: &'a R,
    next: usize,
}

impl<'a, R: Row> Columns<'a, R> {
    pub(super) fn new(row: &'a R) -> Self {
        Self { row, next: 0 }
    }

    fn column(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    pub(super) fn int(&mut self) -> Result<Option<i64>, StoreError> {
        let column = self.column();
        self.row.int(column).map_err(unreadable)
    }

    pub(super) fn text(&mut self) -> Result<Option<String>, StoreError> {
        let column = self.column();
        self.row.text(column).map_err(unreadable)
    }

    pub(super) fn bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let column = self.column();
        self.row.bytes(column).map_err(unreadable)
    }

    pub(super) fn attempt(&mut self) -> Result<Option<NonZeroU32>, StoreError> {
        let attempt = self.int()?.and_then(|attempt| u32::try_from(attempt).ok());
        Ok(attempt.and_then(NonZeroU32::new))
    }

    pub(super) fn claim_id(&mut self) -> Result<Option<ClaimId>, StoreError> {
        let token = self.bytes()?.and_then(|token| token.try_into().ok());
        Ok(token.map(|token| ClaimId::new(OwnerToken::from_bytes(token))))
    }

    /// `None`: not a fingerprint. `Some(None)`: there is none.
    pub(super) fn fingerprint(&mut self) -> Result<Option<Option<Fingerprint>>, StoreError> {
        Ok(match self.bytes()? {
            None => Some(None),
            Some(bytes) => {
                let bytes: Option<[u8; 32]> = bytes.try_into().ok();
                bytes.map(|bytes| Some(Fingerprint::new(bytes)))
            }
        })
    }

    pub(super) fn duration(&mut self) -> Result<Duration, StoreError> {
        let millis = self.int()?.unwrap_or_default();
        Ok(Duration::from_millis(millis.try_into().unwrap_or_default()))
    }

    /// Reads status, headers and body.
    pub(super) fn record(
        &mut self,
        fingerprint: Option<Fingerprint>,
    ) -> Result<Option<Record>, StoreError> {
        let status = self.int()?.and_then(|status| u16::try_from(status).ok());
        let headers = self.bytes()?.map(Bytes::from);
        let body = self.bytes()?.map(Bytes::from);
        let Some(status) = status else {
            return Ok(None);
        };
        Ok(match (headers, body) {
            (location, None) => Some(Record::Tombstone(Tombstone {
                fingerprint,
                status: known(status),
                location,
            })),
            (None, Some(_)) => None,
            (Some(headers), Some(body)) => Headers::from_bytes(headers).map(|headers| {
                Record::Response(RecordedResponse {
                    fingerprint,
                    status,
                    headers,
                    body,
                })
            }),
        })
    }
}

/// Returns a status as it stands in a row, if it is known.
pub(super) fn known(status: u16) -> Option<u16> {
    (i64::from(status) != UNKNOWN).then_some(status)
}

/// A reply of another shape than that of the statement: the table is another one.
fn unreadable(err: DatabaseError) -> StoreError {
    StoreError::interrupted(err.source)
}

/// Returns the word that a statement replied with. Without one it has changed nothing.
pub(super) fn word<R: Row>(rows: &[R]) -> Result<Option<String>, StoreError> {
    let word = rows.first().map(|row| Columns::new(row).text());
    Ok(word.transpose()?.flatten())
}
