use std::{
    collections::VecDeque,
    future::pending,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

mod completions;
mod incidents;
mod releases;
mod renewals;
#[cfg(feature = "redis")]
mod sent_again;
mod slow;
mod waiting;

use super::*;
use crate::{
    config::ExpiredLease,
    event::{Event, FinishOutcome},
    fingerprint::Fingerprint,
    runtime::background::BackgroundHere,
    store::{ClaimId, Headers, Held, Lease, Record, RecordedResponse, Renewed, StoreTime},
};

const TTL: Duration = Duration::from_secs(60);
/// How long a call may take.
#[cfg(feature = "redis")]
const LIMIT: Duration = Duration::from_millis(500);

/// What one call does.
#[derive(Clone, Copy, Debug)]
enum Does {
    Yes,
    Lost,
    Refuse,
    Time,
    /// Replies after this time.
    Late(Duration),
    /// The connection ends before the reply; there is half a second for another try.
    #[cfg(feature = "redis")]
    HangUp,
    /// Never answers.
    Hang,
}

/// A store that does as it is told, call by call; the last instruction stays.
#[derive(Debug)]
struct Scripted {
    begin: Does,
    release: Mutex<VecDeque<Does>>,
    released: AtomicUsize,
    renew: Mutex<VecDeque<Does>>,
    renewed: AtomicUsize,
    complete: Mutex<VecDeque<Does>>,
    /// The records that it was told, every time.
    completed: Mutex<Vec<Record>>,
}

impl Scripted {
    fn new(begin: Does, release: impl IntoIterator<Item = Does>) -> Arc<Self> {
        Arc::new(Self {
            begin,
            release: Mutex::new(release.into_iter().collect()),
            released: AtomicUsize::new(0),
            renew: Mutex::new([Does::Yes].into()),
            renewed: AtomicUsize::new(0),
            complete: Mutex::new([Does::Yes].into()),
            completed: Mutex::default(),
        })
    }

    /// A store that gives every claim; what it says to renewals and completions.
    fn giving(
        renew: impl IntoIterator<Item = Does>,
        complete: impl IntoIterator<Item = Does>,
    ) -> Arc<Self> {
        let store = Self::new(Does::Yes, [Does::Yes]);
        *store.renew.lock().unwrap() = renew.into_iter().collect();
        *store.complete.lock().unwrap() = complete.into_iter().collect();
        store
    }

    fn renewed(&self) -> usize {
        self.renewed.load(Ordering::SeqCst)
    }

    fn completed(&self) -> Vec<Record> {
        self.completed.lock().unwrap().clone()
    }

    fn released(&self) -> usize {
        self.released.load(Ordering::SeqCst)
    }
}

/// The next instruction; the last one stays.
fn next(script: &Mutex<VecDeque<Does>>) -> Does {
    let mut script = script.lock().unwrap();
    let first = *script.front().unwrap();
    if script.len() > 1 {
        script.pop_front();
    }
    first
}

async fn act<T>(does: Does, yes: T, lost: T) -> Result<T, StoreError> {
    match does {
        Does::Yes => Ok(yes),
        Does::Lost => Ok(lost),
        Does::Refuse => Err(StoreError::unavailable("refused")),
        Does::Time => Err(StoreError::timeout()),
        Does::Late(time) => {
            sleep(time).await;
            Ok(yes)
        }
        #[cfg(feature = "redis")]
        Does::HangUp => Err(StoreError::connection_lost(
            "hung up",
            Instant::now() + LIMIT,
        )),
        Does::Hang => pending().await,
    }
}

impl Store for Scripted {
    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let claimed = Begin::Claimed {
            lease: claim.lease(),
            attempt: std::num::NonZeroU32::MIN,
        };
        act(self.begin, claimed, Begin::Unreadable).await
    }

    async fn renew(&self, _: &Lease) -> Result<Renewed, StoreError> {
        self.renewed.fetch_add(1, Ordering::SeqCst);
        let yes = Renewed::Yes { at: StoreTime(1) };
        act(next(&self.renew), yes, Renewed::Lost).await
    }

    async fn complete(&self, _: &Lease, record: &Record, _: Duration) -> Result<Held, StoreError> {
        self.completed.lock().unwrap().push(record.clone());
        act(next(&self.complete), Held::Yes, Held::Lost).await
    }

    async fn release(&self, _: &Lease) -> Result<Held, StoreError> {
        self.released.fetch_add(1, Ordering::SeqCst);
        act(next(&self.release), Held::Yes, Held::Lost).await
    }

    async fn changed(&self, _: &StoreKey, _: &ClaimId) -> Result<(), StoreError> {
        Ok(())
    }
}

fn claim() -> NewClaim {
    NewClaim::lock(StoreKey::new("t:", [0; 32]), TTL)
}

async fn held(store: &Arc<Scripted>) -> (Claims, Guard) {
    let claims = Claims::new(Arc::clone(store));
    match claims.begin(&claim().into()).await {
        Ok(ClaimOutcome::Mine(guard)) => (claims, guard),
        other => panic!("{other:?}"),
    }
}

/// A claim as the middleware makes it, unlike a lock.
fn keyed(lease: Duration, on_expired_lease: ExpiredLease) -> NewClaim {
    NewClaim {
        fingerprint: Some(Fingerprint::digest("x")),
        grace: lease * 2,
        on_expired_lease,
        ..NewClaim::lock(StoreKey::new("t:", [0; 32]), lease)
    }
}

async fn begun(store: &Arc<Scripted>, claim: NewClaim) -> (Claims, Guard) {
    let claims = Claims::new(Arc::clone(store));
    match claims.begin(&claim.into()).await {
        Ok(ClaimOutcome::Mine(guard)) => (claims, guard),
        other => panic!("{other:?}"),
    }
}

fn answer(bytes: usize) -> Record {
    Record::Response(RecordedResponse {
        fingerprint: None,
        status: 201,
        headers: Headers::new(),
        body: vec![0; bytes].into(),
    })
}
