use redis::{ErrorKind, RedisError};

use crate::store::StoreError;

/// What an error of the redis crate means for the call that met it.
pub(super) fn from_redis(err: RedisError) -> StoreError {
    match err.kind() {
        // The server has spoken: it did not do it.
        ErrorKind::Server(_)
        | ErrorKind::Extension
        | ErrorKind::AuthenticationFailed
        | ErrorKind::InvalidClientConfig
        | ErrorKind::RESP3NotSupported => StoreError::unavailable(err),
        // The connection ended, or what came over it made no sense.
        _ => StoreError::interrupted(err),
    }
}

/// A reply that the command cannot have. It may have done anything.
pub(super) fn unexpected(command: &str, reply: &redis::Value) -> StoreError {
    let came = match reply {
        redis::Value::Nil => "nil",
        redis::Value::Int(_) => "an integer",
        redis::Value::BulkString(_) | redis::Value::SimpleString(_) => "a string",
        redis::Value::Okay => "OK",
        redis::Value::Array(_) => "an array",
        _ => "something else",
    };
    StoreError::interrupted(format!(
        "{command} was answered by {came}, which it never is"
    ))
}
