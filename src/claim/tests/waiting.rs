use std::sync::atomic::AtomicBool;

use futures_util::future::join_all;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// A store whose key is held by another, until it is free.
#[derive(Debug, Default)]
struct HeldByAnother {
    free: AtomicBool,
    change: Notify,
    begun: AtomicUsize,
    watched: AtomicUsize,
    watching: AtomicUsize,
    /// It says so at once, though nothing has changed.
    hasty: AtomicBool,
    /// It cannot be asked.
    away: AtomicBool,
    /// How long it takes to say so.
    takes: Mutex<Duration>,
    tokens: Mutex<Vec<OwnerToken>>,
}

impl HeldByAnother {
    fn count(count: &AtomicUsize) -> usize {
        count.load(Ordering::SeqCst)
    }
}

/// Counts who watches, until it is dropped.
struct Watching<'a>(&'a AtomicUsize);

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Store for HeldByAnother {
    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.tokens.lock().unwrap().push(claim.token);
        let takes = *self.takes.lock().unwrap();
        sleep(takes).await;
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("away"));
        }
        if self.free.load(Ordering::SeqCst) {
            return Ok(Begin::Finished(answer(1)));
        }
        Ok(Begin::InFlight {
            by: Some(ClaimId::new(OwnerToken::from_bytes([7; 16]))),
            fingerprint: claim.fingerprint,
            left: None,
        })
    }

    async fn renew(&self, _: &Lease) -> Result<Renewed, StoreError> {
        Ok(Renewed::Lost)
    }

    async fn complete(&self, _: &Lease, _: &Record, _: Duration) -> Result<Held, StoreError> {
        Ok(Held::Lost)
    }

    async fn release(&self, _: &Lease) -> Result<Held, StoreError> {
        Ok(Held::Lost)
    }

    async fn changed(&self, _: &StoreKey, _: &ClaimId) -> Result<(), StoreError> {
        self.watched.fetch_add(1, Ordering::SeqCst);
        self.watching.fetch_add(1, Ordering::SeqCst);
        let _watching = Watching(&self.watching);
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("away"));
        }
        if !self.hasty.load(Ordering::SeqCst) {
            self.change.notified().await;
        }
        Ok(())
    }
}

fn claim() -> NewClaim {
    let mut claim = keyed(LONG, ExpiredLease::Reexecute);
    claim.fingerprint = None;
    claim.key = StoreKey::new("t:", [9; 32]);
    claim
}

async fn wait(claims: &Claims, longest: Duration) -> (ClaimOutcome, Option<Duration>) {
    let (begun, waited) = claims
        .begin_or_wait(&claim().into(), Instant::now() + longest, 100)
        .await;
    (begun.unwrap(), waited)
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_for_one_claim_share_one_watch() {
    let _here = BackgroundHere::here();
    let store = Arc::new(HeldByAnother::default());
    let claims = Claims::new(Arc::clone(&store));
    let waits = join_all((0..50).map(|_| wait(&claims, LONG)));
    let ends = async {
        sleep(Duration::from_secs(10)).await;
        assert_eq!(
            HeldByAnother::count(&store.begun),
            50,
            "waiting costs nothing"
        );
        assert_eq!(HeldByAnother::count(&store.watched), 1);
        store.free.store(true, Ordering::SeqCst);
        store.change.notify_waiters();
    };
    let (waited, ()) = tokio::join!(waits, ends);
    for (begun, waited) in waited {
        assert!(matches!(begun, ClaimOutcome::Finished(_)));
        assert_eq!(waited.map(|waited| waited.as_secs()), Some(10));
    }
    assert_eq!(HeldByAnother::count(&store.begun), 100);
    assert_eq!(HeldByAnother::count(&store.watching), 0);
}

#[tokio::test(start_paused = true)]
async fn the_watch_ends_with_the_last_who_waits() {
    let _here = BackgroundHere::here();
    let store = Arc::new(HeldByAnother::default());
    let claims = Claims::new(Arc::clone(&store));
    let (short, long) = (Duration::from_secs(1), Duration::from_secs(3));
    let looks = async {
        sleep(short * 2).await;
        assert_eq!(HeldByAnother::count(&store.watching), 1, "one still waits");
        sleep(short * 2).await;
        assert_eq!(HeldByAnother::count(&store.watching), 0);
    };
    let (one, other, ()) = tokio::join!(wait(&claims, short), wait(&claims, long), looks);
    for (begun, waited) in [one, other] {
        assert!(matches!(begun, ClaimOutcome::InFlight { by: Some(_), .. }));
        assert!(waited.is_some());
    }
    // The next one begins a new watch.
    let watched = HeldByAnother::count(&store.watched);
    wait(&claims, short).await;
    assert_eq!(HeldByAnother::count(&store.watched), watched + 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_wait_than_may() {
    let _here = BackgroundHere::here();
    let claims = Claims::new(Arc::new(HeldByAnother::default()));
    let until = Instant::now() + LONG;
    let waits = (0..5).map(|_| async {
        let (_, waited) = claims.begin_or_wait(&claim().into(), until, 2).await;
        waited.is_some()
    });
    let waited = join_all(waits).await;
    assert_eq!(waited.iter().filter(|waited| **waited).count(), 2);
    let (_, waited) = claims.begin_or_wait(&claim().into(), until + LONG, 2).await;
    assert!(waited.is_some(), "their places are free again");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_early_or_fails_does_not_make_a_busy_loop() {
    let _here = BackgroundHere::here();
    for hasty in [true, false] {
        let store = Arc::new(HeldByAnother::default());
        let claims = Claims::new(Arc::clone(&store));
        store.hasty.store(hasty, Ordering::SeqCst);
        let goes_away = async {
            sleep(Duration::from_millis(1)).await;
            store.away.store(!hasty, Ordering::SeqCst);
            store.change.notify_waiters();
        };
        let ((begun, _), ()) = tokio::join!(wait(&claims, Duration::from_secs(10)), goes_away);
        assert!(
            matches!(begun, ClaimOutcome::InFlight { .. }),
            "who has seen it is not told otherwise"
        );
        let asked = HeldByAnother::count(&store.begun);
        // Each claim is one of its own: the undo of one must not end the next.
        let mut tokens = store.tokens.lock().unwrap().clone();
        tokens.sort_by_key(|token| *token.as_bytes());
        tokens.dedup();
        assert_eq!(tokens.len(), asked);
        assert!((10..=110).contains(&asked), "{asked} in ten seconds");
    }
}

#[tokio::test(start_paused = true)]
async fn slots_of_all_who_waited_are_free_again_however_they_stopped() {
    const MOST: usize = 3;
    let _here = BackgroundHere::here();
    let store = Arc::new(HeldByAnother::default());
    let claims = Claims::new(Arc::clone(&store));
    let short = Duration::from_secs(1);
    let waits = || {
        let until = Instant::now() + short;
        let waits = (0..MOST + 1).map(|_| {
            let claims = claims.clone();
            async move {
                let (begun, waited) = claims.begin_or_wait(&claim().into(), until, MOST).await;
                drop(begun);
                waited.is_some()
            }
        });
        join_all(waits)
    };
    let took_slots = |waited: Vec<bool>| waited.into_iter().filter(|waited| *waited).count();
    assert_eq!(took_slots(waits().await), MOST, "their time is up");

    let ends = async {
        sleep(short / 2).await;
        store.free.store(true, Ordering::SeqCst);
        store.change.notify_waiters();
    };
    let (waited, ()) = tokio::join!(waits(), ends);
    assert_eq!(took_slots(waited), MOST, "the first has ended");
    store.free.store(false, Ordering::SeqCst);

    let left = tokio::time::timeout(short / 2, waits()).await;
    assert!(left.is_err(), "they leave");
    assert_eq!(took_slots(waits().await), MOST);
}

#[tokio::test(start_paused = true)]
async fn wait_on_a_slow_store_ends_within_one_call_and_keeps_what_that_returns() {
    let _here = BackgroundHere::here();
    let takes = Duration::from_secs(3);
    let longest = Duration::from_secs(10);
    for is_free_in_the_end in [false, true] {
        let store = Arc::new(HeldByAnother::default());
        *store.takes.lock().unwrap() = takes;
        store.hasty.store(true, Ordering::SeqCst);
        let claims = Claims::new(Arc::clone(&store));
        let began = Instant::now();
        let ends = async {
            sleep(longest).await;
            store.free.store(is_free_in_the_end, Ordering::SeqCst);
        };
        let ((begun, waited), ()) = tokio::join!(wait(&claims, longest), ends);
        assert!(began.elapsed() <= longest + takes + AWAY * 2);
        assert!(waited.is_some());
        match is_free_in_the_end {
            true => assert!(matches!(begun, ClaimOutcome::Finished(_)), "{begun:?}"),
            false => assert!(matches!(begun, ClaimOutcome::InFlight { .. }), "{begun:?}"),
        }
    }
}
