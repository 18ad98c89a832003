use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tokio::time::{Duration, advance, sleep};

use super::{MemoryStore, purge, table::lock};
use crate::{
    runtime::background::BackgroundHere,
    store::{
        Begin, Cursor, Held, Inspect, NewClaim, Record, RecordedResponse, Renewed, Store, StoreKey,
        Tombstone,
    },
};

fn key(n: u32) -> StoreKey {
    StoreKey::new(
        "t:",
        *crate::Fingerprint::digest(n.to_be_bytes()).as_bytes(),
    )
}

fn lock_for(n: u32, ttl: Duration) -> NewClaim {
    NewClaim::lock(key(n), ttl)
}

fn answer(size: usize) -> Record {
    Record::Response(RecordedResponse {
        fingerprint: None,
        status: 201,
        headers: [("location", "/orders/1")].into_iter().collect(),
        body: Bytes::from(vec![b'x'; size]),
    })
}

async fn finish(store: &MemoryStore, n: u32, record: &Record) {
    let lease = lock_for(n, Duration::from_secs(1)).lease();
    let held = store
        .complete(&lease, record, Duration::from_secs(60))
        .await;
    assert_eq!(held.unwrap(), Held::Yes);
}

async fn look(store: &MemoryStore, n: u32) -> Begin {
    store
        .begin(&lock_for(n, Duration::from_secs(1)))
        .await
        .unwrap()
}

fn reserved(store: &MemoryStore) -> usize {
    store
        .0
        .shards
        .iter()
        .map(|shard| lock(shard).reserved())
        .sum()
}

#[tokio::test(start_paused = true)]
async fn memory_is_given_back_without_traffic() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::new();
    for n in 0..20_000 {
        store
            .begin(&lock_for(n, Duration::from_secs(5)))
            .await
            .unwrap();
    }
    finish(&store, 20_000, &answer(1000)).await;
    assert_eq!(store.0.len(), 20_001);
    let at_peak = reserved(&store);

    sleep(Duration::from_secs(62)).await;

    assert_eq!(store.0.len(), 0);
    assert_eq!(store.0.bytes.load(Ordering::Relaxed), 0);
    assert!(store.0.shards.iter().all(|shard| lock(shard).len() == 0));
    assert!(
        reserved(&store) < at_peak / 2,
        "{} of {at_peak}",
        reserved(&store)
    );
    assert!(
        !store.0.purging.load(Ordering::Relaxed),
        "nothing is left to purge"
    );
}

#[tokio::test(start_paused = true)]
async fn the_purge_starts_again_after_it_has_ended() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::new();
    for _ in 0..2 {
        store
            .begin(&lock_for(0, Duration::from_secs(5)))
            .await
            .unwrap();
        sleep(Duration::from_secs(10)).await;
        assert_eq!(store.0.len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn released_keys_leave_nothing_behind() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::new();
    for n in 0..50_000 {
        let claim = lock_for(n, Duration::from_secs(60));
        store.begin(&claim).await.unwrap();
        assert_eq!(store.release(&claim.lease()).await.unwrap(), Held::Yes);
    }
    let due: usize = store
        .0
        .shards
        .iter()
        .map(|shard| lock(shard).reserved())
        .sum();
    assert!(due < 64 * 512, "{due} places are kept for no entries");
}

#[tokio::test(start_paused = true)]
async fn deleted_records_leave_nothing_behind() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::new();
    for n in 0..50_000 {
        finish(&store, n, &answer(1)).await;
        assert!(store.delete(&key(n)).await.unwrap());
    }
    let places = reserved(&store);
    assert!(places < 256 * 256, "{places} are kept for no records");
}

#[tokio::test(start_paused = true)]
async fn a_renewed_claim_outlives_its_first_deadline() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::new();
    let claim = lock_for(0, Duration::from_secs(5));
    store.begin(&claim).await.unwrap();
    for _ in 0..4 {
        sleep(Duration::from_secs(3)).await;
        let renewed = store.renew(&claim.lease()).await.unwrap();
        assert!(matches!(renewed, Renewed::Yes { .. }));
    }
    sleep(Duration::from_secs(7)).await;
    assert_eq!(store.0.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn short_of_bytes_the_oldest_bodies_become_tombstones() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::builder().max_bytes(3000).build().unwrap();
    for n in 0..4 {
        finish(&store, n, &answer(900)).await;
        advance(Duration::from_millis(1)).await;
    }
    let tombstone = Tombstone {
        fingerprint: None,
        status: Some(201),
        location: Some(Bytes::from_static(b"/orders/1")),
    };
    match look(&store, 0).await {
        Begin::Finished(Record::Tombstone(found)) => assert_eq!(found, tombstone),
        other => panic!("{other:?}"),
    }
    for n in 1..4 {
        assert!(matches!(
            look(&store, n).await,
            Begin::Finished(Record::Response(_))
        ));
    }
    finish(&store, 4, &answer(5000)).await;
    assert!(matches!(
        look(&store, 4).await,
        Begin::Finished(Record::Tombstone(_))
    ));
    assert!(store.0.bytes.load(Ordering::Relaxed) <= 3000);
}

/// Tells when its memory goes.
struct Large(Vec<u8>, Arc<AtomicBool>);

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_piece_keeps_nothing_large_in_memory() {
    let _here = BackgroundHere::here();
    let (store, gone) = (MemoryStore::new(), Arc::new(AtomicBool::new(false)));
    let upload = Bytes::from_owner(Large(vec![b'x'; 1_000_000], Arc::clone(&gone)));
    let echo = Record::Response(RecordedResponse {
        fingerprint: None,
        status: 200,
        headers: Default::default(),
        body: upload.slice(..10),
    });
    drop(upload);
    finish(&store, 0, &echo).await;
    drop(echo);
    assert!(gone.load(Ordering::Relaxed), "ten bytes keep a million");
    assert!(matches!(look(&store, 0).await, Begin::Finished(_)));
}

#[tokio::test(start_paused = true)]
async fn short_of_entries_new_claims_are_refused_and_nothing_is_forgotten() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::builder().max_entries(2).build().unwrap();
    let ttl = Duration::from_secs(5);
    let (first, second) = (lock_for(0, ttl), lock_for(1, ttl));
    store.begin(&first).await.unwrap();
    store.begin(&second).await.unwrap();
    let refused = store.begin(&lock_for(2, ttl)).await.unwrap_err();
    assert!(!refused.may_have_run());
    assert!(refused.to_string().contains("2 entries"), "{refused}");
    assert!(matches!(look(&store, 0).await, Begin::InFlight { .. }));

    store.release(&first.lease()).await.unwrap();
    assert!(matches!(
        store.begin(&lock_for(2, ttl)).await.unwrap(),
        Begin::Claimed { .. }
    ));
    sleep(ttl + purge::EVERY).await;
    assert!(matches!(look(&store, 3).await, Begin::Claimed { .. }));
}

#[tokio::test(start_paused = true)]
async fn no_two_renewals_are_told_the_same_time() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::new();
    let claim = lock_for(0, Duration::from_secs(5));
    store.begin(&claim).await.unwrap();
    let first = store.renew(&claim.lease()).await.unwrap();
    let second = store.renew(&claim.lease()).await.unwrap();
    match (first, second) {
        (Renewed::Yes { at: first }, Renewed::Yes { at: second }) => assert!(first < second),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_that_may_hold_nothing_is_refused() {
    let err = MemoryStore::builder().max_entries(0).build().unwrap_err();
    assert!(err.to_string().contains("at least 1"), "{err}");
}

#[test]
fn the_store_works_without_a_runtime() {
    let store = MemoryStore::new();
    let claim = lock_for(0, Duration::from_millis(1));
    let begun = futures_util::FutureExt::now_or_never(store.begin(&claim));
    assert!(matches!(begun, Some(Ok(Begin::Claimed { .. }))));
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_removes_is_no_longer_counted() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::new();
    finish(&store, 0, &answer(1000)).await;
    let claim = lock_for(1, Duration::from_secs(60));
    store.begin(&claim).await.unwrap();
    assert!(store.delete(&key(0)).await.unwrap());
    assert!(store.force_release(&key(1)).await.unwrap());
    assert_eq!(store.0.len(), 0);
    assert_eq!(store.0.bytes.load(Ordering::Relaxed), 0);
    // A body that is gone must not be looked for when room is made.
    assert!(
        store
            .0
            .shards
            .iter()
            .all(|shard| lock(shard).oldest_body().is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn a_walk_meets_each_key_once_and_keeps_to_the_size_of_its_pages() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::new();
    for n in 0..1500 {
        store
            .begin(&lock_for(n, Duration::from_secs(60)))
            .await
            .unwrap();
    }
    for most in [1, 2, 99, usize::MAX] {
        let most = NonZeroUsize::new(most).unwrap();
        let mut met = Vec::new();
        let mut next = Some(Cursor::start());
        while let Some(from) = next {
            let page = store.list("t:", &from, most).await.unwrap();
            assert!(page.entries.len() <= most.get().min(1000));
            met.extend(page.entries.into_iter().map(|(key, _)| key));
            next = page.next;
        }
        assert_eq!(met.len(), 1500);
        met.sort();
        met.dedup();
        assert_eq!(met.len(), 1500);
    }
}

#[tokio::test]
async fn a_cursor_of_another_store_is_refused() {
    let listed = MemoryStore::new()
        .list("", &Cursor::new("17"), NonZeroUsize::MIN)
        .await;
    let err = listed.unwrap_err();
    assert!(!err.may_have_run());
    assert!(err.to_string().contains("cursor"), "{err}");
}

#[tokio::test]
async fn fences_grow_from_one_process_to_the_next() {
    let mut last = 0;
    for _process in 0..3 {
        let store = MemoryStore::new();
        let held = lock_for(1, Duration::from_secs(60));
        store.begin(&held).await.unwrap();
        let Renewed::Yes { at } = store.renew(&held.lease()).await.unwrap() else {
            panic!("it is held");
        };
        assert!(at.0 > last, "{} is not after {last}", at.0);
        last = at.0;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Locations as long as bodies would otherwise stay, whatever the bound.
#[tokio::test(start_paused = true)]
async fn short_of_bytes_without_bodies_tombstones_forget_their_locations() {
    let store = MemoryStore::builder().max_bytes(5000).build().unwrap();
    let told = |length: usize| {
        Record::Tombstone(Tombstone {
            fingerprint: None,
            status: Some(201),
            location: Some(Bytes::from(vec![b'/'; length])),
        })
    };
    for n in 0..200 {
        finish(&store, n, &told(1000)).await;
        let bytes = store.0.bytes.load(Ordering::SeqCst);
        assert!(bytes <= 5000, "{bytes} after {n}");
    }
    let mut with_location = 0;
    for n in 0..200 {
        match look(&store, n).await {
            Begin::Finished(Record::Tombstone(tombstone)) => {
                assert_eq!(tombstone.status, Some(201));
                with_location += usize::from(tombstone.location.is_some());
            }
            other => panic!("{n} is forgotten: {other:?}"),
        }
    }
    assert!((1..=5).contains(&with_location), "{with_location}");
}
