use std::{sync::Arc, time::Duration};

use actix_web::{dev::RequestHead, http::Method};

use super::{
    fingerprinting::Fingerprinting, key_source::KeySource, recording::Recording, scope::Scope,
    settings::IdempotencySettings,
};
use crate::{
    claim::{ClaimTerms, Claims},
    config::{ConfigError, ExpiredLease, InFlight, StoreFailure},
    event::{Event, Observer},
    middleware::{BodyReader, RequestFilter},
    problem::Problems,
    store::Store,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Settings of an [`Idempotency`](super::Idempotency). Each has a default.
///
/// ```
/// use std::time::Duration;
///
/// use actix_web_idempotency::{
///     Idempotency, InFlight, KeySource, ExpiredLease, MemoryStore, Recording, Scope,
/// };
///
/// let idempotency = Idempotency::builder(MemoryStore::new(), Scope::header("x-tenant-id"))
///     .required(true)
///     .retention(Duration::from_secs(7 * 24 * 3600))
///     .on_in_flight(InFlight::Wait(Duration::from_secs(10).into()))
///     .on_expired_lease(ExpiredLease::Refuse)
///     .key(KeySource::default().max_length(64))
///     .recording(Recording::new().max_body(64 * 1024))
///     .build()?;
/// # Ok::<_, actix_web_idempotency::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct IdempotencyBuilder {
    settings: IdempotencySettings,
}

impl IdempotencyBuilder {
    pub(super) fn new(store: impl Store, scope: Scope) -> Self {
        let settings = IdempotencySettings {
            claims: Claims::new(store),
            scope,
            key: KeySource::default(),
            required: false,
            key_prefix: Arc::from("idempotency:"),
            filter: RequestFilter {
                methods: Some(vec![Method::POST, Method::PUT, Method::PATCH]),
                skip: None,
            },
            body: BodyReader {
                most: 2 * 1024 * 1024,
                pause: Duration::from_secs(30),
            },
            fingerprinting: Fingerprinting::new(),
            terms: ClaimTerms {
                lease: Duration::from_secs(30),
                renew_for: Duration::from_secs(600),
                retention: Duration::from_secs(24 * 3600),
                expired_lease: ExpiredLease::default(),
            },
            in_flight: InFlight::default(),
            store_failure: StoreFailure::default(),
            recording: Recording::new(),
            problems: Problems::new(),
            shadow: false,
        };
        Self { settings }
    }

    /// Refuses requests on guarded [`methods`](Self::methods) that have no key, with 400 `key-missing`.
    ///
    /// Defaults to `false`: requests without a key pass through, so that clients can adopt keys gradually.
    pub fn required(mut self, required: bool) -> Self {
        self.settings.required = required;
        self
    }

    /// Guards these methods only; the others pass untouched, whatever header they carry. At least one; to
    /// leave out single requests use [`skip`](Self::skip).
    ///
    /// Defaults to `POST`, `PUT` and `PATCH`. `PUT` is idempotent by definition, yet a late retry overwrites
    /// what has been written since.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.settings.filter.methods = Some(methods.into_iter().collect());
        self
    }

    /// Lets requests pass for which the closure returns `true`; their body is not read.
    ///
    /// Defaults to none.
    pub fn skip(mut self, skip: impl Fn(&RequestHead) -> bool + Send + Sync + 'static) -> Self {
        self.settings.filter.skip = Some(Arc::new(skip));
        self
    }

    /// Sets how long a response is remembered, counted from its recording; with
    /// [`ExpiredLease::Refuse`] also how long a crashed owner is, counted from the end of its lease.
    ///
    /// Defaults to 24 hours, as long as patient clients retry. Tell clients: after it the same key
    /// runs again. At least as long as [`lease`](Self::lease) and as a [wait](InFlight::Wait), at most 365
    /// days.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.settings.terms.retention = retention;
        self
    }

    /// Sets the lease duration. The lease is renewed while the handler runs, for
    /// [`renew_for`](Self::renew_for) at most; after a crash the key stays claimed for at most this long.
    ///
    /// Defaults to 30 seconds: long enough to survive a store that restarts, short enough for a
    /// client that retries. From 100 ms to 1 hour, and no longer than `renew_for` and
    /// [`retention`](Self::retention).
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.terms.lease = lease;
        self
    }

    /// Sets the longest time a lease is renewed. A handler that runs longer counts as hung: its last
    /// lease expires, and [`on_expired_lease`](Self::on_expired_lease) decides.
    ///
    /// Defaults to 10 minutes. No proxy waits that long for a response. A handler that may take
    /// longer needs more, or a retry runs beside it. At least one [`lease`](Self::lease), at most a day.
    pub fn renew_for(mut self, longest: Duration) -> Self {
        self.settings.terms.renew_for = longest;
        self
    }

    /// Sets what a duplicate gets while the original request is running: 409, or a wait for its response.
    /// [`Waiting`](crate::Waiting) says for how long and how many; a wait may not be longer than
    /// [`retention`](Self::retention).
    ///
    /// Defaults to [`InFlight::Reject`].
    pub fn on_in_flight(mut self, policy: InFlight) -> Self {
        self.settings.in_flight = policy;
        self
    }

    /// Sets what happens to a key whose [`lease`](Self::lease) has expired. With
    /// [`Refuse`](ExpiredLease::Refuse) it stays refused for the [`retention`](Self::retention).
    ///
    /// Defaults to [`ExpiredLease::Reexecute`].
    pub fn on_expired_lease(mut self, policy: ExpiredLease) -> Self {
        self.settings.terms.expired_lease = policy;
        self
    }

    /// Sets what happens to a request while the store cannot be asked.
    ///
    /// Defaults to [`StoreFailure::FailClosed`].
    pub fn on_store_failure(mut self, policy: StoreFailure) -> Self {
        self.settings.store_failure = policy;
        self
    }

    /// Sets the most bytes of a request's body that are read. Beyond it the response is 413. How much of a
    /// response is recorded: [`Recording::max_body`].
    ///
    /// Defaults to 2 MiB, which is also where actix' `Json` extractor stops.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings.body.most = bytes;
        self
    }

    /// Sets the longest pause between two pieces of a request's body; the whole body may take ten times as
    /// long. Beyond it the response is 408.
    ///
    /// Defaults to 30 seconds: tolerates a short loss of signal and bounds slow-body attacks.
    pub fn body_timeout(mut self, pause: Duration) -> Self {
        self.settings.body.pause = pause;
        self
    }

    /// Sets what every stored key begins with. Two services that share a store need two prefixes.
    ///
    /// Defaults to `idempotency:`.
    pub fn key_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.settings.key_prefix = prefix.into();
        self
    }

    /// Sets where the key is found and how long it may be.
    ///
    /// Defaults to the header `Idempotency-Key`, at most 255 characters.
    pub fn key(mut self, source: KeySource) -> Self {
        self.settings.key = source;
        self
    }

    /// Sets what makes two requests with the same key the same request.
    ///
    /// Defaults to query, media type and body.
    pub fn fingerprinting(mut self, fingerprinting: Fingerprinting) -> Self {
        self.settings.fingerprinting = fingerprinting;
        self
    }

    /// Sets which responses are recorded, and what of them.
    ///
    /// Defaults to those below 500 that do not ask for another try, up to 1 MiB.
    pub fn recording(mut self, recording: Recording) -> Self {
        self.settings.recording = recording;
        self
    }

    /// Sets how the responses to refused requests look.
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

    /// Sets the middleware to observe only: it evaluates and reports every request, and blocks and replays
    /// none. Start here in a production API. [`rollout`](crate::guide::rollout) has the further steps, and what
    /// changes even so.
    ///
    /// ```
    /// use actix_web::{App, HttpResponse, test, web};
    /// use actix_web_idempotency::{Idempotency, MemoryStore, Scope, event::Event};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let events = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    /// let collected = events.clone();
    /// let idempotency = Idempotency::builder(MemoryStore::new(), Scope::global())
    ///     .shadow(true)
    ///     .on_event(move |event| {
    ///         if let Event::Request(request) = event && request.shadow {
    ///             collected.lock().unwrap().push((request.outcome.as_str(), request.status));
    ///         }
    ///     })
    ///     .build()?;
    /// let app = App::new().wrap(idempotency).default_service(web::to(HttpResponse::Created));
    /// let app = test::init_service(app).await;
    /// for body in ["tea", "tea", "coffee"] {
    ///     let pay = test::TestRequest::post().insert_header(("idempotency-key", "a"));
    ///     let response = test::call_service(&app, pay.set_payload(body).to_request()).await;
    ///     assert_eq!(response.status(), 201);
    /// }
    /// let created = Some(201);
    /// let would = [("executed", created), ("replayed", created), ("mismatch", created)];
    /// assert_eq!(*events.lock().unwrap(), would);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Defaults to `false`. A [`Deduplicator`](crate::dedup::Deduplicator) has no shadow: it returns what it
    /// found, and its caller can go on regardless.
    pub fn shadow(mut self, shadow: bool) -> Self {
        self.settings.shadow = shadow;
        self
    }

    /// Returns the settings if they can work together.
    pub(super) fn checked(self) -> Result<IdempotencySettings, ConfigError> {
        let settings = self.settings;
        settings.terms.check()?;
        check_waiting(&settings)?;
        settings.filter.check()?;
        settings.body.check()?;
        settings.key.check()?;
        settings.scope.check()?;
        if let (Some(key), Some(scope)) = (settings.key.header_name(), settings.scope.header_name())
            && key.eq_ignore_ascii_case(scope)
        {
            return Err(ConfigError::new(format!(
                "key and scope must not be taken from the same header (got {key}); take the scope \
                 from a header that names the client"
            )));
        }
        settings.fingerprinting.check()?;
        settings.recording.check()?;
        settings.problems.check()?;
        Ok(settings)
    }
}

fn check_waiting(settings: &IdempotencySettings) -> Result<(), ConfigError> {
    let InFlight::Wait(waiting) = settings.in_flight else {
        return Ok(());
    };
    let (limit, retention) = (waiting.limit, settings.terms.retention);
    if limit.is_zero() || limit > HOUR {
        return Err(ConfigError::new(format!(
            "the limit of InFlight::Wait must be above 0 and at most 1 h (got {limit:?}); \
             InFlight::Reject does not wait"
        )));
    }
    if limit > retention {
        return Err(ConfigError::new(format!(
            "the limit of InFlight::Wait must be at most the retention of {retention:?} (got \
             {limit:?}); a response would be forgotten while it is waited for"
        )));
    }
    if waiting.max_waiters == 0 {
        return Err(ConfigError::new(
            "max_waiters must be at least 1 (got 0); InFlight::Reject does not wait",
        ));
    }
    Ok(())
}

#[cfg(test)]
#[cfg(feature = "memory")]
mod tests {
    use super::*;
    use crate::config::Waiting;
    use crate::store::memory::MemoryStore;

    const SECOND: Duration = Duration::from_secs(1);

    fn refused(change: impl FnOnce(IdempotencyBuilder) -> IdempotencyBuilder) -> String {
        let builder = IdempotencyBuilder::new(MemoryStore::new(), Scope::global());
        change(builder).build().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_numbers_in_it() {
        let says = |message: String, parts: &[&str]| {
            for part in parts {
                assert!(message.contains(part), "{part:?} is missing: {message}");
            }
        };
        says(
            refused(|b| b.lease(SECOND / 100)),
            &["lease", "got 10ms", "100 ms"],
        );
        says(refused(|b| b.lease(SECOND * 7200)), &["got 7200s"]);
        says(
            refused(|b| b.retention(SECOND)),
            &["retention", "got 1s", "lease of 30s"],
        );
        says(
            refused(|b| b.retention(SECOND * 366 * 24 * 3600)),
            &["365 days"],
        );
        says(
            refused(|b| b.renew_for(SECOND)),
            &["renew_for", "got 1s", "lease of 30s"],
        );
        says(refused(|b| b.renew_for(SECOND * 100_000)), &["1 day"]);
        let wait = |time: Duration| {
            move |b: IdempotencyBuilder| b.on_in_flight(InFlight::Wait(time.into()))
        };
        says(
            refused(wait(Duration::ZERO)),
            &["got 0ns", "InFlight::Reject"],
        );
        says(refused(wait(SECOND * 7200)), &["got 7200s"]);
        let short = |b: IdempotencyBuilder| b.lease(SECOND).retention(SECOND);
        says(
            refused(|b| wait(SECOND * 2)(short(b))),
            &["got 2s", "retention of 1s"],
        );
        let nobody = Waiting::new(SECOND).max_waiters(0);
        says(
            refused(|b| b.on_in_flight(InFlight::Wait(nobody))),
            &["max_waiters", "got 0"],
        );
        says(refused(|b| b.methods([])), &["at least one", "skip"]);
        says(refused(|b| b.methods([Method::OPTIONS])), &["OPTIONS"]);
        says(
            refused(|b| b.body_timeout(Duration::ZERO)),
            &["body_timeout"],
        );
        says(
            refused(|b| b.key(KeySource::header("a b"))),
            &["a b", "header name"],
        );
        says(
            refused(|b| b.key(KeySource::default().max_length(0))),
            &["max_length", "got 0"],
        );
        says(
            refused(|b| b.problems(Problems::new().base("x"))),
            &["absolute URI"],
        );
        let fingerprint = Fingerprinting::off().with_header("x-a");
        says(refused(|b| b.fingerprinting(fingerprint)), &["off()"]);
        let fingerprint = Fingerprinting::new().with_header("");
        says(
            refused(|b| b.fingerprinting(fingerprint)),
            &["\"\"", "header name"],
        );
        let recording = Recording::new();
        says(
            refused(|b| b.recording(recording.clone().max_body(1 << 30))),
            &["1073741824"],
        );
        says(
            refused(|b| b.recording(recording.clone().only_headers(["TE"]))),
            &["\"te\""],
        );
        says(
            refused(|b| b.recording(recording.clone().only_headers([" "]))),
            &["\" \""],
        );
        says(
            refused(|b| b.recording(recording.clone().replay_header("te"))),
            &["te"],
        );
        let same = IdempotencyBuilder::new(MemoryStore::new(), Scope::header("Idempotency-Key"));
        says(
            same.build().unwrap_err().to_string(),
            &["idempotency-key", "same header"],
        );
        let scope = Scope::global().or_anonymous();
        let never = IdempotencyBuilder::new(MemoryStore::new(), scope);
        says(never.build().unwrap_err().to_string(), &["or_anonymous"]);
        let scope = IdempotencyBuilder::new(MemoryStore::new(), Scope::header("x y"));
        says(scope.build().unwrap_err().to_string(), &["x y"]);
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let settings = IdempotencyBuilder::new(MemoryStore::new(), Scope::global()).settings;
        assert_eq!(settings.terms.retention, SECOND * 24 * 3600);
        assert_eq!(settings.terms.lease, SECOND * 30);
        assert_eq!(settings.body.most, 2 * 1024 * 1024);
        assert_eq!(settings.body.pause, SECOND * 30);
        assert_eq!(settings.recording.most(), 1024 * 1024);
        assert_eq!(
            settings.recording.header_of_replays().as_str(),
            "idempotent-replayed"
        );
        let waiting = Waiting::from(SECOND);
        assert!(waiting.max_waiters == 1024 && !waiting.honor_prefer);
        assert_eq!(&*settings.key_prefix, "idempotency:");
        assert_eq!(settings.in_flight, InFlight::Reject);
        assert_eq!(settings.terms.expired_lease, ExpiredLease::Reexecute);
        assert_eq!(settings.store_failure, StoreFailure::FailClosed);
        assert!(!settings.required);
    }
}
