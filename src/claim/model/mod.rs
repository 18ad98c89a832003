//! All lives of a claim, walked through one by one.
//!
//! The store's decisions are those of the embedded store ([`life`](crate::store::memory::life)), the
//! owner's those of its guard ([`ClaimState`](crate::claim::ClaimState)), and what an outcome means is
//! [`meaning`](crate::claim::meaning): the code that runs in production. Around them stands what they
//! cannot choose: three requests for two keys, in every order; calls that are lost, that time out
//! and are carried out later, claims that are sent twice and carried out twice, or are carried out unheard; requests that are dropped and processes
//! that are killed at any moment; leases that expire, or are renewed; waiters that wake or give up; a
//! store that fails over and loses what it wrote last. stateright walks through everything that can
//! follow, and in no state may the promise be broken.
//!
//! The tests go as far as two ticks, which is one lease, and one fault lead. `.ci/deep` goes further:
//! four ticks and one fault are eight million states, two ticks and two faults seven.
//!
//! ```text
//! MODEL_TICKS=4 MODEL_FAULTS=1 cargo test --release --all-features --lib model -- --nocapture
//! ```
//!
//! What is assumed: everybody's clock runs along with the store's, a call is waited for for less time
//! than a lease lasts, and nothing is under way for longer than an undo looks for it.

mod action;
mod at_the_store;
mod breach;
mod call;
mod checks;
mod in_background;
mod mutant;
mod request;
mod rules;
mod state;
mod step;
mod walk;

use std::env;

use stateright::{Checker, HasDiscoveries, Model};

use self::{mutant::Mutant, walk::Walk};
use crate::config::ExpiredLease;

/// How far a walk goes, unless it is told to go further.
fn bound(name: &str, usual: u8) -> u8 {
    let told = env::var(name).ok().map(|told| told.parse());
    told.map_or(usual, |told| {
        told.unwrap_or_else(|_| panic!("{name} is a small number"))
    })
}

/// The lives that the tests walk through.
fn walk(on_expired_lease: ExpiredLease) -> Walk {
    Walk::new(
        on_expired_lease,
        bound("MODEL_TICKS", 2),
        bound("MODEL_FAULTS", 1),
    )
}

/// Goes through every state that there is; a state that breaks the promise fails it, with the way
/// that leads there.
fn all_is_well(walk: Walk) {
    let checker = walk.checker().threads(2).spawn_bfs().join();
    println!(
        "{} states, {} steps",
        checker.unique_state_count(),
        checker.state_count()
    );
    checker.assert_properties();
}

#[test]
fn the_promise_holds_where_dead_owners_are_followed() {
    all_is_well(walk(ExpiredLease::Reexecute));
}

#[test]
fn the_promise_holds_where_dead_owners_are_not_followed() {
    all_is_well(walk(ExpiredLease::Refuse));
}

#[test]
fn rows_and_record_go_together_where_dead_owners_are_followed() {
    all_is_well(walk(ExpiredLease::Reexecute).with_commits());
}

#[test]
fn rows_and_record_go_together_where_dead_owners_are_not_followed() {
    all_is_well(walk(ExpiredLease::Refuse).with_commits());
}

#[test]
fn every_known_way_to_part_rows_and_record_is_found() {
    use ExpiredLease::{Reexecute, Refuse};
    let known = [
        (Mutant::RecordedInDoubt, Reexecute, walk::REPLAYS),
        (Mutant::CommitOfAnything, Reexecute, walk::OWNS),
        (Mutant::ReleaseOfRecord, Reexecute, walk::KEEPS),
        (Mutant::ReleasedInDoubt, Refuse, walk::RUNS_ONCE),
    ];
    for (mutant, on_expired_lease, broken) in known {
        let walk = Walk::new(on_expired_lease, 3, 2)
            .with_commits()
            .with(mutant);
        assert_found(walk, mutant, broken);
    }
}

#[test]
fn every_known_way_to_break_the_promise_is_found() {
    let known = [
        (Mutant::ReleaseOfAnything, walk::OWNS),
        (Mutant::CompletionOfAnything, walk::OWNS),
        (Mutant::WaiterDeletes, walk::OWNS),
        (Mutant::ClaimInTwoSteps, walk::OWNS),
        (Mutant::AnswerReleased, walk::RUNS_ONCE),
        (Mutant::UndoneOnce, walk::CLEANS_UP),
        (Mutant::NotUndone, walk::CLEANS_UP),
        (Mutant::UndoneAtFirstFind, walk::CLEANS_UP),
        (Mutant::NotUndoneAfterRun, walk::CLEANS_UP),
        (Mutant::NotUndoneAfterRefusal, walk::CLEANS_UP),
        (Mutant::FingerprintIgnored, walk::REPLAYS),
        (Mutant::NeverTakenOver, walk::FREES),
    ];
    for (mutant, broken) in known {
        let walk = Walk::new(ExpiredLease::Reexecute, 3, 2).with(mutant);
        assert_found(walk, mutant, broken);
    }
}

fn assert_found(walk: Walk, mutant: Mutant, broken: &str) {
    let until = HasDiscoveries::AnyFailures;
    let checker = walk
        .checker()
        .threads(2)
        .finish_when(until)
        .spawn_bfs()
        .join();
    let found = checker.discoveries();
    assert!(
        found.contains_key(broken),
        "{mutant:?}: only {:?}",
        found.keys()
    );
    println!("{mutant:?} in {} states", checker.unique_state_count());
}
