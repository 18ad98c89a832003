use actix_web_idempotency::store::sql::DatabaseError;
use sqlx::{Error, PgPool, postgres::PgDatabaseError};

/// Returns why there was no connection. sqlx says the same of a pool that is exhausted and of a server that refuses
/// connections, for which it tries again until its time is up.
pub(super) fn no_connection(pool: &PgPool, err: Option<Error>) -> DatabaseError {
    match err {
        None | Some(Error::PoolTimedOut) => {
            let (size, most) = (pool.size(), pool.options().get_max_connections());
            let is_exhausted = size >= most && pool.num_idle() == 0;
            DatabaseError::no_connection(match is_exhausted {
                true => format!(
                    "no connection was free in time: all {most} of the pool are in use, or the server cannot be \
                     reached"
                ),
                false => "the server could not be connected to in time".to_owned(),
            })
        }
        Some(err) => DatabaseError::no_connection(err),
    }
}

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
