//! The removal of rows whose keys are forgotten.

use std::time::Duration;

use actix_web_idempotency::store::{NewClaim, Store, StoreKey};
use tokio::time::sleep;

use crate::support::{
    claims::{assert_finished, claim_under, complete, take},
    sqlite::SqliteFile,
};

const SHORT: Duration = Duration::from_millis(5);

#[tokio::test]
async fn purge_removes_what_is_forgotten_in_several_steps_and_nothing_else() {
    let file = SqliteFile::new().await;
    let (kept, live) = (claim_under("kept:", 1), claim_under("live:", 1));
    for claim in [&kept, &live] {
        take(&file.store, claim).await;
    }
    complete(&file.store, &kept).await;
    // More than one step removes.
    for _ in 0..1_100 {
        let gone = NewClaim::lock(StoreKey::new("gone:", rand::random()), SHORT);
        file.store.begin(&gone).await.unwrap();
    }
    sleep(SHORT * 4).await;
    assert_eq!(file.store.purge().await.unwrap(), 1_100);
    assert_eq!(file.store.purge().await.unwrap(), 0);
    assert_eq!(
        file.number("SELECT count(*) FROM idempotency_keys").await,
        2
    );
    assert_finished(&file.store, &kept).await;
}
