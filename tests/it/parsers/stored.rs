//! How claims and records stand in Redis.

use std::time::Duration;

use actix_web::web::Bytes;
use actix_web_idempotency::{
    Fingerprint,
    internals::{decode_claim, decode_record, encode_claim, encode_record},
    store::{NewClaim, OwnerToken, Record, RecordedResponse, StoreKey, Tombstone},
};
use proptest::{collection::vec, option, prelude::*, sample::Index};

use super::cases;

fn fingerprints() -> impl Strategy<Value = Option<Fingerprint>> {
    option::of(any::<[u8; 32]>().prop_map(Fingerprint::new))
}

fn records() -> impl Strategy<Value = Record> {
    let name = prop_oneof![9 => any::<String>(), 1 => "x{250,300}"];
    let headers = vec((name, vec(any::<u8>(), 0..32)), 0..5);
    let answer = (
        fingerprints(),
        any::<u16>(),
        headers,
        vec(any::<u8>(), 0..64),
    )
        .prop_map(|(fingerprint, status, headers, body)| {
            Record::Response(RecordedResponse {
                fingerprint,
                status,
                headers: headers.into_iter().collect(),
                body: body.into(),
            })
        });
    let location = option::of(vec(any::<u8>(), 1..32).prop_map(Bytes::from));
    let tombstone = (fingerprints(), option::of(1..=u16::MAX), location).prop_map(
        |(fingerprint, status, location)| {
            Record::Tombstone(Tombstone {
                fingerprint,
                status,
                location,
            })
        },
    );
    prop_oneof![answer, tombstone]
}

fn claims() -> impl Strategy<Value = NewClaim> {
    let most = 100 * 365 * 24 * 3600 * 1000_u64;
    (fingerprints(), any::<[u8; 16]>(), 0..=most).prop_map(|(fingerprint, token, grace)| NewClaim {
        token: OwnerToken::from_bytes(token),
        fingerprint,
        grace: Duration::from_millis(grace),
        ..NewClaim::lock(StoreKey::new("", [0; 32]), Duration::from_secs(30))
    })
}

/// A claim or a record, as it stands in Redis.
fn values() -> impl Strategy<Value = Vec<u8>> {
    let token = any::<[u8; 16]>().prop_map(OwnerToken::from_bytes);
    prop_oneof![
        (records(), token).prop_map(|(record, token)| encode_record(&record, &token).unwrap()),
        claims().prop_map(|claim| encode_claim(&claim)),
    ]
}

/// Cut, longer, or with bits that have flipped.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let flips = vec((any::<Index>(), 0..8_u8), 0..4);
    (values(), any::<Index>(), flips, vec(any::<u8>(), 0..3)).prop_map(
        |(mut value, end, flips, more)| {
            value.truncate(34 + end.index(value.len() - 33));
            for (at, bit) in flips {
                let at = at.index(value.len());
                value[at] ^= 1 << bit;
            }
            value.extend(more);
            value
        },
    )
}

/// The token that every value but a lock carries.
fn token(value: &[u8]) -> OwnerToken {
    let digits = str::from_utf8(&value[2..34]).unwrap();
    let number = u128::from_str_radix(digits, 16).unwrap();
    OwnerToken::from_bytes(number.to_be_bytes())
}

/// Every piece of a record of which there can be much.
fn pieces(record: &Record) -> Vec<Bytes> {
    match record {
        Record::Response(answer) => {
            let values = answer.headers.iter().map(|(_, value)| value);
            values.chain([answer.body.clone()]).collect()
        }
        Record::Tombstone(tombstone) => tombstone.location.iter().cloned().collect(),
    }
}

/// Whether all of the headers' memory is headers.
fn is_whole(record: &Record) -> bool {
    let Record::Response(RecordedResponse { headers, .. }) = record else {
        return true;
    };
    let each = headers
        .iter()
        .map(|(name, value)| 6 + name.len() + value.len());
    each.sum::<usize>() == headers.size()
}

/// What can be read is what would be written, and takes no memory but the value's own.
fn check(value: Vec<u8>) -> Result<(), TestCaseError> {
    let memory = value.as_ptr_range();
    let copy = value.clone();
    if let Some((owner, attempt, grace, fingerprint)) = decode_claim(copy.clone()) {
        prop_assert_eq!(&value[..2], b"\x01C");
        prop_assert!(attempt > 0);
        prop_assert_eq!(owner, token(&value));
        prop_assert_eq!(&(grace.as_millis() as u64).to_be_bytes(), &value[38..46]);
        prop_assert_eq!(value.len(), if fingerprint.is_some() { 79 } else { 47 });
    }
    if let Some(record) = decode_record(value) {
        prop_assert!(is_whole(&record));
        prop_assert_eq!(encode_record(&record, &token(&copy)), Some(copy));
        for piece in pieces(&record).iter().filter(|piece| !piece.is_empty()) {
            let at = piece.as_ptr_range();
            prop_assert!(
                memory.start <= at.start && at.end <= memory.end,
                "a copy was made"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_record_that_is_written_is_read(record in records(), token: [u8; 16]) {
        let value = encode_record(&record, &OwnerToken::from_bytes(token)).unwrap();
        prop_assert_eq!(decode_claim(value.clone()), None);
        check(value.clone())?;
        prop_assert_eq!(decode_record(value), Some(record));
    }

    #[test]
    fn a_claim_that_is_written_is_read(claim in claims()) {
        let value = encode_claim(&claim);
        prop_assert_eq!(decode_record(value.clone()), None);
        check(value.clone())?;
        let read = (claim.token, 1, claim.grace, claim.fingerprint);
        prop_assert_eq!(decode_claim(value), Some(read));
    }

    #[test]
    fn a_damaged_value_is_unreadable_or_says_what_its_bytes_say(value in damaged()) {
        check(value)?;
    }

    #[test]
    fn any_bytes_are_read_without_harm(
        version in 0..3_u8,
        kind in prop_oneof![Just(b'A'), Just(b'C'), Just(b'T'), any::<u8>()],
        token: [u8; 16],
        rest in vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..96),
    ) {
        let token = OwnerToken::from_bytes(token).to_hex();
        check(rest.clone())?;
        check([&[version, kind], token.as_bytes(), &rest].concat())?;
    }
}
