use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use actix_web::{
    HttpRequest, HttpResponse,
    error::{Error, ErrorInternalServerError},
    web::{Bytes, Data},
};
use actix_web_idempotency::store::redis::redis::{
    AsyncConnectionConfig, Client, Cmd, RedisResult, Script, Value, aio::MultiplexedConnection, cmd,
};
use tokio::sync::OnceCell;

use crate::serve::order::{created, receipt, replayed};

/// The store's own scripts: the floor must cost Redis what the store costs it.
macro_rules! script {
    ($file:literal) => {
        LazyLock::new(|| {
            Script::new(concat!(
                include_str!("../../../../../src/store/redis/commands/scripts/owner.lua"),
                include_str!(concat!(
                    "../../../../../src/store/redis/commands/scripts/",
                    $file
                ))
            ))
        })
    };
}

static RELEASE: LazyLock<Script> = script!("release.lua");
static COMPLETE: LazyLock<Script> = script!("complete.lua");

const TTL: u64 = 60_000;
const LEASE_AND_AFTERLIFE: u64 = 90_000;
const RETENTION: u64 = 24 * 3600 * 1000;
/// What stands before the body: version, kind, owner, fingerprint, status, one header.
const RECORD_HEAD: usize = 2 + 32 + 33 + 2 + 4 + 34;

/// A key has 64 digits, this many more than a request's number.
const ZEROS: &str = "000000000000000000000000000000000000000000000000";

/// What the middlewares make of 200 bytes, written by hand: the same commands with arguments of the
/// same length over one connection per worker, and nothing else. No digest, no time limit, no undo.
pub(in crate::serve) struct Floor {
    redis: String,
    connection: OnceCell<MultiplexedConnection>,
    requests: AtomicU64,
}

impl Floor {
    pub(in crate::serve) fn new(redis: &str) -> Self {
        Self {
            redis: redis.to_owned(),
            connection: OnceCell::new(),
            requests: AtomicU64::new(1 << 60),
        }
    }

    async fn send(&self, command: &Cmd) -> Result<Value, Error> {
        let connection = self.connection.get_or_try_init(|| self.open()).await;
        let mut connection = connection.map_err(ErrorInternalServerError)?.clone();
        let reply = connection.send_packed_command(command).await;
        reply.map_err(ErrorInternalServerError)
    }

    async fn open(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(4096);
        let client = Client::open(self.redis.as_str())?;
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        for script in [&*RELEASE, &*COMPLETE] {
            script.prepare_invoke().load_async(&mut connection).await?;
        }
        Ok(connection)
    }

    async fn complete(&self, key: &str, token: &str, receipt: &str) -> Result<(), Error> {
        let mut complete = cmd("EVALSHA");
        (complete.arg(COMPLETE.get_hash()).arg(1).arg(key))
            .arg(token)
            .arg(record(token, receipt))
            .arg(RETENTION);
        expect(self.send(&complete).await?, &Value::Int(1))
    }

    /// Sixteen digits for a request.
    fn next(&self) -> String {
        format!("{:x}", self.requests.fetch_add(1, Ordering::Relaxed))
    }
}

/// A lock: a claim, and a release before the answer.
pub(in crate::serve) async fn lock(floor: Data<Floor>, body: Bytes) -> Result<HttpResponse, Error> {
    let request = floor.next();
    let (key, token) = (format!("ApiLock:{ZEROS}{request}"), token(&request));
    let mut claim = cmd("SET");
    (claim.arg(&key).arg(&token)).arg("NX").arg("PX").arg(TTL);
    expect(floor.send(&claim).await?, &Value::Okay)?;
    let receipt = receipt(&body);
    let mut release = cmd("EVALSHA");
    (release.arg(RELEASE.get_hash()).arg(1).arg(&key)).arg(&token);
    expect(floor.send(&release).await?, &Value::Int(1))?;
    Ok(created(receipt))
}

/// A first run: a claim, and a completion before the answer.
pub(in crate::serve) async fn first_run(
    floor: Data<Floor>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let request = floor.next();
    let (key, token) = (format!("idempotency:{ZEROS}{request}"), token(&request));
    expect(floor.send(&claim(&key, &token)).await?, &Value::Nil)?;
    let receipt = receipt(&body);
    floor.complete(&key, &token, &receipt).await?;
    Ok(created(receipt))
}

/// A replay: a claim that brings the record, where there is one.
pub(in crate::serve) async fn replay(
    floor: Data<Floor>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let asked = request.headers().get("idempotency-key");
    let asked = asked.and_then(|value| value.to_str().ok());
    // Ten digits.
    let key = format!("idempotency:{ZEROS}000000{}", asked.unwrap_or_default());
    let token = token(&floor.next());
    match floor.send(&claim(&key, &token)).await? {
        Value::BulkString(record) => {
            let receipt = Bytes::from(record).slice(RECORD_HEAD..);
            Ok(replayed(receipt))
        }
        Value::Nil => {
            let receipt = receipt(&body);
            floor.complete(&key, &token, &receipt).await?;
            Ok(created(receipt))
        }
        reply => Err(ErrorInternalServerError(format!("{reply:?}"))),
    }
}

fn token(request: &str) -> String {
    format!("0000000000000000{request}")
}

fn claim(key: &str, token: &str) -> Cmd {
    let mut set = cmd("SET");
    set.arg(key)
        .arg([b"\x01C", token.as_bytes(), &[0; 45]].concat())
        .arg("NX")
        .arg("GET")
        .arg("PX")
        .arg(LEASE_AND_AFTERLIFE);
    set
}

fn record(token: &str, receipt: &str) -> Vec<u8> {
    let rest = [0; RECORD_HEAD - 34];
    [b"\x01A", token.as_bytes(), &rest, receipt.as_bytes()].concat()
}

fn expect(reply: Value, expected: &Value) -> Result<(), Error> {
    if reply == *expected {
        return Ok(());
    }
    Err(ErrorInternalServerError(format!("{reply:?}")))
}
