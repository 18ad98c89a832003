use std::time::Duration;

use actix_web_idempotency::{ExpiredLease, testing::Fault};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};

use super::{client::What, fickle::Faults};

/// All that is going to happen.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) guard: Guard,
    pub(super) requests: Vec<Request>,
    pub(super) faults: Faults,
}

/// What stands before the handlers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Guard {
    Lock,
    Keys {
        expired_lease: ExpiredLease,
        wait: Option<Duration>,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) at: Duration,
    pub(super) name: Name,
    pub(super) payload: &'static str,
    /// How long its client waits for the end of the answer.
    pub(super) leaves: Option<Duration>,
    /// What its handler does, if it runs.
    pub(super) takes: Duration,
    pub(super) ends: End,
}

/// What the client calls its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) tenant: &'static str,
    pub(super) key: &'static str,
}

/// How a handler ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Created,
    NotFound,
    Unavailable,
    Panics,
    /// In so many pieces, one each so often.
    Streams(u32, Duration),
    /// The same, but fails behind them.
    Breaks(u32, Duration),
}

impl Request {
    /// What comes last, to see how a key stands.
    pub(super) fn probe(name: Name, payload: &'static str) -> Self {
        Self {
            at: Duration::ZERO,
            name,
            payload,
            leaves: None,
            takes: Duration::ZERO,
            ends: End::Created,
        }
    }

    /// What repetitions are answered once its handler has run as number so and so.
    pub(super) fn replay(&self, number: usize) -> What {
        let (status, more) = match self.ends {
            End::Created | End::Panics => (201, 0),
            End::NotFound => (404, 0),
            End::Unavailable => (503, 0),
            End::Streams(pieces, _) | End::Breaks(pieces, _) => (200, pieces),
        };
        What::Answer {
            status,
            is_replay: true,
            body: format!("run {number}{}", ".".repeat(more as usize)),
        }
    }

    /// How long its handler takes, until its answer is whole.
    pub(super) fn lasts(&self) -> Duration {
        match self.ends {
            End::Streams(pieces, every) | End::Breaks(pieces, every) => {
                self.takes + every * (pieces + 1)
            }
            _ => self.takes,
        }
    }
}

fn millis(choices: &[u64]) -> impl Strategy<Value = Duration> + use<> {
    select(choices.to_vec()).prop_map(Duration::from_millis)
}

fn ends() -> impl Strategy<Value = End> {
    let every = || millis(&[0, 7, 400]);
    prop_oneof![
        4 => Just(End::Created),
        1 => Just(End::NotFound),
        2 => Just(End::Unavailable),
        2 => Just(End::Panics),
        2 => (0..4_u32, every()).prop_map(|(pieces, every)| End::Streams(pieces, every)),
        1 => (0..4_u32, every()).prop_map(|(pieces, every)| End::Breaks(pieces, every)),
    ]
}

fn requests() -> impl Strategy<Value = Request> {
    let name = (
        select(vec!["ann", "bob", "ann"]),
        select(vec!["k1", "k2", "k1"]),
    );
    let at = prop_oneof![
        9 => millis(&[0, 1, 50, 100, 1000, 5000]),
        9 => (0..8000_u64).prop_map(Duration::from_millis),
        // While a long one still runs.
        1 => millis(&[170_000]),
    ];
    let leaves = option::weighted(0.3, millis(&[0, 1, 5, 60, 300, 1000, 4000, 12_000]));
    let takes = prop_oneof![
        20 => millis(&[0, 3, 100, 100, 900, 3000]),
        // Longer than a lease.
        1 => millis(&[200_000]),
    ];
    let payload = select(vec!["tea", "tea", "tea", "coffee"]);
    (at, name, payload, leaves, takes, ends()).prop_map(
        |(at, (tenant, key), payload, leaves, takes, ends)| Request {
            at,
            name: Name { tenant, key },
            payload,
            leaves,
            takes,
            ends,
        },
    )
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => millis(&[1, 40, 700, 9000]).prop_map(Fault::Delayed),
        2 => Just(Fault::Unavailable),
        2 => Just(Fault::TimedOut { carried_out: true }),
        1 => Just(Fault::NoAnswer { carried_out: false }),
        1 => Just(Fault::NoAnswer { carried_out: true }),
        2 => millis(&[30, 2000]).prop_map(Fault::Late),
    ]
}

/// Few enough faults that no lease lapses which is renewed.
const MOST_FAULTS: usize = 6;

fn plans(guard: impl Strategy<Value = Guard>) -> impl Strategy<Value = Plan> {
    let none = Just(Faults::new());
    let some = btree_map(0..30_usize, faults(), 1..=MOST_FAULTS);
    (
        guard,
        vec(requests(), 1..9),
        prop_oneof![1 => none, 3 => some],
    )
        .prop_map(|(guard, requests, faults)| Plan {
            guard,
            requests,
            faults,
        })
}

pub(super) fn plans_with_keys() -> impl Strategy<Value = Plan> {
    let expired_lease = select(vec![ExpiredLease::Reexecute, ExpiredLease::Refuse]);
    let wait = option::of(millis(&[200, 2000, 30_000]));
    plans(
        (expired_lease, wait).prop_map(|(expired_lease, wait)| Guard::Keys {
            expired_lease,
            wait,
        }),
    )
}

pub(super) fn plans_with_a_lock() -> impl Strategy<Value = Plan> {
    plans(Just(Guard::Lock))
}
