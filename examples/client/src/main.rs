//! Sends a request that must not run twice, and tries again until it knows what has become of it.
//!
//! `cargo run -p client -- URL BODY [KEY]`; `ACCOUNT` is sent as `x-account`, as a gateway would.

use std::{
    env,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use backon::{ExponentialBuilder, Retryable};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use uuid::Uuid;

/// No try begins later than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Without jitter, clients that met the same trouble would all come back at the same moment.
const BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(100))
    .with_max_times(5)
    .with_jitter();

/// Why there is no final response yet, and the pause that the server asks for.
struct Trouble(String, Duration);

/// Not reached, no response in time, or cut off. It is unknown whether the request ran, and its key makes
/// that harmless.
impl From<reqwest::Error> for Trouble {
    fn from(err: reqwest::Error) -> Self {
        let err = anyhow::Error::from(err.without_url());
        Self(format!("{err:#}"), Duration::ZERO)
    }
}

/// The same request can end better after these. Of the 409s only that of a request in flight asks
/// to come again; the others need a human, and a 422 another key.
fn is_passing(status: StatusCode, asks_again: bool) -> bool {
    match status.as_u16() {
        408 | 425 | 429 | 500 | 502 | 503 | 504 => true,
        409 => asks_again,
        _ => false,
    }
}

async fn attempt(request: RequestBuilder) -> Result<(StatusCode, bool, String), Trouble> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), answer.headers());
    let after = headers.get(RETRY_AFTER);
    if is_passing(status, after.is_some()) {
        let seconds = after.and_then(|after| after.to_str().ok()?.parse().ok());
        let pause = Duration::from_secs(seconds.unwrap_or(0));
        return Err(Trouble(status.to_string(), pause));
    }
    let replayed = headers.contains_key("idempotent-replayed");
    Ok((status, replayed, answer.text().await?))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let mut args = env::args().skip(1);
    let (Some(url), Some(body)) = (args.next(), args.next()) else {
        bail!("usage: client URL BODY [KEY]");
    };
    let url: Url = url.parse()?;
    // One key for all tries of an operation. To survive a crash, too, write it down first.
    let key = args.next().unwrap_or_else(|| Uuid::new_v4().to_string());
    let mut headers = HeaderMap::new();
    headers.insert("idempotency-key", format!("\"{key}\"").parse()?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(account) = env::var("ACCOUNT") {
        headers.insert("x-account", account.parse()?);
    }
    let client = Client::builder().timeout(Duration::from_secs(5)).build()?;
    let post = || {
        client
            .post(url.clone())
            .headers(headers.clone())
            .body(body.clone())
    };
    let end = Instant::now() + PATIENCE;
    let outcome = (|| attempt(post()))
        .retry(BACKOFF)
        .adjust(|Trouble(_, asked), pause| {
            let pause = pause?.saturating_add(*asked);
            (pause < end.saturating_duration_since(Instant::now())).then_some(pause)
        })
        .notify(|Trouble(why, _), pause| eprintln!("{why}; again in {pause:.1?}"))
        .await;
    let (status, replayed, body) = match outcome {
        Ok(answer) => answer,
        Err(Trouble(why, _)) => bail!("{why}; it may have run, so go on with its key {key}"),
    };
    let how = if replayed { ", a replay" } else { "" };
    println!("{status}{how}\n{body}");
    Ok(ExitCode::from(u8::from(!status.is_success())))
}
