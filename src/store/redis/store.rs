use std::{num::NonZeroU32, time::Duration};

use redis::{Cmd, RedisError, Value, cmd};
use tokio::time::{Instant, sleep, timeout};

use super::{
    RedisStore,
    codec::{self, Stored, StoredClaim, millis},
    commands::{Backend, IfLost, ServerReply, script},
    notify::Watch,
    wire::error::unexpected,
};
use crate::{
    config::ExpiredLease,
    store::{
        Begin, ClaimId, Held, Lease, NewClaim, Record, Renewed, Store, StoreError, StoreKey,
        StoreTime,
    },
};

/// How often [`Store::changed`] looks when it is not told.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often it looks although it would be told: a publication can be lost.
const LOOK_ALL_THE_SAME: Duration = Duration::from_secs(5);

impl Store for RedisStore {
    const IS_BOUNDED: bool = true;

    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        if claim.is_lock() {
            return self.lock(claim).await;
        }
        let deadline = self.commands.deadline();
        let key = claim.key.to_text();
        let mut set = cmd("SET");
        set.arg(&key)
            .arg(codec::encode_claim(claim))
            .arg("NX")
            .arg("GET")
            .arg("PX")
            .arg(expiry(claim.lease.saturating_add(claim.grace)));
        let if_lost = IfLost::RepeatClaim(claim);
        let value = match self.commands.call(&key, &set, if_lost, deadline).await? {
            ServerReply::Value(Value::Nil) => return Ok(claimed(claim, NonZeroU32::MIN)),
            ServerReply::Value(Value::BulkString(value)) => value,
            ServerReply::WrongType => return Ok(Begin::Unreadable),
            reply => return Err(reply.unexpected("SET NX GET")),
        };
        match codec::decode(value) {
            None => Ok(Begin::Unreadable),
            Some(Stored::Lock) => Ok(locked()),
            Some(Stored::Finished(record)) => Ok(Begin::Finished(record)),
            Some(Stored::Claim(held)) if held.token == claim.token => {
                Ok(claimed(claim, held.attempt))
            }
            Some(Stored::Claim(held)) if held.fingerprint != claim.fingerprint => {
                Ok(in_flight(&held, None))
            }
            // Boxed, so that those who meet no claim take less memory.
            Some(Stored::Claim(_)) => Box::pin(self.join(claim, deadline)).await,
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let token = lease.token().to_hex();
        let commands = &self.commands;
        let reply = commands.run(&script::RENEW, lease.key(), IfLost::Repeat, |call| {
            call.arg(&token)
                .arg(expiry(lease.duration().saturating_add(lease.grace())));
        });
        let reply = reply.await?;
        match reply {
            ServerReply::Value(Value::Nil) | ServerReply::WrongType => Ok(Renewed::Lost),
            ServerReply::Value(value @ Value::Array(_)) => {
                let (seconds, micros): (u64, u64) = redis::from_redis_value(value)
                    .map_err(|err| StoreError::interrupted(RedisError::from(err)))?;
                let at = StoreTime(seconds.saturating_mul(1_000_000).saturating_add(micros));
                Ok(Renewed::Yes { at })
            }
            reply => Err(reply.unexpected("renew.lua")),
        }
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let token = lease.token().to_hex();
        let value = codec::encode_record(record, lease.token()).ok_or_else(|| {
            StoreError::unavailable("headers of more than 4 GiB cannot be recorded")
        })?;
        // A completion that is repeated recognises its own record.
        let commands = &self.commands;
        let reply = commands.run(&script::COMPLETE, lease.key(), IfLost::Repeat, |call| {
            call.arg(&token).arg(&value).arg(expiry(retention));
        });
        let reply = reply.await?;
        reply.held("complete.lua")
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let token = lease.token().to_hex();
        // A second release would not find what the first has freed, and say that it was lost.
        let commands = &self.commands;
        let reply = commands.run(&script::RELEASE, lease.key(), IfLost::Fail, |call| {
            call.arg(&token);
        });
        let reply = reply.await?;
        reply.held("release.lua")
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        let channel = key.to_string();
        let mut watch = None;
        loop {
            self.keep_watching(&channel, &mut watch);
            // In this order nothing is missed: be ready, subscribe, compare, and only then wait.
            let Some(watch) = &watch else {
                let Some(left) = self.look(key, seen).await? else {
                    return Ok(());
                };
                sleep(left.min(LOOK_EVERY)).await;
                continue;
            };
            let change = watch.changed();
            let look_again = match watch.subscribe().await {
                true => LOOK_ALL_THE_SAME,
                false => LOOK_EVERY,
            };
            let Some(left) = self.look(key, seen).await? else {
                return Ok(());
            };
            let _ = timeout(left.min(look_again), change).await;
        }
    }
}

impl RedisStore {
    /// Sees to it that a channel is watched where its key is, if that can be done. In a cluster it
    /// may have moved since.
    fn keep_watching(&self, channel: &str, watch: &mut Option<Watch>) {
        match self.commands.source() {
            Backend::Own(own) => {
                watch.get_or_insert_with(|| own.wake_ups.watch(channel));
            }
            Backend::Cluster(cluster) => match cluster.known_owner(channel) {
                Some(node) if watch.as_ref().is_some_and(|one| node.wake_ups.has(one)) => {}
                Some(node) => *watch = Some(node.wake_ups.watch(channel)),
                None => *watch = None,
            },
            Backend::Pool(_) => {}
        }
    }

    /// How long the claim that was seen still holds the key, if it does.
    async fn look(&self, key: &StoreKey, seen: &ClaimId) -> Result<Option<Duration>, StoreError> {
        let token = seen.to_hex();
        let commands = &self.commands;
        let reply = commands.run(&script::LOOK, key, IfLost::Repeat, |call| {
            call.arg(&token);
        });
        let reply = reply.await?;
        match reply {
            ServerReply::Value(Value::Int(0)) | ServerReply::WrongType => Ok(None),
            ServerReply::Value(Value::Int(left)) => {
                Ok(Some(Duration::from_millis(left.unsigned_abs())))
            }
            reply => Err(reply.unexpected("look.lua")),
        }
    }

    async fn lock(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let key = claim.key.to_text();
        let deadline = self.commands.deadline();
        let set = set_lock(&key, claim, &["NX"]);
        match self.commands.call(&key, &set, IfLost::Fail, deadline).await {
            Ok(ServerReply::Value(Value::Okay)) => Ok(claimed(claim, NonZeroU32::MIN)),
            Ok(ServerReply::Value(Value::Nil)) => Ok(locked()),
            Ok(reply) => Err(reply.unexpected("SET NX")),
            Err(err) if err.again_until().is_some() => {
                Box::pin(self.lock_again(claim, &key, deadline)).await
            }
            Err(err) => Err(err),
        }
    }

    /// The second try of a lock whose connection was lost. Asks for the value, as the first does not
    /// need to: its own token says that the first try was carried out.
    async fn lock_again(
        &self,
        claim: &NewClaim,
        key: &str,
        deadline: Instant,
    ) -> Result<Begin, StoreError> {
        claim.notes.sent_again();
        let set = set_lock(key, claim, &["NX", "GET"]);
        match self.commands.send_second(key, &set, deadline).await? {
            ServerReply::Value(Value::Nil) => Ok(claimed(claim, NonZeroU32::MIN)),
            ServerReply::Value(Value::BulkString(token))
                if token == claim.token.to_hex().as_bytes() =>
            {
                Ok(claimed(claim, NonZeroU32::MIN))
            }
            ServerReply::Value(Value::BulkString(_)) | ServerReply::WrongType => Ok(locked()),
            reply => Err(reply.unexpected("SET NX GET")),
        }
    }

    /// The second step, when the first has met a claim with the same fingerprint.
    async fn join(&self, claim: &NewClaim, deadline: Instant) -> Result<Begin, StoreError> {
        let token = claim.token.to_hex();
        let rest = codec::encode_claim_rest(claim);
        let (script, if_lost) = (&script::BEGIN, IfLost::RepeatClaim(claim));
        let commands = &self.commands;
        let reply = commands.run_by(deadline, script, &claim.key, if_lost, |call| {
            call.arg(&token)
                .arg(&rest)
                .arg(expiry(claim.lease.saturating_add(claim.grace)))
                .arg(u8::from(claim.on_expired_lease == ExpiredLease::Reexecute));
        });
        let reply = reply.await?;
        let parts = match reply {
            ServerReply::Value(Value::Array(parts)) => parts,
            ServerReply::WrongType => return Ok(Begin::Unreadable),
            reply => return Err(reply.unexpected("begin.lua")),
        };
        let mut parts = parts.into_iter();
        let (Some(Value::BulkString(what)), second, third) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(unexpected("begin.lua", &Value::Nil));
        };
        match (what.as_slice(), second, third) {
            (b"claimed", Some(Value::Int(attempt)), None) => {
                let attempt = u32::try_from(attempt).ok().and_then(NonZeroU32::new);
                Ok(claimed(claim, attempt.unwrap_or(NonZeroU32::MAX)))
            }
            (b"live", Some(Value::BulkString(value)), Some(Value::Int(left))) => {
                let left = Duration::from_millis(left.unsigned_abs());
                Ok(match codec::decode(value) {
                    Some(Stored::Claim(held)) => in_flight(&held, Some(left)),
                    _ => Begin::Unreadable,
                })
            }
            (b"lapsed", Some(Value::BulkString(value)), None) => Ok(match codec::decode(value) {
                Some(Stored::Claim(StoredClaim { fingerprint, .. })) => {
                    Begin::Expired { fingerprint }
                }
                _ => Begin::Unreadable,
            }),
            (b"found", Some(Value::BulkString(value)), None) => Ok(match codec::decode(value) {
                Some(Stored::Finished(record)) => Begin::Finished(record),
                Some(Stored::Lock) => locked(),
                Some(Stored::Claim(_)) | None => Begin::Unreadable,
            }),
            _ => Err(unexpected("begin.lua", &Value::Array(vec![]))),
        }
    }
}

fn set_lock(key: &str, claim: &NewClaim, options: &[&str]) -> Cmd {
    let mut set = cmd("SET");
    set.arg(key)
        .arg(claim.token.to_hex())
        .arg(options)
        .arg("PX")
        .arg(expiry(claim.lease));
    set
}

fn claimed(claim: &NewClaim, attempt: NonZeroU32) -> Begin {
    Begin::Claimed {
        lease: claim.lease(),
        attempt,
    }
}

fn in_flight(held: &StoredClaim, left: Option<Duration>) -> Begin {
    Begin::InFlight {
        by: Some(ClaimId::new(held.token)),
        fingerprint: held.fingerprint,
        left,
    }
}

fn locked() -> Begin {
    Begin::InFlight {
        by: None,
        fingerprint: None,
        left: None,
    }
}

/// The same for an expiry, which Redis refuses when it is zero.
fn expiry(time: Duration) -> u64 {
    millis(time).max(1)
}
