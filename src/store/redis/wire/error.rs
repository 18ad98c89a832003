use redis::{ErrorKind, RedisError};

use crate::store::StoreError;

/// What an error of the redis crate means for the call that met it.
pub(crate) fn from_redis(err: RedisError) -> StoreError {
    let err = discreet(err);
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

/// Whether a connection of ours ended before the reply. The command may have been carried out.
/// A time-out is the operating system's, whose keepalive had no answer: our connections have none.
pub(crate) fn is_lost(err: &RedisError) -> bool {
    err.is_io_error()
}

/// Without what a server repeats of a command that it does not know: the password of a `HELLO`, the
/// token of a claim.
pub(crate) fn discreet(err: RedisError) -> RedisError {
    let said = err.detail().and_then(|said| said.split_once(", with args"));
    match said {
        Some((said, _repeated)) => {
            RedisError::from((err.kind(), "the server has refused", said.to_owned()))
        }
        None => err,
    }
}

/// A reply that the command cannot have. It may have done anything.
pub(crate) fn unexpected(command: &str, reply: &redis::Value) -> StoreError {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_repeats_is_not_passed_on() {
        let said = "unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'ann' 'secret' ";
        let err = (ErrorKind::Client, "refused", said.to_owned()).into();
        let told = discreet(err).to_string();
        assert!(told.contains("unknown command 'HELLO'"), "{told}");
        assert!(!told.contains("secret") && !told.contains("ann"), "{told}");
        let other = (ErrorKind::Client, "refused", "for a reason".to_owned()).into();
        assert!(discreet(other).to_string().contains("for a reason"));
    }
}
