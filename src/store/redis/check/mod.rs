//! What an operator would look at before the store is used.

mod finding;
mod notifications;

use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};

use redis::{Value, cmd};

pub use self::finding::{Finding, FindingKind};
use crate::{
    runtime::log,
    store::{
        Begin, NewClaim, Store, StoreError, StoreKey,
        redis::{RedisStore, commands::ServerReply},
    },
};

/// Long enough for the steps of a check, and gone soon if they are cut off.
const PROBE: Duration = Duration::from_secs(5);

impl RedisStore {
    /// Checks the server for use at start-up: whether it is there, new enough and open to this user for keys
    /// with this prefix, and whether its settings may lose claims or records. Findings are returned, and logged
    /// as warnings the first time.
    ///
    /// Claims and releases one lock under a random key, publishes and subscribes to another, and looks
    /// at `INFO` and `CONFIG GET`; in a cluster the latter three at each primary.
    ///
    /// ```
    /// use actix_web_idempotency::{RedisStore, store::redis::FindingKind};
    ///
    /// # async fn start(store: RedisStore) -> std::io::Result<()> {
    /// for finding in store.check("idempotency:").await? {
    ///     if finding.kind() == FindingKind::Eviction {
    ///         return Err(std::io::Error::other(finding.to_string())); // rather not start at all
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the store cannot work: the server is away, older than 7.0, read-only, out of memory, or
    /// forbids this user the keys or the scripts. The error says which.
    pub async fn check(&self, key_prefix: &str) -> Result<Vec<Finding>, StoreError> {
        self.ping().await?;
        self.claim_and_release(key_prefix).await?;
        let mut findings = self.settings().await?;
        findings.extend(self.push(key_prefix).await?);
        if !self.checked.swap(true, Ordering::AcqRel) {
            for finding in &findings {
                log::warn!("{finding}");
            }
        }
        Ok(findings)
    }

    /// Does what a lock does.
    async fn claim_and_release(&self, key_prefix: &str) -> Result<(), StoreError> {
        let probe = NewClaim::lock(StoreKey::new(key_prefix, rand::random()), PROBE);
        match self.begin(&probe).await? {
            Begin::Claimed { .. } => {}
            // Nobody else has a random key.
            _ => return Err(StoreError::unavailable("a new key was not vacant")),
        }
        self.release(&probe.lease()).await.map(|_held| ())
    }

    async fn settings(&self) -> Result<Vec<Finding>, StoreError> {
        let mut info = cmd("INFO");
        info.arg("replication");
        let mut config = cmd("CONFIG");
        config.arg("GET");
        config.arg(&["maxmemory", "maxmemory-policy", "appendonly", "save"]);
        let (Some(infos), Some(configs)) = (self.ask(&info).await?, self.ask(&config).await?)
        else {
            return Ok(vec![Finding::new(
                FindingKind::NotTold,
                "Redis does not show this user its settings, so it is unknown what it may forget: \
                 allow INFO and CONFIG GET (ACL SETUSER <user> +info +config|get), or make sure \
                 that maxmemory-policy is noeviction and appendonly is yes",
            )]);
        };
        let configs: Vec<HashMap<String, String>> = (configs.into_iter())
            .filter_map(|config| redis::from_redis_value(config).ok())
            .collect();
        let evictions = configs.iter().filter_map(eviction);
        let persistences = configs.iter().filter_map(persistence);
        let replicas = infos
            .into_iter()
            .filter_map(|info| replicas(&text_of(info)));
        let mut findings: Vec<_> = evictions.chain(persistences).chain(replicas).collect();
        // The primaries of a cluster are mostly alike.
        findings.dedup();
        Ok(findings)
    }

    /// What each server says; `None` when one does not let this user ask.
    async fn ask(&self, question: &redis::Cmd) -> Result<Option<Vec<Value>>, StoreError> {
        let asked = (self.commands).call_each(question, self.commands.deadline());
        let replies = match asked.await {
            Ok(replies) => replies,
            // It was answered, with a refusal. What is away has been found out before.
            Err(err) if !err.may_have_run() => return Ok(None),
            Err(err) => return Err(err),
        };
        let values = replies.into_iter().map(|reply| match reply {
            ServerReply::Value(value) => Ok(value),
            reply => Err(reply.unexpected("a question")),
        });
        values.collect::<Result<_, _>>().map(Some)
    }
}

/// Older protocols send plain strings where newer ones say what kind of text it is.
fn text_of(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => text,
        _ => String::new(),
    }
}

/// Every key of ours has a TTL, so the `volatile-` policies choose from them too.
fn eviction(config: &HashMap<String, String>) -> Option<Finding> {
    let policy = config.get("maxmemory-policy")?;
    (policy != "noeviction").then(|| {
        let bound = match config.get("maxmemory").map(String::as_str) {
            Some("0") | None => "should maxmemory ever be set",
            Some(_) => "when maxmemory is reached",
        };
        Finding::new(
            FindingKind::Eviction,
            format!(
                "Redis' maxmemory-policy is {policy}: {bound}, it drops claims and records before \
                 their time, and completed requests run again. Set maxmemory-policy noeviction"
            ),
        )
    })
}

fn persistence(config: &HashMap<String, String>) -> Option<Finding> {
    if config.get("appendonly").is_none_or(|on| on == "yes") {
        return None;
    }
    let snapshots = config.get("save").is_some_and(|save| !save.is_empty());
    let lost = match snapshots {
        true => "what was written since the last snapshot",
        false => "everything",
    };
    Some(Finding::new(
        FindingKind::NoPersistence,
        format!(
            "Redis' appendonly is no: a restart forgets {lost}, and those requests may run again. Set \
             appendonly yes (with appendfsync everysec a crash forgets the last second, with \
             always nothing)"
        ),
    ))
}

fn replicas(info: &str) -> Option<Finding> {
    let lines = &mut info.lines();
    let count = lines
        .find_map(|line| line.strip_prefix("connected_slaves:"))?
        .trim();
    (count != "0").then(|| {
        Finding::new(
            FindingKind::Replicas,
            format!(
                "Redis has {count} replicas, which follow with a delay: a failover forgets what \
                 they had not received, and those requests may run again. Set min-replicas-to-write \
                 1 to bound the delay; if an effect must never happen twice, enforce it with a \
                 unique constraint or a fencing token"
            ),
        )
    })
}
