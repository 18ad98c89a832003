//! Completions and records.

use super::*;
use crate::store::Headers;

/// As much of a body as the middlewares record by default.
const LARGE: usize = 1024 * 1024;

pub(super) async fn check<S: Store>(store: &S) {
    join_all([
        boxed(a_record_comes_back_as_it_went_in(store)),
        boxed(a_record_outlasts_its_lease_and_ends_with_its_retention(
            store,
        )),
        boxed(a_completion_repeats_itself_harmlessly(store)),
        boxed(a_completion_is_recognised_by_its_owner_not_by_what_it_says(
            store,
        )),
        boxed(a_completion_fills_a_vacant_place_but_no_other(store)),
        boxed(a_record_is_never_released(store)),
    ])
    .await;
}

async fn a_record_comes_back_as_it_went_in<S: Store>(store: &S) {
    let records = [
        record(),
        Record::Response(RecordedResponse {
            fingerprint: None,
            status: 204,
            headers: Headers::new(),
            body: Bytes::new(),
        }),
        Record::Response(RecordedResponse {
            fingerprint: Some(Fingerprint::digest("same")),
            status: 422,
            headers: Headers::new(),
            body: vec![b'x'; LARGE].into(),
        }),
        Record::Tombstone(Tombstone {
            fingerprint: Some(Fingerprint::digest("same")),
            status: Some(201),
            location: Some(Bytes::from_static(b"/orders/1")),
        }),
        Record::Tombstone(Tombstone {
            fingerprint: None,
            status: None,
            location: None,
        }),
    ];
    for record in records {
        let claim = claim_on(&new_key(), LONG);
        must_claim(store, &claim).await;
        let held = store.complete(&claim.lease(), &record, LONG).await;
        assert_eq!(held.expect("complete"), Held::Yes);
        must_be_finished(store, &claim.key, &record).await;
    }
}

async fn a_record_outlasts_its_lease_and_ends_with_its_retention<S: Store>(store: &S) {
    for record in [record(), tombstone()] {
        let (kept, ended) = (claim_on(&new_key(), SHORT), claim_on(&new_key(), LONG));
        must_claim(store, &kept).await;
        must_claim(store, &ended).await;
        // Its place is vacant.
        let late = claim_on(&new_key(), LONG);
        for (claim, retention) in [(&kept, LONG), (&ended, SHORT), (&late, SHORT)] {
            let held = store.complete(&claim.lease(), &record, retention).await;
            assert_eq!(held.expect("complete"), Held::Yes);
        }
        sleep(AFTER_SHORT).await;
        must_be_finished(store, &kept.key, &record).await;
        for ended in [&ended, &late] {
            assert_eq!(must_claim(store, &claim_on(&ended.key, LONG)).await, 1);
        }
    }
}

async fn a_completion_repeats_itself_harmlessly<S: Store>(store: &S) {
    let claim = claim_on(&new_key(), LONG);
    must_claim(store, &claim).await;
    for _again in 0..2 {
        assert_eq!(complete(store, &claim, LONG).await, Held::Yes);
    }
    must_be_finished(store, &claim.key, &record()).await;
}

async fn a_completion_is_recognised_by_its_owner_not_by_what_it_says<S: Store>(store: &S) {
    let first = claim_on(&new_key(), LONG);
    must_claim(store, &first).await;
    assert_eq!(complete(store, &first, LONG).await, Held::Yes);
    let other = Record::Tombstone(Tombstone {
        fingerprint: None,
        status: None,
        location: None,
    });
    let again = store.complete(&first.lease(), &other, LONG).await;
    assert_eq!(
        again.expect("complete"),
        Held::Yes,
        "the owner has completed it"
    );
    must_be_finished(store, &first.key, &record()).await;
    let loser = claim_on(&first.key, LONG);
    let equal = complete(store, &loser, LONG).await;
    assert_eq!(
        equal,
        Held::Lost,
        "an equal record of another owner is another's"
    );
}

async fn a_completion_fills_a_vacant_place_but_no_other<S: Store>(store: &S) {
    let vacant = claim_on(&new_key(), LONG);
    assert_eq!(complete(store, &vacant, LONG).await, Held::Yes);
    must_be_finished(store, &vacant.key, &record()).await;

    let key = new_key();
    must_claim(store, &claim_on(&key, LONG)).await;
    assert_eq!(
        complete(store, &claim_on(&key, LONG), LONG).await,
        Held::Lost
    );
    must_be_in_flight(store, &claim_on(&key, LONG)).await;
}

async fn a_record_is_never_released<S: Store>(store: &S) {
    let claim = claim_on(&new_key(), LONG);
    must_claim(store, &claim).await;
    complete(store, &claim, LONG).await;
    assert_eq!(release(store, &claim).await, Held::Lost);
    assert_eq!(renew(store, &claim).await, None);
    must_be_finished(store, &claim.key, &record()).await;
}
