use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{PROGRAM, slow};
use crate::{bench::Bench, http::Connection, store::Store};

/// From the first answer to that of a request that waited for it.
#[derive(Debug)]
pub(crate) struct WakeUps {
    pub(crate) name: &'static str,
    /// Sorted.
    latencies: Vec<Duration>,
    /// What is aimed at: median and 99th percentile.
    pub(crate) targets: (Option<Duration>, Option<Duration>),
}

impl WakeUps {
    pub(crate) fn all(bench: &Bench, count: usize) -> Result<Vec<Self>> {
        let micros = |micros| Some(Duration::from_micros(micros));
        let memory = bench.serve(PROGRAM, Store::Memory)?;
        let (one, other) = (
            bench.serve(PROGRAM, Store::Redis)?,
            bench.serve(PROGRAM, Store::Redis)?,
        );
        let measured = |name, first: &str, second: &str, targets| -> Result<Self> {
            eprintln!("waiters: {name}");
            Ok(Self {
                name,
                latencies: wake_ups(bench, first, second, count)?,
                targets,
            })
        };
        let (one, other, memory) = (&one.url, &other.url, &memory.url);
        Ok(vec![
            measured(
                "another process, Redis",
                one,
                other,
                (micros(200), micros(1000)),
            )?,
            measured("the same process, Redis", one, one, (None, None))?,
            measured(
                "the same process, memory",
                memory,
                memory,
                (micros(20), None),
            )?,
        ])
    }

    /// That which this percentage of all did not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let at = self.latencies.len() * percent / 100;
        let last = self.latencies.len().saturating_sub(1);
        self.latencies
            .get(at.min(last))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn count(&self) -> usize {
        self.latencies.len()
    }
}

fn wake_ups(bench: &Bench, first: &str, second: &str, count: usize) -> Result<Vec<Duration>> {
    let request = slow("/slow/20");
    let (mut first, mut second) = (Connection::to(first)?, Connection::to(second)?);
    let mut latencies = Vec::with_capacity(count);
    // The first few open connections and subscriptions.
    for number in 0..count + 5 {
        let text = request.numbered(1_000_000_000 + number as u64);
        first.send(&text)?;
        bench.interrupt.rest(Duration::from_millis(10))?;
        second.send(&text)?;
        let answer = first.answer()?;
        let answered = Instant::now();
        let replay = second.answer()?;
        let woken = answered.elapsed();
        ensure!(replay.header("idempotent-replayed").is_some(), "{replay:?}");
        ensure!(replay.body == answer.body, "{replay:?} after {answer:?}");
        if number >= 5 {
            latencies.push(woken);
        }
    }
    latencies.sort();
    Ok(latencies)
}
