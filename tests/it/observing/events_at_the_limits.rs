//! Incidents of a process that has too much waiting. Its limits are the process's, so each of these
//! tests runs in one of its own: it starts this program again, for itself alone.

use std::{
    env,
    process::{Command, Stdio},
    time::Duration,
};

use actix_web_idempotency::{
    MemoryStore,
    dedup::{DedupOutcome, Deduplicator, Execution, ExecutionOutcome},
    event::{FinishOutcome, IncidentKind},
    testing::{Call, Fault, FaultyStore},
};

use crate::support::ear::Ear;

/// Tells a process that it is the one.
const ALONE: &str = "EVENTS_AT_THE_LIMITS";
const MIB: usize = 1024 * 1024;

/// Runs the test of this name in a process of its own; false in that process.
async fn runs_alone(test: &str) -> bool {
    if env::var_os(ALONE).is_some() {
        return false;
    }
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([&name, "--exact"]).env(ALONE, "1");
    command.stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
    let ran = tokio::time::timeout(Duration::from_secs(120), ran).await;
    let ran = ran.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    true
}

/// What is done once on this store, and heard.
fn heard(store: &FaultyStore<MemoryStore>, ear: &Ear) -> Deduplicator {
    let deduplicator = Deduplicator::builder(store.clone()).lease(Duration::from_secs(60));
    deduplicator.on_event(ear.hears()).build().unwrap()
}

async fn proceed(deduplicator: &Deduplicator, key: &str) -> Execution {
    match deduplicator.claim(key, None).await.unwrap() {
        DedupOutcome::Execute(run) => run,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn of_an_answer_for_which_there_is_no_room_only_the_fact_is_kept() {
    if runs_alone("of_an_answer_for_which_there_is_no_room_only_the_fact_is_kept").await {
        return;
    }
    let (store, ear) = (FaultyStore::new(MemoryStore::new()), Ear::default());
    let deduplicator = heard(&store, &ear);
    store.always(Call::Complete, Fault::Unavailable);
    // Sixteen of four MiB are all that may wait.
    for n in 1..=17 {
        let run = proceed(&deduplicator, &format!("{n}")).await;
        assert_eq!(
            run.complete(vec![0; 4 * MIB]).await,
            FinishOutcome::Deferred
        );
        let buried = ear.incidents().len();
        assert_eq!(buried, usize::from(n == 17), "after {n}");
    }
    assert_eq!(ear.incidents(), [IncidentKind::Buried]);
    store.recover();
    assert!(deduplicator.drain(Duration::from_secs(20)).await);
    let kept = deduplicator.claim("16", None).await.unwrap();
    assert!(
        matches!(&kept, DedupOutcome::Replay(ExecutionOutcome::Completed(result)) if result.len() == 4 * MIB),
        "{kept:?}"
    );
    let buried = deduplicator.claim("17", None).await.unwrap();
    assert!(matches!(buried, DedupOutcome::NotStored), "{buried:?}");
}

#[tokio::test]
async fn room_for_answers_is_there_again_once_they_are_recorded() {
    if runs_alone("room_for_answers_is_there_again_once_they_are_recorded").await {
        return;
    }
    let (store, ear) = (FaultyStore::new(MemoryStore::new()), Ear::default());
    let deduplicator = heard(&store, &ear);
    for round in 1..=3 {
        store.always(Call::Complete, Fault::Unavailable);
        // The last is one of those that may wait, and has not quite gone when a drain ends.
        for n in 1..16 {
            let run = proceed(&deduplicator, &format!("{round}/{n}")).await;
            assert_eq!(
                run.complete(vec![0; 4 * MIB]).await,
                FinishOutcome::Deferred
            );
        }
        assert_eq!(ear.incidents().len(), round - 1, "in round {round}");
        // What is not kept takes no room either.
        let run = proceed(&deduplicator, &format!("{round}/large")).await;
        assert_eq!(
            run.complete(vec![0; 12 * MIB]).await,
            FinishOutcome::Deferred
        );
        assert_eq!(ear.incidents(), vec![IncidentKind::Buried; round]);
        store.recover();
        assert!(deduplicator.drain(Duration::from_secs(20)).await);
        let kept = deduplicator
            .claim(format!("{round}/15"), None)
            .await
            .unwrap();
        assert!(
            matches!(&kept, DedupOutcome::Replay(ExecutionOutcome::Completed(result)) if result.len() == 4 * MIB),
            "{kept:?}"
        );
        assert!(store.forget_everything().await.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_key_for_which_there_is_no_room_is_left_to_its_lease() {
    if runs_alone("a_key_for_which_there_is_no_room_is_left_to_its_lease").await {
        return;
    }
    const MOST: usize = 10_000;
    let (store, ear) = (FaultyStore::new(MemoryStore::new()), Ear::default());
    let deduplicator = heard(&store, &ear);
    store.always(Call::Release, Fault::Unavailable);
    for n in 0..MOST {
        drop(proceed(&deduplicator, &format!("{n}")).await);
    }
    assert_eq!(ear.incidents(), []);
    drop(proceed(&deduplicator, "one too many").await);
    assert_eq!(ear.incidents(), [IncidentKind::Overloaded]);
    store.recover();
    assert!(deduplicator.drain(Duration::from_secs(30)).await);
    let freed = deduplicator.claim("0", None).await.unwrap();
    assert!(matches!(freed, DedupOutcome::Execute(_)), "{freed:?}");
    let left = deduplicator.claim("one too many", None).await.unwrap();
    assert!(matches!(left, DedupOutcome::InFlight), "{left:?}");
    drop(freed);

    // There is room again for all but the last that has just gone.
    store.always(Call::Release, Fault::Unavailable);
    for n in 1..MOST - 1 {
        drop(proceed(&deduplicator, &format!("{n}")).await);
    }
    assert_eq!(ear.incidents().len(), 1, "as before");
    store.recover();
    assert!(deduplicator.drain(Duration::from_secs(30)).await);
}
