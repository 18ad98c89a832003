//! Record and rows in one transaction: a [`Completion`] is the last statement of the application's transaction.
//!
//! The package of a driver has a shorter way: with `actix-web-idempotency-sqlx` it is `claim.commit(tx, response)`.
//! This module is for other drivers, and for what they report: [`CommitError`].
//!
//! ```
//! use actix_web::HttpResponse;
//! use actix_web_idempotency::{Claim, commit::CommitError};
//!
//! # struct Transaction;
//! # enum Failed { Lost, Refused(&'static str), Unknown(&'static str) }
//! # impl Transaction {
//! #     async fn query_one(&self, sql: &str, values: &[actix_web_idempotency::store::sql::Value<'_>]) -> Result<(), Failed> { Ok(()) }
//! #     async fn commit(self) -> Result<(), Failed> { Ok(()) }
//! # }
//! /// Commits rows and response, or neither.
//! async fn commit(
//!     claim: &Claim,
//!     transaction: Transaction,
//!     response: HttpResponse,
//! ) -> Result<HttpResponse, CommitError> {
//!     let (completion, response) = claim.completion(response)?;
//!     // The last statement. Without its row nothing may be committed: the claim is lost.
//!     match transaction.query_one(completion.sql(), &completion.values()).await {
//!         Ok(()) => {}
//!         Err(Failed::Lost) => return Err(completion.lost()), // SQLSTATE 22012, and nothing else
//!         Err(Failed::Refused(err) | Failed::Unknown(err)) => return Err(completion.rolled_back(err)),
//!     }
//!     match transaction.commit().await {
//!         Ok(()) => completion.committed(),
//!         Err(Failed::Unknown(err)) => return Err(completion.in_doubt(err)),
//!         Err(Failed::Refused(err)) => return Err(completion.rolled_back(err)),
//!         Err(Failed::Lost) => return Err(completion.lost()),
//!     }
//!     Ok(response)
//! }
//! ```

mod completion;
mod error;

pub(crate) use self::error::Responder;
pub use self::{
    completion::Completion,
    error::{CommitError, CommitErrorKind},
};
