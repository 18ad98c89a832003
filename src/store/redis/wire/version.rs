//! The oldest server that will do.

use redis::{Cmd, ErrorKind, RedisError, RedisResult, Value, cmd, from_redis_value};

/// `SET` takes `NX` and `GET` together since 7.0.
const OLDEST: u32 = 7;

/// Asks a server for its version. Unlike `INFO` this needs no permission beyond connecting.
pub(crate) fn question() -> Cmd {
    cmd("HELLO")
}

/// Judges the answer. The version is advice: a server that does not tell it, because it does not know
/// the question, has renamed it or forbids it, is taken as it is. A login that was refused is not.
pub(crate) fn check(answer: RedisResult<Value>) -> Result<(), RedisError> {
    let answer = match answer.and_then(Value::extract_error) {
        Ok(answer) => answer,
        Err(err) if is_of_the_login(&err) || !is_said_by_the_server(&err) => return Err(err),
        Err(_) => return Ok(()),
    };
    let Some(version) = version_in(&answer) else {
        return Ok(());
    };
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major < OLDEST => Err(too_old(&version)),
        _ => Ok(()),
    }
}

fn is_of_the_login(err: &RedisError) -> bool {
    err.kind() == ErrorKind::AuthenticationFailed
        || matches!(err.code(), Some("NOAUTH" | "WRONGPASS"))
}

fn is_said_by_the_server(err: &RedisError) -> bool {
    matches!(err.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
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
    fn check_refuses_versions_before_seven() {
        for version in ["7.0.0", "7.2.4", "8.0.1", "10.1", "", "x"] {
            assert!(check(hello(version)).is_ok(), "{version}");
        }
        for version in ["6.2.14", "5.0"] {
            let err = check(hello(version)).unwrap_err().to_string();
            assert!(err.contains("Redis 7.0 or newer"), "{err}");
        }
    }

    #[test]
    fn check_goes_on_when_the_server_does_not_tell_its_version() {
        for words in [
            "-ERR unknown command `HELLO`, with args\r\n",
            "-ERR Command not available\r\n",
            "-NOPERM this user has no permissions\r\n",
            "-DENIED by the proxy\r\n",
        ] {
            assert!(check(said(words)).is_ok(), "{words}");
        }
        assert!(check(Ok(Value::Okay)).is_ok());
        assert!(check(Ok(Value::Nil)).is_ok());
    }

    #[test]
    fn check_fails_when_the_login_was_refused_or_the_connection_was_lost() {
        let err = check(said("-NOAUTH HELLO must be called authenticated\r\n")).unwrap_err();
        assert_eq!(err.code(), Some("NOAUTH"));
        let err = check(said("-WRONGPASS invalid username-password pair\r\n")).unwrap_err();
        assert_eq!(err.code(), Some("WRONGPASS"));
        let lost = RedisError::from((ErrorKind::Io, "the connection was lost"));
        assert!(check(Err(lost)).is_err());
    }

    /// What a server's reply is to the redis crate.
    fn said(reply: &str) -> RedisResult<Value> {
        redis::parse_redis_value(reply.as_bytes())
    }
}
