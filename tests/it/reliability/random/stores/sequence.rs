use std::{fmt, num::NonZeroU32, time::Duration};

use actix_web_idempotency::{
    ExpiredLease, Fingerprint,
    store::{NewClaim, Record, RecordedResponse, StoreKey, Tombstone},
};
use bytes::Bytes;
use proptest::{collection::vec, option, prelude::*, sample::select};

/// How many keys and how many claims a sequence has.
const KEYS: usize = 2;
const CLAIMS: usize = 5;

/// Calls one after the other, for few keys and by few owners.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    pub(super) claims: Vec<Claim>,
    pub(super) steps: Vec<Step>,
}

/// What somebody may claim, again and again with the same token. Times are in half ticks.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub(super) key: usize,
    pub(super) looks: Option<&'static str>,
    pub(super) lease: u32,
    pub(super) grace: u32,
    pub(super) on_expired_lease: ExpiredLease,
}

/// Owners are named by the place of their claim in the sequence.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Begin(usize),
    Renew(usize),
    /// With one of the records, for so many half ticks.
    Complete(usize, usize, u32),
    Release(usize),
    /// Watches a claim from here on.
    Watch(usize),
    LookUp(usize),
    ForceRelease(usize),
    Delete(usize),
    /// So many ticks pass.
    Pass(NonZeroU32),
}

impl Claim {
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.looks.map(Fingerprint::digest)
    }

    pub(super) fn is_lock(&self) -> bool {
        self.looks.is_none() && self.grace == 0
    }

    /// As it is sent, with a token of its own.
    pub(super) fn new_claim(&self, keys: &[StoreKey], half: Duration) -> NewClaim {
        let (key, lease) = (keys[self.key].clone(), half * self.lease);
        if self.is_lock() {
            return NewClaim::lock(key, lease);
        }
        NewClaim {
            fingerprint: self.fingerprint(),
            grace: half * self.grace,
            on_expired_lease: self.on_expired_lease,
            ..NewClaim::lock(key, lease)
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, lease, .. } = self;
        if self.is_lock() {
            return write!(f, "a lock on key {key} for {lease}");
        }
        write!(
            f,
            "{} on key {key} for {lease} + {}, {:?}",
            self.looks.unwrap_or("anything"),
            self.grace,
            self.on_expired_lease
        )
    }
}

/// Keys that nothing else uses.
pub(super) fn new_keys() -> Vec<StoreKey> {
    let keys = (0..KEYS).map(|_| StoreKey::new("random:", rand::random()));
    keys.collect()
}

/// What can be recorded.
pub(super) fn records() -> [Record; 3] {
    let fingerprint = Some(Fingerprint::digest("tea"));
    [
        Record::Response(RecordedResponse {
            fingerprint,
            status: 201,
            headers: [("location", "/orders/1")].into_iter().collect(),
            body: Bytes::from_static(b"\x00tea\xff"),
        }),
        Record::Response(RecordedResponse {
            fingerprint: None,
            status: 404,
            headers: [("x-a", "b")].into_iter().collect(),
            body: Bytes::new(),
        }),
        Record::Tombstone(Tombstone {
            fingerprint,
            status: None,
            location: None,
        }),
    ]
}

fn claims() -> impl Strategy<Value = Claim> {
    let kind = prop_oneof![
        1 => Just((None, 0)),
        4 => (select(vec![Some("tea"), Some("coffee"), Some("tea")]), select(vec![0, 4, 8])),
        1 => (Just(None), select(vec![4, 8])),
    ];
    let on_expired_lease = select(vec![
        ExpiredLease::Reexecute,
        ExpiredLease::Reexecute,
        ExpiredLease::Refuse,
    ]);
    // Odd, so that what ends ends half a tick away from the next call.
    let lease = select(vec![3, 5]);
    (0..KEYS, kind, lease, on_expired_lease).prop_map(
        |(key, (looks, grace), lease, on_expired_lease)| {
            let mut claim = Claim {
                key,
                looks,
                lease,
                grace,
                on_expired_lease,
            };
            if claim.is_lock() {
                claim.on_expired_lease = ExpiredLease::Reexecute;
            }
            claim
        },
    )
}

fn steps() -> impl Strategy<Value = Step> {
    let claim = || 0..CLAIMS;
    let ticks = (1..=3_u32).prop_filter_map("not 0", NonZeroU32::new);
    prop_oneof![
        10 => claim().prop_map(Step::Begin),
        3 => claim().prop_map(Step::Renew),
        3 => (claim(), 0..records().len(), select(vec![3, 7]))
            .prop_map(|(claim, record, kept)| Step::Complete(claim, record, kept)),
        3 => claim().prop_map(Step::Release),
        2 => claim().prop_map(Step::Watch),
        3 => (0..KEYS).prop_map(Step::LookUp),
        1 => (0..KEYS).prop_map(Step::ForceRelease),
        1 => (0..KEYS).prop_map(Step::Delete),
        7 => ticks.prop_map(Step::Pass),
    ]
}

/// In most of them a step is now and then repeated at once, as after an answer that was lost.
pub(super) fn sequences() -> impl Strategy<Value = Sequence> {
    let repeated = (steps(), option::weighted(0.15, Just(())));
    (vec(claims(), CLAIMS), vec(repeated, 1..28)).prop_map(|(claims, steps)| {
        let steps = steps.into_iter().flat_map(|(step, again)| {
            let again = again.is_some() && !matches!(step, Step::Pass(_));
            [Some(step), again.then_some(step)].into_iter().flatten()
        });
        Sequence {
            claims,
            steps: steps.collect(),
        }
    })
}
