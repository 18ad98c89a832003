//! Looks into a Redis store, and takes away what stands in the way: `cargo run --example inspect --`
//! and `list idempotency:` for what begins so, `show KEY`, `release KEY` for a claim, whoever owns
//! it, `delete KEY` for a claim or a record. `REDIS_URL` is optional.

use std::{env, num::NonZeroUsize, time::Duration};

use actix_web_idempotency::{
    RedisStore,
    store::{Cursor, Inspect, Inspected, StoreKey},
};
use anyhow::{Context, Result, bail};

/// A line without anything that a client has sent.
fn describe(held: &Inspected) -> String {
    let seconds = |time: &Duration| time.as_secs();
    match held {
        Inspected::Lock { left } => format!("lock, ends in {} s", seconds(left)),
        Inspected::Claim {
            attempt,
            lease_left: Some(left),
            ..
        } => {
            format!(
                "running, attempt {attempt}, lease ends in {} s",
                seconds(left)
            )
        }
        Inspected::Claim {
            attempt,
            remembered_for,
            ..
        } => {
            format!(
                "dead, attempt {attempt}, forgotten in {} s",
                seconds(remembered_for)
            )
        }
        Inspected::Finished {
            status, size, left, ..
        } => {
            let status = status.map_or("?".to_owned(), |status| status.to_string());
            let size = size.map_or("response not stored".to_owned(), |size| {
                format!("{size} bytes")
            });
            format!(
                "finished, {status}, {size}, forgotten in {} s",
                seconds(left)
            )
        }
        Inspected::Unreadable => "unreadable, blocks its key until it is deleted".to_owned(),
        other => format!("{other:?}"),
    }
}

fn key(text: &str) -> Result<StoreKey> {
    StoreKey::parse(text)
        .context("a key is a prefix and 64 hexadecimal digits, as `list` prints it")
}

async fn list(store: &RedisStore, prefix: &str) -> Result<()> {
    let most = NonZeroUsize::new(100).context("100 is not 0")?;
    let mut next = Some(Cursor::start());
    while let Some(from) = next {
        let page = store.list(prefix, &from, most).await?;
        for (key, held) in &page.entries {
            println!("{key} {}", describe(held));
        }
        next = page.next;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1/".to_owned());
    let store = RedisStore::new(url)?;
    let arguments: Vec<_> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list", prefix] => return list(&store, prefix).await,
        ["show", name] => match store.look_up(&key(name)?).await? {
            Some(held) => describe(&held),
            None => "vacant".to_owned(),
        },
        // The first run goes on, and its response is still recorded unless the key has another owner.
        ["release", name] => match store.force_release(&key(name)?).await? {
            true => "released: the next request runs".to_owned(),
            false => "nothing was released: there is no claim".to_owned(),
        },
        // Without its record the operation runs again when it is retried.
        ["delete", name] => match store.delete(&key(name)?).await? {
            true => "deleted: the next request runs".to_owned(),
            false => "nothing was deleted: the key is vacant".to_owned(),
        },
        _ => bail!("inspect list PREFIX | show KEY | release KEY | delete KEY"),
    };
    println!("{outcome}");
    Ok(())
}
