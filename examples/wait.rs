//! Ten payments with one key at the same moment: one is executed, all ten get its response.
//!
//! Run it with `cargo run --example wait`; `REDIS_URL` is optional.

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, rt, web};
use actix_web_idempotency::{
    AnyStore, Idempotency, InFlight, MemoryStore, RedisStore, Scope, Waiting,
};
use anyhow::Result;
use futures_util::future::try_join_all;
use serde_json::json;

async fn pay(executions: web::Data<AtomicU64>) -> HttpResponse {
    rt::time::sleep(Duration::from_millis(500)).await; // ask the bank
    let payment = executions.fetch_add(1, Ordering::Relaxed) + 1;
    HttpResponse::Created().json(json!({ "payment": payment }))
}

/// Sends the payment and tells what came back.
async fn send(
    client: reqwest::Client,
    url: String,
    key: String,
) -> Result<(String, bool), reqwest::Error> {
    let request = client
        .post(url)
        .header("idempotency-key", key)
        .body("100 to bob");
    let answer = request.send().await?;
    let replayed = answer.headers().contains_key("idempotent-replayed");
    Ok((
        format!("{} {}", answer.status(), answer.text().await?),
        replayed,
    ))
}

#[actix_web::main]
async fn main() -> Result<()> {
    env_logger::init();
    let store = match env::var("REDIS_URL") {
        Ok(url) => AnyStore::new(RedisStore::new(url)?),
        Err(_) => AnyStore::new(MemoryStore::new()),
    };
    // One client in this example. Where there are more, their keys must not meet.
    let idempotency = Idempotency::builder(store, Scope::global())
        .required(true)
        .on_in_flight(InFlight::Wait(Waiting::new(Duration::from_secs(10))))
        .build()?;
    let executions = web::Data::new(AtomicU64::new(0));
    let (wrapped, counted) = (idempotency.clone(), executions.clone());
    let app = move || {
        let payments = web::resource("/payments").wrap(wrapped.clone()).post(pay);
        App::new().app_data(counted.clone()).service(payments)
    };
    let server = HttpServer::new(app).workers(2).bind(("127.0.0.1", 0))?;
    let url = format!("http://{}/payments", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);

    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .build()?;
    let key = format!("wait-{}", rand::random::<u64>());
    let answers =
        try_join_all((0..10).map(|_| send(client.clone(), url.clone(), key.clone()))).await?;
    for (answer, replayed) in &answers {
        println!("{answer}{}", if *replayed { " (replayed)" } else { "" });
    }
    println!("executions: {}", executions.load(Ordering::Relaxed));

    handle.stop(true).await;
    idempotency.drain(Duration::from_secs(5)).await;
    Ok(())
}
