//! The oldest server that will do.

use redis::{
    Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, cmd, from_redis_value,
};

/// `SET` takes `NX` and `GET` together since 7.0.
const OLDEST: u32 = 7;

/// Asks a server for its version. Unlike `INFO` this needs no permission beyond connecting.
pub(super) fn question() -> Cmd {
    cmd("HELLO")
}

/// Judges the answer.
pub(super) fn check(answer: RedisResult<Value>) -> Result<(), RedisError> {
    let answer = match answer.and_then(Value::extract_error) {
        Ok(answer) => answer,
        // A user who may not ask is taken at their word.
        Err(err) if err.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => return Ok(()),
        Err(err) if is_unknown(&err) => {
            return Err(too_old("older than 6.0, unless HELLO has been renamed"));
        }
        Err(err) => return Err(err),
    };
    let version = version_in(&answer).ok_or_else(|| {
        RedisError::from((ErrorKind::UnexpectedReturnType, "HELLO told no version"))
    })?;
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(()),
        _ => Err(too_old(&version)),
    }
}

fn is_unknown(err: &RedisError) -> bool {
    err.code() == Some("ERR")
        && (err.detail()).is_some_and(|detail| detail.starts_with("unknown command"))
}

fn version_in(answer: &Value) -> Option<String> {
    let text = |value: &Value| from_redis_value::<String>(value.clone()).ok();
    match answer {
        Value::Map(pairs) => pairs
            .iter()
            .find(|(name, _)| text(name).as_deref() == Some("version"))
            .and_then(|(_, value)| text(value)),
        Value::Array(items) => items
            .chunks_exact(2)
            .find(|pair| text(&pair[0]).as_deref() == Some("version"))
            .and_then(|pair| text(&pair[1])),
        _ => None,
    }
}

fn too_old(version: &str) -> RedisError {
    RedisError::from((
        ErrorKind::InvalidClientConfig,
        "the server is too old, use Redis 7.0 or newer (or Valkey)",
        format!("it is {version}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(version: &str) -> RedisResult<Value> {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        Ok(Value::Array(vec![
            text("server"),
            text("redis"),
            text("version"),
            text(version),
            text("modules"),
            Value::Array(vec![]),
        ]))
    }

    #[test]
    fn seven_is_old_enough() {
        for version in ["7.0.0", "7.2.4", "8.0.1", "10.1"] {
            assert!(check(hello(version)).is_ok(), "{version}");
        }
        for version in ["6.2.14", "5.0", "", "x"] {
            let err = check(hello(version)).unwrap_err().to_string();
            assert!(err.contains("Redis 7.0 or newer"), "{err}");
        }
    }

    #[test]
    fn a_server_that_does_not_know_the_question_is_too_old() {
        let err = check(said("-ERR unknown command `HELLO`, with args\r\n")).unwrap_err();
        assert!(err.to_string().contains("older than 6.0"), "{err}");
        let other = check(said("-ERR max number of clients reached\r\n")).unwrap_err();
        assert!(other.to_string().contains("clients reached"), "{other}");
    }

    #[test]
    fn a_user_who_may_not_ask_is_believed_and_one_who_is_not_known_is_not() {
        assert!(check(said("-NOPERM this user has no permissions\r\n")).is_ok());
        let err = check(said("-NOAUTH HELLO must be called authenticated\r\n")).unwrap_err();
        assert_eq!(err.code(), Some("NOAUTH"));
    }

    /// What a server's reply is to the redis crate.
    fn said(reply: &str) -> RedisResult<Value> {
        redis::parse_redis_value(reply.as_bytes())
    }

    #[test]
    fn an_answer_without_version_is_an_error() {
        assert!(check(Ok(Value::Okay)).is_err());
        assert!(check(Ok(Value::Nil)).is_err());
    }
}
