//! A memory store that was full has all its room again, whatever made it free.

use std::time::Duration;

use actix_web_idempotency::{
    Fingerprint, MemoryStore,
    store::{
        Begin, Headers, Held, Inspect, NewClaim, Record, RecordedResponse, Store, StoreErrorKind,
        StoreKey,
    },
    testing::BackgroundHere,
};
use tokio::time::sleep;

const MOST: u8 = 10;
const BYTES: usize = 1000;
const SHORT: Duration = Duration::from_secs(5);
/// Longer than it takes until what has ended is taken away.
const LATER: Duration = Duration::from_secs(20);

/// How what a key holds ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Release,
    /// Of a lock, which leaves nothing behind.
    Expiry,
    GracePeriod,
    Retention,
    ForcedRelease,
    Deletion,
    DeletionOfARecord,
}

const ENDS: [End; 7] = [
    End::Release,
    End::Expiry,
    End::GracePeriod,
    End::Retention,
    End::ForcedRelease,
    End::Deletion,
    End::DeletionOfARecord,
];

fn claim(n: u8, end: End) -> NewClaim {
    let key = StoreKey::new("full:", [n; 32]);
    if end == End::Expiry {
        return NewClaim::lock(key, SHORT);
    }
    NewClaim {
        fingerprint: Some(Fingerprint::digest("x")),
        grace: SHORT,
        ..NewClaim::lock(key, SHORT)
    }
}

async fn complete(store: &MemoryStore, claim: &NewClaim) {
    let record = Record::Response(RecordedResponse {
        fingerprint: claim.fingerprint,
        status: 201,
        headers: Headers::new(),
        body: vec![b'x'; BYTES].into(),
    });
    let held = store.complete(&claim.lease(), &record, SHORT).await;
    assert_eq!(held.unwrap(), Held::Yes);
}

async fn end_of(store: &MemoryStore, claims: &[NewClaim], end: End) {
    for claim in claims {
        match end {
            End::Release => {
                let held = store.release(&claim.lease()).await.unwrap();
                assert_eq!(held, Held::Yes);
            }
            End::Retention => complete(store, claim).await,
            End::ForcedRelease => assert!(store.force_release(&claim.key).await.unwrap()),
            End::Deletion => assert!(store.delete(&claim.key).await.unwrap()),
            End::DeletionOfARecord => {
                complete(store, claim).await;
                assert!(store.delete(&claim.key).await.unwrap());
            }
            End::Expiry | End::GracePeriod => {}
        }
    }
    if matches!(end, End::Expiry | End::GracePeriod | End::Retention) {
        sleep(LATER).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_entry_of_a_full_store_is_there_again_however_the_others_ended() {
    let _here = BackgroundHere::here();
    for end in ENDS {
        let store = MemoryStore::builder().max_entries(MOST.into());
        let store = store.build().unwrap();
        for round in 0..3 {
            let claims: Vec<_> = (0..MOST).map(|n| claim(n, end)).collect();
            for claim in &claims {
                let begun = store.begin(claim).await;
                let begun = begun.unwrap_or_else(|err| panic!("{end:?}, {round}: {err}"));
                assert!(matches!(begun, Begin::Claimed { .. }), "{end:?}: {begun:?}");
            }
            let refused = store.begin(&claim(MOST, end)).await.unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
            end_of(&store, &claims, end).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_byte_of_a_full_store_is_there_again_however_the_others_ended() {
    let _here = BackgroundHere::here();
    for end in [End::Retention, End::Deletion] {
        let store = MemoryStore::builder().max_bytes(usize::from(MOST) * BYTES);
        let store = store.build().unwrap();
        for round in 0..3 {
            let claims: Vec<_> = (0..=MOST).map(|n| claim(n, end)).collect();
            let (last, all) = claims.split_last().unwrap();
            for claim in all {
                complete(&store, claim).await;
                sleep(Duration::from_millis(1)).await;
            }
            for claim in all {
                let begun = store.begin(claim).await.unwrap();
                let is_kept = matches!(begun, Begin::Finished(Record::Response(_)));
                assert!(is_kept, "{end:?}, {round}: {begun:?}");
            }
            complete(&store, last).await;
            let oldest = store.begin(&all[0]).await.unwrap();
            let is_full = matches!(oldest, Begin::Finished(Record::Tombstone(_)));
            assert!(is_full, "{end:?}, {round}: {oldest:?}");
            match end {
                End::Retention => sleep(LATER).await,
                _ => {
                    for claim in &claims {
                        assert!(store.delete(&claim.key).await.unwrap());
                    }
                }
            }
        }
    }
}
