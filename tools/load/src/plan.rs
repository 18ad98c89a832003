use std::collections::HashSet;

use crate::{
    keys::Keys,
    program::Program,
    request::Media,
    row::{BARE, Row},
    serve::{Passage, Payload, Subject},
    store::Store,
};

/// Everything, in the order in which a round measures it: the bare handler before each group, and a
/// floor right before the rows that stand on it, because a machine does not stay the same for long.
pub(crate) fn plan() -> Vec<Row> {
    let mut rows = Vec::new();
    for store in [Store::Memory, Store::Redis, Store::Unix] {
        rows.push(bare());
        rows.extend(locks(store));
        rows.extend(keys(store, Passage::FirstRun));
        rows.extend(keys(store, Passage::Replay));
        if store == Store::Memory {
            rows.extend(crowded());
        }
    }
    rows.push(bare());
    rows.extend(keys(Store::Postgres, Passage::FirstRun));
    rows.extend(keys(Store::Postgres, Passage::Replay));
    rows.push(bare());
    rows.extend(keys(Store::Sqlite, Passage::FirstRun));
    rows.extend(keys(Store::Sqlite, Passage::Replay));
    rows.push(bare());
    rows.extend(commits());
    rows.push(bare());
    rows.extend(duplicates());
    rows.extend(peers());
    rows.extend(few_connections());
    rows
}

/// Those whose name contains a text, in whatever case, and what they are compared with.
pub(crate) fn with(text: &str) -> Vec<Row> {
    let all = plan();
    let text = text.to_lowercase();
    let mut names = HashSet::new();
    for row in all
        .iter()
        .filter(|row| row.name.to_lowercase().contains(&text))
    {
        names.insert(row.name.clone());
        names.insert(row.bare.to_owned());
        names.extend(row.floor.clone());
    }
    let wanted = all.into_iter().filter(|row| names.contains(&row.name));
    wanted.collect()
}

fn bare() -> Row {
    Row::new(BARE, Program::Own(Subject::Bare), Store::Memory)
}

fn locks(store: Store) -> Vec<Row> {
    let row = |what: &str, payload, media| {
        let name = format!("ApiLock, {store}, {what}");
        Row::new(name, Program::Own(Subject::Lock(payload)), store).media(media)
    };
    let bytes = row("bytes", Payload::Bytes, Media::Text);
    let json = row("JSON", Payload::Json, Media::Json);
    let floor = floor(Passage::Lock, store);
    let (bytes, json) = (bytes.floor(&floor.name), json.floor(&floor.name));
    if store == Store::Memory {
        let naive = row("a parsed Value", Payload::Value, Media::Json);
        return vec![floor, bytes.target(0.92), json.target(0.80), naive];
    }
    vec![floor, bytes.target(0.57), json]
}

fn keys(store: Store, passage: Passage) -> Vec<Row> {
    let (what, keys) = match passage {
        Passage::Replay => ("replay", Keys::Same),
        _ => ("first run", Keys::Fresh),
    };
    let row = |body: &str, media| {
        let name = format!("Idempotency, {store}, {what}, {body}");
        let row = Row::new(name, Program::Own(Subject::Keys), store);
        row.keys(keys).media(media)
    };
    let (bytes, json) = (row("bytes", Media::Text), row("JSON", Media::Json));
    let targets = match (store, passage) {
        (Store::Memory, Passage::Replay) => (Some(0.92), Some(0.80)),
        (Store::Memory, _) => (Some(0.80), Some(0.72)),
        (Store::Postgres | Store::Sqlite, _) => (None, None),
        (_, Passage::Replay) => (Some(0.67), None),
        _ => (Some(0.47), None),
    };
    let (bytes, json) = (bytes.target(targets.0), json.target(targets.1));
    let floor = floor(passage, store);
    let (bytes, json) = (bytes.floor(&floor.name), json.floor(&floor.name));
    vec![floor, bytes, json]
}

fn floor(passage: Passage, store: Store) -> Row {
    let (what, keys) = match passage {
        Passage::Lock => ("a lock", Keys::Fresh),
        Passage::FirstRun => ("a first run", Keys::Fresh),
        Passage::Commit => ("a commit", Keys::Fresh),
        Passage::Replay => ("a replay", Keys::Same),
    };
    let name = format!("floor of {what}, {store}");
    Row::new(name, Program::Own(Subject::Floor(passage)), store).keys(keys)
}

pub(crate) const CROWD: &str = "a million live keys";

/// The same on a store that is full of others' keys.
fn crowded() -> [Row; 2] {
    let row = |name: &str, subject| {
        let name = format!("{name}, {CROWD}");
        Row::new(name, Program::Own(subject), Store::Memory).media(Media::Text)
    };
    [
        row("ApiLock, memory, bytes", Subject::CrowdedLock),
        row(
            "Idempotency, memory, first run, bytes",
            Subject::CrowdedKeys,
        ),
    ]
}

pub(crate) const COMMIT: &str = "Idempotency, PostgreSQL on disk, commit";
pub(crate) const ASYNCHRONOUS: &str =
    "Idempotency, PostgreSQL on disk, commit, asynchronous claims";
pub(crate) const BOOK: &str = "the pattern of the book, PostgreSQL on disk";

/// First runs that commit a row with their claim, and the same in one transaction by hand.
fn commits() -> [Row; 4] {
    let floor = floor(Passage::Commit, Store::Disk);
    let row = |name: &str, subject| Row::new(name, Program::Own(subject), Store::Disk);
    let commit = row(COMMIT, Subject::Commit).media(Media::Text);
    let asynchronous = row(ASYNCHRONOUS, Subject::AsynchronousClaims).media(Media::Text);
    let commit = commit.floor(&floor.name);
    [row(BOOK, Subject::Book), floor, commit, asynchronous]
}

/// Eight requests of each key at once, on a handler that takes a millisecond.
fn duplicates() -> [Row; 2] {
    [Store::Memory, Store::Redis].map(|store| {
        let name = format!("Idempotency, {store}, duplicates that wait");
        let row = Row::new(name, Program::Own(Subject::WaitingKeys), store);
        row.keys(Keys::Shared(8))
    })
}

pub(crate) const API_CONCURRENCY: &str = "Express, api-concurrency, Redis";
pub(crate) const BY_HAND: &str = "Express, idempotency by hand, Redis, first run";
pub(crate) const BY_HAND_REPLAY: &str = "Express, idempotency by hand, Redis, replay";
pub(crate) const ACTIX_IDEMPOTENT: &str = "actix-idempotent, Redis, first run";
pub(crate) const ACTIX_IDEMPOTENT_REPLAY: &str = "actix-idempotent, Redis, replay";

fn peers() -> Vec<Row> {
    let by_hand = Program::Express("idempotency.js");
    let row = |name, program| Row::new(name, program, Store::Redis);
    vec![
        Row::new("Express, bare", Program::Express("bare.js"), Store::Memory),
        row(API_CONCURRENCY, Program::Express("api-concurrency.js")),
        row(BY_HAND, by_hand),
        row(BY_HAND_REPLAY, by_hand).keys(Keys::Same),
        row(ACTIX_IDEMPOTENT, Program::ActixIdempotent),
        row(ACTIX_IDEMPOTENT_REPLAY, Program::ActixIdempotent).keys(Keys::Same),
    ]
}

/// Few enough that a request waits for its own round trips rather than for others.
fn few_connections() -> Vec<Row> {
    const FEW: u32 = 8;
    const BARE_OF_FEW: &str = "bare handler, 8 connections";
    let few = |row: Row| {
        let name = format!("{}, {FEW} connections", row.name);
        let floor = row.floor.as_ref();
        let floor = floor.map(|floor| format!("{floor}, {FEW} connections"));
        Row { name, floor, ..row }.connections(FEW, BARE_OF_FEW)
    };
    let first_runs =
        [Store::Redis, Store::Memory, Store::Sqlite].map(|store| keys(store, Passage::FirstRun));
    let guarded = [vec![locks(Store::Redis)], first_runs.to_vec()].concat();
    let guarded = guarded.concat().into_iter().map(|row| row.target(None));
    let guarded = guarded.filter(|row| !row.name.contains("JSON"));
    [bare()].into_iter().chain(guarded).map(few).collect()
}
