//! Every fault of Redis, PostgreSQL and a SQLite file and of the way to them, under load on both middlewares and both
//! policies: what clients saw, that nothing hung, ran twice or stayed blocked, and that service resumed. The
//! tables in the documentation of `RedisStore` and `SqlStore` are made from what is asserted here.

mod answer;
mod answers;
mod caller;
mod course;
mod guards;
mod load;
mod long_runs;
mod master_and_replica;
mod one_file;
mod one_postgres;
mod one_server;
mod postgres_fault;
mod primary_and_standby;
mod rows;
mod runs;
mod server_fault;
mod service;
mod shards;
mod soon;
mod table;
mod target;
mod told;
mod topology;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use tokio::{runtime::Handle, task::spawn_blocking, time::sleep};

use self::{
    answers::Answers,
    course::Course,
    load::Load,
    long_runs::LongRuns,
    master_and_replica::MasterAndReplica,
    one_file::OneFile,
    one_postgres::OnePostgres,
    one_server::OneServer,
    primary_and_standby::PrimaryAndStandby,
    rows::{OF_CLUSTER, OF_FILE, OF_POSTGRES, OF_SENTINEL, OF_SERVER, OF_STANDBY, Row},
    service::Service,
    shards::Shards,
    target::Target,
    topology::Topology,
};

/// What a call to the store may take at most.
const STORE_TIMEOUT: Duration = Duration::from_millis(500);
/// How long keys stay blocked at most when nobody frees them. Longer than a fault lasts.
const LEASE: Duration = Duration::from_secs(8);
const HANDLER: Duration = Duration::from_millis(20);
/// How long requests wait for a key, where they do.
const WAIT: Duration = Duration::from_secs(1);
/// What a loaded machine adds.
const SLACK: Duration = Duration::from_secs(4);
/// How many faults happen at once, each on servers of its own.
const AT_ONCE: usize = 6;
/// The same where each connection is a process of its own.
const OF_POSTGRES_AT_ONCE: usize = 3;

async fn happens<T: Topology>(row: &'static Row<T::Fault>) {
    let told = &row.told;
    let mut topology = T::start(row.fault).await;
    let service = Service::on(topology.store(told.store_timeout()));
    let begins_with_it = topology.begins_with_it();
    match begins_with_it {
        true => topology.strike(&service).await,
        false => service.warm_up().await,
    }
    let befalls =
        |target: Target, number: usize| topology.befalls(&service.stored_key(target, number));
    let concerned =
        Target::ALL.map(|target| (0..).find(|number| befalls(target, *number)).unwrap());
    let long_runs = match told.keys.are_kept() && !begins_with_it {
        true => Some(LongRuns::begin(&service, befalls).await),
        false => None,
    };
    let load = Load::start(&service.caller, topology.pause(), |target| {
        long_runs.as_ref()?.number(target)
    });
    sleep(Duration::from_millis(200)).await;
    let settled = Instant::now();
    topology.settles().await;
    if !begins_with_it {
        topology.strike(&service).await;
    }
    let struck = Instant::now();
    // However slow the machine is, these meet it.
    let meanwhile = Target::ALL
        .into_iter()
        .zip(concerned)
        .map(|(target, number)| service.caller.call(target, number));
    let (heals, meanwhile) = join(topology.lasts(&service), join_all(meanwhile)).await;
    let course = Course {
        settled,
        struck,
        heals,
    };
    topology.heal().await;
    if let Some(long_runs) = long_runs {
        long_runs.end(&service).await;
    }
    let mut answers = Answers::default();
    answers.add(meanwhile);
    answers.add(load.stop().await);

    service.resumes(told, &answers.used()).await;
    let befalls =
        |target: Target, number: usize| topology.befalls(&service.stored_key(target, number));
    answers.assert_as_told(told, &course, befalls);
    let answered = answers.before(course.settled);
    (service.runs).assert_as_told(told, &course, befalls, &answered);
}

async fn happen<T: Topology>(rows: impl Iterator<Item = &'static Row<T::Fault>>) {
    happen_at_once::<T>(AT_ONCE, rows).await;
}

async fn happen_at_once<T: Topology>(
    most: usize,
    rows: impl Iterator<Item = &'static Row<T::Fault>>,
) {
    let all = stream::iter(rows).map(|row| async move {
        // On a thread of its own, since much of it blocks.
        let happened = spawn_blocking(move || Handle::current().block_on(happens::<T>(row)));
        happened.await.is_err().then_some(row.fault)
    });
    let failed: Vec<_> = all.buffer_unordered(most).collect().await;
    let failed: Vec<_> = failed.into_iter().flatten().collect();
    assert!(failed.is_empty(), "not as told: {failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faults_of_redis() {
    happen::<OneServer>(
        OF_SERVER
            .iter()
            .filter(|row| !row.fault.is_of_the_network()),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faults_of_the_network() {
    happen::<OneServer>(OF_SERVER.iter().filter(|row| row.fault.is_of_the_network())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failovers_of_sentinel() {
    happen::<MasterAndReplica>(OF_SENTINEL.iter()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faults_of_a_cluster() {
    happen::<Shards>(OF_CLUSTER.iter()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faults_of_postgres() {
    happen_at_once::<OnePostgres>(OF_POSTGRES_AT_ONCE, OF_POSTGRES.iter()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faults_of_sqlite() {
    happen_at_once::<OneFile>(OF_POSTGRES_AT_ONCE, OF_FILE.iter()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failovers_of_postgres() {
    happen::<PrimaryAndStandby>(OF_STANDBY.iter()).await;
}

/// `REWRITE_DOCS=1` makes it so.
#[test]
fn the_tables_in_the_documentation_are_these() {
    let tables = [
        ("src/store/redis/faults.md", table::of_redis()),
        ("src/store/sql/faults.md", table::of_postgres()),
        ("src/store/sql/faults_of_sqlite.md", table::of_sqlite()),
    ];
    for (path, table) in tables {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        if std::env::var_os("REWRITE_DOCS").is_some() {
            fs::write(&file, &table).unwrap();
        }
        let written = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(written, table, "run this test with REWRITE_DOCS=1");
    }
}
