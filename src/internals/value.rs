use std::time::Duration;

use crate::{
    fingerprint::Fingerprint,
    store::{
        NewClaim, OwnerToken, Record,
        redis::codec::{self, Stored},
    },
};

/// Returns a claim as it is in Redis.
pub fn encode_claim(claim: &NewClaim) -> Vec<u8> {
    codec::encode_claim(claim)
}

/// Returns the owner, attempt, grace period and fingerprint of a claim in Redis, if the value is one.
pub fn decode_claim(value: Vec<u8>) -> Option<(OwnerToken, u32, Duration, Option<Fingerprint>)> {
    match codec::decode(value) {
        Some(Stored::Claim(claim)) => Some((
            claim.token,
            claim.attempt.get(),
            claim.grace,
            claim.fingerprint,
        )),
        Some(Stored::Finished(_) | Stored::Lock) | None => None,
    }
}

/// Returns a record as it is in Redis; `None` if it cannot be stored there.
pub fn encode_record(record: &Record, owner: &OwnerToken) -> Option<Vec<u8>> {
    codec::encode_record(record, owner)
}

/// Returns the record that a value in Redis is, if it is one.
pub fn decode_record(value: Vec<u8>) -> Option<Record> {
    match codec::decode(value) {
        Some(Stored::Finished(record)) => Some(record),
        Some(Stored::Claim(_) | Stored::Lock) | None => None,
    }
}
