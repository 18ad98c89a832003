//! Events for observers: one [`Event`] for each request that was guarded or refused, and one for each incident
//! in the background.
//!
//! ```
//! use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
//!
//! use actix_web::{App, HttpResponse, test, web};
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope, event::{Event, Outcome}};
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let replays = Arc::new(AtomicU64::new(0));
//! let counted = Arc::clone(&replays);
//! let idempotency = Idempotency::builder(MemoryStore::new(), Scope::global())
//!     .on_event(move |event| match event {
//!         Event::Request(request) if request.outcome == Outcome::Replayed => {
//!             counted.fetch_add(1, Ordering::Relaxed);
//!         }
//!         Event::Incident(incident) => eprintln!("{incident:?}"),
//!         _ => {}
//!     })
//!     .build()?;
//!
//! let app = App::new().wrap(idempotency).default_service(web::to(HttpResponse::Created));
//! let app = test::init_service(app).await;
//! for _delivery in 1..=3 {
//!     let request = test::TestRequest::post().insert_header(("idempotency-key", "a-1"));
//!     test::call_service(&app, request.to_request()).await;
//! }
//! assert_eq!(replays.load(Ordering::Relaxed), 2);
//! # Ok(())
//! # }
//! ```
//!
//! A request that passes untouched (its method is not guarded, it has no key, it is skipped, or an
//! outer middleware guards it already) is no event.
//!
//! # Which questions it answers
//!
//! | question | field |
//! |---|---|
//! | how many ran, were replayed, were refused, and why | [`outcome`](RequestEvent::outcome), [`problem`](RequestEvent::problem) |
//! | who waited, and how long | [`wait_duration`](RequestEvent::wait_duration) is there, whatever the outcome |
//! | who took over from a crashed owner | [`attempt`](RequestEvent::attempt) is above 1 |
//! | which responses could not be recorded | [`ending`](RequestEvent::ending) is [`Ending::Tombstone`] |
//! | which handlers were cut off | [`Outcome::Executed`] without [`handler_duration`](RequestEvent::handler_duration) |
//! | what may have run twice | [`finish`](RequestEvent::finish) is [`FinishOutcome::Lost`](crate::event::FinishOutcome), or [`IncidentKind::LostLease`] |
//! | what a [shadow](crate::guide::rollout) would have done | [`shadow`](RequestEvent::shadow) is true; the outcome is what would have happened |
//! | how long the store takes | [`claim_duration`](RequestEvent::claim_duration), [`finish_duration`](RequestEvent::finish_duration) |
//!
//! Names for labels (`Outcome::as_str`, `Ending::as_str`, `IncidentKind::as_str`, `StoreErrorKind::as_str`, the
//! problem) are few and fixed. A key is not: it belongs into a log or a trace, never into a label. With the
//! feature `metrics`, [`metrics::observer`](crate::metrics::observer) counts all this.
//!
//! # The observer
//!
//! * It runs where the event happens, on the worker or on the crate's own thread, before the response is sent:
//!   it must not block. Counters are fine; send what takes longer through a channel.
//! * If it panics, the request and its key are not affected; the first panic is logged.
//! * It never receives what a client has sent: keys are digests, bodies are sizes.
//! * Without one, nothing is measured.
//!
//! # When
//!
//! A request is reported when it is over: refused, replayed, or run and its claim finished; a streamed response
//! when the stream has ended. Each is reported exactly once, even if its handler panics or its client
//! disconnects.
//!
//! # Traces
//!
//! An outer middleware such as [tracing-actix-web](https://docs.rs/tracing-actix-web) opens a span around a
//! request, and the span ends when the client disconnects. With the feature `tracing` it lives as long as there
//! is something to trace:
//!
//! * A handler that outlives its client runs inside of the span. Spans that it opens have their parent, and the
//!   request's span ends with the handler. (The handler of a lock, or of a [shadow](crate::guide::rollout),
//!   ends with its client.)
//! * A request is reported inside of the span that it came in, wherever that happens: after its client has
//!   disconnected, at the end of a stream, on another thread. So [`on_event`] can write into it.
//!
//! Incidents have no span; their key leads to the request.
//!
//! This records the outcome of a request on its span, where tracing-opentelemetry makes attributes of it:
//!
//! ```
//! use actix_web::{
//!     App, Error,
//!     body::MessageBody,
//!     dev::{ServiceRequest, ServiceResponse},
//! };
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope, event::Event};
//! use tracing::{Span, field::{Empty, display}};
//! use tracing_actix_web::{DefaultRootSpanBuilder, RootSpanBuilder, TracingLogger, root_span};
//!
//! fn on_the_span(event: Event<'_>) {
//!     let Event::Request(request) = event else { return };
//!     let span = Span::current();
//!     span.record("idempotency.outcome", request.outcome.as_str());
//!     span.record("idempotency.problem", request.problem);
//!     span.record("idempotency.key", request.key.as_ref().map(display));
//!     span.record("idempotency.attempt", request.attempt.map(|attempt| attempt.get()));
//!     span.record("idempotency.status", request.status);
//!     span.record("idempotency.shadow", request.shadow);
//! }
//!
//! /// Fields that have no place in the span are not recorded.
//! struct WithOutcome;
//!
//! impl RootSpanBuilder for WithOutcome {
//!     fn on_request_start(request: &ServiceRequest) -> Span {
//!         root_span!(
//!             request,
//!             idempotency.outcome = Empty,
//!             idempotency.problem = Empty,
//!             idempotency.key = Empty,
//!             idempotency.attempt = Empty,
//!             idempotency.status = Empty,
//!             idempotency.shadow = Empty,
//!         )
//!     }
//!
//!     fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
//!         DefaultRootSpanBuilder::on_request_end(span, outcome);
//!     }
//! }
//!
//! let idempotency = Idempotency::builder(MemoryStore::new(), Scope::global())
//!     .on_event(on_the_span)
//!     .build()?;
//! let app = App::new().wrap(idempotency).wrap(TracingLogger::<WithOutcome>::new()); // the outer one
//! # drop(app);
//! # Ok::<_, actix_web_idempotency::ConfigError>(())
//! ```
//!
//! | attribute | what it is good for |
//! |---|---|
//! | `idempotency.outcome`, `.problem` | why a response has no handler beneath it |
//! | `idempotency.key` | finds the run that a replay repeats, and the log lines of both. A digest under your prefix, nothing that a client has sent, so a trace may contain it |
//! | `idempotency.attempt` | above 1, an earlier owner crashed |
//! | `idempotency.status` | the response of a handler whose client has disconnected: the outer middleware never sees it |
//! | `idempotency.shadow` | the outcome is what would have happened |
//!
//! [`on_event`]: crate::idempotency::IdempotencyBuilder::on_event

mod builder;
mod incident;
mod observer;
mod outcome;
mod request_event;

pub(crate) use self::{builder::EventBuilder, observer::Observer};
pub use self::{
    incident::{Incident, IncidentKind},
    outcome::{Ending, FinishOutcome, Outcome},
    request_event::RequestEvent,
};

/// Something that has happened. Neither its fields nor its `Debug` contain anything that a client has sent.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request is over; of a [`Deduplicator`](crate::dedup::Deduplicator), a claim, which has no problem and
    /// no status.
    Request(&'a RequestEvent),
    /// Something went wrong in the background, or was repaired there.
    Incident(&'a Incident<'a>),
}
