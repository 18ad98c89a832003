//! `POST /orders` takes two seconds; a second equal order meanwhile is refused.
//!
//! Run it with `cargo run --example quickstart`; `REDIS_URL` and `ADDR` are optional.

mod stop_signal;

use std::{env, io, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, middleware::Logger, rt, web};
use actix_web_idempotency::{ApiLock, ConfigError, MemoryStore, RedisStore, store::Store};
use serde_json::json;

/// The payload says what a duplicate is. It names the caller, or strangers lock each other out.
fn lock_on(store: impl Store) -> Result<ApiLock, ConfigError> {
    ApiLock::builder(store, |req| {
        json!({ "user": req.header("authorization"), "path": req.path(), "body": req.body() })
    })
    .error_message("Your order is already being placed")
    .build()
}

async fn order(body: web::Bytes) -> HttpResponse {
    rt::time::sleep(Duration::from_secs(2)).await; // charge the card, pack the parcel
    HttpResponse::Created().json(json!({ "ordered": String::from_utf8_lossy(&body) }))
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("info"));
    // Built once, outside of the closure below, which runs once per worker.
    let lock = match env::var("REDIS_URL") {
        Ok(url) => lock_on(RedisStore::new(url)?)?,
        Err(_) => lock_on(MemoryStore::new())?,
    };
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let (wrapped, draining) = (lock.clone(), lock.clone());
    let orders = move || web::resource("/orders").wrap(wrapped.clone()).post(order);
    let server = HttpServer::new(move || App::new().service(orders()).wrap(Logger::default()))
        .shutdown_signal(async move {
            stop_signal::stop_signal().await;
            draining.drain(Duration::from_secs(10)).await; // let orders end, then stop
        })
        .bind(addr)?;
    let curl = format!("curl -i http://{}/orders -d 'one tea'", server.addrs()[0]);
    println!("Try these two, the second within two seconds:\n\n  {curl} &\n  {curl}\n");
    server.run().await?;
    lock.drain(Duration::from_secs(5)).await; // release what was cut off
    Ok(())
}
