use actix_web_idempotency::store::{Headers, Record, RecordedResponse, Tombstone};

use super::mistake::Mistake::{self, *};

/// What becomes of a record that is written down by mistake.
pub(super) fn mistaken(mistake: Option<Mistake>, record: &Record) -> Record {
    match record.clone() {
        Record::Response(answer)
            if mistake == Some(EmptyAnswersAreTombstones) && answer.size() == 0 =>
        {
            Record::Tombstone(answer.to_tombstone())
        }
        Record::Response(answer) => Record::Response(mistaken_answer(mistake, answer)),
        Record::Tombstone(tombstone) => Record::Tombstone(mistaken_tombstone(mistake, tombstone)),
    }
}

fn mistaken_answer(mistake: Option<Mistake>, mut answer: RecordedResponse) -> RecordedResponse {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match mistake {
        Some(BodiesAreText) => answer.body = text(&answer.body).into(),
        Some(BodiesAreCut) => answer.body.truncate(65_535),
        Some(HeadersAreText) => {
            let headers = answer.headers.iter();
            answer.headers = headers
                .map(|(name, value)| (name.to_owned(), text(&value)))
                .collect();
        }
        Some(HeadersAreUnique) => {
            let mut names = std::collections::HashSet::new();
            let headers = answer.headers.iter();
            let unique: Headers = headers
                .filter(|(name, _)| names.insert(name.to_owned()))
                .collect();
            answer.headers = unique;
        }
        Some(StatusIsAByte) => answer.status = u16::from(answer.status as u8),
        Some(FingerprintOfRecordsIsLost) => answer.fingerprint = None,
        _ => {}
    }
    answer
}

fn mistaken_tombstone(mistake: Option<Mistake>, mut tombstone: Tombstone) -> Tombstone {
    match mistake {
        Some(FingerprintOfRecordsIsLost) => tombstone.fingerprint = None,
        Some(LocationIsLost) => tombstone.location = None,
        Some(StatusOfTombstonesIsLost) => tombstone.status = None,
        Some(UnknownStatusIsZero) => tombstone.status = tombstone.status.or(Some(0)),
        _ => {}
    }
    tombstone
}
