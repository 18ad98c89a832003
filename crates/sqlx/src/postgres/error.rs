use actix_web_idempotency::store::sql::DatabaseError;
use sqlx::{Error, postgres::PgDatabaseError};

/// Returns the SQLSTATE of an error of the server.
pub(super) fn code_of(err: &Error) -> Option<String> {
    let err = err.as_database_error()?;
    let err = err.try_downcast_ref::<PgDatabaseError>()?;
    Some(err.code().to_owned())
}

/// Whether a code says that the server stops, or ends the connection. A commit may have waited for a replica, so what
/// was sent may have been carried out.
pub(super) fn ends_the_connection(code: &str) -> bool {
    code.starts_with("57P") || code.starts_with("08")
}

/// Returns what has become of a statement, and whether its connection can be used again.
pub(super) fn of_statement(err: Error) -> (DatabaseError, bool) {
    match code_of(&err).as_deref() {
        Some(code) if ends_the_connection(code) => (DatabaseError::lost(err), false),
        // Read-only: a primary until the last failover.
        Some("25006") => (DatabaseError::stale(err), false),
        Some(code) => (DatabaseError::refused(Some(code), err), true),
        None => (DatabaseError::lost(err), false),
    }
}
