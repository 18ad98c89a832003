use std::time::Duration;

use actix_web_idempotency::store::{
    Begin, ClaimId, Held, Inspect, Lease, NewClaim, Renewed, StoreError,
};
use tokio::{
    task::{JoinHandle, yield_now},
    time::{Instant, sleep_until, timeout},
};

use super::{
    history::{Call, Span, Told},
    sequence::{Sequence, Step, new_keys, records},
};

/// Longer than a watch takes, whatever happens.
const WATCH: Duration = Duration::from_secs(20);

/// How a sequence goes along with the clock.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) tick: Duration,
    /// How much the store's readings of its clock may be off.
    pub(super) grain: Duration,
    /// How much later than a claim its watch may end.
    pub(super) watch: Duration,
}

/// Carries a sequence out and writes down what was said. It begins `offset` from now; time passes in
/// whole ticks from there on, so that slow calls move nothing.
pub(super) async fn play<S: Inspect + Clone>(
    store: &S,
    pace: Pace,
    offset: Duration,
    sequence: &Sequence,
) -> Vec<Call> {
    let start = Instant::now() + offset;
    sleep_until(start).await;
    let keys = new_keys();
    let new_claim = |claim: &super::sequence::Claim| claim.new_claim(&keys, pace.tick / 2);
    let claims: Vec<_> = sequence.claims.iter().map(new_claim).collect();
    let owner = |by: ClaimId| claims.iter().position(|claim| by.is(&claim.token));
    let mut ticks = 0;
    let mut calls = Vec::new();
    let mut watches = Vec::new();
    for step in &sequence.steps {
        let from = start.elapsed();
        let told = match *step {
            Step::Begin(n) => told(store.begin(&claims[n]).await, |begin| {
                begun(begin, &claims[n], owner)
            }),
            Step::Renew(n) => told(store.renew(&claims[n].lease()).await, |renewed| {
                Told::Renewed(match renewed {
                    Renewed::Yes { at } => Some(at),
                    Renewed::Lost => None,
                })
            }),
            Step::Complete(n, record, kept) => {
                let (lease, record) = (claims[n].lease(), &records()[record]);
                told(
                    store.complete(&lease, record, pace.tick / 2 * kept).await,
                    held,
                )
            }
            Step::Release(n) => told(store.release(&claims[n].lease()).await, held),
            Step::LookUp(key) => told(store.look_up(&keys[key]).await, Told::Found),
            Step::ForceRelease(key) => told(store.force_release(&keys[key]).await, Told::Removed),
            Step::Delete(key) => told(store.delete(&keys[key]).await, Told::Removed),
            Step::Watch(n) => {
                watches.push((calls.len(), watch(store, &claims[n], start)));
                // It begins before anything else is asked.
                yield_now().await;
                Told::Watched(None)
            }
            Step::Pass(more) => {
                ticks += more.get();
                sleep_until(start + pace.tick * ticks).await;
                continue;
            }
        };
        let to = start.elapsed();
        calls.push(Call {
            step: *step,
            at: Span { from, to },
            told,
        });
    }
    for (call, watch) in watches {
        calls[call].told = watch.await.unwrap();
    }
    calls
}

fn watch<S: Inspect + Clone>(store: &S, claim: &NewClaim, start: Instant) -> JoinHandle<Told> {
    let (store, key, seen) = (store.clone(), claim.key.clone(), ClaimId::new(claim.token));
    tokio::spawn(async move {
        match timeout(WATCH, store.changed(&key, &seen)).await {
            Ok(outcome) => told(outcome, |()| Told::Watched(Some(start.elapsed()))),
            Err(_elapsed) => Told::Watched(None),
        }
    })
}

fn told<T>(outcome: Result<T, StoreError>, said: impl FnOnce(T) -> Told) -> Told {
    outcome.map_or_else(|err| Told::Wrong(err.to_string()), said)
}

fn held(held: Held) -> Told {
    Told::Held(held == Held::Yes)
}

fn begun(begin: Begin, claim: &NewClaim, owner: impl Fn(ClaimId) -> Option<usize>) -> Told {
    match begin {
        Begin::Claimed { lease, .. } if !is_of(&lease, claim) => {
            Told::Wrong("the lease of another claim".to_owned())
        }
        Begin::Claimed { attempt, .. } => Told::Claimed {
            attempt: attempt.get(),
        },
        Begin::InFlight { by: Some(by), .. } if owner(by).is_none() => {
            Told::Wrong("a claim that nobody has sent".to_owned())
        }
        Begin::InFlight {
            by,
            fingerprint: looks,
            left,
        } => Told::InFlight {
            by: by.and_then(owner),
            looks,
            left,
        },
        Begin::Expired { fingerprint: looks } => Told::Lapsed { looks },
        Begin::Finished(record) => Told::Finished(record),
        Begin::Unreadable => Told::Wrong("unreadable".to_owned()),
    }
}

fn is_of(lease: &Lease, claim: &NewClaim) -> bool {
    lease.key() == &claim.key
        && lease.token() == &claim.token
        && lease.duration() == claim.lease
        && lease.grace() == claim.grace
}
