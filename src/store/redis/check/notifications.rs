use redis::cmd;

use super::finding::{Finding, FindingKind};
use crate::store::{
    StoreError, StoreKey,
    redis::{
        RedisStore,
        commands::{Backend, IfLost},
        notify::WakeUps,
    },
};

impl RedisStore {
    /// Finds out whether those who wait for a key with this prefix can be told, on each server.
    pub(crate) async fn push(&self, key_prefix: &str) -> Result<Option<Finding>, StoreError> {
        match self.commands.source() {
            Backend::Own(own) => {
                let key = StoreKey::new(key_prefix, rand::random()).to_string();
                let is_told = self.is_told(&key, &own.wake_ups).await?;
                Ok((!is_told).then(|| refused(key_prefix)))
            }
            Backend::Cluster(cluster) => {
                for (key, node) in cluster.probes(key_prefix) {
                    if !self.is_told(&key, &node.wake_ups).await? {
                        return Ok(Some(refused(key_prefix)));
                    }
                }
                Ok(None)
            }
            Backend::Pool(_) => Ok(Some(not_by_a_pool())),
        }
    }

    async fn is_told(&self, key: &str, wake_ups: &WakeUps) -> Result<bool, StoreError> {
        let mut publish = cmd("SPUBLISH");
        publish.arg(key).arg("");
        let published =
            (self.commands).call(key, &publish, IfLost::Repeat, self.commands.deadline());
        match published.await {
            Ok(_) => {}
            // It was answered, with a refusal. What is away has been found out before.
            Err(err) if !err.may_have_run() => return Ok(false),
            Err(err) => return Err(err),
        }
        let watch = wake_ups.watch(key);
        Ok(watch.subscribe().await)
    }
}

fn refused(key_prefix: &str) -> Finding {
    Finding::new(
        FindingKind::NoChannel,
        format!(
            "Redis gives this user no wake-ups, so those who wait for an answer look every 100 ms \
             instead: allow the channels (ACL SETUSER <user> &{key_prefix}* +spublish +ssubscribe \
             +sunsubscribe; in a cluster on each node), and leave HELLO its name, \
             which a subscription needs"
        ),
    )
}

fn not_by_a_pool() -> Finding {
    Finding::new(
        FindingKind::NoChannel,
        "Redis cannot wake anybody over a pool of the application's own, so those who wait for an \
         answer look every 100 ms instead: let the store open its connections itself, if that is \
         too much",
    )
}
