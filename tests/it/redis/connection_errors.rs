//! An error of a connection names the step that failed, the server and the limit, and never a password.

use std::time::Duration;

use actix_web_idempotency::{
    RedisStore,
    store::redis::{
        RedisStoreBuilder, bb8,
        bb8_redis::RedisConnectionManager,
        redis::io::tcp::socket2::{Domain, Socket, Type},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    support::authority::Authority,
    support::redis::{Redis, free_port},
};

/// Long enough for a busy machine to come to the step that is to take too long.
const LIMIT: Duration = Duration::from_secs(3);

async fn error_of(builder: RedisStoreBuilder) -> String {
    let store = builder.timeout(LIMIT).build().unwrap();
    let err = store.ping().await.unwrap_err().to_string();
    assert!(!err.contains("secret"), "{err}");
    err
}

async fn error_at(url: &str) -> String {
    error_of(RedisStore::builder(url)).await
}

#[track_caller]
fn assert_says(err: &str, parts: &[&str]) {
    for part in parts {
        assert!(err.contains(part), "{part:?} in {err:?}");
    }
}

/// A server that accepts connections and never says anything. Returns its port.
async fn silent() -> u16 {
    fake(|_asked| Some(String::new())).await
}

/// A server that answers whatever it is asked as `reply` says. Returns its port.
async fn fake(reply: impl Fn(&str) -> Option<String> + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, reply.clone()));
        }
    });
    port
}

async fn answer(mut stream: TcpStream, reply: impl Fn(&str) -> Option<String>) {
    let mut piece = vec![0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece).await {
        let asked = String::from_utf8_lossy(&piece[..read]).into_owned();
        // A login is several commands in one piece.
        let each = "+OK\r\n".repeat(asked.matches("SETINFO").count().max(1));
        let reply = reply(&asked).unwrap_or(each);
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// What a server of this version says of itself.
fn hello(asked: &str, version: &str) -> Option<String> {
    let told = format!("*2\r\n$7\r\nversion\r\n${}\r\n{version}\r\n", version.len());
    asked.contains("HELLO").then_some(told)
}

#[tokio::test]
async fn error_names_a_host_that_cannot_be_resolved() {
    let err = error_at("redis://:secret@no-such-host.invalid:6390/").await;
    assert_says(
        &err,
        &["no connection to Redis", "resolving no-such-host.invalid: "],
    );
}

#[tokio::test]
async fn error_names_an_address_that_refuses_connections() {
    let port = free_port();
    let err = error_at(&format!("redis://:secret@127.0.0.1:{port}/")).await;
    assert_says(
        &err,
        &[&format!("connecting to 127.0.0.1:{port}: "), "refused"],
    );
    let err = error_at("redis+unix:///no/such/socket?pass=secret").await;
    assert_says(&err, &["connecting to /no/such/socket: "]);
}

#[tokio::test]
async fn error_names_an_address_that_lets_connections_hang_and_the_limit() {
    // The system drops what does not fit into the queue of those that wait to be accepted.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = ([127, 0, 0, 1], 0).into();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let addr = listener.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_secs(1), TcpStream::connect(addr)).await
    {
        waiting.push(stream);
        assert!(waiting.len() < 100, "the queue is never full");
    }
    let err = error_at(&format!("redis://{addr}/")).await;
    assert_says(
        &err,
        &[&format!("connecting to {addr}: not done within 2.85s")],
    );
}

#[tokio::test]
async fn error_names_a_tls_handshake_that_fails_or_hangs() {
    let (authority, other) = (Authority::new(), Authority::new());
    let redis = authority.server();
    let trusting =
        |url: String| RedisStore::builder(url).certificate_authority(other.pem("ca.crt"));
    let err = error_of(trusting(redis.tls_url())).await;
    assert_says(
        &err,
        &["TLS handshake with 127.0.0.1:", "invalid peer certificate"],
    );
    let port = silent().await;
    let err = error_of(trusting(format!("rediss://:secret@127.0.0.1:{port}/"))).await;
    assert_says(
        &err,
        &[&format!(
            "TLS handshake with 127.0.0.1:{port}: not done within 2.85s"
        )],
    );
}

#[tokio::test]
async fn error_names_the_login_that_is_refused_or_hangs() {
    let redis = Redis::start();
    let port = redis.known_port();
    redis.command(&["CONFIG", "SET", "requirepass", "other"]);
    let err = error_at(&format!("redis://:secret@127.0.0.1:{port}/")).await;
    assert_says(&err, &[&format!("AUTH at 127.0.0.1:{port}: ")]);
    let err = error_at(&format!("redis://127.0.0.1:{port}/")).await;
    assert_says(&err, &[&format!("HELLO at 127.0.0.1:{port}: "), "NOAUTH"]);
    let port = silent().await;
    for (login, step) in [(":secret@", "AUTH"), ("", "CLIENT SETINFO")] {
        let err = error_at(&format!("redis://{login}127.0.0.1:{port}/")).await;
        let named = format!("{step} at 127.0.0.1:{port}: not done within 2.85s");
        assert_says(&err, &[&named]);
    }
    let err = error_at(&format!("redis://127.0.0.1:{port}/3")).await;
    assert_says(&err, &["SELECT at "]);
}

#[tokio::test]
async fn error_names_the_hello_of_a_server_that_is_too_old_or_hangs() {
    let port = fake(|asked| hello(asked, "6.2.14")).await;
    let err = error_at(&format!("redis://127.0.0.1:{port}/")).await;
    assert_says(
        &err,
        &[
            &format!("HELLO at 127.0.0.1:{port}: "),
            "Redis 7.0 or newer",
        ],
    );
    let port = fake(|asked| asked.contains("HELLO").then(String::new)).await;
    let err = error_at(&format!("redis://127.0.0.1:{port}/")).await;
    assert_says(
        &err,
        &[&format!("HELLO at 127.0.0.1:{port}: not done within 2.85s")],
    );
}

#[tokio::test]
async fn error_names_each_sentinel_by_number_and_step() {
    let (closed, silent) = (free_port(), silent().await);
    let sentinels = [closed, silent].map(|port| format!("redis://:secret@127.0.0.1:{port}"));
    let err = error_of(RedisStore::sentinel("redis://mymaster/", sentinels)).await;
    let first = format!("asking sentinel 1 of 2: connecting to 127.0.0.1:{closed}: ");
    let second = format!("asking sentinel 2 of 2: AUTH at 127.0.0.1:{silent}: not done within");
    assert_says(&err, &[&first, &second]);
    let knows_nothing = fake(|asked| asked.contains("GET-MASTER").then(|| "*-1\r\n".to_owned()));
    let url = format!("redis://127.0.0.1:{}", knows_nothing.await);
    let err = error_of(RedisStore::sentinel("redis://mymaster/", [url])).await;
    assert_says(
        &err,
        &[
            "asking sentinel 1 of 1: ",
            "Sentinel watches no master of this name",
        ],
    );
}

#[tokio::test]
async fn error_names_the_server_that_sentinel_names_and_that_is_no_master() {
    let replica = fake(|asked| {
        let role = asked
            .contains("ROLE")
            .then(|| "*1\r\n$5\r\nslave\r\n".to_owned());
        role.or_else(|| hello(asked, "7.2.0"))
    });
    let port = replica.await;
    let named = format!(
        "*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n",
        port.to_string().len()
    );
    let sentinel = fake(move |asked| asked.contains("GET-MASTER").then(|| named.clone())).await;
    let url = format!("redis://127.0.0.1:{sentinel}");
    let err = error_of(RedisStore::sentinel("redis://mymaster/", [url])).await;
    assert_says(
        &err,
        &[&format!("ROLE at 127.0.0.1:{port}: "), "is not the master"],
    );
}

#[tokio::test]
async fn error_names_a_node_of_a_cluster_that_cannot_be_reached() {
    let port = free_port();
    let store = RedisStore::cluster([format!("redis://127.0.0.1:{port}")]);
    let store = store.timeout(LIMIT).build().unwrap();
    // The second one is not sent: it has to know why.
    for _ in 0..2 {
        let err = store.ping().await.unwrap_err().to_string();
        assert_says(&err, &[&format!("connecting to 127.0.0.1:{port}: ")]);
    }
}

#[tokio::test]
async fn error_names_the_pool_that_gives_no_connection() {
    let pool = |port: u16| {
        let manager = RedisConnectionManager::new(format!("redis://:secret@127.0.0.1:{port}"));
        let pool = bb8::Pool::builder().retry_connection(false);
        RedisStore::pool_builder(pool.build_unchecked(manager.unwrap()))
    };
    let err = error_of(pool(free_port())).await;
    assert_says(&err, &["the application's pool: ", "refused"]);
    // redis' own limit for a connection is one second; this one is shorter.
    let store = pool(silent().await).timeout(Duration::from_millis(300));
    let err = store.build().unwrap().ping().await.unwrap_err().to_string();
    let waited = "waiting for a connection of the application's pool: none within 300ms";
    assert_says(&err, &[waited]);
    assert!(!err.contains("secret"), "{err}");
}

#[tokio::test]
async fn late_reply_names_the_server_and_the_limit() {
    let redis = Redis::start();
    let store = RedisStore::builder(redis.url())
        .timeout(LIMIT)
        .build()
        .unwrap();
    store.ping().await.unwrap();
    redis.freeze();
    let err = store.ping().await.unwrap_err().to_string();
    redis.thaw();
    let port = redis.known_port();
    assert_says(
        &err,
        &[&format!("no reply from 127.0.0.1:{port} within 3s")],
    );
}
