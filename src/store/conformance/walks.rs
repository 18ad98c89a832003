//! Listing what a store holds.

use std::{collections::HashMap, num::NonZeroUsize};

use super::*;

pub(super) async fn check<S: Inspect>(store: &S) {
    join_all([
        boxed(a_walk_finds_all_of_a_prefix_and_nothing_else(store)),
        boxed(a_walk_finds_what_stays_while_others_come_and_go(store)),
        boxed(a_prefix_is_not_a_pattern(store)),
        boxed(a_prefix_may_end_anywhere(store)),
    ])
    .await;
}

/// What a walk over all keys with this prefix finds.
pub(super) async fn list<S: Inspect>(store: &S, prefix: &str) -> HashMap<StoreKey, Inspected> {
    walk(store, prefix, 100, async || {}).await
}

/// The same, with small pages, and with something that is done between two of them.
async fn walk<S: Inspect>(
    store: &S,
    prefix: &str,
    most: usize,
    mut between: impl AsyncFnMut(),
) -> HashMap<StoreKey, Inspected> {
    let most = NonZeroUsize::new(most).expect("not 0");
    let mut found = HashMap::new();
    let mut from = Cursor::start();
    // So many that only a walk without an end has more.
    for _page in 0..1_000_000 {
        let page = store.list(prefix, &from, most).await.expect("list");
        found.extend(page.entries);
        let Some(next) = page.next else {
            return found;
        };
        // As it comes back from a client.
        from = Cursor::new(next.to_string());
        between().await;
    }
    panic!("the walk does not end");
}

/// A prefix that nothing else uses.
fn new_prefix() -> String {
    format!("conformance:{:016x}:", rand::random::<u64>())
}

async fn claim_some<S: Store>(store: &S, prefix: &str, count: usize) -> Vec<NewClaim> {
    let claims: Vec<_> = (0..count)
        .map(|_| claim_on(&StoreKey::new(prefix, rand::random()), LONG))
        .collect();
    join_all(claims.iter().map(|claim| must_claim(store, claim))).await;
    claims
}

#[track_caller]
fn assert_found(found: &HashMap<StoreKey, Inspected>, expected: &[NewClaim]) {
    for claim in expected {
        assert!(found.contains_key(&claim.key), "{:?} is missing", claim.key);
    }
    assert_eq!(found.len(), expected.len(), "keys too many were found");
}

async fn a_walk_finds_all_of_a_prefix_and_nothing_else<S: Inspect>(store: &S) {
    let (one, other) = (new_prefix(), new_prefix());
    let ones = claim_some(store, &one, 250).await;
    let others = claim_some(store, &other, 10).await;
    for most in [1, 7, 10_000] {
        let mut pages = 1;
        let found = walk(store, &one, most, async || pages += 1).await;
        assert_found(&found, &ones);
        assert!(most > 7 || pages > 10, "{pages} pages for 250 keys");
    }
    assert_found(&list(store, &other).await, &others);
    assert_found(&list(store, &new_prefix()).await, &[]);
}

async fn a_walk_finds_what_stays_while_others_come_and_go<S: Inspect>(store: &S) {
    let prefix = new_prefix();
    let stays = claim_some(store, &prefix, 200).await;
    let mut goes = claim_some(store, &prefix, 200).await;
    let found = walk(store, &prefix, 7, async || {
        for claim in goes.drain(goes.len().saturating_sub(5)..) {
            assert_eq!(release(store, &claim).await, Held::Yes);
        }
        claim_some(store, &prefix, 5).await;
    })
    .await;
    for claim in &stays {
        assert!(found.contains_key(&claim.key), "{:?} is missing", claim.key);
    }
}

async fn a_prefix_is_not_a_pattern<S: Inspect>(store: &S) {
    let before = new_prefix();
    for (prefix, other) in [
        ("*:", "all:"),
        ("?:", "x:"),
        ("[a-z]:", "b:"),
        ("[^a]:", "b:"),
        (r"\*:", "*:"),
        (r"\:", r"\\:"),
        ("]", "["),
        ("é:", "e:"),
    ] {
        let (prefix, other) = (format!("{before}1{prefix}"), format!("{before}1{other}"));
        let claims = claim_some(store, &prefix, 2).await;
        let others = claim_some(store, &other, 1).await;
        assert_found(&list(store, &prefix).await, &claims);
        for claim in claims.iter().chain(&others) {
            release(store, claim).await;
        }
    }
}

async fn a_prefix_may_end_anywhere<S: Inspect>(store: &S) {
    let prefix = new_prefix();
    let mut claims = claim_some(store, &format!("{prefix}a:"), 3).await;
    claims.extend(claim_some(store, &format!("{prefix}b:"), 3).await);
    for end in [prefix.len() - 4, prefix.len()] {
        assert_found(&list(store, &prefix[..end]).await, &claims);
    }
    for claim in &claims {
        let key = claim.key.to_string();
        for prefix in [&key[..key.len() - 40], &key] {
            let found = list(store, prefix).await;
            assert_found(&found, std::slice::from_ref(claim));
        }
    }
}
