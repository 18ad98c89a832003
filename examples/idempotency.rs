//! `POST /orders` takes an `Idempotency-Key`: an order is placed once, however often it is sent.
//!
//! Run it with `cargo run --example idempotency`; `REDIS_URL` and `ADDR` are optional.

use std::{
    env, io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, middleware::Logger, rt, web};
use actix_web_idempotency::{
    AnyStore, Idempotency, IdempotencyKey, MemoryStore, RedisStore, Scope,
};
use serde_json::{Value, json};

async fn order(
    key: IdempotencyKey,
    body: web::Json<Value>,
    orders: web::Data<AtomicU64>,
) -> HttpResponse {
    rt::time::sleep(Duration::from_secs(1)).await; // charge the card, pack the parcel
    let id = orders.fetch_add(1, Ordering::Relaxed) + 1;
    log::info!(
        "order {id} was placed with a key of {} characters",
        key.as_str().len()
    );
    HttpResponse::Created()
        .insert_header(("location", format!("/orders/{id}")))
        .json(json!({ "id": id, "ordered": *body }))
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("info"));
    let store = match env::var("REDIS_URL") {
        Ok(url) => AnyStore::new(RedisStore::new(url)?),
        Err(_) => AnyStore::new(MemoryStore::new()),
    };
    // Keys belong to the user whom a gateway has authenticated and names in this header.
    let scope = Scope::header("x-user");
    // Built once, outside of the closure below, which runs once per worker.
    let idempotency = Idempotency::builder(store, scope).required(true).build()?;
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let orders = web::Data::new(AtomicU64::new(0));
    let wrapped = idempotency.clone();
    let app = move || {
        App::new()
            .app_data(orders.clone())
            .service(web::resource("/orders").wrap(wrapped.clone()).post(order))
            .wrap(Logger::default())
    };
    let server = HttpServer::new(app)
        // Handlers whose client has left are no connections, so the server would not wait.
        .shutdown_signal(idempotency.drain_on_stop(Duration::from_secs(10)))
        .bind(addr)?;
    let url = format!("http://{}/orders", server.addrs()[0]);
    println!("An order, its retry, another order with its key, and two at once:\n");
    let json = "-H 'content-type: application/json'";
    for (key, order, and) in [
        ("a-1", "tea", ""),
        ("a-1", "tea", ""),
        ("a-1", "coffee", ""),
        ("a-2", "tea", " &"),
        ("a-2", "tea", ""),
    ] {
        println!(
            "  curl -i {url} -H 'x-user: ann' -H 'idempotency-key: {key}' {json} -d '{{\"item\":\"{order}\"}}'{and}"
        );
    }
    println!();
    server.run().await?;
    idempotency.drain(Duration::from_secs(5)).await; // record what was still in the background
    Ok(())
}
