//! Payments with keys and orders under a lock, counted for Prometheus on `GET /metrics`.
//!
//! Run it with `cargo run -p metrics_prometheus`; `REDIS_URL` and `ADDR` are optional. The folder
//! `grafana` has the rest: `alerts.yml` goes into `rule_files` of Prometheus, `dashboard.json` into
//! Grafana (Dashboards, New, Import), whose data source is chosen at its top.

mod prometheus;

use std::{env, io, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, rt, web};
use actix_web_idempotency::{
    AnyStore, ApiLock, Idempotency, InFlight, MemoryStore, RedisStore, Scope, Waiting, metrics,
};
use serde_json::json;

async fn work() -> HttpResponse {
    rt::time::sleep(Duration::from_millis(200)).await; // charge the card, pack the parcel
    HttpResponse::Created().json(json!({ "done": true }))
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let prometheus = prometheus::install()?; // before the guards, so that it sees their zeroes
    let store = match env::var("REDIS_URL") {
        Ok(url) => AnyStore::new(RedisStore::new(url)?),
        Err(_) => {
            let store = MemoryStore::new();
            metrics::memory_store("main", &store);
            AnyStore::new(store)
        }
    };
    // Each guard has a name of its own.
    let payments = Idempotency::builder(store.clone(), Scope::header("x-user"))
        .required(true)
        .on_in_flight(InFlight::Wait(Waiting::new(Duration::from_secs(10))))
        .on_event(metrics::observer("payments"))
        .build()?;
    let orders = ApiLock::builder(
        store,
        |req| json!({ "user": req.header("x-user"), "body": req.body() }),
    )
    .on_event(metrics::observer("orders"))
    .build()?;
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let wrapped = (payments.clone(), orders.clone());
    let app = move || {
        let (payments, orders) = wrapped.clone();
        App::new()
            .app_data(web::Data::new(prometheus.clone()))
            .service(web::resource("/payments").wrap(payments).post(work))
            .service(web::resource("/orders").wrap(orders).post(work))
            // Elsewhere it has a port that strangers cannot reach.
            .route("/metrics", web::get().to(prometheus::scrape))
    };
    let limit = Duration::from_secs(10);
    let server = HttpServer::new(app)
        .shutdown_signal(orders.drain_on(payments.drain_on_stop(limit), limit))
        .bind(addr)?;
    let url = format!("http://{}", server.addrs()[0]);
    println!("Try the first two twice, or both at once:\n");
    println!("  curl -i {url}/payments -H 'x-user: ann' -H 'idempotency-key: a-1' -d tea");
    println!("  curl -i {url}/orders -H 'x-user: ann' -d tea");
    println!("  curl {url}/metrics\n");
    server.run().await?;
    payments.drain(Duration::from_secs(5)).await;
    orders.drain(Duration::from_secs(5)).await;
    Ok(())
}
