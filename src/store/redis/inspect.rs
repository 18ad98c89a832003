use std::{num::NonZeroUsize, time::Duration};

use redis::Value;
use tokio::time::Instant;

use super::{
    RedisStore,
    codec::{self, Stored, StoredClaim},
    commands::{
        IfLost, ServerReply,
        script::{self, Script},
    },
    wire::error::unexpected,
};
use crate::store::{Cursor, Held, Inspect, Inspected, Page, StoreError, StoreKey};

/// How many keys are looked up in one trip. Requests share the connection and wait for the values
/// of one trip, not of a page.
const AT_ONCE: usize = 50;

/// A cursor is that of `SCAN`.
impl Inspect for RedisStore {
    async fn look_up(&self, key: &StoreKey) -> Result<Option<Inspected>, StoreError> {
        let look = &script::INSPECT;
        let reply = (self.commands).run(look, key, IfLost::Repeat, |_no_arguments| {});
        inspected(reply.await?)
    }

    async fn list(
        &self,
        prefix: &str,
        from: &Cursor,
        most: NonZeroUsize,
    ) -> Result<Page, StoreError> {
        let commands = &self.commands;
        let deadline = commands.deadline();
        // The other half of the time is for looking up what was found.
        let half = Instant::now() + commands.timeout() / 2;
        let (keys, next) = commands
            .scan(prefix, from, most.get(), half, deadline)
            .await?;
        let mut entries = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let replies = commands
                .run_on_each(&script::INSPECT, keys, deadline)
                .await?;
            for (key, reply) in keys.iter().zip(replies) {
                // It may have gone since the scan.
                if let Some(held) = inspected(reply)? {
                    entries.push((key.clone(), held));
                }
            }
        }
        Ok(Page { entries, next })
    }

    async fn force_release(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let reply = self.run_once(&script::FORCE_RELEASE, key).await?;
        Ok(reply.held("force_release.lua")? == Held::Yes)
    }

    async fn delete(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let reply = self.run_once(&script::DELETE, key).await?;
        Ok(reply.held("delete.lua")? == Held::Yes)
    }
}

impl RedisStore {
    /// Calls a script that says something else when it runs a second time. So a look comes first, which finds
    /// out about a connection that has ended meanwhile, and may be repeated.
    async fn run_once(&self, script: &Script, key: &StoreKey) -> Result<ServerReply, StoreError> {
        let (commands, look) = (&self.commands, &script::INSPECT);
        let deadline = commands.deadline();
        let look = commands.run_by(deadline, look, key, IfLost::Repeat, |_no_arguments| {});
        look.await?;
        let run = commands.run_by(deadline, script, key, IfLost::Fail, |_no_arguments| {});
        run.await
    }
}

/// What `inspect.lua` says.
fn inspected(reply: ServerReply) -> Result<Option<Inspected>, StoreError> {
    let parts = match reply {
        ServerReply::Value(Value::Nil) => return Ok(None),
        ServerReply::WrongType => return Ok(Some(Inspected::Unreadable)),
        ServerReply::Value(Value::Array(parts)) => parts,
        reply => return Err(reply.unexpected("inspect.lua")),
    };
    match <[Value; 3]>::try_from(parts) {
        Ok([Value::BulkString(value), Value::Int(size), Value::Int(pttl)]) => {
            let size = usize::try_from(size).unwrap_or_default();
            Ok(Some(told(value, size, pttl)))
        }
        Ok(_) | Err(_) => Err(unexpected("inspect.lua", &Value::Array(vec![]))),
    }
}

/// `value` is what was sent of `size` bytes.
fn told(value: Vec<u8>, size: usize, pttl: i64) -> Inspected {
    let body = size.saturating_sub(value.len());
    // Below zero the key never ends, because somebody has told the server to keep it.
    let left = u64::try_from(pttl).unwrap_or(codec::millis(Duration::MAX));
    let left = Duration::from_millis(left);
    match codec::decode(value) {
        None => Inspected::Unreadable,
        Some(Stored::Lock) => Inspected::Lock { left },
        Some(Stored::Finished(record)) => Inspected::finished(&record, body, left),
        Some(Stored::Claim(claim)) => Inspected::Claim {
            attempt: claim.attempt,
            fingerprint: claim.fingerprint,
            lease_left: lease_left(&claim, pttl),
            remembered_for: left,
        },
    }
}

/// As `begin.lua` has it, for which a claim that never ends has expired.
fn lease_left(claim: &StoredClaim, pttl: i64) -> Option<Duration> {
    let left = Duration::from_millis(u64::try_from(pttl).ok()?);
    (left.checked_sub(claim.grace)).filter(|left| !left.is_zero())
}
