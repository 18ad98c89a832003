use redis::{
    AsyncConnectionConfig, Client, ErrorKind, ProtocolVersion, RedisError, RedisResult,
    aio::MultiplexedConnection,
};

use super::error::discreet;

/// Opens a connection, without a limit of its own. When the server hangs up on it at once, finds
/// out why, and tries again where there was no reason.
pub(super) async fn open(
    client: &Client,
    config: AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    let config = config
        .set_connection_timeout(None)
        .set_response_timeout(None);
    let opened = client.get_multiplexed_async_connection_with_config(&config);
    let opened = match opened.await {
        Err(err) if has_hung_up(&err) => match why(client).await {
            Some(reason) => Err(reason),
            // That one connection was lost, as any other can be.
            None => {
                client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await
            }
        },
        opened => opened,
    };
    opened.map_err(discreet)
}

/// The server has accepted the connection, and then ended it.
fn has_hung_up(err: &RedisError) -> bool {
    err.is_connection_dropped() && !err.is_connection_refusal()
}

/// Redis says why to whom it turns away, and then hangs up. The redis crate takes that for the
/// answer to commands of its own, to which it does not listen. So this connects once more, with a
/// single command to which it does.
async fn why(client: &Client) -> Option<RedisError> {
    let info = client.get_connection_info().clone();
    let settings = info.redis_settings().clone();
    let settings = settings
        .set_protocol(ProtocolVersion::RESP3)
        .set_skip_set_lib_name()
        .set_db(0);
    let client = Client::open(info.set_redis_settings(settings)).ok()?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None);
    let opened = client.get_multiplexed_async_connection_with_config(&config);
    match opened.await {
        Err(err) if has_hung_up(&err) => Some(RedisError::from((
            ErrorKind::Io,
            "the server hangs up on new connections",
            "is maxclients reached, or does it want TLS (rediss://) or a certificate?".to_owned(),
        ))),
        // This time it was let in: a server that does not know `HELLO` says so.
        Err(err) if (err.detail()).is_some_and(|said| said.starts_with("unknown command")) => None,
        Ok(_) => None,
        Err(err) => Some(err),
    }
}
