//! How long a request waits for the memory store while a million keys expire at once.

use std::time::{Duration, Instant};

use actix_web_idempotency::{
    Fingerprint, MemoryStore,
    store::{NewClaim, Store, StoreKey},
};

const KEYS: u64 = 1_000_000;
const TTL: Duration = Duration::from_secs(3);

fn lock(number: u64, ttl: Duration) -> NewClaim {
    let digest = Fingerprint::digest(number.to_be_bytes());
    NewClaim::lock(StoreKey::new("expiry:", *digest.as_bytes()), ttl)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = MemoryStore::builder().max_entries(2_000_000).build()?;
    for number in 0..KEYS {
        store.begin(&lock(number, TTL)).await?;
    }
    let (mut longest, mut count) = (Duration::ZERO, 0_u32);
    let begun = Instant::now();
    let mut took = Duration::ZERO;
    while begun.elapsed() < 2 * TTL {
        let claim = lock(KEYS + u64::from(count % 1000), TTL);
        let asked = Instant::now();
        store.begin(&claim).await?;
        store.release(&claim.lease()).await?;
        let answered = asked.elapsed();
        longest = longest.max(answered);
        took += answered;
        count += 1;
    }
    let mean = took / count;
    println!("{count} claims and releases took {mean:?} on average and {longest:?} at most");
    println!("{store:?} is left");
    Ok(())
}
