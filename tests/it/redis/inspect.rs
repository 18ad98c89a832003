//! What an operator sees in Redis, where others keep their keys too.

use std::{num::NonZeroUsize, time::Duration};

use actix_web_idempotency::{
    ExpiredLease, RedisStore,
    store::{
        Begin, ClaimId, Cursor, Headers, Inspect, Inspected, NewClaim, OwnerToken, Page, Record,
        RecordedResponse, Store, StoreKey, redis::redis,
    },
};
use bytes::Bytes;
use tokio::time::timeout;

use crate::support::{
    claims::{LONG, PUSHED, claim_under, complete, take},
    eventually,
    redis::Redis,
};

/// What is left of something without an end.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

fn key(n: u8) -> StoreKey {
    StoreKey::new("inspect:", [n; 32])
}

fn claim(n: u8) -> NewClaim {
    claim_under("inspect:", n)
}

async fn page(store: &RedisStore, prefix: &str, from: &Cursor, most: usize) -> Page {
    let most = NonZeroUsize::new(most).unwrap();
    store.list(prefix, from, most).await.unwrap()
}

/// All that is listed, each key once, in order.
async fn list(store: &RedisStore, prefix: &str) -> Vec<(StoreKey, Inspected)> {
    let mut found = Vec::new();
    let mut next = Some(Cursor::start());
    while let Some(from) = next {
        let page = page(store, prefix, &from, 10).await;
        found.extend(page.entries);
        next = page.next;
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.dedup_by(|(one, _), (other, _)| one == other);
    found
}

fn set(redis: &Redis, key: &StoreKey, value: &[u8]) {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut set = redis::cmd("SET");
    set.arg(key.to_string()).arg(value);
    set.exec(&mut connection).unwrap();
}

#[tokio::test]
async fn a_key_of_another_type_is_unreadable_and_can_be_deleted() {
    let redis = Redis::start();
    let store = redis.store();
    redis.command(&["LPUSH", &key(0).to_string(), "x"]);
    redis.command(&["SADD", &key(1).to_string(), "x"]);
    let expected = [0, 1].map(|n| (key(n), Inspected::Unreadable));
    assert_eq!(list(&store, "inspect:").await, expected);
    for n in [0, 1] {
        let told = store.look_up(&key(n)).await.unwrap();
        assert_eq!(told, Some(Inspected::Unreadable));
        assert!(!store.force_release(&key(n)).await.unwrap());
        assert!(store.delete(&key(n)).await.unwrap());
        assert_eq!(store.look_up(&key(n)).await.unwrap(), None);
    }
}

/// The script that releases by force reads claims for itself; it must agree with what is told.
#[tokio::test]
async fn what_is_not_told_as_a_claim_is_not_released_by_force() {
    let redis = Redis::start();
    let store = redis.store();
    let token = "0a".repeat(16);
    let of = |parts: &[&[u8]]| parts.concat();
    let (kind, token) = (b"\x01C".as_slice(), token.as_bytes());
    let rest = [[0_u8, 0, 0, 1].as_slice(), &[0; 8]].concat();
    let fingerprint = [[1].as_slice(), &[7; 32]].concat();
    let claims = [
        of(&[token]),
        of(&[kind, token, &rest, &[0]]),
        of(&[kind, token, &rest, &fingerprint]),
        of(&[kind, token, &[0xff; 4], &[0xff; 8], &fingerprint]),
    ];
    let others = [
        of(&[]),
        of(&[b"busy"]),
        of(&[&token[1..]]),
        of(&[token, b"0"]),
        of(&[&[b'A'; 32]]),
        of(&[&[b'g'; 32]]),
        of(&[&[0; 32]]),
        of(&[kind]),
        of(&[kind, token]),
        of(&[kind, token, &rest]),
        of(&[kind, token, &rest, &[1]]),
        of(&[kind, token, &rest, &[2]]),
        of(&[kind, token, &rest, &[0, 0]]),
        of(&[kind, token, &rest, &[0], &fingerprint[1..]]),
        of(&[kind, token, &rest, &fingerprint[1..], &[0]]),
        of(&[kind, token, &rest, &fingerprint[..32]]),
        of(&[kind, token, &rest, &fingerprint, &[0]]),
        of(&[kind, token, &[0; 12], &[0]]),
        of(&[kind, &[b'A'; 32], &rest, &[0]]),
        of(&[b"\x02C", token, &rest, &[0]]),
        of(&[b"\x01X", token, &rest, &[0]]),
    ];
    let key = key(0);
    for (value, is_claim) in
        (claims.iter().map(|value| (value, true))).chain(others.iter().map(|value| (value, false)))
    {
        set(&redis, &key, value);
        let told = store.look_up(&key).await.unwrap().unwrap();
        assert_eq!(
            told != Inspected::Unreadable,
            is_claim,
            "{value:?}: {told:?}"
        );
        assert_eq!(list(&store, "inspect:").await, [(key.clone(), told)]);
        let released = store.force_release(&key).await.unwrap();
        assert_eq!(released, is_claim, "{value:?}");
        assert_eq!(store.delete(&key).await.unwrap(), !is_claim, "{value:?}");
    }
}

#[tokio::test]
async fn keys_of_others_are_passed_over() {
    let redis = Redis::start();
    let store = redis.store();
    let digits = "ab".repeat(32);
    for name in [
        "inspect:",
        "inspect:7",
        &format!("inspect:{}", &digits[1..]),
        &format!("inspect:{}", digits.to_uppercase()),
        &format!("inspect:{digits}:more"),
        &format!("other:inspect:{digits}"),
        "session:ann",
    ] {
        redis.command(&["SET", name, "x"]);
    }
    redis.command(&[
        "EVAL",
        r"redis.call('SET', 'inspect:\255' .. ARGV[1], 'x')",
        "0",
        &digits,
    ]);
    let lock = NewClaim::lock(key(0), LONG);
    take(&store, &lock).await;
    let found = list(&store, "inspect:").await;
    assert!(
        matches!(&found[..], [(found, Inspected::Lock { .. })] if *found == lock.key),
        "{found:?}"
    );
    assert_eq!(
        list(&store, "").await.len(),
        2,
        "with that of the other prefix"
    );
}

#[tokio::test]
async fn many_keys_of_others_do_not_make_many_pages() {
    let redis = Redis::start();
    let store = redis.store();
    let populate = "for n = 1, 20000 do redis.call('SET', 'other:' .. n, 'x') end";
    redis.command(&["EVAL", populate, "0"]);
    take(&store, &claim(0)).await;
    let (mut pages, mut found) = (0, 0);
    let mut next = Some(Cursor::start());
    while let Some(from) = next {
        let page = page(&store, "inspect:", &from, 1).await;
        pages += 1;
        found += page.entries.len();
        next = page.next;
    }
    assert!(found >= 1);
    assert!(pages < 100, "{pages} pages for 20000 keys");
    assert!(redis.calls("scan") < 500, "{} steps", redis.calls("scan"));
}

#[tokio::test]
async fn a_key_without_an_end_is_told_as_begin_takes_it() {
    let redis = Redis::start();
    let store = redis.store();
    let lock = NewClaim::lock(key(0), LONG);
    take(&store, &lock).await;
    for n in [1, 2] {
        take(&store, &claim(n)).await;
    }
    complete(
        &store,
        &NewClaim {
            token: OwnerToken::random(),
            ..claim(3)
        },
    )
    .await;
    for n in [0, 1, 3] {
        redis.command(&["PERSIST", &key(n).to_string()]);
    }
    let told = async |n| store.look_up(&key(n)).await.unwrap().unwrap();
    assert_eq!(told(0).await, Inspected::Lock { left: CENTURY });
    assert!(matches!(
        told(1).await,
        Inspected::Claim {
            lease_left: None,
            remembered_for: CENTURY,
            ..
        }
    ));
    assert!(matches!(
        told(2).await,
        Inspected::Claim {
            lease_left: Some(_),
            ..
        }
    ));
    assert!(matches!(
        told(3).await,
        Inspected::Finished { left: CENTURY, .. }
    ));
    let mut next = claim(1);
    next.on_expired_lease = ExpiredLease::Refuse;
    assert!(matches!(
        store.begin(&next).await.unwrap(),
        Begin::Expired { .. }
    ));
}

#[tokio::test]
async fn who_waits_is_told_by_push() {
    let redis = Redis::start();
    let store = redis.store();
    for by_force in [true, false] {
        let claim = claim(0);
        take(&store, &claim).await;
        let looked = redis.calls("pttl");
        let waiting = tokio::spawn({
            let (store, claim) = (store.clone(), claim.clone());
            async move { store.changed(&claim.key, &ClaimId::new(claim.token)).await }
        });
        // It subscribes before it compares, so from here on it waits for the push.
        eventually("it has compared", async || redis.calls("pttl") > looked).await;
        assert!(match by_force {
            true => store.force_release(&claim.key).await.unwrap(),
            false => store.delete(&claim.key).await.unwrap(),
        });
        let told = timeout(PUSHED, waiting).await.expect("it is told");
        told.unwrap().unwrap();
    }
}

#[tokio::test]
async fn bodies_stay_in_redis_and_what_is_damaged_is_unreadable() {
    let redis = Redis::start();
    let store = redis.store();
    let body = vec![b'x'; 1_000_000];
    let answer = RecordedResponse {
        fingerprint: claim(0).fingerprint,
        status: 201,
        headers: [("location", "/orders/1"), ("x-empty", "")]
            .into_iter()
            .collect(),
        body: body.into(),
    };
    let size = answer.size();
    for n in 0..10 {
        let record = Record::Response(answer.clone());
        let lease = claim(n).lease();
        store.complete(&lease, &record, LONG).await.unwrap();
    }
    let sent = || {
        let stats: String = redis::from_redis_value(redis.command(&["INFO", "stats"])).unwrap();
        let sent = stats
            .lines()
            .find_map(|line| line.strip_prefix("total_net_output_bytes:"));
        sent.unwrap().parse::<u64>().unwrap()
    };
    let before = sent();
    let listed = list(&store, "inspect:").await;
    assert_eq!(listed.len(), 10);
    for (_, told) in listed {
        assert!(
            matches!(told, Inspected::Finished { status: Some(201), size: Some(told), .. } if told == size),
            "{told:?}"
        );
    }
    assert!(sent() - before < 100_000, "{} bytes", sent() - before);

    // Cut anywhere in what stands before the body it is unreadable, as it is for a claim.
    let value: Vec<u8> =
        redis::from_redis_value(redis.command(&["GETRANGE", &key(0).to_string(), "0", "200"]))
            .unwrap();
    let head = 34 + 33 + 6 + 2 + 8 + 4 + 9 + 2 + 7 + 4;
    for end in 0..=head {
        set(&redis, &key(0), &value[..end]);
        let told = store.look_up(&key(0)).await.unwrap().unwrap();
        assert_eq!(told == Inspected::Unreadable, end < head, "{end}: {told:?}");
        let begun = store.begin(&claim(0)).await.unwrap();
        assert_eq!(
            matches!(begun, Begin::Unreadable),
            end < head,
            "{end}: {begun:?}"
        );
    }
    let mut many = value[..head].to_vec();
    many[34 + 33 + 2..][..4].copy_from_slice(&[0xff; 4]);
    set(&redis, &key(0), &many);
    let told = store.look_up(&key(0)).await.unwrap();
    assert_eq!(told, Some(Inspected::Unreadable));
}

#[tokio::test]
async fn a_flush_of_the_scripts_changes_nothing() {
    let redis = Redis::start();
    let store = redis.store();
    for n in 0..100 {
        take(&store, &claim(n)).await;
    }
    for _ in 0..2 {
        redis.command(&["SCRIPT", "FLUSH"]);
        assert_eq!(list(&store, "inspect:").await.len(), 100);
    }
}

#[tokio::test]
async fn a_page_takes_no_longer_than_any_other_call() {
    let redis = Redis::start();
    let store = redis.default_store();
    take(&store, &claim(0)).await;
    redis.freeze();
    let began = std::time::Instant::now();
    let listed = store.list("", &Cursor::start(), NonZeroUsize::MAX).await;
    let took = began.elapsed();
    redis.thaw();
    assert!(listed.unwrap_err().may_have_run());
    assert!(took < Duration::from_millis(1500), "{took:?}");
}

#[tokio::test]
async fn a_cursor_of_another_store_is_refused() {
    let redis = Redis::start();
    let from = Cursor::new(key(0).to_string());
    let listed = redis.store().list("", &from, NonZeroUsize::MIN).await;
    assert!(listed.unwrap_err().to_string().contains("cursor"));
}

#[tokio::test]
async fn what_is_told_names_no_owner() {
    let redis = Redis::start();
    let store = redis.store();
    let lock = NewClaim::lock(key(0), LONG);
    let (held, done) = (claim(1), claim(2));
    for claim in [&lock, &held, &done] {
        take(&store, claim).await;
    }
    complete(&store, &done).await;
    let page = page(&store, "", &Cursor::start(), 100).await;
    let shown = format!("{page:?}");
    assert_eq!(page.entries.len(), 3, "{shown}");
    for claim in [lock, held, done] {
        assert!(!shown.contains(&claim.token.to_hex()), "{shown}");
    }
}

#[tokio::test]
async fn the_recipes_of_the_guide_show_what_they_say() {
    let redis = Redis::start();
    let store = redis.store();
    let (lock, held, done) = (NewClaim::lock(key(0), LONG), claim(1), claim(2));
    for claim in [&lock, &held, &done] {
        take(&store, claim).await;
    }
    let answer = Record::Response(RecordedResponse {
        fingerprint: done.fingerprint,
        status: 201,
        headers: Headers::new(),
        body: Bytes::from_static(b"body"),
    });
    store.complete(&done.lease(), &answer, LONG).await.unwrap();
    let range = |n: u8, from: &str, to: &str| -> Vec<u8> {
        let value = redis.command(&["GETRANGE", &key(n).to_string(), from, to]);
        redis::from_redis_value(value).unwrap()
    };
    let length = redis.command(&["STRLEN", &key(0).to_string()]);
    assert_eq!(length, redis::Value::Int(32));
    assert_eq!(range(1, "0", "1"), b"\x01C");
    assert_eq!(range(2, "0", "1"), b"\x01A");
    assert_eq!(range(1, "2", "33"), held.token.to_hex().as_bytes());
    assert_eq!(range(1, "34", "37"), 1_u32.to_be_bytes());
    assert_eq!(range(2, "34", "34"), b"\x01");
    assert_eq!(range(2, "67", "68"), b"\x00\xc9");
}
