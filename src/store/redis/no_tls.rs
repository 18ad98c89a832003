use redis::{Client, ConnectionInfo, RedisResult};

/// Without TLS there is nobody to trust.
pub(super) type Trust = ();

pub(super) fn is_given((): &Trust) -> bool {
    false
}

pub(super) fn open(info: ConnectionInfo, (): &Trust) -> RedisResult<Client> {
    Client::open(info)
}
