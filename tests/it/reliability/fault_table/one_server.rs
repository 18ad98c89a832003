use std::time::Instant as Moment;

use actix_web_idempotency::{
    AnyStore, RedisStore,
    store::redis::{
        bb8::{self, PooledConnection},
        bb8_redis::RedisConnectionManager,
        redis::{self, cmd},
    },
};
use tokio::time::{Duration, Instant, sleep};

use super::{
    server_fault::ServerFault::{self, *},
    service::Service,
    target::Target,
    topology::Topology,
};
use crate::support::{
    proxy::{Proxy, Traffic},
    redis::Redis,
};

/// How long a fault lasts.
const A_SECOND: Duration = Duration::from_secs(1);
/// How long nothing happens between two strikes of a fault that strikes again and again.
const PAUSE: Duration = Duration::from_millis(200);

/// One server, and the way to it.
pub(super) struct OneServer {
    fault: ServerFault,
    redis: Redis,
    proxy: Proxy,
    pool: bb8::Pool<RedisConnectionManager>,
    held: Held,
}

/// What a fault holds on to while it lasts.
#[derive(Default)]
struct Held {
    connection: Option<redis::Connection>,
    pooled: Vec<PooledConnection<'static, RedisConnectionManager>>,
    squatted: Vec<String>,
}

impl Topology for OneServer {
    type Fault = ServerFault;

    async fn start(fault: ServerFault) -> Self {
        let redis = Redis::with(fault.options());
        if fault.has_a_password() {
            let rules = ["ACL", "SETUSER", "ann", "on", ">old", "~*", "&*", "+@all"];
            redis.command(&rules);
        }
        let manager = RedisConnectionManager::new(redis.url()).unwrap();
        Self {
            fault,
            proxy: Proxy::to(redis.port()).await,
            pool: bb8::Pool::builder().max_size(2).build_unchecked(manager),
            redis,
            held: Held::default(),
        }
    }

    fn store(&self, timeout: Duration) -> AnyStore {
        let port = self.redis.port();
        let store = match self.fault {
            Exhausted => RedisStore::pool_builder(self.pool.clone()),
            fault if fault.has_a_password() => {
                RedisStore::builder(format!("redis://ann:old@127.0.0.1:{port}/"))
            }
            fault if fault.is_of_the_network() => {
                RedisStore::builder(format!("redis://127.0.0.1:{}/", self.proxy.port()))
            }
            _ => RedisStore::builder(self.redis.url()),
        };
        AnyStore::new(store.timeout(timeout).build().unwrap())
    }

    fn pause(&self) -> Duration {
        match self.fault.is_of_quiet_times() {
            // Redis looks for quiet connections once a second.
            true => A_SECOND * 5 / 2,
            false => Duration::from_millis(40),
        }
    }

    fn begins_with_it(&self) -> bool {
        self.fault == WrongPassword
    }

    async fn strike(&mut self, _service: &Service) {
        let redis = &mut self.redis;
        match self.fault {
            Killed | KilledWithAof => redis.kill(),
            Stopped => redis.freeze(),
            Paused => drop(redis.command(&["CLIENT", "PAUSE", "1800", "ALL"])),
            Cut => self.proxy.set(Traffic::Cut),
            Slow => self.proxy.set(Traffic::Slow(Duration::from_millis(40))),
            TooSlow => self.proxy.set(Traffic::Slow(Duration::from_millis(700))),
            Forgotten => self.proxy.forget(),
            Unanswered => self.proxy.set(Traffic::Unanswered),
            Swallowed => self.proxy.set(Traffic::Swallowed),
            Squatted => self.squat().await,
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
                self.held.connection = Some(connection);
            }
            Exhausted => {
                for _ in 0..2 {
                    let connection = self.pool.get_owned().await.unwrap();
                    self.held.pooled.push(connection);
                }
            }
            ClientsKilled | Reset | ClosedWhileQuiet | ForgottenWhileQuiet | ScriptsFlushed
            | Flushed | Deleted | WorkersEnd => {}
        }
    }

    async fn lasts(&mut self, service: &Service) -> Moment {
        // One timeout to find out, and time to be served again.
        let long = match self.fault {
            Forgotten => A_SECOND * 2,
            ClientsKilled | Reset => A_SECOND * 4,
            fault if fault.is_of_quiet_times() => A_SECOND * 5,
            _ => A_SECOND,
        };
        // A busy machine has to have time to open a connection before that is lost too.
        let pause = match self.fault {
            ClientsKilled | Reset => A_SECOND,
            _ => self.pause().max(PAUSE),
        };
        let end = Instant::now() + long;
        while Instant::now() < end {
            self.strike_again(service).await;
            sleep(pause).await;
        }
        Moment::now()
    }

    async fn heal(&mut self) {
        let redis = &mut self.redis;
        match self.fault {
            Killed | KilledWithAof => redis.restart(),
            Stopped => redis.thaw(),
            Cut | Slow | TooSlow | Unanswered | Swallowed => self.proxy.set(Traffic::Flows),
            Squatted => {
                for key in &self.held.squatted {
                    redis.command(&["DEL", key]);
                }
            }
            OutOfMemory => drop(redis.command(&["CONFIG", "SET", "maxmemory", "0"])),
            ReadOnly => drop(redis.command(&["REPLICAOF", "NO", "ONE"])),
            WrongPassword | RotatedPassword => {
                redis.command(&["ACL", "SETUSER", "ann", ">old"]);
            }
            MaxClients => {
                let mut connection = self.held.connection.take().unwrap();
                let mut command = cmd("CONFIG");
                command.arg(&["SET", "maxclients", "100"]);
                command.exec(&mut connection).unwrap();
            }
            Exhausted => self.held.pooled.clear(),
            // Answers when it is over.
            Paused => drop(redis.command(&["PING"])),
            ClientsKilled | Reset | Forgotten | ClosedWhileQuiet | ForgottenWhileQuiet
            | ScriptsFlushed | Flushed | Deleted | WorkersEnd => {}
        }
    }
}

impl OneServer {
    async fn strike_again(&self, service: &Service) {
        let redis = &self.redis;
        match self.fault {
            ClientsKilled => drop(redis.command(&["CLIENT", "KILL", "TYPE", "normal"])),
            Reset => self.proxy.reset(),
            ForgottenWhileQuiet => self.proxy.forget(),
            ScriptsFlushed => drop(redis.command(&["SCRIPT", "FLUSH"])),
            Flushed => drop(redis.command(&["FLUSHALL"])),
            Deleted => {
                for key in redis.keys() {
                    redis.command(&["DEL", &key]);
                }
            }
            WorkersEnd => service.workers_end().await,
            _ => {}
        }
    }

    /// Puts a list in the place of what is stored, until that has happened to every target.
    async fn squat(&mut self) {
        let script = "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'squatter')";
        let end = Instant::now() + Duration::from_secs(10);
        for target in Target::ALL {
            // A lock is there for as long as its handler runs.
            let keys = loop {
                let keys = self.keys_of(target);
                if !keys.is_empty() {
                    break keys;
                }
                assert!(Instant::now() < end, "{target:?} stores nothing");
            };
            for key in keys {
                self.redis.command(&["EVAL", script, "1", &key]);
                self.held.squatted.push(key);
            }
        }
    }

    fn keys_of(&self, target: Target) -> Vec<String> {
        let pattern = format!("{}*", target.prefix());
        redis::from_redis_value(self.redis.command(&["KEYS", &pattern])).unwrap()
    }
}
