//! Replies that a command of Redis never has: nobody knows what the command has done, so a claim that is
//! answered by one is undone. An error that the server replies with says that it has done nothing.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web_idempotency::{
    RedisStore,
    store::{NewClaim, Record, Store, StoreError, StoreKey, Tombstone},
};

use crate::{
    support::pretend::{hello, pretend},
    support::{
        GENEROUS, eventually,
        gate::{Gate, gated},
        keys::{keys_on, numbered, pay},
        locks::lock_on,
        server::{post, status},
    },
};

const MINUTE: Duration = Duration::from_secs(60);
const REFUSALS: [&str; 5] = [
    "-ERR it does not want to",
    "-OOM command not allowed when used memory > 'maxmemory'.",
    "-READONLY You can't write against a read only replica.",
    "-MISCONF it cannot write its file",
    "-NOPERM this user has no permissions",
];

/// A store on something that gives this reply to this command, and `+OK` to most others.
fn replying(to: &'static str, reply: &str) -> RedisStore {
    replying_to(move |command| command == to, reply)
}

fn replying_to(is_meant: impl Fn(&str) -> bool + Send + Sync + 'static, reply: &str) -> RedisStore {
    let reply = format!("{reply}\r\n");
    let port = pretend(move |command| match command {
        _ if is_meant(command) => reply.clone(),
        "HELLO" => hello("7.0.0"),
        // A claim of another, with nothing to compare: what is read of it leads to the script.
        "SET" => {
            let token = "0".repeat(32);
            format!("$47\r\n\x01C{token}\0\0\0\x01\0\0\0\0\0\0\0\x01\0\r\n")
        }
        _ => "+OK\r\n".to_owned(),
    });
    let store = RedisStore::builder(format!("redis://127.0.0.1:{port}/"));
    store.timeout(GENEROUS).build().unwrap()
}

fn lock() -> NewClaim {
    NewClaim::lock(StoreKey::new("odd:", [7; 32]), MINUTE)
}

fn keyed() -> NewClaim {
    NewClaim {
        grace: MINUTE,
        ..lock()
    }
}

fn failed<T: Debug>(outcome: Result<T, StoreError>, what: &str) -> StoreError {
    outcome.expect_err(what)
}

#[tokio::test]
async fn odd_reply_to_a_claim_may_have_run_and_an_error_has_not() {
    for (what, claim, command, odd) in [
        // Neither `OK` nor nothing.
        ("lock", lock(), "SET", &[":1", "*0", "$3\r\nodd", "+QUEUED"]),
        // Neither a value nor nothing.
        ("claim", keyed(), "SET", &[":1", "*0", "+OK", "+QUEUED"]),
        // No array that begins with what it has found.
        (
            "claim that meets another",
            keyed(),
            "EVALSHA",
            &["$-1", ":7", "*0", "*1\r\n$3\r\nodd"],
        ),
    ] {
        for reply in odd {
            let what = format!("{what}: {reply:?}");
            let err = failed(replying(command, reply).begin(&claim).await, &what);
            assert!(err.may_have_run(), "{what}: {err}");
        }
        for reply in REFUSALS {
            let what = format!("{what}: {reply:?}");
            let err = failed(replying(command, reply).begin(&claim).await, &what);
            assert!(!err.may_have_run(), "{what}: {err}");
        }
    }
}

#[tokio::test]
async fn odd_reply_to_an_owner_may_have_run_and_an_error_has_not() {
    let lease = keyed().lease();
    let record = Record::Tombstone(Tombstone {
        fingerprint: None,
        status: None,
        location: None,
    });
    for reply in [":7", "+OK", "*0", "$3\r\nodd"].into_iter().chain(REFUSALS) {
        let store = replying("EVALSHA", reply);
        let outcomes = [
            failed(store.renew(&lease).await, "renew"),
            failed(store.complete(&lease, &record, MINUTE).await, "complete"),
            failed(store.release(&lease).await, "release"),
        ];
        let is_odd = !reply.starts_with('-');
        for err in outcomes {
            assert_eq!(err.may_have_run(), is_odd, "{reply}: {err}");
        }
    }
}

/// Through both middlewares. A claim is undone by the script that releases it.
#[tokio::test]
async fn claim_with_an_odd_reply_is_refused_and_undone() {
    for (reply, is_undone) in [(":1", true), ("-ERR it does not want to", false)] {
        for is_lock in [true, false] {
            let releases = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&releases);
            let is_meant = move |command: &str| {
                if command == "EVALSHA" {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                command == "SET"
            };
            let store = replying_to(is_meant, reply);
            let gate = Gate::open();
            let refused = if is_lock {
                let lock = lock_on(store).build().unwrap();
                let server = gated(lock.clone(), &gate);
                let refused = status(post(&server, "/", "x")).await;
                // A claim that has not run leaves nothing to wait for.
                assert_eq!(lock.drain(Duration::ZERO).await, !is_undone);
                refused
            } else {
                let keys = keys_on(store).build().unwrap();
                let server = numbered(&keys, &gate);
                let refused = status(pay(&server, "a", "x")).await;
                assert_eq!(keys.drain(Duration::ZERO).await, !is_undone);
                refused
            };
            assert_eq!((refused, gate.entered()), (503, 0), "{reply}");
            if is_undone {
                eventually("it is undone", async || releases.load(Ordering::SeqCst) > 0).await;
            }
            assert!(is_undone || releases.load(Ordering::SeqCst) == 0);
        }
    }
}
