//! What a script looks at anew, because the key may have changed since the command before it.

use std::time::Duration;

use actix_web_idempotency::{
    Fingerprint,
    store::{
        NewClaim, Store, StoreKey,
        redis::redis::{Value, cmd, from_redis_value},
    },
};
use tokio::time::sleep;

use crate::support::redis::Redis;

const SCRIPT: &str = concat!(
    include_str!("../../../src/store/redis/commands/scripts/owner.lua"),
    include_str!("../../../src/store/redis/commands/scripts/begin.lua"),
);

fn claim(key: u8, work: &str) -> NewClaim {
    let key = StoreKey::new("race:", [key; 32]);
    NewClaim {
        fingerprint: Some(Fingerprint::digest(work)),
        grace: Duration::from_secs(60),
        ..NewClaim::lock(key, Duration::from_millis(1))
    }
}

/// Claims of other work never get here, unless it came between the two steps of a claim.
#[tokio::test]
async fn a_claim_of_other_work_that_has_come_meanwhile_is_not_taken_over() {
    let redis = Redis::start();
    let store = redis.store();
    let dead = claim(0, "tea");
    store.begin(&dead).await.unwrap();
    let taken = async |key: u8, work: &str| {
        let next = claim(key, work);
        store.begin(&next).await.unwrap();
        let mut connection = redis.connection();
        // Version and kind, token and attempt stand before the rest of a claim.
        let mut get = cmd("GET");
        let value = get.arg(next.key.to_string()).query(&mut connection);
        let value: Vec<u8> = value.unwrap();
        let mut eval = cmd("EVAL");
        eval.arg(SCRIPT).arg(1).arg(dead.key.to_string());
        eval.arg(next.token.to_hex()).arg(&value[38..]);
        let reply = eval.arg(60_000).arg(1).query(&mut connection);
        let reply: Vec<Value> = reply.unwrap();
        from_redis_value::<String>(reply[0].clone()).unwrap()
    };
    sleep(Duration::from_millis(10)).await;
    assert_eq!(taken(1, "coffee").await, "lapsed");
    assert_eq!(taken(2, "tea").await, "claimed");
}
