use std::time::Duration;

use rand::{RngExt, rngs::StdRng, seq::SliceRandom};

use super::{LEASE, SERVERS};

/// What befalls the servers, their clients, or Redis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strike {
    pub(super) fault: Fault,
    pub(super) lasts: Duration,
    /// A server that is killed in the midst of it.
    pub(super) kills: Option<usize>,
    /// How long nothing happens then.
    pub(super) rest: Duration,
}

/// A fault, and the server that it concerns.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Kill(usize),
    Freeze(usize),
    ResetClients(usize),
    ResetStore(usize),
    CutStore(usize),
    /// Redis hears and does everything, and is not heard.
    MuteStore(usize),
    FreezeRedis,
    RestartRedis,
}

/// Shorter than what a call to the store may take.
const BRIEF: (u64, u64) = (50, 300);
/// Longer than that, and shorter than a lease.
const LONGER: (u64, u64) = (600, 1000);
/// Longer than a lease.
const LONG: (u64, u64) = (300, 900);

impl Strike {
    /// One of each kind, in any order, each at any server.
    pub(super) fn deck(choices: &mut StdRng) -> Vec<Self> {
        let mut server = || choices.random_range(0..SERVERS);
        let mut deck = [
            (Fault::Kill(server()), BRIEF),
            (Fault::Kill(server()), BRIEF),
            (Fault::Freeze(server()), LONGER),
            (Fault::Freeze(server()), LONG),
            (Fault::Freeze(server()), LONG),
            (Fault::ResetClients(server()), (0, 1)),
            (Fault::ResetClients(server()), (0, 1)),
            (Fault::ResetStore(server()), (0, 1)),
            (Fault::CutStore(server()), LONG),
            (Fault::MuteStore(server()), LONGER),
            (Fault::FreezeRedis, BRIEF),
            (Fault::FreezeRedis, LONGER),
            (Fault::FreezeRedis, LONG),
            (Fault::RestartRedis, BRIEF),
        ];
        deck.shuffle(choices);
        let strikes = deck.into_iter().map(|(fault, lasts)| {
            let (least, most) = lasts;
            let mut millis = |least, most| Duration::from_millis(choices.random_range(least..most));
            let beyond = if lasts == LONG { LEASE } else { Duration::ZERO };
            Self {
                fault,
                lasts: beyond + millis(least, most),
                rest: millis(20, 200),
                kills: choices
                    .random_ratio(1, 4)
                    .then(|| choices.random_range(0..SERVERS)),
            }
        });
        strikes.collect()
    }
}
