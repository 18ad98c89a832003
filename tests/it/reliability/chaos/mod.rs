//! The promise holds while servers die, connections break and Redis comes and goes.
//!
//! Three processes of `tests/chaos_server` share one Redis. 64 clients send 2000 requests over 100
//! keys and try again as real clients do; meanwhile a nemesis kills and suspends servers, resets
//! connections, cuts servers off from Redis, and suspends, kills and restarts Redis, for shorter and
//! for longer than a call to the store and a lease may take. Then all is healed, every key is asked
//! for once more at every server, and the history is checked.
//!
//! ```sh
//! tests/run -- chaos                           # another seed each time; it is printed
//! CHAOS_SEED=7 tests/run -- chaos              # the same faults and choices again
//! CHAOS_REQUESTS=200000 tests/run -- chaos     # half an hour
//! ```
//!
//! A seed repeats what is chosen: keys, how handlers end and how long they take, servers, pauses,
//! faults and their lengths. It does not repeat how the machine interleaves them, so that what was
//! found once may take some runs with its seed to be seen again.
//!
//! # What is known
//!
//! Clients keep every answer that came whole, and when they asked and had it. Each server process
//! appends to a journal that outlives it, one write call to a line: when a handler begins, with its
//! fence, and ends; and what Redis told the middleware, which a store of the server's own writes down
//! before the middleware knows. All of it, fences too, is in microseconds of this machine's clock,
//! for Redis runs on it; a step of that clock backwards would spoil a run. Redis keeps its data by
//! an append-only file that is synchronised before each answer, so it forgets nothing that it has
//! confirmed, whenever it is killed. A run is a handler that got its fence: without one it does
//! nothing and answers 503.
//!
//! # What must hold
//!
//! 1. **Nobody runs beside a valid claim.** A later run of a key begins when the earlier one has
//!    failed (500 or panic), or when a lease has passed since Redis last confirmed the earlier
//!    claim, by the clock of Redis: the later fence against the earlier claim's last renewal.
//! 2. **A claim is lost only to a fault.** When a run that did not fail is followed by another, then
//!    its process was killed, or, after the last renewal, a call about this very claim failed or the
//!    process got no processor, or Redis was being asked to renew the claim when it lapsed. That a fault was under way somewhere is no excuse. So a key that
//!    nothing befell ran once.
//! 3. **Nothing runs after its record.** Once Redis has confirmed an answer, or a client has got a
//!    replay, no run of the key begins; and a key has one record, of one run.
//! 4. **The store is told before the client.** Whoever is answered 201 with a body in memory, or 500,
//!    is answered after Redis was told, or after a call to it failed.
//! 5. **One answer.** Who asks after the record is known to be there gets that record, or 503 while
//!    Redis cannot be asked; never another body, an answer of the handler's, or 409 `in-flight`.
//! 6. **Answers are true.** A body names a run of this key, and that run came to this end.
//! 7. **Nothing is blocked.** When the faults are over and the longest handler has ended, every key
//!    gets its answer within the lease and one second, and what the machine costs: one call to the
//!    store that finds a dead connection (500 ms), and the time for which the processes were seen to
//!    get no processor. It is measured, not guessed: a thread in each sleeps 20 ms at a time and
//!    notes when it slept 50 ms longer.
//!    When a process is killed while it is suspended, the nemesis notes that in its place.
//! 8. **Claims are ended.** Whoever has a claim, or may have one because the answer to its request
//!    was lost, tells Redis how it ends, unless its process is killed.
//!
//! A lost answer breaks rule 5: the last round asks for every key at every server, and what was
//! recorded must come. `checks` shows of each rule that it finds what it is there for.
//!
//! # What is allowed
//!
//! The promise is that of a lease, so these are no violations:
//!
//! * A run whose claim lapsed goes on beside its successor. Its fence is the smaller one, by which
//!   whatever it writes to can refuse it. Its client gets its answer all the same, which is then
//!   another than the recorded one (`Told` as not held, or a call that failed). So two clients may
//!   see two bodies with 201; after the record nobody sees but one.
//! * A run whose answer could not be recorded at once, because Redis was away, and whose process was
//!   killed before it could be recorded later: it runs again, although its client had a 201. An
//!   answer of which Redis knows nothing is lost with its process.
//! * The same for a stream, faults of Redis or not: it is recorded when its last byte has been handed
//!   over, so a process that is killed at that moment leaves a client with a whole answer and Redis
//!   without. A body in memory cannot meet with that: it is recorded before its first byte is sent.
//! * A stream that was cut off is not replayed: 409 `response-not-stored`, for good. But the one whose
//!   client got it whole is recorded whole.
//! * A run whose claim lapsed and whose successor failed is recorded after all, into the vacant place.

mod answer;
mod caller;
mod checker;
mod checks;
mod effects;
#[path = "../../../chaos_server/src/event.rs"]
mod event;
mod key;
mod life;
mod nemesis;
mod operation;
mod options;
mod probe;
mod run;
mod server;
mod stall_watch;
#[path = "../../../chaos_server/src/stalls.rs"]
mod stalls;
mod strike;
mod summary;
mod tale;
mod violation;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rand::RngExt;
use tempfile::TempDir;
use tokio::{
    runtime::Handle,
    task::{JoinSet, spawn_blocking},
    time::sleep,
};

use self::{
    caller::Caller, checker::check, effects::Effects, nemesis::Nemesis, operation::Operation,
    options::Options, probe::Probe, server::Server, stall_watch::StallWatch, summary::Summary,
};
use crate::support::redis::Redis;

const SERVERS: usize = 3;
const CLIENTS: usize = 64;
/// How long a key stays blocked at most when its owner has died.
const LEASE: Duration = Duration::from_millis(1000);
/// How long requests wait for another, where they do.
const WAIT: Duration = Duration::from_millis(500);
/// What a call to the store may take at most: the default.
const STORE_TIMEOUT: Duration = Duration::from_millis(500);
/// Longer than a lease.
const LONGEST_HANDLER: Duration = Duration::from_millis(1200);

/// Sends all requests, and returns when each has its answer or has been given up.
async fn send_all(caller: &Caller, options: Options) {
    let next = Arc::new(AtomicUsize::new(0));
    let clients = (0..CLIENTS).map(|_| {
        let (caller, next) = (caller.clone(), Arc::clone(&next));
        async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= options.requests {
                    return;
                }
                let mut operation = Operation::number(number, &options);
                let pause = operation.choices.random_range(0..60);
                caller.perform(operation).await;
                sleep(Duration::from_millis(pause)).await;
            }
        }
    });
    clients.collect::<JoinSet<_>>().join_all().await;
}

/// What no load and no fault may lead to does not happen.
async fn survives(options: Options) {
    let journals = TempDir::with_prefix("chaos-").unwrap();
    let redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut servers = Vec::new();
    for number in 0..SERVERS {
        servers.push(Server::start(number, redis.port(), journals.path()).await);
    }
    let caller = Caller::to(servers.iter().map(Server::url).collect());
    let mut nemesis = Nemesis { redis, servers };
    let stalls = StallWatch::start();

    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    // On a thread of its own, since much of it blocks.
    let rages = spawn_blocking(move || {
        let strikes = Handle::current().block_on(nemesis.rage(&options, &over));
        (nemesis, strikes)
    });
    send_all(&caller, options).await;
    is_over.store(true, Ordering::SeqCst);
    let (nemesis, strikes) = rages.await.unwrap();
    // Whose client has left may still run.
    sleep(LONGEST_HANDLER).await;
    let probes = Probe::all(&caller, &options).await;
    let lives = nemesis.end();

    let history = caller.history();
    let mut effects = Effects::gather(&lives);
    effects.stalls.extend(stalls.end());
    let summary = Summary::new(&effects, &history, &lives, strikes);
    eprintln!("{summary}");
    let violations = check(&effects, &history, &probes);
    if !violations.is_empty() {
        let journals = journals.keep();
        let again = options.command();
        panic!("{violations:#?}\njournals: {journals:?}\nagain: {again}");
    }
    summary.assert_telling(&options);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_promise_holds() {
    let options = Options::from_environment();
    eprintln!("again: {}", options.command());
    survives(options).await;
}
