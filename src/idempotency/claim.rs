use std::{
    fmt,
    future::{Ready, pending, ready},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload,
    http::StatusCode,
};

use super::{passed::MissingKey, settings::IdempotencySettings, transient::Transient};
use crate::{
    claim::{FencingError, Guard, HeldClaim, RecordOverrides, RecordRule},
    fingerprint::Fingerprint,
    runtime::log,
    store::StoreTime,
};

/// The claim under which a handler runs: tells what is known of it, and takes what the handler says of its
/// response.
///
/// An extractor, for handlers and for middlewares inside of [`Idempotency`](crate::Idempotency).
/// A request can run without a claim: it has no key, its method is not guarded, or the store was
/// away and the application fails open. Where that may be, take `Option<Claim>`; otherwise a request without
/// a key is refused with 400 `key-missing`, and any other with 500, because it was never claimed.
///
/// In a [shadow](crate::idempotency::IdempotencyBuilder::shadow) each request with a key has one, also those that a
/// real guard would refuse or replay. It is never lost there, and its fencing token is this machine's time.
///
/// ```
/// use actix_web::{HttpResponse, Result};
/// use actix_web_idempotency::{Claim, IdempotencyKey};
///
/// # enum Charge { Paid(u64), NoMoney, Unclear }
/// # async fn charge(key: &str, token: u64) -> Charge { Charge::NoMoney }
/// async fn pay(key: IdempotencyKey, claim: Claim) -> Result<HttpResponse> {
///     let token = claim.fencing_token().await?; // no later owner gets a smaller one
///     Ok(match charge(key.as_str(), token.0).await {
///         Charge::Paid(id) => HttpResponse::Created().body(id.to_string()),
///         Charge::NoMoney => {
///             claim.mark_transient(); // not recorded: the same key may try again
///             HttpResponse::PaymentRequired().finish()
///         }
///         Charge::Unclear => {
///             claim.record_always(); // the bank may have paid, so no retry must run
///             HttpResponse::BadGateway().finish()
///         }
///     })
/// }
/// ```
#[derive(Clone)]
pub struct Claim {
    /// None for a request that only a shadow lets run.
    pub(super) held_claim: Option<Arc<HeldClaim>>,
    /// For a commit.
    #[cfg_attr(
        not(feature = "sql"),
        allow(dead_code, reason = "only SQL stores commit")
    )]
    pub(super) guard: GuardOfClaim,
}

/// What a commit has to know of the guard of its claim.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "sql"),
    allow(dead_code, reason = "only SQL stores commit")
)]
pub(super) struct GuardOfClaim {
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) settings: Arc<IdempotencySettings>,
}

/// Marks a response that was committed, to be told from another one that the handler returns in its place.
pub(super) struct CommittedResponse;

impl Claim {
    /// Returns the claim that a guard holds, for the handler.
    pub(super) fn new(guard: &Guard, settings: &Arc<IdempotencySettings>) -> Option<Self> {
        Some(Self {
            held_claim: Some(Arc::clone(guard.held_claim()?)),
            guard: GuardOfClaim {
                fingerprint: guard.fingerprint(),
                settings: Arc::clone(settings),
            },
        })
    }

    /// Returns what stands for a claim where a shadow lets a request run that has none.
    pub(super) fn of_shadow(settings: &Arc<IdempotencySettings>) -> Self {
        Self {
            held_claim: None,
            guard: GuardOfClaim {
                fingerprint: None,
                settings: Arc::clone(settings),
            },
        }
    }

    /// Returns the claim that the handler depends on. On that of a shadow it must not.
    fn relied_on(&self) -> Option<&HeldClaim> {
        let held_claim = self.held_claim.as_deref();
        held_claim.filter(|_| !self.guard.settings.shadow)
    }

    fn set(&self, wish: impl FnOnce(&mut RecordOverrides)) {
        if let Some(held_claim) = &self.held_claim {
            wish(&mut held_claim.overrides());
        }
    }

    /// Returns the number of this run: 1, and one more for each owner of this key that has crashed. A handler
    /// whose attempt is above 1 may find parts of its work done.
    pub fn attempt(&self) -> NonZeroU32 {
        (self.held_claim.as_ref()).map_or(NonZeroU32::MIN, |held_claim| held_claim.attempt())
    }

    /// Confirms the claim and returns its fencing token: the store's time, later than that of any earlier
    /// owner of the key, unless the store's clock steps back. Write it down with the work, and refuse
    /// to write where a later one is: then a handler that was suspended for longer than its lease cannot undo
    /// what its successor has done.
    ///
    /// Costs one call to the store.
    ///
    /// # Errors
    ///
    /// When the claim is lost, or the store cannot be asked. As a response it is a 503, which frees
    /// the key for a retry.
    pub async fn fencing_token(&self) -> Result<StoreTime, FencingError> {
        match self.relied_on() {
            Some(held_claim) => held_claim.fencing_token().await,
            None => Ok(StoreTime::of_this_machine()),
        }
    }

    /// Returns whether the claim is lost, as far as this process knows: another owner may do the same work by
    /// now. The lease expired while the store was away, the store failed over, or an operator deleted the
    /// key. [`fencing_token`](Self::fencing_token) asks the store.
    ///
    /// A handler that has done nothing yet that cannot be undone should stop. Its response is still recorded
    /// if the key has no other owner.
    pub fn is_lost(&self) -> bool {
        self.relied_on().is_some_and(HeldClaim::is_lost)
    }

    /// Waits until the claim is [lost](Self::is_lost), to be raced against long work. Cancel safe.
    pub async fn lost(&self) {
        match self.relied_on() {
            Some(held_claim) => held_claim.lost().await,
            None => pending().await,
        }
    }

    /// Keeps the response out of the store, because of what is in it. That the work is done is still recorded:
    /// retries get 409 `response-not-stored`.
    ///
    /// ```
    /// use actix_web::HttpResponse;
    /// use actix_web_idempotency::Claim;
    ///
    /// async fn new_token(claim: Claim) -> HttpResponse {
    ///     claim.omit_response(); // it is shown once
    ///     HttpResponse::Created().body("s3cret")
    /// }
    /// ```
    pub fn omit_response(&self) {
        self.set(|overrides| overrides.omit_response = true);
    }

    /// Sets how long this response is remembered, instead of the middleware's
    /// [`retention`](crate::idempotency::IdempotencyBuilder::retention).
    pub fn retain_for(&self, retention: Duration) {
        self.set(|overrides| overrides.retention = Some(retention));
    }

    /// Frees the key for a retry instead of recording the response, whatever its status. Revokes
    /// [`record_always`](Self::record_always).
    pub fn mark_transient(&self) {
        self.set(|overrides| overrides.rule = RecordRule::Transient);
    }

    /// Records the response, whatever its status, because a retry would end the same way. Revokes
    /// [`mark_transient`](Self::mark_transient).
    pub fn record_always(&self) {
        self.set(|overrides| overrides.rule = RecordRule::Final);
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
        let overrides = self.held_claim.as_ref().map(|it| *it.overrides());
        f.debug_struct("Claim")
            .field("held_claim", &self.held_claim)
            .field("overrides", &overrides)
            .finish()
    }
}
