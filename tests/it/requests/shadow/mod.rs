//! Middlewares that only watch: whatever they find out about a request, it runs.

mod agreement;
mod as_if_not_there;
mod bodies;
mod refusals;

use actix_web::{App, Handler, HttpResponse, web};
use actix_web_idempotency::{ApiLock, Idempotency};
use futures_util::{StreamExt, future::LocalBoxFuture};
use reqwest::RequestBuilder;

use crate::{
    serve,
    support::{gate::Gate, server::Server},
};

/// A handler that stands in the gate, then reads its body and answers 201 with the number of its run and the body, or
/// how many bytes came before it broke off.
fn handler(gate: &Gate) -> impl Handler<(web::Payload,), Output = HttpResponse> + Send + use<> {
    let gate = gate.clone();
    move |mut body: web::Payload| -> LocalBoxFuture<'static, HttpResponse> {
        let gate = gate.clone();
        Box::pin(async move {
            let run = gate.pass().await;
            let mut all = Vec::new();
            while let Some(piece) = body.next().await {
                match piece {
                    Ok(piece) => all.extend_from_slice(&piece),
                    Err(_) => {
                        let read = all.len();
                        return HttpResponse::Created().body(format!("broken after {read}"));
                    }
                }
            }
            let all = String::from_utf8(all).unwrap();
            HttpResponse::Created().body(format!("run {run}: {all}"))
        })
    }
}

/// A server with nothing around the handler.
fn bare(gate: &Gate) -> Server {
    let handler = handler(gate);
    serve!(App::new().default_service(web::to(handler.clone())))
}

fn with_keys(keys: &Idempotency, gate: &Gate) -> Server {
    let (keys, handler) = (keys.clone(), handler(gate));
    serve!(
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(handler.clone()))
    )
}

fn with_lock(lock: &ApiLock, gate: &Gate) -> Server {
    let (lock, handler) = (lock.clone(), handler(gate));
    serve!(
        App::new()
            .wrap(lock.clone())
            .default_service(web::to(handler.clone()))
    )
}

/// What a client is told.
#[derive(Debug, PartialEq)]
struct Told {
    status: u16,
    /// The names of its headers, sorted.
    headers: Vec<String>,
    body: String,
}

/// Sends a request; `None` when the connection breaks.
async fn told(request: RequestBuilder) -> Option<Told> {
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    let mut headers: Vec<_> = answer.headers().keys().map(ToString::to_string).collect();
    headers.sort_unstable();
    let body = answer.text().await.unwrap();
    Some(Told {
        status,
        headers,
        body,
    })
}
