//! What a key or a fingerprint is made of: no two sequences of parts give one digest, however alike
//! they look when they are written one after the other.

use actix_web::http::Method;
use actix_web_idempotency::{Idempotency, MemoryStore, Scope, store::StoreKey};
use proptest::prelude::*;

use super::cases;

/// So many letters in each part: one letter, so that all of equal length look alike when they are
/// put together.
fn parts(lengths: [usize; 4]) -> [String; 4] {
    lengths.map(|length| "a".repeat(length))
}

fn stored_key([scope, method, path, key]: &[String; 4]) -> StoreKey {
    let idempotency = Idempotency::builder(MemoryStore::new(), Scope::header("x-tenant")).build();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    idempotency
        .unwrap()
        .stored_key(Some(scope), &method, path, &key.parse().unwrap())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn one_text_cut_elsewhere_into_scope_method_path_and_key_is_another_operation(
        one in [1..4_usize, 1..4, 1..4, 1..4], other in [1..4_usize, 1..4, 1..4, 1..4],
    ) {
        let same = stored_key(&parts(one)) == stored_key(&parts(other));
        prop_assert_eq!(same, one == other);
    }
}
