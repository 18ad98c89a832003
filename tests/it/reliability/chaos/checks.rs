//! Each check finds what it is there for, and lets pass what the promise allows.

use super::{
    LEASE,
    answer::Said,
    event::{Call, Ending::*, Event, Fate},
    tale::{Tale, created, failed, replayed, streamed},
    violation::Rule::*,
};

/// A moment at which a lease that began at 0 has lapsed.
fn lapsed() -> u64 {
    LEASE.as_millis() as u64 + 10
}

/// One run, its answer, and a replay.
fn good() -> Tale {
    Tale::default()
        .begun(0, "a")
        .recorded(20, "a")
        .answer(0, 21, created("a"))
        .answer(30, 31, replayed("a"))
}

#[test]
fn what_is_promised_passes() {
    let good = good()
        .answer(40, 41, Said::Unavailable)
        .probe(50, 900, true);
    assert_eq!(good.breaks(), []);
    let retried = Tale::default()
        .begun(0, "a")
        .failed(20, "a")
        .answer(0, 21, failed("a"))
        .answer(5, 6, Said::InFlight)
        .begun(25, "b")
        .recorded(30, "b")
        .answer(24, 31, created("b"));
    assert_eq!(retried.breaks(), []);
    let cut_off = Tale::default()
        .begun(0, "a")
        .ended(10, "a", Fate::Streamed)
        .told(20, "a", Tombstone, true)
        .answer(30, 31, Said::NotStored);
    assert_eq!(cut_off.breaks(), []);
}

#[test]
fn a_claim_whose_process_was_killed_is_taken_over_when_it_has_lapsed() {
    let killed = |second: u64| {
        Tale::default()
            .process(Some(100))
            .begun(0, "a")
            .process(None)
            .begun(second, "b")
            .recorded(second + 10, "b")
    };
    assert_eq!(killed(lapsed()).breaks(), []);
    assert_eq!(
        killed(lapsed() - 200).breaks(),
        [NobodyRunsBesideAValidClaim]
    );
}

#[test]
fn a_claim_is_lost_only_to_a_fault() {
    let second = |tale: Tale| {
        tale.told(lapsed() + 50, "a", Release, false)
            .begun(lapsed(), "b")
            .recorded(lapsed() + 10, "b")
            .breaks()
    };
    let first = || Tale::default().begun(0, "a");
    assert_eq!(second(first()), [NobodyRunsAgainWithoutReason]);
    assert_eq!(second(first().stalled(200, 2000)), []);
    let killed_afterwards = || Tale::default().process(Some(lapsed() + 8)).begun(0, "a");
    let taken_over = |tale: Tale| {
        let tale = tale.process(None).begun(lapsed(), "b");
        tale.recorded(lapsed() + 10, "b").breaks()
    };
    let suspended = killed_afterwards().stalled(500, lapsed() + 8);
    assert_eq!(taken_over(suspended), []);
    assert_eq!(
        taken_over(killed_afterwards()),
        [NobodyRunsAgainWithoutReason]
    );
    let missed = first().missed(700, 1200, "a", Call::Renew, true);
    assert_eq!(second(missed), []);
    // Redis was asked in time and answered too late; or it was asked too late.
    assert_eq!(second(first().lost(850, lapsed() + 5, "a")), []);
    let late = first().lost(lapsed() + 1, lapsed() + 5, "a");
    assert_eq!(second(late), [NobodyRunsAgainWithoutReason]);
    let of_another = first()
        .missed(700, 1200, "x", Call::Renew, true)
        .told(1201, "x", Release, true);
    assert_eq!(second(of_another), [NobodyRunsAgainWithoutReason]);
    // What was confirmed afterwards was not lost by it.
    let renewed = first().stalled(200, 600).renewed(700, "a");
    assert_eq!(second(renewed), [NobodyRunsBesideAValidClaim]);
}

#[test]
fn nobody_runs_beside_a_valid_claim() {
    let beside = good().begun(10, "b").failed(30, "b");
    assert_eq!(beside.breaks(), [NobodyRunsBesideAValidClaim]);
    // Even of a run that will fail.
    let early = Tale::default()
        .begun(0, "a")
        .begun(10, "b")
        .failed(20, "a")
        .failed(30, "b");
    assert_eq!(early.breaks(), [NobodyRunsBesideAValidClaim]);
}

#[test]
fn fences_are_their_own() {
    let same = Tale::default()
        .begun(0, "a")
        .failed(0, "a")
        .begun(0, "b")
        .failed(10, "b");
    assert!(same.breaks().contains(&FencesAreTheirOwn));
    let invented = Event::Begun {
        run: "a".to_owned(),
        key: "k".to_owned(),
        fence: 7,
    };
    assert_eq!(
        Tale::default().event(0, invented).breaks(),
        [FencesAreTheirOwn]
    );
}

#[test]
fn nothing_runs_after_its_record() {
    let again = |tale: Tale| {
        tale.process(None)
            .begun(lapsed(), "b")
            .failed(lapsed() + 10, "b")
            .breaks()
    };
    let first = || Tale::default().process(Some(50)).begun(0, "a");
    assert_eq!(
        again(first().recorded(20, "a")),
        [NothingRunsAfterItsRecord]
    );
    let seen = first()
        .ended(20, "a", Fate::Created)
        .answer(30, 31, replayed("a"));
    assert_eq!(again(seen), [NothingRunsAfterItsRecord]);
}

#[test]
fn a_key_has_one_record() {
    let late = good()
        .begun(10, "b")
        .ended(25, "b", Fate::Created)
        .told(26, "b", Answer, true);
    assert!(late.breaks().contains(&OneRecord));
    let other = Tale::default()
        .begun(0, "b")
        .ended(5, "b", Fate::Created)
        .told(6, "b", Answer, false)
        .begun(lapsed(), "a")
        .recorded(lapsed() + 20, "a")
        .answer(5000, 5001, replayed("b"));
    assert!(other.breaks().contains(&OneRecord));
    let cut_off = good().answer(40, 41, Said::NotStored);
    assert!(cut_off.breaks().contains(&OneRecord));
}

#[test]
fn the_store_hears_of_an_end_before_the_client_does() {
    let ran = |fate: Fate| Tale::default().begun(0, "a").ended(20, "a", fate);
    let silent = ran(Fate::Created)
        .answer(0, 21, created("a"))
        .told(25, "a", Answer, true);
    assert_eq!(silent.breaks(), [ToldBeforeAnswered]);
    let silent = ran(Fate::Failed)
        .answer(0, 21, failed("a"))
        .told(25, "a", Release, true);
    assert_eq!(silent.breaks(), [ToldBeforeAnswered]);
    let away = ran(Fate::Created)
        .missed(20, 520, "a", Call::Complete, true)
        .answer(0, 521, created("a"));
    assert_eq!(away.breaks(), []);
    let renewal = ran(Fate::Created)
        .missed(20, 21, "a", Call::Renew, true)
        .answer(0, 22, created("a"))
        .told(25, "a", Answer, true);
    assert_eq!(renewal.breaks(), [ToldBeforeAnswered]);
    // A stream is recorded when it has been sent, as what was sent.
    let stream = || ran(Fate::Streamed).answer(0, 21, streamed("a"));
    assert_eq!(stream().told(25, "a", Answer, true).breaks(), []);
    let lost = stream().told(25, "a", Tombstone, true);
    assert_eq!(lost.breaks(), [ToldBeforeAnswered]);
}

#[test]
fn once_there_is_a_record_every_answer_is_that_record() {
    let others = [
        Said::InFlight,
        Said::Failed { run: None },
        created("a"),
        Said::NotStored,
    ];
    for said in others {
        let later = good().answer(30, 31, said.clone());
        assert!(later.breaks().contains(&OneAnswer), "{said:?}");
        let before = good().answer(10, 31, said.clone());
        assert!(!before.breaks().contains(&OneAnswer), "{said:?}");
    }
}

#[test]
fn answers_are_true() {
    let lies = [
        replayed("b"),
        created("b"),
        failed("a"),
        streamed("a"),
        Said::Nonsense("404".to_owned()),
    ];
    for lie in lies {
        let told = good().answer(10, 22, lie.clone());
        assert!(told.breaks().contains(&AnswersAreTrue), "{lie:?}");
    }
}

#[test]
fn nothing_is_blocked_for_longer_than_a_lease_and_a_second() {
    let lease = LEASE.as_millis() as u64;
    assert_eq!(good().probe(100, 100 + lease + 900, true).breaks(), []);
    let blocked = good().probe(100, 100 + lease + 1600, true);
    assert_eq!(blocked.breaks(), [NothingIsBlocked]);
    assert_eq!(good().probe(100, 200, false).breaks(), [NothingIsBlocked]);
    let stalled = good().stalled(50, 300).probe(100, 100 + lease + 1600, true);
    assert_eq!(stalled.breaks(), []);
}

#[test]
fn claims_are_ended_by_whoever_has_them() {
    let begin = |sent| Tale::default().missed(0, 500, "a", Call::Begin, sent);
    assert_eq!(begin(true).breaks(), [ClaimsAreEnded]);
    assert_eq!(begin(false).breaks(), []);
    let undone = begin(true).missed(500, 1000, "a", Call::Release, true);
    assert_eq!(undone.breaks(), []);
    assert_eq!(Tale::default().claimed(0, "a").breaks(), [ClaimsAreEnded]);
    let killed = Tale::default().process(Some(9)).claimed(0, "a");
    assert_eq!(killed.breaks(), []);
}
