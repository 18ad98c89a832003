//! Every fault of Redis and of the way to it, under load on both middlewares and both policies:
//! what clients saw, that nothing hung, ran twice or stayed blocked, and that service resumed. The
//! table in the documentation of `RedisStore` is made from what is asserted here.

mod answers;
mod fault;
mod load;
mod runs;
mod scene;
mod table;

use std::{fs, path::Path, time::Duration};

use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};

use self::{
    answers::Answers,
    fault::Reach,
    load::Load,
    scene::{Scene, Target},
    table::{Row, TABLE},
};

/// What a call to the store may take at most.
const STORE_TIMEOUT: Duration = Duration::from_millis(500);
/// How long keys stay blocked at most when nobody frees them. Longer than a fault lasts.
const LEASE: Duration = Duration::from_secs(3);
const HANDLER: Duration = Duration::from_millis(20);
/// How long requests wait for a key, where they do.
const WAIT: Duration = Duration::from_secs(1);
/// What a loaded machine adds.
const SLACK: Duration = Duration::from_secs(4);
/// How many faults happen at once, each on a server of its own.
const AT_ONCE: usize = 6;

async fn happens(row: &'static Row) {
    let begins_with_it = row.fault.is_there_from_the_start();
    let mut scene = Scene::start(row.fault).await;
    if begins_with_it {
        row.fault.strike(&mut scene).await;
    } else {
        scene.warm_up().await;
    }
    let mut answers = Answers::of(row);
    let load = Load::start(&scene);
    tokio::time::sleep(Duration::from_millis(200)).await;
    if !begins_with_it {
        row.fault.strike(&mut scene).await;
    }
    answers.struck();
    // However slow the machine is, these meet it.
    let caller = scene.caller.clone();
    let meanwhile = join_all(Target::ALL.map(|target| caller.call(target, 0)));
    let ((), meanwhile) = join(row.fault.lasts(&mut scene), meanwhile).await;
    answers.heals();
    row.fault.heal(&mut scene).await;
    answers.add(meanwhile);
    answers.add(load.stop().await);

    scene.resumes(row, answers.used()).await;
    answers.assert_as_told();
    scene.runs.assert_as_told(row);
}

async fn happen(rows: impl Iterator<Item = &'static Row>) {
    let all = stream::iter(rows).map(|row| async move {
        let happened = tokio::spawn(happens(row)).await;
        happened.is_err().then_some(row.fault)
    });
    let failed: Vec<_> = all.buffer_unordered(AT_ONCE).collect().await;
    let failed: Vec<_> = failed.into_iter().flatten().collect();
    assert!(failed.is_empty(), "not as told: {failed:?}");
}

fn is_of_the_network(row: &&Row) -> bool {
    matches!(row.fault.reach(), Reach::Proxy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faults_of_redis() {
    happen(TABLE.iter().filter(|row| !is_of_the_network(row))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faults_of_the_network() {
    happen(TABLE.iter().filter(is_of_the_network)).await;
}

/// `REWRITE_DOCS=1` makes it so.
#[test]
fn the_table_in_the_documentation_is_this_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/redis/faults.md");
    let table = table::rendered();
    if std::env::var_os("REWRITE_DOCS").is_some() {
        fs::write(&file, &table).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written, table, "run this test with REWRITE_DOCS=1");
}
