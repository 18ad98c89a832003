use crate::store::{
    OwnerToken, Record,
    redis::codec::{self, Stored},
};

/// A record as it stands in Redis; `None` when it cannot stand there.
pub fn encode_record(record: &Record, owner: &OwnerToken) -> Option<Vec<u8>> {
    codec::encode_record(record, owner)
}

/// The record that a value in Redis is, if it is one.
pub fn decode_record(value: Vec<u8>) -> Option<Record> {
    match codec::decode(value) {
        Some(Stored::Finished(record)) => Some(record),
        Some(Stored::Claim(_) | Stored::Lock) | None => None,
    }
}
