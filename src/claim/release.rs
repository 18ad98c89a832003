use tokio::time::timeout_at;

use super::{context::Context, held_claim::HeldClaim};
use crate::{
    event::FinishOutcome,
    runtime::log,
    store::{Held, StoreError},
};

/// Frees a key. When the connection is lost on the way the store is asked once more, and not to find
/// the claim then means that the first time has freed it.
pub(super) async fn release(context: &Context, held_claim: &HeldClaim) -> Result<Held, StoreError> {
    held_claim.set_ending(true);
    let lease = held_claim.lease();
    let err = match context.release(lease).await {
        Ok(held) => return Ok(held),
        Err(err) => err,
    };
    let Some(until) = err.again_until() else {
        return Err(err);
    };
    let again = timeout_at(until, context.release(lease)).await;
    again.unwrap_or_else(|_elapsed| Err(StoreError::timeout()))?;
    Ok(Held::Yes)
}

/// Returns how a run has ended whose key was to be freed.
pub(super) fn settled(held_claim: &HeldClaim, held: Held) -> FinishOutcome {
    match held {
        Held::Yes => FinishOutcome::Confirmed,
        Held::Lost => {
            let key = held_claim.key();
            log::warn!(
                key:%, settled = "lost";
                "{key} was no longer claimed when its run ended: it took longer than the claim lasts, or \
                 somebody deleted the key"
            );
            FinishOutcome::Lost
        }
    }
}
