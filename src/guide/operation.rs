//! Deployment: a store chosen by configuration, and an orderly stop.
//!
//! # A store chosen by configuration
//!
//! Memory on a developer's machine, Redis in production: [`AnyStore`](crate::AnyStore) is either.
//!
//! ```
//! use actix_web_idempotency::{AnyStore, ConfigError, Idempotency, MemoryStore, RedisStore, Scope};
//! use std::{env, error::Error};
//!
//! /// `memory`, or the URL of a Redis.
//! fn store(name: &str) -> Result<AnyStore, ConfigError> {
//!     Ok(match name {
//!         "memory" => AnyStore::new(MemoryStore::new()),
//!         url => AnyStore::new(RedisStore::new(url)?),
//!     })
//! }
//!
//! fn keys_from_environment() -> Result<Idempotency, Box<dyn Error>> {
//!     let store = store(&env::var("IDEMPOTENCY_STORE")?)?;
//!     Ok(Idempotency::new(store, Scope::header("x-user"))?)
//! }
//! assert!(store("memory").is_ok());
//! assert!(store("redis://127.0.0.1/").is_ok()); // connects with the first request
//! assert!(store("postgres://127.0.0.1/").is_err());
//! assert!(keys_from_environment().is_err()); // not set: the process does not start
//! ```
//!
//! At start-up [`RedisStore::check`](crate::RedisStore::check) says what the server may forget. Call it before
//! the store goes into `AnyStore`.
//!
//! Do not fall back to memory if the variable is missing: each process would then have its own keys, without
//! any sign of it.
//!
//! # An orderly stop
//!
//! At a deployment the platform sends `SIGTERM`, waits for its grace period and kills the process. Three limits
//! have to fit into this period:
//!
//! | limit | s | what ends in it |
//! |---|--:|---|
//! | [`drain_on`](crate::Idempotency::drain_on) in `shutdown_signal` | 10 | guarded handlers, also those whose client has disconnected, for which actix does not wait. The server goes on accepting requests |
//! | `shutdown_timeout` | 5 | all open requests. New connections are refused. The default, 30, leaves nothing for the others |
//! | `drain` after `run()` | 5 | responses are recorded, and keys of handlers that were cut off are released; with [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse) they become `outcome-unknown` instead, because it is not known what they have done |
//! | all | 20 | |
//! | grace period | 30 | Kubernetes' default (`terminationGracePeriodSeconds`). `docker stop` has 10: `-t 30`; Compose `stop_grace_period: 30s`. systemd has 90 |
//!
//! Each limit is a maximum; a process without requests stops sooner. A process whose store is away may need all
//! of it, because a claim that was given up is looked for until the store replies. The first limit has to be
//! longer than your slowest handler. The 10 seconds that are left are for a load balancer that goes on sending
//! requests for a moment: sleep in the signal of `drain_on`, or in Kubernetes' `preStop`, which counts too.
//!
//! ```
//! use actix_web::{App, HttpResponse, HttpServer, web};
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//! use std::time::Duration;
//! # use std::sync::atomic::{AtomicBool, Ordering};
//! # use tokio::{io::AsyncWriteExt, net::TcpStream, sync::{Notify, oneshot}};
//!
//! const DRAIN: Duration = Duration::from_secs(10);
//! const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
//! const LAST_DRAIN: Duration = Duration::from_secs(5);
//! const GRACE_PERIOD: Duration = Duration::from_secs(30);
//! const _: () = assert!(
//!     DRAIN.as_secs() + SHUTDOWN_TIMEOUT.as_secs() + LAST_DRAIN.as_secs() < GRACE_PERIOD.as_secs()
//! );
//! # static BEGUN: Notify = Notify::const_new();
//! # static IS_DONE: AtomicBool = AtomicBool::new(false);
//! # async fn order() -> HttpResponse {
//! #     BEGUN.notify_one();
//! #     tokio::time::sleep(Duration::from_secs(2)).await; // longer than actix takes to look
//! #     IS_DONE.store(true, Ordering::SeqCst);
//! #     HttpResponse::Created().finish()
//! # }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! # let (ask, stopped) = oneshot::channel::<()>();
//! let idempotency = Idempotency::new(MemoryStore::new(), Scope::global())?;
//! let wrapped = idempotency.clone();
//! let stop = idempotency.drain_on_stop(DRAIN); // at SIGTERM or SIGINT
//! # let stop = idempotency.drain_on(stopped, DRAIN); // in a test
//! let server = HttpServer::new(move || {
//!     App::new().wrap(wrapped.clone()).route("/orders", web::post().to(order))
//! })
//! # .workers(1)
//! .shutdown_timeout(SHUTDOWN_TIMEOUT.as_secs())
//! .shutdown_signal(stop)
//! .bind(("127.0.0.1", 0))?;
//! # // A client that leaves before the process is told to stop.
//! # let addr = server.addrs()[0];
//! # let client = actix_web::rt::spawn(async move {
//! #     let mut client = TcpStream::connect(addr).await.unwrap();
//! #     let order = "POST /orders HTTP/1.1\r\nhost: x\r\nidempotency-key: a-1\r\ncontent-length: 0\r\n\r\n";
//! #     client.write_all(order.as_bytes()).await.unwrap();
//! #     BEGUN.notified().await;
//! #     client.set_zero_linger().unwrap(); // a reset
//! #     drop(client);
//! #     ask.send(()).unwrap();
//! # });
//! server.run().await?;
//! let is_all_done = idempotency.drain(LAST_DRAIN).await;
//! # client.await.unwrap();
//! # assert!(is_all_done && IS_DONE.load(Ordering::SeqCst));
//! # Ok(())
//! # }
//! ```
//!
//! * **Several guards** drain one after the other, and their limits add up:
//!   `lock.drain_on(idempotency.drain_on_stop(DRAIN), DRAIN)`. After `run()` they drain at once:
//!   `tokio::join!(idempotency.drain(LAST_DRAIN), lock.drain(LAST_DRAIN))`.
//! * **A consumer** in the same process stops after `run()`: close its queue, await its task, then
//!   [`Deduplicator::drain`](crate::dedup::Deduplicator::drain).
//! * **A second signal** does nothing: the first has begun the stop, and `SIGKILL` ends it.
//!
//! The example is tested with a client that disconnects while its handler runs: the handler runs to completion.
//! If a process is killed even so, its keys stay `in-flight` until their lease expires, 30 seconds by default.
