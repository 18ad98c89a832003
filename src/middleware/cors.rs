//! The headers of [`Idempotency`](crate::Idempotency) for a CORS configuration; the [guide](crate::guide#cors)
//! has the whole.
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
//! They are for the default names. If you read keys from another header, or rename the header of replays, allow
//! and expose those.

/// The request headers that a page must be allowed to send: the key, and `Prefer`, which can shorten a
/// [wait](crate::Waiting::honor_prefer).
///
/// Requests with JSON need `Content-Type` besides.
pub const ALLOW_HEADERS: &[&str] = &["idempotency-key", "prefer"];

/// The response headers that a page must be allowed to read: whether the response is a replay, how long the
/// request waited at most, and when a refused request may be retried.
///
/// Expose headers of your handlers besides, for instance a recorded `Location`.
pub const EXPOSE_HEADERS: &[&str] = &["idempotent-replayed", "preference-applied", "retry-after"];
