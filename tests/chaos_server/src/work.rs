use std::{
    convert::Infallible,
    env,
    panic::resume_unwind,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use actix_web::{HttpRequest, HttpResponse, Result, error::ErrorBadRequest, web};
use actix_web_idempotency::{Claim, IdempotencyKey};
use futures_util::stream;
use tokio::time::sleep;

use crate::{
    event::{Event, Fate},
    journal::Journal,
};

static RUNS: AtomicU64 = AtomicU64::new(0);

/// What must not be done twice: it takes its fence, writes down that it is done, and takes and ends
/// as its request wishes. What it answers names the run.
pub(crate) async fn work(
    req: HttpRequest,
    key: IdempotencyKey,
    claim: Claim,
    journal: web::Data<Journal>,
) -> Result<HttpResponse> {
    let (fate, takes) = wished(&req).ok_or_else(|| ErrorBadRequest("x-fate, x-takes"))?;
    let fence = claim.fencing_token().await?.0;
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    let run = format!("{}-{number}", env::var("LIFE").unwrap_or_default());
    journal.write(Event::Begun {
        run: run.clone(),
        key: key.as_str().to_owned(),
        fence,
    });
    sleep(takes).await;
    journal.write(Event::Ended {
        run: run.clone(),
        fate,
    });
    Ok(match fate {
        Fate::Created => HttpResponse::Created().body(run),
        Fate::Streamed => streamed(run),
        Fate::Failed => HttpResponse::InternalServerError().body(run),
        Fate::Panicked => resume_unwind(Box::new("on purpose")),
    })
}

/// How it ends, and how long it takes.
fn wished(req: &HttpRequest) -> Option<(Fate, Duration)> {
    let header = |name| req.headers().get(name)?.to_str().ok();
    let fate = serde_json::from_str(header("x-fate")?).ok()?;
    Some((
        fate,
        Duration::from_millis(header("x-takes")?.parse().ok()?),
    ))
}

/// In three pieces, with pauses in which a connection can break.
fn streamed(run: String) -> HttpResponse {
    let pieces = ["", run.as_str(), ""].map(|piece| web::Bytes::from(format!("{piece} ")));
    let pieces = stream::unfold(pieces.into_iter(), |mut pieces| async {
        let piece = pieces.next()?;
        sleep(Duration::from_millis(5)).await;
        Some((Ok::<_, Infallible>(piece), pieces))
    });
    HttpResponse::Created().streaming(Box::pin(pieces))
}
