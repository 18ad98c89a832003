//! The conformance suite notices a store that makes a mistake, each of them alone.

mod broken;
mod claims;
mod inspection;
mod mistake;
mod owners;
mod records;

use std::panic::AssertUnwindSafe;

use actix_web_idempotency::{store::conformance, testing::BackgroundHere};
use futures_util::FutureExt;

use self::{broken::Broken, mistake::Mistake};

#[tokio::test(start_paused = true)]
async fn store_without_a_mistake_passes() {
    let _here = BackgroundHere::here();
    conformance::check(&Broken::by(None)).await;
    conformance::check_inspect(&Broken::by(None)).await;
}

#[tokio::test(start_paused = true)]
async fn every_mistake_of_a_store_is_noticed() {
    let _here = BackgroundHere::here();
    let mut unnoticed = vec![];
    for mistake in Mistake::OF_STORES {
        let store = Broken::by(Some(*mistake));
        let checked = AssertUnwindSafe(conformance::check(&store)).catch_unwind();
        if checked.await.is_ok() {
            unnoticed.push(mistake);
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

#[tokio::test(start_paused = true)]
async fn every_mistake_of_an_inspection_is_noticed() {
    let _here = BackgroundHere::here();
    let mut unnoticed = vec![];
    for mistake in Mistake::OF_INSPECTIONS {
        let store = Broken::by(Some(*mistake));
        conformance::check(&store).await;
        let checked = AssertUnwindSafe(conformance::check_inspect(&store)).catch_unwind();
        if checked.await.is_ok() {
            unnoticed.push(mistake);
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}
