//! How values stand in Redis. All numbers are big-endian.
//!
//! ```text
//! lock         token
//! claim        01 'C', token, attempt u32, grace in ms u64, fingerprint
//! answer       01 'A', token, fingerprint, status u16, length of all headers u32,
//!              per header: name length u16, name, value length u32, value; then the body
//! tombstone    01 'T', token, fingerprint, status u16 (0: unknown), location, if there is one
//!
//! token        the owner's, as 32 hexadecimal digits
//! fingerprint  00, or 01 and 32 bytes
//! ```
//!
//! The scripts read the token where it stands here, of records too: a completion that is repeated
//! recognises itself by it.
//!
//! The first byte is the version. What begins otherwise, or ends early, is unreadable, and
//! counts as present.

use std::{num::NonZeroU32, time::Duration};

use bytes::Bytes;

use crate::{
    fingerprint::Fingerprint,
    store::{Headers, NewClaim, OwnerToken, Record, RecordedResponse, Tombstone},
};

const VERSION: u8 = 1;
/// The bytes of a fingerprint.
const FINGERPRINT: usize = 33;
/// The bytes of a claim behind its attempt.
const REST: usize = 8 + FINGERPRINT;

/// A value that could be read.
#[derive(Debug, PartialEq)]
pub(crate) enum Stored {
    Lock,
    Claim(StoredClaim),
    Finished(Record),
}

#[derive(Debug, PartialEq)]
pub(crate) struct StoredClaim {
    pub(crate) token: OwnerToken,
    pub(crate) attempt: NonZeroU32,
    pub(crate) grace: Duration,
    pub(crate) fingerprint: Option<Fingerprint>,
}

/// A claim's value, for its first attempt.
pub(crate) fn encode_claim(claim: &NewClaim) -> Vec<u8> {
    let mut out = begin_value(b'C', &claim.token, 4 + REST);
    out.extend_from_slice(&1_u32.to_be_bytes());
    push_claim_rest(&mut out, claim);
    out
}

/// What follows the attempt number.
pub(super) fn encode_claim_rest(claim: &NewClaim) -> Vec<u8> {
    let mut out = Vec::with_capacity(REST);
    push_claim_rest(&mut out, claim);
    out
}

fn push_claim_rest(out: &mut Vec<u8>, claim: &NewClaim) {
    out.extend_from_slice(&millis(claim.grace).to_be_bytes());
    push_fingerprint(out, claim.fingerprint.as_ref());
}

/// A record's value; `None` when the headers are too long for their field.
pub(crate) fn encode_record(record: &Record, owner: &OwnerToken) -> Option<Vec<u8>> {
    match record {
        Record::Response(answer) => {
            let mut out = begin_value(b'A', owner, FINGERPRINT + 6 + answer.size());
            push_fingerprint(&mut out, answer.fingerprint.as_ref());
            out.extend_from_slice(&answer.status.to_be_bytes());
            let length = u32::try_from(answer.headers.size()).ok()?;
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(answer.headers.as_bytes());
            out.extend_from_slice(&answer.body);
            Some(out)
        }
        Record::Tombstone(tombstone) => {
            let location = tombstone.location.as_deref().unwrap_or_default();
            let mut out = begin_value(b'T', owner, FINGERPRINT + 2 + location.len());
            push_fingerprint(&mut out, tombstone.fingerprint.as_ref());
            out.extend_from_slice(&tombstone.status.unwrap_or(0).to_be_bytes());
            out.extend_from_slice(location);
            Some(out)
        }
    }
}

/// What every value but a lock begins with, and room for `more` bytes.
fn begin_value(kind: u8, owner: &OwnerToken, more: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(34 + more);
    out.extend_from_slice(&[VERSION, kind]);
    out.extend_from_slice(owner.to_hex().as_bytes());
    out
}

/// Reads the digits of a token; `None` if there is anything else.
fn token(digits: &[u8]) -> Option<OwnerToken> {
    let mut bytes = [0; 16];
    let read = base16ct::lower::decode(digits, &mut bytes).ok()?.len();
    (read == bytes.len()).then_some(OwnerToken::from_bytes(bytes))
}

/// Reads a value; `None` when it is not one of ours.
pub(crate) fn decode(value: Vec<u8>) -> Option<Stored> {
    if token(&value).is_some() {
        return Some(Stored::Lock);
    }
    let mut rest = Reader(Bytes::from(value));
    if rest.byte()? != VERSION {
        return None;
    }
    let kind = rest.byte()?;
    let token = token(&rest.take(32)?)?;
    match kind {
        b'C' => {
            let attempt = NonZeroU32::new(rest.u32()?)?;
            let grace = Duration::from_millis(rest.u64()?);
            let fingerprint = rest.fingerprint()?;
            (rest.0.is_empty()).then_some(Stored::Claim(StoredClaim {
                token,
                attempt,
                grace,
                fingerprint,
            }))
        }
        b'A' => {
            let fingerprint = rest.fingerprint()?;
            let status = rest.u16()?;
            let length = usize::try_from(rest.u32()?).ok()?;
            let headers = Headers::from_bytes(rest.take(length)?)?;
            Some(Stored::Finished(Record::Response(RecordedResponse {
                fingerprint,
                status,
                headers,
                body: rest.0,
            })))
        }
        b'T' => {
            let fingerprint = rest.fingerprint()?;
            let status = rest.u16()?;
            Some(Stored::Finished(Record::Tombstone(Tombstone {
                fingerprint,
                status: (status != 0).then_some(status),
                location: (!rest.0.is_empty()).then_some(rest.0),
            })))
        }
        _ => None,
    }
}

/// Whole milliseconds, few enough for Redis to add to its clock.
pub(super) fn millis(time: Duration) -> u64 {
    const MOST: u64 = 100 * 365 * 24 * 3600 * 1000;
    u64::try_from(time.as_millis()).unwrap_or(MOST).min(MOST)
}

fn push_fingerprint(out: &mut Vec<u8>, fingerprint: Option<&Fingerprint>) {
    match fingerprint {
        None => out.push(0),
        Some(fingerprint) => {
            out.push(1);
            out.extend_from_slice(fingerprint.as_bytes());
        }
    }
}

/// Takes from the front; `None` when there is not enough. Slices share the value's memory.
struct Reader(Bytes);

impl Reader {
    fn take(&mut self, count: usize) -> Option<Bytes> {
        (count <= self.0.len()).then(|| self.0.split_to(count))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.as_ref().try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn fingerprint(&mut self) -> Option<Option<Fingerprint>> {
        match self.byte()? {
            0 => Some(None),
            1 => Some(Some(Fingerprint::new(self.array()?))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreKey;

    fn claim(fingerprint: Option<Fingerprint>) -> NewClaim {
        NewClaim {
            fingerprint,
            grace: Duration::from_secs(60),
            ..NewClaim::lock(StoreKey::new("", [0; 32]), Duration::from_secs(30))
        }
    }

    fn records() -> Vec<Record> {
        let fingerprint = Some(Fingerprint::digest("x"));
        vec![
            Record::Response(RecordedResponse {
                fingerprint,
                status: 201,
                headers: [("x-a", "1"), ("x-a", "é"), ("x-empty", "")]
                    .into_iter()
                    .collect(),
                body: Bytes::from_static(b"\x00\x01binary\xff"),
            }),
            Record::Response(RecordedResponse {
                fingerprint: None,
                status: 204,
                headers: Headers::new(),
                body: Bytes::new(),
            }),
            Record::Tombstone(Tombstone {
                fingerprint,
                status: Some(201),
                location: Some(Bytes::from_static(b"/orders/1")),
            }),
            Record::Tombstone(Tombstone {
                fingerprint: None,
                status: None,
                location: None,
            }),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        for record in records() {
            let value = encode_record(&record, &OwnerToken::random()).unwrap();
            assert_eq!(decode(value), Some(Stored::Finished(record)));
        }
        for fingerprint in [None, Some(Fingerprint::digest("x"))] {
            let claim = claim(fingerprint);
            let stored = StoredClaim {
                token: claim.token,
                attempt: NonZeroU32::MIN,
                grace: claim.grace,
                fingerprint,
            };
            assert_eq!(decode(encode_claim(&claim)), Some(Stored::Claim(stored)));
        }
        let token = OwnerToken::random().to_hex().into_bytes();
        assert_eq!(decode(token), Some(Stored::Lock));
    }

    #[test]
    fn the_format_of_version_1_stays() {
        let mut claim = claim(None);
        claim.token = OwnerToken::from_bytes([0xab; 16]);
        let token = "ab".repeat(16);
        let expected = [
            b"\x01C".as_slice(),
            token.as_bytes(),
            &[0, 0, 0, 1],
            &[0, 0, 0, 0, 0, 0, 0xea, 0x60],
            &[0],
        ];
        assert_eq!(encode_claim(&claim), expected.concat());
        let record = |kind: u8, rest: &[u8]| [&[1, kind], token.as_bytes(), rest].concat();
        let answer = encode_record(&records()[1], &claim.token);
        assert_eq!(answer, Some(record(b'A', &[0, 0, 204, 0, 0, 0, 0])));
        let tombstone = encode_record(&records()[3], &claim.token);
        assert_eq!(tombstone, Some(record(b'T', &[0, 0, 0])));
    }

    #[test]
    fn whatever_else_is_unreadable_and_harmless() {
        for value in ["", "x", "\u{1}", "\u{1}X", "\u{2}A", "\u{1}A\u{7}", "busy"] {
            assert_eq!(decode(value.as_bytes().to_vec()), None, "{value:?}");
        }
        // A lock is the lower-case digits of 16 bytes, no more and no less.
        for (digits, count) in [("ab", 15), ("ab", 17), ("AB", 16), ("+b", 16), ("b ", 16)] {
            let value = digits.repeat(count);
            assert_eq!(decode(value.clone().into_bytes()), None, "{value:?}");
        }
        let claim = encode_claim(&claim(Some(Fingerprint::digest("x"))));
        for end in 0..claim.len() {
            assert_eq!(decode(claim[..end].to_vec()), None, "{end}");
        }
        let longer = [claim.as_slice(), b"x"].concat();
        assert_eq!(decode(longer), None);
        let mut many_headers = begin_value(b'A', &OwnerToken::random(), 0);
        many_headers.extend([0, 0, 200, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(decode(many_headers), None);
        let mut bad_token = claim.clone();
        bad_token[2] = b'x';
        assert_eq!(decode(bad_token), None);
    }
}
