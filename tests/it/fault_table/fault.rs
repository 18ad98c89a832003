use std::time::Duration;

use actix_idempotency::{
    bb8::PooledConnection,
    bb8_redis::RedisConnectionManager,
    redis::{self, cmd},
};
use tokio::time::{Instant, sleep};

use super::scene::{Caller, Scene, Target};
use crate::support::proxy::Traffic;

/// How long a fault lasts.
const A_SECOND: Duration = Duration::from_secs(1);
/// How long nothing happens between two strikes of a fault that strikes again and again.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Killed,
    KilledWithAof,
    Stopped,
    Paused,
    ClientsKilled,
    Cut,
    Slow,
    TooSlow,
    Reset,
    Forgotten,
    Unanswered,
    Swallowed,
    ScriptsFlushed,
    Flushed,
    Squatted,
    Deleted,
    OutOfMemory,
    ReadOnly,
    WrongPassword,
    RotatedPassword,
    MaxClients,
    Exhausted,
    WorkersEnd,
}

/// How the store comes to its server.
pub(super) enum Reach {
    Direct,
    Proxy,
    /// Over a pool of the application.
    Pool,
    /// As a user with a password.
    Password,
}

/// What a fault holds on to while it lasts.
#[derive(Default)]
pub(super) struct Held {
    connection: Option<redis::Connection>,
    pooled: Vec<PooledConnection<'static, RedisConnectionManager>>,
    squatted: Vec<String>,
}

use Fault::*;

impl Fault {
    /// How its server is started.
    pub(super) fn options(self) -> &'static [&'static str] {
        match self {
            KilledWithAof => &["--appendonly", "yes", "--appendfsync", "always"],
            _ => &[],
        }
    }

    pub(super) fn reach(self) -> Reach {
        match self {
            Cut | Slow | TooSlow | Reset | Forgotten | Unanswered | Swallowed => Reach::Proxy,
            Exhausted => Reach::Pool,
            WrongPassword | RotatedPassword => Reach::Password,
            _ => Reach::Direct,
        }
    }

    pub(super) fn is_there_from_the_start(self) -> bool {
        self == WrongPassword
    }

    pub(super) async fn strike(self, scene: &mut Scene) {
        let redis = &mut scene.redis;
        match self {
            Killed | KilledWithAof => redis.kill(),
            Stopped => redis.freeze(),
            Paused => drop(redis.command(&["CLIENT", "PAUSE", "1800", "ALL"])),
            Cut => scene.proxy.set(Traffic::Cut),
            Slow => scene.proxy.set(Traffic::Slow(Duration::from_millis(40))),
            TooSlow => scene.proxy.set(Traffic::Slow(Duration::from_millis(700))),
            Forgotten => scene.proxy.forget(),
            Unanswered => scene.proxy.set(Traffic::Unanswered),
            Swallowed => scene.proxy.set(Traffic::Swallowed),
            Squatted => squat(scene).await,
            OutOfMemory => drop(redis.command(&["CONFIG", "SET", "maxmemory", "1"])),
            // Nobody listens there.
            ReadOnly => drop(redis.command(&["REPLICAOF", "127.0.0.1", "1"])),
            WrongPassword | RotatedPassword => {
                redis.command(&["ACL", "SETUSER", "ann", "resetpass", ">another"]);
                redis.command(&["CLIENT", "KILL", "USER", "ann"]);
            }
            MaxClients => {
                let mut connection = redis.connection();
                let mut say = |words: &[&str]| {
                    let mut command = cmd(words[0]);
                    command.arg(&words[1..]);
                    command.exec(&mut connection).unwrap();
                };
                say(&["CONFIG", "SET", "maxclients", "1"]);
                say(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
                scene.held.connection = Some(connection);
            }
            Exhausted => {
                for _ in 0..2 {
                    let connection = scene.pool.get_owned().await.unwrap();
                    scene.held.pooled.push(connection);
                }
            }
            ClientsKilled | Reset | ScriptsFlushed | Flushed | Deleted | WorkersEnd => {}
        }
    }

    /// Returns when it has lasted long enough.
    pub(super) async fn lasts(self, scene: &mut Scene) {
        // One timeout to find out, and time to be served again.
        let long = if self == Forgotten {
            A_SECOND * 2
        } else {
            A_SECOND
        };
        let end = Instant::now() + long;
        while Instant::now() < end {
            self.strike_again(scene).await;
            sleep(PAUSE).await;
        }
    }

    async fn strike_again(self, scene: &mut Scene) {
        let redis = &scene.redis;
        match self {
            ClientsKilled => drop(redis.command(&["CLIENT", "KILL", "TYPE", "normal"])),
            Reset => scene.proxy.reset(),
            ScriptsFlushed => drop(redis.command(&["SCRIPT", "FLUSH"])),
            Flushed => drop(redis.command(&["FLUSHALL"])),
            Deleted => {
                for key in redis.keys() {
                    redis.command(&["DEL", &key]);
                }
            }
            WorkersEnd => {
                let server = scene.guards.serve(&scene.runs);
                let caller = Caller::to(&server);
                for target in Target::ALL {
                    tokio::spawn(caller.request(target, OTHERS).send());
                }
                sleep(Duration::from_millis(15)).await;
                server.stop(false).await;
            }
            _ => {}
        }
    }

    pub(super) async fn heal(self, scene: &mut Scene) {
        let redis = &mut scene.redis;
        match self {
            Killed | KilledWithAof => redis.restart(),
            Stopped => redis.thaw(),
            Cut | Slow | TooSlow | Unanswered | Swallowed => scene.proxy.set(Traffic::Flows),
            Squatted => {
                for key in &scene.held.squatted {
                    redis.command(&["DEL", key]);
                }
            }
            OutOfMemory => drop(redis.command(&["CONFIG", "SET", "maxmemory", "0"])),
            ReadOnly => drop(redis.command(&["REPLICAOF", "NO", "ONE"])),
            WrongPassword | RotatedPassword => {
                redis.command(&["ACL", "SETUSER", "ann", ">old"]);
            }
            MaxClients => {
                let mut connection = scene.held.connection.take().unwrap();
                let mut command = cmd("CONFIG");
                command.arg(&["SET", "maxclients", "100"]);
                command.exec(&mut connection).unwrap();
            }
            Exhausted => scene.held.pooled.clear(),
            // Answers when it is over.
            Paused => drop(redis.command(&["PING"])),
            ClientsKilled | Reset | Forgotten | ScriptsFlushed | Flushed | Deleted | WorkersEnd => {
            }
        }
    }
}

/// The number of what is sent to servers that end.
pub(super) const OTHERS: usize = 1000;

/// Puts a list in the place of what is stored, until that has happened to every target.
async fn squat(scene: &mut Scene) {
    let script = "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'squatter')";
    let end = Instant::now() + Duration::from_secs(10);
    for target in Target::ALL {
        // A lock is there for as long as its handler runs.
        let keys = loop {
            let keys = scene.keys_of(target);
            if !keys.is_empty() {
                break keys;
            }
            assert!(Instant::now() < end, "{target:?} stores nothing");
        };
        for key in keys {
            scene.redis.command(&["EVAL", script, "1", &key]);
            scene.held.squatted.push(key);
        }
    }
}
