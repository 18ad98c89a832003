//! Processes share a queue that delivers every job at least once; each job is done once.
//!
//! Run `cargo run --example queue -- put 10` to put ten jobs into it, each twice, then as many of
//! `cargo run --example queue -- work` as you like, at the same time. `REDIS_URL` is
//! `redis://127.0.0.1/` unless it says otherwise.

use std::{env, time::Duration};

use actix_web_idempotency::{
    Fingerprint, RedisStore,
    dedup::{DedupOutcome, Deduplicator, ExecutionOutcome},
    store::redis::redis::{AsyncTypedCommands, Client},
};
use anyhow::{Context, Result, bail};
use tokio::time::sleep;

const QUEUE: &str = "example:jobs";

/// The work: in real life it sends a mail, or writes an invoice.
async fn send_mail(job: &str, attempt: u32) -> String {
    sleep(Duration::from_millis(100)).await;
    println!("{job}: sent, attempt {attempt}");
    format!("mail for {job}")
}

#[tokio::main]
async fn main() -> Result<()> {
    env_logger::init();
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1/".to_owned());
    let mut queue = Client::open(url.as_str())?
        .get_multiplexed_async_connection()
        .await?;
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["put", jobs] => {
            for n in 0..jobs.parse::<u32>().context("how many jobs?")? {
                for _delivery in 1..=2 {
                    queue.lpush(QUEUE, format!("job-{n}")).await?;
                }
            }
            return Ok(());
        }
        ["work"] => {}
        _ => bail!("queue put <jobs> | queue work"),
    }

    let deduplicator = Deduplicator::builder(RedisStore::new(url)?)
        .key_prefix("example:once:")
        .lease(Duration::from_secs(2)) // a job rests that long after its process crashed
        .build()?;
    while let Some(job) = queue.rpop(QUEUE, None).await? {
        let job: String = job;
        // The name tells jobs apart, the fingerprint that two of one name are the same.
        match deduplicator
            .claim(&job, Some(Fingerprint::digest(&job)))
            .await?
        {
            DedupOutcome::Execute(execution) => {
                let result = send_mail(&job, execution.attempt().get()).await;
                execution.complete(result).await;
            }
            DedupOutcome::Replay(ExecutionOutcome::Completed(result)) => {
                println!("{job}: done before, {}", String::from_utf8_lossy(&result));
            }
            DedupOutcome::InFlight => {
                // Another consumer works on it, or has crashed: look again later.
                queue.lpush(QUEUE, &job).await?;
                sleep(Duration::from_millis(100)).await;
            }
            other => println!("{job}: left alone, {other:?}"),
        }
    }
    deduplicator.drain(Duration::from_secs(5)).await;
    Ok(())
}
