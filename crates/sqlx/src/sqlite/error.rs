use actix_web_idempotency::store::sql::DatabaseError;
use sqlx::Error;

/// Returns the result code of an error, the extended one: <https://www.sqlite.org/rescode.html>.
pub(super) fn code_of(err: &Error) -> Option<i32> {
    err.as_database_error()?.code()?.parse().ok()
}

/// Returns the kind of failure, without its subdivision.
pub(super) fn primary(code: i32) -> i32 {
    code & 0xff
}

/// Returns what has become of a statement, and whether its connection can be used again.
pub(super) fn of_statement(err: Error) -> (DatabaseError, bool) {
    match code_of(&err).map(primary) {
        // A file that was moved or replaced is found by a new connection.
        Some(code @ (IOERR | READONLY | CORRUPT | NOTADB)) => {
            (DatabaseError::refused(Some(&code.to_string()), err), false)
        }
        Some(code) => (DatabaseError::refused(Some(&code.to_string()), err), true),
        None => (DatabaseError::lost(err), false),
    }
}

const READONLY: i32 = 8;
pub(super) const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const NOTADB: i32 = 26;
