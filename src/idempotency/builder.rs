use std::{sync::Arc, time::Duration};

use actix_web::{dev::RequestHead, http::Method};

use super::{
    fingerprinting::Fingerprinting, key_source::KeySource, limits::Limits, recording::Recording,
    scope::Scope, settings::Settings,
};
use crate::{
    claim::{ClaimTerms, Claims},
    config::{ConfigError, InFlight, LostOwner, StoreFailure},
    event::{Event, Observer},
    middleware::{BodyReader, RequestFilter},
    problem::Problems,
    store::Store,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Settings of an [`Idempotency`](super::Idempotency); every one has a default.
///
/// ```
/// use std::time::Duration;
///
/// use actix_web_idempotency::{
///     Idempotency, InFlight, KeySource, LostOwner, MemoryStore, Recording, Scope,
/// };
///
/// let idempotency = Idempotency::builder(MemoryStore::new(), Scope::header("x-tenant-id"))
///     .required()
///     .retention(Duration::from_secs(7 * 24 * 3600))
///     .on_in_flight(InFlight::Wait(Duration::from_secs(10)))
///     .on_lost_owner(LostOwner::Refuse)
///     .key(KeySource::default().max_length(64))
///     .recording(Recording::new().max_body(64 * 1024))
///     .build()?;
/// # Ok::<_, actix_web_idempotency::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct IdempotencyBuilder {
    settings: Settings,
}

impl IdempotencyBuilder {
    pub(super) fn new(store: impl Store, scope: Scope) -> Self {
        let settings = Settings {
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
                lost_owner: LostOwner::default(),
            },
            in_flight: InFlight::default(),
            store_failure: StoreFailure::default(),
            recording: Recording::new(),
            limits: Limits::new(),
            problems: Problems::new(),
            shadow: false,
        };
        Self { settings }
    }

    /// Requests on guarded methods must have a key: 400 `key-missing` without.
    ///
    /// Default: they pass unguarded, so that clients can come to send keys one after the other.
    pub fn required(mut self) -> Self {
        self.settings.required = true;
        self
    }

    /// Guards these methods only; the others pass untouched, whatever header they carry.
    ///
    /// Default: `POST`, `PUT` and `PATCH`. `PUT` says to be idempotent, yet a late repetition
    /// overwrites what has been written since.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.settings.filter.methods = Some(methods.into_iter().collect());
        self
    }

    /// Lets requests pass for which this is true, their body unread.
    ///
    /// Default: none.
    pub fn skip(mut self, skip: impl Fn(&RequestHead) -> bool + Send + Sync + 'static) -> Self {
        self.settings.filter.skip = Some(Arc::new(skip));
        self
    }

    /// How long an answer is remembered, counted from its recording; with
    /// [`LostOwner::Refuse`] also how long a dead owner is, counted from the end of its lease.
    ///
    /// Default: 24 hours, as long as patient clients retry. Tell clients: after it the same key
    /// runs again.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.settings.terms.retention = retention;
        self
    }

    /// How long a claim stands without being renewed; it is renewed while the handler runs. So
    /// long a key stays blocked after its process died.
    ///
    /// Default: 30 seconds: long enough to survive a store that restarts, short enough for a
    /// client that retries.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.terms.lease = lease;
        self
    }

    /// The longest time a claim is renewed. A handler that runs longer counts as hung: its last
    /// lease lapses, and what [`on_lost_owner`](Self::on_lost_owner) says happens.
    ///
    /// Default: 10 minutes. No proxy waits that long for an answer. A handler that may take
    /// longer needs more, or a repetition runs beside it.
    pub fn renew_for(mut self, longest: Duration) -> Self {
        self.settings.terms.renew_for = longest;
        self
    }

    /// What a repetition is told while the first request is running.
    ///
    /// Default: [`InFlight::Reject`].
    pub fn on_in_flight(mut self, policy: InFlight) -> Self {
        self.settings.in_flight = policy;
        self
    }

    /// What becomes of a key whose owner died.
    ///
    /// Default: [`LostOwner::Reexecute`].
    pub fn on_lost_owner(mut self, policy: LostOwner) -> Self {
        self.settings.terms.lost_owner = policy;
        self
    }

    /// What happens while the store cannot be asked.
    ///
    /// Default: [`StoreFailure::FailClosed`].
    pub fn on_store_failure(mut self, policy: StoreFailure) -> Self {
        self.settings.store_failure = policy;
        self
    }

    /// The most bytes of a request's body that are read. Beyond it the answer is 413.
    ///
    /// Default: 2 MiB, which is also where actix' `Json` extractor stops.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings.body.most = bytes;
        self
    }

    /// The longest pause between two pieces of a request's body; the whole may take ten times as
    /// long. Beyond it the answer is 408.
    ///
    /// Default: 30 seconds, which a phone in a tunnel survives and a slow attacker feels.
    pub fn body_timeout(mut self, pause: Duration) -> Self {
        self.settings.body.pause = pause;
        self
    }

    /// What every stored key begins with. Two services that share a store need two prefixes.
    ///
    /// Default: `idempotency:`.
    pub fn key_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.settings.key_prefix = prefix.into();
        self
    }

    /// Where the key stands and how long it may be.
    ///
    /// Default: the header `Idempotency-Key`, at most 255 characters.
    pub fn key(mut self, source: KeySource) -> Self {
        self.settings.key = source;
        self
    }

    /// What makes two requests with the same key the same request.
    ///
    /// Default: query, media type and body.
    pub fn fingerprinting(mut self, fingerprinting: Fingerprinting) -> Self {
        self.settings.fingerprinting = fingerprinting;
        self
    }

    /// Which answers are recorded, and what of them.
    ///
    /// Default: those below 500 that do not ask for another try, up to 1 MiB.
    pub fn recording(mut self, recording: Recording) -> Self {
        self.settings.recording = recording;
        self
    }

    /// Bounds on those who wait.
    ///
    /// Default: 1024 at once.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// How the middleware's own answers look.
    ///
    /// Default: RFC 9457 problems that link to this crate's documentation.
    pub fn problems(mut self, problems: Problems) -> Self {
        self.settings.problems = problems;
        self
    }

    /// Tells a closure of each request that was guarded or refused, and of incidents in the background:
    /// for metrics, traces and alerts. It runs on the worker, so it must not block. A second call
    /// replaces the first.
    ///
    /// Default: nobody is told, and nothing is measured. What there is to tell: [`event`](crate::event).
    pub fn on_event(mut self, tell: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        self.settings.claims = self.settings.claims.observed_by(Observer::new(tell));
        self
    }

    /// Decides, counts and logs as it will, but never refuses and never replays: every request runs
    /// its handler and gets its own answer. The first step where the middleware is introduced into an
    /// API that lives; [`rollout`](crate::guide::rollout) has the others, and what changes all the same.
    ///
    /// ```
    /// use actix_web::{App, HttpResponse, test, web};
    /// use actix_web_idempotency::{Idempotency, MemoryStore, Scope, event::Event};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    /// let tells = told.clone();
    /// let idempotency = Idempotency::builder(MemoryStore::new(), Scope::global())
    ///     .shadow()
    ///     .on_event(move |event| {
    ///         if let Event::Request(request) = event && request.shadow {
    ///             tells.lock().unwrap().push((request.outcome.name(), request.status));
    ///         }
    ///     })
    ///     .build()?;
    /// let app = App::new().wrap(idempotency).default_service(web::to(HttpResponse::Created));
    /// let app = test::init_service(app).await;
    /// for body in ["tea", "tea", "coffee"] {
    ///     let pay = test::TestRequest::post().insert_header(("idempotency-key", "a"));
    ///     let answer = test::call_service(&app, pay.set_payload(body).to_request()).await;
    ///     assert_eq!(answer.status(), 201); // and so say all of them
    /// }
    /// let created = Some(201);
    /// let would = [("executed", created), ("replayed", created), ("mismatch", created)];
    /// assert_eq!(*told.lock().unwrap(), would);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Default: off; whoever asks for a guard gets one. [`Once`](crate::Once) has no shadow: what it
    /// finds it tells its caller, who can do without.
    pub fn shadow(mut self) -> Self {
        self.settings.shadow = true;
        self
    }

    /// The settings, if they can work together.
    pub(super) fn checked(self) -> Result<Settings, ConfigError> {
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
                "key and scope are both taken from {key}, so keys of all clients would meet: take \
                 the scope from where the client is named"
            )));
        }
        settings.fingerprinting.check()?;
        settings.recording.check()?;
        settings.problems.check()?;
        Ok(settings)
    }
}

fn check_waiting(settings: &Settings) -> Result<(), ConfigError> {
    let limits = &settings.limits;
    match settings.in_flight {
        InFlight::Reject if limits.prefer_wait => Err(ConfigError::new(
            "limits say prefer_wait and nobody waits: add on_in_flight(InFlight::Wait(..)), or \
             drop it",
        )),
        InFlight::Reject => match limits.waiters {
            Some(waiters) => Err(ConfigError::new(format!(
                "limits allow {waiters} waiters and nobody waits: add \
                 on_in_flight(InFlight::Wait(..)), or drop it"
            ))),
            None => Ok(()),
        },
        InFlight::Wait(longest) if longest.is_zero() || longest > HOUR => {
            Err(ConfigError::new(format!(
                "InFlight::Wait({longest:?}): a wait lasts up to an hour, and no wait at all is \
                 InFlight::Reject"
            )))
        }
        InFlight::Wait(longest) if longest > settings.terms.retention => {
            Err(ConfigError::new(format!(
                "InFlight::Wait({longest:?}) and a retention of {:?}: an answer would be forgotten \
             while it is waited for, keep it longer",
                settings.terms.retention
            )))
        }
        InFlight::Wait(_) if limits.waiters == Some(0) => Err(ConfigError::new(
            "InFlight::Wait(..) and limits of 0 waiters: allow at least 1, or use \
             InFlight::Reject",
        )),
        InFlight::Wait(_) => Ok(()),
    }
}

#[cfg(test)]
#[cfg(feature = "memory")]
mod tests {
    use super::*;
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
            &["lease is 10ms", "100 ms"],
        );
        says(refused(|b| b.lease(SECOND * 7200)), &["lease is 7200s"]);
        says(
            refused(|b| b.retention(SECOND)),
            &["retention is 1s", "lease 30s"],
        );
        says(
            refused(|b| b.retention(SECOND * 366 * 24 * 3600)),
            &["365 days"],
        );
        says(
            refused(|b| b.renew_for(SECOND)),
            &["renew_for is 1s", "lease 30s"],
        );
        says(refused(|b| b.renew_for(SECOND * 100_000)), &["a day"]);
        let wait = |time| move |b: IdempotencyBuilder| b.on_in_flight(InFlight::Wait(time));
        says(
            refused(wait(Duration::ZERO)),
            &["Wait(0ns)", "InFlight::Reject"],
        );
        says(refused(wait(SECOND * 7200)), &["Wait(7200s)"]);
        let short = |b: IdempotencyBuilder| b.lease(SECOND).retention(SECOND);
        says(
            refused(|b| wait(SECOND * 2)(short(b))),
            &["Wait(2s)", "retention of 1s"],
        );
        let none = Limits::new().waiters(0);
        says(refused(|b| wait(SECOND)(b).limits(none)), &["0 waiters"]);
        says(
            refused(|b| b.limits(Limits::new().waiters(7))),
            &["7 waiters", "nobody waits"],
        );
        says(
            refused(|b| b.limits(Limits::new().prefer_wait())),
            &["prefer_wait"],
        );
        says(refused(|b| b.methods([])), &["at least one"]);
        says(refused(|b| b.methods([Method::OPTIONS])), &["OPTIONS"]);
        says(
            refused(|b| b.body_timeout(Duration::ZERO)),
            &["body_timeout"],
        );
        says(
            refused(|b| b.key(KeySource::header("a b"))),
            &["a b", "header's name"],
        );
        says(
            refused(|b| b.key(KeySource::default().max_length(0))),
            &["max_length", "is 0"],
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
            &["\"\"", "header's name"],
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
            &["idempotency-key", "both"],
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
        assert_eq!(settings.limits.most_waiters(), 1024);
        assert_eq!(&*settings.key_prefix, "idempotency:");
        assert_eq!(settings.in_flight, InFlight::Reject);
        assert_eq!(settings.terms.lost_owner, LostOwner::Reexecute);
        assert_eq!(settings.store_failure, StoreFailure::FailClosed);
        assert!(!settings.required && !settings.limits.prefer_wait);
    }
}
