use tokio::time::{Duration, sleep, timeout};

use super::{LEASE, SLACK, target::Target};

/// Waits for what a lease bounds.
pub(super) async fn soon<F>(target: Target, what: &str, holds: impl Fn() -> F)
where
    F: Future<Output = bool>,
{
    let polls = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LEASE + SLACK, polls)
        .await
        .unwrap_or_else(|_| panic!("never {what}: {target:?}"));
}
