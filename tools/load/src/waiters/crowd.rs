use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{PROGRAM, slow};
use crate::{bench::Bench, http::Connection, redis_server::Work, store::Store};

/// Many that wait for one key, in another process than the first.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) waiters: usize,
    /// How long Redis was watched while they waited, and what it did.
    pub(crate) watched: Duration,
    pub(crate) work: Work,
    /// From the first answer to the last.
    pub(crate) all_answered: Duration,
}

impl Crowd {
    pub(crate) fn wait(bench: &Bench) -> Result<Self> {
        const WAITERS: usize = 1000;
        const WATCHED: Duration = Duration::from_secs(5);
        eprintln!("waiters: {WAITERS} on one key");
        let (one, other) = (
            bench.serve(PROGRAM, Store::Redis)?,
            bench.serve(PROGRAM, Store::Redis)?,
        );
        let request = slow("/slow/8000").numbered(1_999_999_999);
        let mut first = Connection::to(&one.url)?;
        first.send(&request)?;
        bench.interrupt.rest(Duration::from_millis(200))?;
        let mut waiters = Vec::with_capacity(WAITERS);
        for _ in 0..WAITERS {
            let mut waiter = Connection::to(&other.url)?;
            waiter.send(&request)?;
            waiters.push(waiter);
        }
        bench.interrupt.rest(Duration::from_millis(1500))?;
        let before = bench.redis.work()?;
        bench.interrupt.rest(WATCHED)?;
        let work = bench.redis.work()?.since(&before);
        let answer = first.answer()?;
        let answered = Instant::now();
        for waiter in &mut waiters {
            let replay = waiter.answer()?;
            ensure!(replay.body == answer.body, "{replay:?} after {answer:?}");
        }
        Ok(Self {
            waiters: WAITERS,
            watched: WATCHED,
            work,
            all_answered: answered.elapsed(),
        })
    }
}
