use std::{borrow::Cow, sync::Arc, time::Duration};

use actix_web::{dev::RequestHead, http::Method};

use super::{ApiLock, payload::LockPayload, settings::LockSettings};
use crate::{
    claim::Claims,
    config::{ConfigError, StoreFailure},
    event::{Event, Observer},
    middleware::{BodyReader, RequestFilter},
    problem::Problems,
    store::Store,
};

const LONGEST_TTL: Duration = Duration::from_secs(365 * 24 * 3600);

/// Settings of an [`ApiLock`]. Each has a default.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct ApiLockBuilder {
    settings: LockSettings,
}

impl ApiLockBuilder {
    pub(super) fn new(store: impl Store, payload: LockPayload) -> Self {
        let settings = LockSettings {
            claims: Claims::new(store),
            payload,
            ttl: Duration::from_secs(60),
            store_failure: StoreFailure::default(),
            key_prefix: Arc::from("ApiLock:"),
            error_message: None,
            filter: RequestFilter::default(),
            body: BodyReader {
                most: 2 * 1024 * 1024,
                pause: Duration::from_secs(30),
            },
            ignore_body: false,
            problems: Problems::new(),
            shadow: false,
        };
        Self { settings }
    }

    /// Sets the lock's time to live: after it the lock ends, although its request may still run. It frees
    /// the locks of a process that has crashed; a request that runs longer can be joined by an equal one.
    ///
    /// Defaults to 60 seconds, as in api-concurrency: longer than a request should take, short
    /// enough to wait for after a crash. From 1 ms to 365 days.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.settings.ttl = ttl;
        self
    }

    /// Sets what happens to a request while the store cannot be asked. [`silent`](Self::silent) sets the
    /// same by a `bool`; the later call counts.
    ///
    /// Defaults to [`StoreFailure::FailClosed`]: 503 `store-unavailable`.
    pub fn on_store_failure(mut self, policy: StoreFailure) -> Self {
        self.settings.store_failure = policy;
        self
    }

    /// Lets requests run unguarded while the store cannot be asked, and logs a warning. api-concurrency's
    /// word for [`on_store_failure`](Self::on_store_failure): `true` is [`StoreFailure::FailOpen`], `false`
    /// [`StoreFailure::FailClosed`].
    ///
    /// Defaults to `false`: an application that asks for a lock would rather not run a request than run it
    /// twice.
    pub fn silent(self, silent: bool) -> Self {
        self.on_store_failure(match silent {
            true => StoreFailure::FailOpen,
            false => StoreFailure::FailClosed,
        })
    }

    /// Sets what every stored key begins with. Two locks that must not meet need two prefixes, or payloads that
    /// cannot be equal.
    ///
    /// Defaults to `ApiLock:`.
    pub fn key_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.settings.key_prefix = prefix.into();
        self
    }

    /// Sets the `detail` of the problem `busy`. How problems look otherwise: [`problems`](Self::problems).
    ///
    /// Defaults to `Resource is busy`.
    pub fn error_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.settings.error_message = Some(message.into());
        self
    }

    /// Guards these methods only; the others pass, their body unread. At least one; to leave out single
    /// requests use [`skip`](Self::skip).
    ///
    /// Defaults to every method but `OPTIONS`, so of two equal `GET`s at once the second is refused ([a lock
    /// around an App](crate::guide::locks#a-lock-around-an-app)).
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.settings.filter.methods = Some(methods.into_iter().collect());
        self
    }

    /// Lets requests pass for which the closure returns `true`, for instance uploads; their body is not read.
    ///
    /// Defaults to none.
    pub fn skip(mut self, skip: impl Fn(&RequestHead) -> bool + Send + Sync + 'static) -> Self {
        self.settings.filter.skip = Some(Arc::new(skip));
        self
    }

    /// Leaves the body to the handler: [`RequestView::body`](crate::RequestView::body) is empty,
    /// and bodies of any size stream through. [`max_body`](Self::max_body) and
    /// [`body_timeout`](Self::body_timeout) then have no effect.
    ///
    /// Defaults to `false`: the body is read first, because a payload without it cannot tell two orders apart.
    pub fn ignore_body(mut self, ignore: bool) -> Self {
        self.settings.ignore_body = ignore;
        self
    }

    /// Sets the most bytes of a body that are read, and kept while the handler runs. Beyond it the response is
    /// 413.
    ///
    /// Defaults to 2 MiB, which is also where actix' `Json` extractor stops.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings.body.most = bytes;
        self
    }

    /// Sets the longest pause between two pieces of a body; the whole body may take ten times as long. Beyond
    /// it the response is 408.
    ///
    /// Defaults to 30 seconds: tolerates a short loss of signal and bounds slow-body attacks.
    pub fn body_timeout(mut self, pause: Duration) -> Self {
        self.settings.body.pause = pause;
        self
    }

    /// Sets how the responses to refused requests look. The `detail` of `busy` is
    /// [`error_message`](Self::error_message).
    ///
    /// ```
    /// use actix_web::http::StatusCode;
    /// use actix_web_idempotency::{
    ///     ApiLock, MemoryStore,
    ///     problem::{ProblemKind, Problems},
    /// };
    ///
    /// let problems = Problems::new().render(|problem| match problem.kind() {
    ///     ProblemKind::Busy => problem.to_response_with(StatusCode::TOO_MANY_REQUESTS),
    ///     _ => problem.to_response(),
    /// });
    /// let lock = ApiLock::builder(MemoryStore::new(), |req| req.path().to_owned())
    ///     .problems(problems)
    ///     .build()?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    ///
    /// Defaults to RFC 9457 problems that link to this crate's documentation.
    pub fn problems(mut self, problems: Problems) -> Self {
        self.settings.problems = problems;
        self
    }

    /// Sets a closure that receives each request that was guarded or refused, and incidents in the background:
    /// for metrics, traces and alerts. It runs on the worker, so it must not block. A second call replaces the
    /// first.
    ///
    /// Defaults to none, and then nothing is measured. The events are listed in [`event`](crate::event).
    pub fn on_event(mut self, tell: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        self.settings.claims = self.settings.claims.observed_by(Observer::new(tell));
        self
    }

    /// Sets the lock to observe only: it evaluates and reports every request, and blocks none. Start here in a
    /// production API. [`rollout`](crate::guide::rollout) has the further steps, and what changes even so.
    ///
    /// ```
    /// use actix_web_idempotency::{ApiLock, MemoryStore, event::Event};
    ///
    /// let lock = ApiLock::builder(MemoryStore::new(), |req| req.path().to_owned())
    ///     .shadow(true)
    ///     .on_event(|event| {
    ///         if let Event::Request(request) = event && request.shadow {
    ///             println!("{} {:?}", request.outcome.as_str(), request.status);
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    ///
    /// Defaults to `false`.
    pub fn shadow(mut self, shadow: bool) -> Self {
        self.settings.shadow = shadow;
        self
    }

    /// Builds the middleware.
    ///
    /// # Errors
    ///
    /// When a setting cannot work. The error names it with its value.
    pub fn build(self) -> Result<ApiLock, ConfigError> {
        let settings = &self.settings;
        let ttl = settings.ttl;
        if ttl < Duration::from_millis(1) || ttl > LONGEST_TTL {
            return Err(ConfigError::new(format!(
                "ttl must be between 1 ms and 365 days (got {ttl:?}); choose it longer than the \
                 slowest request"
            )));
        }
        settings.filter.check()?;
        settings.body.check()?;
        settings.problems.check()?;
        if settings.shadow {
            crate::middleware::shadow::announce("ApiLock");
        }
        Ok(self.build_unchecked())
    }

    pub(super) fn build_unchecked(self) -> ApiLock {
        ApiLock::with(self.settings)
    }
}

#[cfg(test)]
#[cfg(feature = "memory")]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    fn refused(change: impl FnOnce(ApiLockBuilder) -> ApiLockBuilder) -> String {
        let builder = ApiLock::builder(MemoryStore::new(), |req| req.path().to_owned());
        change(builder).build().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_work_is_refused_and_says_why() {
        let ttl = refused(|b| b.ttl(Duration::ZERO));
        assert!(
            ttl.contains("ttl must be") && ttl.contains("got 0ns"),
            "{ttl}"
        );
        assert!(refused(|b| b.ttl(Duration::MAX)).contains("365 days"));
        assert!(refused(|b| b.methods([])).contains("at least one"));
        assert!(refused(|b| b.methods([Method::OPTIONS])).contains("OPTIONS"));
        assert!(refused(|b| b.body_timeout(Duration::ZERO)).contains("body_timeout"));
        assert!(refused(|b| b.body_timeout(Duration::MAX)).contains("body_timeout"));
        assert!(refused(|b| b.problems(Problems::new().base("problems"))).contains("absolute URI"));
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let builder = ApiLock::builder(MemoryStore::new(), |req| req.path().to_owned());
        let settings = builder.settings;
        assert_eq!(settings.ttl, Duration::from_millis(60_000));
        assert_eq!(&*settings.key_prefix, "ApiLock:");
        assert_eq!(settings.store_failure, StoreFailure::FailClosed);
        assert_eq!(settings.body.most, 2 * 1024 * 1024);
        assert_eq!(settings.body.pause, Duration::from_secs(30));
    }
}
