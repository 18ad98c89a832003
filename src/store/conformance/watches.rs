//! Waiting for a key to change.

use super::*;
use crate::store::StoreError;

pub(super) async fn check<S: Store>(store: &S) {
    join_all([
        boxed(a_watch_ends_with_what_it_watches(store)),
        boxed(a_watch_of_what_is_gone_ends_at_once(store)),
    ])
    .await;
}

async fn a_watch_ends_with_what_it_watches<S: Store>(store: &S) {
    enum End {
        Complete,
        Release,
        Lapse,
        LapseOfARenewed,
    }
    let watch_until = async |end: End| {
        let lease = match end {
            End::Complete | End::Release => LONG,
            End::Lapse | End::LapseOfARenewed => SHORT,
        };
        let claim = claim_on(&new_key(), lease);
        must_claim(store, &claim).await;
        let seen = ClaimId::new(claim.token);
        let mut watch = Box::pin(store.changed(&claim.key, &seen));
        if matches!(end, End::Complete | End::Release) {
            let early = timeout(SHORT / 2, &mut watch).await;
            assert!(early.is_err(), "nothing has changed yet");
        }
        match end {
            End::Complete => assert_eq!(complete(store, &claim, LONG).await, Held::Yes),
            End::Release => assert_eq!(release(store, &claim).await, Held::Yes),
            End::Lapse => {}
            End::LapseOfARenewed => assert!(renew(store, &claim).await.is_some()),
        }
        ends(watch).await;
    };
    for end in [
        End::Complete,
        End::Release,
        End::Lapse,
        End::LapseOfARenewed,
    ] {
        watch_until(end).await;
    }
}

async fn a_watch_of_what_is_gone_ends_at_once<S: Store>(store: &S) {
    let key = new_key();
    let seen = ClaimId::new(claim_on(&key, LONG).token);
    ends(store.changed(&key, &seen)).await;
    must_claim(store, &claim_on(&key, LONG)).await;
    ends(store.changed(&key, &seen)).await;
}

async fn ends(watch: impl Future<Output = Result<(), StoreError>>) {
    let ended = timeout(Duration::from_secs(20), watch).await;
    ended.expect("the watch ends").expect("changed");
}
