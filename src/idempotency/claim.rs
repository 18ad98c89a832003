use std::{
    fmt,
    future::{Ready, ready},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload,
    http::StatusCode,
};

use super::{passed::MissingKey, transient::Transient};
use crate::{
    claim::{FencingError, HeldClaim, RecordRule},
    runtime::log,
    store::StoreTime,
};

/// The claim under which a handler runs: what it can know of it, and say about its answer.
///
/// An extractor, for handlers and for middlewares inside of [`Idempotency`](crate::Idempotency).
/// A request can run without a claim: it has no key, its method is not guarded, or the store was
/// away and the application fails open. Where that may be, take `Option<Claim>`; otherwise a request without
/// a key is refused with 400 `key-missing`, and any other with 500, because it was never claimed.
///
/// ```
/// use actix_web::{HttpResponse, Result};
/// use actix_web_idempotency::{Claim, IdempotencyKey};
///
/// # async fn charge(key: &str, fence: u64) -> Option<u64> { None }
/// async fn pay(key: IdempotencyKey, claim: Claim) -> Result<HttpResponse> {
///     let fence = claim.fencing_token().await?; // no later owner is told a smaller one
///     match charge(key.as_str(), fence.0).await {
///         Some(id) => Ok(HttpResponse::Created().body(id.to_string())),
///         None => {
///             claim.mark_transient(); // let it be tried again, although this is no failure of ours
///             Ok(HttpResponse::PaymentRequired().finish())
///         }
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Claim {
    held_claim: Arc<HeldClaim>,
}

impl Claim {
    pub(super) fn new(held_claim: Arc<HeldClaim>) -> Self {
        Self { held_claim }
    }

    /// 1 unless owners of this key have died, one more for each. A handler that is not the first
    /// may find parts of its work done.
    pub fn attempt(&self) -> NonZeroU32 {
        self.held_claim.attempt()
    }

    /// Confirms the claim and returns the store's time: later than what any earlier owner of the
    /// key was told, unless the store's clock steps back. Write it down with the work, and refuse
    /// to write where a later one stands: then a handler that was suspended for longer than its
    /// lease cannot undo what its successor has done.
    ///
    /// Costs one call to the store.
    ///
    /// # Errors
    ///
    /// When the claim is lost, or the store cannot be asked. As an answer it is a 503, which frees
    /// the key for a retry.
    pub async fn fencing_token(&self) -> Result<StoreTime, FencingError> {
        self.held_claim.fencing_token().await
    }

    /// Whether the claim is lost: another may do the same work by now. The lease ran out while the
    /// store was away, the store failed over, or an operator deleted the key. As far as this
    /// process knows; [`fencing_token`](Self::fencing_token) asks.
    ///
    /// A handler that has not yet done anything that cannot be undone had better stop. Its answer
    /// is still recorded if nobody has taken its place.
    pub fn is_lost(&self) -> bool {
        self.held_claim.is_lost()
    }

    /// Returns once the claim is [lost](Self::is_lost), to be raced against long work. Cancel safe.
    pub async fn lost(&self) {
        self.held_claim.lost().await;
    }

    /// Keeps the answer out of the store, because of what is in it. Only the fact is remembered:
    /// repetitions are told 409 `response-not-stored`.
    pub fn omit_response(&self) {
        self.held_claim.overrides().omit_response = true;
    }

    /// Remembers the answer for another time than the middleware's retention.
    pub fn retain_for(&self, retention: Duration) {
        self.held_claim.overrides().retention = Some(retention);
    }

    /// The answer is not recorded, whatever its status, and the key is free for a retry. Revokes
    /// [`record_always`](Self::record_always).
    pub fn mark_transient(&self) {
        self.held_claim.overrides().rule = RecordRule::Transient;
    }

    /// The answer is recorded, whatever its status: a retry would end the same way. Revokes
    /// [`mark_transient`](Self::mark_transient).
    pub fn record_always(&self) {
        self.held_claim.overrides().rule = RecordRule::Final;
    }
}

/// 503 without a body, which is not recorded under any rule: the handler did not do its work, and a retry can
/// succeed.
impl ResponseError for FencingError {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        Transient::mark(&mut response);
        response
    }
}

impl FromRequest for Claim {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let claim = req.extensions().get::<Self>().cloned();
        ready(claim.ok_or_else(|| match MissingKey::at_a_guard(req) {
            Some(missing) => missing.into(),
            None => {
                let route = req.match_pattern();
                MissingClaim { route }.into()
            }
        }))
    }
}

/// A request that runs without a claim, and a handler that needs one. Said when it becomes a response:
/// an `Option<Claim>` drops it, and is right to.
#[derive(Debug)]
struct MissingClaim {
    /// The pattern of the handler's route, if it has one.
    route: Option<String>,
}

impl fmt::Display for MissingClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request runs without a claim")
    }
}

/// 500 without a body: the application is mistaken, which is nothing to tell a client.
impl ResponseError for MissingClaim {
    fn error_response(&self) -> HttpResponse {
        let route = self.route.as_deref().unwrap_or("the default service");
        log::error!(
            route;
            "a handler asks for its Claim and runs without one ({route}): wrap it in Idempotency, \
             require the key, or take Option<Claim>"
        );
        HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("held_claim", &self.held_claim)
            .field("overrides", &*self.held_claim.overrides())
            .finish()
    }
}
