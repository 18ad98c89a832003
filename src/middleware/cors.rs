//! What a browser has to be told of the headers that [`Idempotency`](crate::Idempotency) reads and
//! writes; the [guide](crate::guide#cors) shows the whole.
//!
//! ```
//! use actix_cors::Cors;
//! use actix_web_idempotency::cors::{ALLOW_HEADERS, EXPOSE_HEADERS};
//!
//! let cors = Cors::default()
//!     .allowed_headers(ALLOW_HEADERS.iter().copied())
//!     .expose_headers(EXPOSE_HEADERS.iter().copied());
//! # drop(cors);
//! ```
//!
//! They are for the default names. Who reads keys from another header, or gives replays another one,
//! allows and exposes those.

/// The headers of requests that a page has to be allowed to send: the key, and `Prefer`, in which it
/// can say how long it [likes to wait](crate::Waiting::honor_prefer).
///
/// With JSON an application allows `Content-Type` besides, which browsers ask for too.
pub const ALLOW_HEADERS: &[&str] = &["idempotency-key", "prefer"];

/// The headers of answers that a page has to be allowed to read: whether it is a replay, how long
/// the request has waited at most, and when a refused one may be repeated.
///
/// What handlers write is exposed besides, as far as pages need it; a recorded `Location`, say.
pub const EXPOSE_HEADERS: &[&str] = &["idempotent-replayed", "preference-applied", "retry-after"];
