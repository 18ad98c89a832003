use std::time::{Duration, Instant};

use actix_web::{HttpRequest, HttpResponse, rt, web};
use bytes::Bytes;
use futures_util::{future::join_all, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc::{Sender, channel};

use crate::{client::Client, event::Event, ledger::Ledger, request::Request, settings::Settings};

/// Sends the requests that the page asks for, and streams what happens to them.
///
/// Only JSON is accepted, which a page of another origin cannot send without being allowed to.
pub(crate) async fn run(
    settings: web::Json<Settings>,
    req: HttpRequest,
    ledger: web::Data<Ledger>,
) -> HttpResponse {
    if let Some(fault) = settings.fault() {
        return HttpResponse::UnprocessableEntity().body(fault);
    }
    let Ok(client) = Client::to(req.app_config().local_addr()) else {
        return HttpResponse::InternalServerError().body("no client could be made");
    };
    let (tell, told) = channel(2 * settings.requests + 2);
    rt::spawn(send_all(settings.into_inner(), client, ledger, tell));
    let lines = stream::unfold(told, async |mut told| {
        let event = told.recv().await?;
        let line = serde_json::to_string(&event).map(|line| Bytes::from(line + "\n"));
        Some((line, told))
    });
    HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .streaming(lines)
}

async fn send_all(
    settings: Settings,
    client: Client,
    ledger: web::Data<Ledger>,
    tell: Sender<Event>,
) {
    let (run, began) = ledger.open(settings.requests);
    let key = settings.key.clone();
    let key = key.unwrap_or_else(|| format!("order-{:016x}", rand::random::<u64>()));
    let named = Event::Run {
        run,
        key: key.clone(),
    };
    let _ = tell.send(named).await;
    let sent = (0..settings.requests)
        .map(|request| client.send((run, began), request, &key, &settings, tell.clone()));
    join_all(sent).await;
    let requests = settled(&ledger, run).await;
    let tally = ledger.tally(run);
    let _ = tell.send(Event::End { requests, tally }).await;
}

/// Waits, for a while, until no handler of a run is at work and every client is accounted for.
async fn settled(ledger: &Ledger, run: u64) -> Vec<Request> {
    let (waits, begun) = (Duration::from_secs(60), Instant::now());
    loop {
        let requests = ledger.requests(run);
        let waited = begun.elapsed();
        let open = |request: &Request| request.is_open() || request.may_arrive_after(waited);
        if !requests.iter().any(open) || waited > waits {
            return requests;
        }
        rt::time::sleep(Duration::from_millis(20)).await;
    }
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    run: u64,
}

/// What the server has counted in a run.
pub(crate) async fn state(asked: web::Query<Asked>, ledger: web::Data<Ledger>) -> HttpResponse {
    HttpResponse::Ok().json(json!(ledger.tally(asked.run)))
}
