use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

use super::node::Address;

/// What a node says when a key is not its own. Nothing has been carried out then.
#[derive(Debug, PartialEq)]
pub(super) enum Redirect {
    /// The slot is served there.
    Moved(Address),
    /// The slot is on its way, and this key is there already.
    Ask(Address),
    /// It cannot say, because it is cut off or has just started.
    Lost,
}

impl Redirect {
    pub(super) fn parse(reply: &RedisResult<Value>, asked: &Address) -> Option<Self> {
        match reply {
            Ok(Value::ServerError(err)) => Self::said(&RedisError::from(err.clone()), asked),
            Ok(_) => None,
            Err(err) => Self::said(err, asked),
        }
    }

    fn said(err: &RedisError, asked: &Address) -> Option<Self> {
        let there = || Address::parse(err.redirect_node()?.0, asked);
        match err.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => there().map(Self::Moved),
            ErrorKind::Server(ServerErrorKind::Ask) => there().map(Self::Ask),
            ErrorKind::Server(ServerErrorKind::ClusterDown | ServerErrorKind::BusyLoading) => {
                Some(Self::Lost)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirection_says_where_to() {
        let asked = Address::new("a", 1);
        let of = |reply: &str| Redirect::parse(&redis::parse_redis_value(reply.as_bytes()), &asked);
        let b = Address::new("b", 2);
        assert_eq!(of("-MOVED 866 b:2\r\n"), Some(Redirect::Moved(b.clone())));
        assert_eq!(of("-ASK 866 b:2\r\n"), Some(Redirect::Ask(b)));
        let here = Address::new("a", 2);
        assert_eq!(of("-MOVED 866 :2\r\n"), Some(Redirect::Moved(here)));
        assert_eq!(
            of("-CLUSTERDOWN The cluster is down\r\n"),
            Some(Redirect::Lost)
        );
        assert_eq!(of("-LOADING dataset in memory\r\n"), Some(Redirect::Lost));
        assert_eq!(of("-OOM command not allowed\r\n"), None);
        assert_eq!(of("+OK\r\n"), None);
    }
}
