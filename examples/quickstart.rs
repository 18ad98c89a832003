//! `POST /orders` takes two seconds; a second equal order meanwhile is refused.
//!
//! Run it with `cargo run --example quickstart`; `REDIS_URL` and `ADDR` are optional.

use std::{env, io, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, middleware::Logger, rt, web};
use actix_web_idempotency::{AnyStore, ApiLock, MemoryStore, RedisStore};
use serde_json::json;

async fn order(body: web::Bytes) -> HttpResponse {
    rt::time::sleep(Duration::from_secs(2)).await; // charge the card, pack the parcel
    HttpResponse::Created().json(json!({ "ordered": String::from_utf8_lossy(&body) }))
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("info"));
    let store = match env::var("REDIS_URL") {
        Ok(url) => AnyStore::new(RedisStore::new(url)?),
        Err(_) => AnyStore::new(MemoryStore::new()),
    };
    // Built once, outside of the closure below, which runs once per worker. The payload says what a
    // duplicate is: it names the caller, or strangers lock each other out.
    let lock = ApiLock::builder(store, |req| {
        json!({ "user": req.header("authorization"), "path": req.path(), "body": req.body() })
    })
    .error_message("Your order is already being placed")
    .build()?;
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let wrapped = lock.clone();
    let orders = move || web::resource("/orders").wrap(wrapped.clone()).post(order);
    let server = HttpServer::new(move || App::new().service(orders()).wrap(Logger::default()))
        .shutdown_signal(lock.drain_on_stop(Duration::from_secs(10))) // let orders end, then stop
        .bind(addr)?;
    let curl = format!("curl -i http://{}/orders -d 'one tea'", server.addrs()[0]);
    println!("Try these two, the second within two seconds:\n\n  {curl} &\n  {curl}\n");
    server.run().await?;
    lock.drain(Duration::from_secs(5)).await; // release what was cut off
    Ok(())
}
