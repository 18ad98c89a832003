//! What happens, told to who counts it: one [`Event`] for each request that was guarded or refused,
//! and one for each incident in the background.
//!
//! ```
//! use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
//!
//! use actix_idempotency::{Idempotency, MemoryStore, Scope, event::{Event, Outcome}};
//! use actix_web::{App, HttpResponse, test, web};
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
//! | | |
//! |---|---|
//! | how many ran, were replayed, were refused, and why | [`outcome`](RequestEvent::outcome), [`problem`](RequestEvent::problem) |
//! | who waited, and for how long | [`waited`](RequestEvent::waited) is there, whatever the outcome |
//! | who took over from a dead owner | [`attempt`](RequestEvent::attempt) is above 1 |
//! | which answers could not be kept | [`ending`](RequestEvent::ending) is [`Ending::Tombstone`] |
//! | which handlers were cut off | [`Outcome::Executed`] without [`handler`](RequestEvent::handler) |
//! | what ran beside another, perhaps | [`settled`](RequestEvent::settled) is [`Settled::Lost`](crate::Settled), or [`IncidentKind::LostLease`] |
//! | what a guard that only [watches](crate::rollout) would have done | [`shadow`](RequestEvent::shadow) is true, and the outcome tells |
//! | how long the store takes | [`claiming`](RequestEvent::claiming), [`settling`](RequestEvent::settling) |
//!
//! Names for labels (`Outcome::name`, `Ending::name`, `IncidentKind::name`, the problem) are few and
//! fixed. A key is not: it belongs into a log or a trace, never into a label of a metric.
//!
//! # The observer
//!
//! * It runs where the event happens, on the worker or on the crate's own thread, before the answer
//!   goes out: it must not block. Counters are fine; what takes longer goes through a channel.
//! * When it panics, nothing happens to the request nor to its key; the first time is logged.
//! * It never sees what a client sent: keys are digests, bodies are sizes.
//! * Without one, nothing is measured.
//!
//! # When
//!
//! A request is told of when it is over: refused or replayed, or run and its key settled; of an
//! answer that is a stream, when the stream has ended. It is told of exactly once, even if it
//! panics, or its client leaves.

mod ending;
mod incident;
mod incident_kind;
mod notes;
mod observer;
mod outcome;
mod request_event;

pub use self::{
    ending::Ending, incident::Incident, incident_kind::IncidentKind, outcome::Outcome,
    request_event::RequestEvent,
};
pub(crate) use self::{notes::Notes, observer::Observer};

/// Something that has happened. Neither it nor its `Debug` shows anything that a client has sent.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request is over, or, of [`Once`](crate::Once), a claim.
    Request(&'a RequestEvent),
    /// Something went wrong in the background, or was put right there.
    Incident(&'a Incident<'a>),
}
