//! Payments with keys and orders under a lock, counted for Prometheus on `GET /metrics`.
//!
//! Run it with `cargo run -p metrics_prometheus`; `REDIS_URL` and `ADDR` are optional. The folder
//! `grafana` has the rest: `alerts.yml` goes into `rule_files` of Prometheus, `dashboard.json` into
//! Grafana (Dashboards, New, Import), whose data source is chosen at its top.

mod prometheus;
#[path = "../../stop_signal/mod.rs"]
mod stop_signal;

use std::{env, io, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, rt, web};
use actix_web_idempotency::{
    ApiLock, ConfigError, Idempotency, InFlight, MemoryStore, RedisStore, Scope, metrics,
    store::Store,
};
use serde_json::json;

/// Each guard has a name of its own.
fn guards_on(store: impl Store + Clone) -> Result<(Idempotency, ApiLock), ConfigError> {
    let payments = Idempotency::builder(store.clone(), Scope::header("x-user"))
        .required(true)
        .on_in_flight(InFlight::Wait(Duration::from_secs(10).into()))
        .on_event(metrics::observer("payments"))
        .build()?;
    let orders = ApiLock::builder(
        store,
        |req| json!({ "user": req.header("x-user"), "body": req.body() }),
    )
    .on_event(metrics::observer("orders"))
    .build()?;
    Ok((payments, orders))
}

async fn work() -> HttpResponse {
    rt::time::sleep(Duration::from_millis(200)).await; // charge the card, pack the parcel
    HttpResponse::Created().json(json!({ "done": true }))
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let prometheus = prometheus::install()?; // before the guards, so that it sees their zeroes
    let (payments, orders) = match env::var("REDIS_URL") {
        Ok(url) => guards_on(RedisStore::new(url)?)?,
        Err(_) => {
            let store = MemoryStore::new();
            metrics::memory_store("main", &store);
            guards_on(store)?
        }
    };
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let (wrapped, draining) = (
        (payments.clone(), orders.clone()),
        (payments.clone(), orders.clone()),
    );
    let app = move || {
        let (payments, orders) = wrapped.clone();
        App::new()
            .app_data(web::Data::new(prometheus.clone()))
            .service(web::resource("/payments").wrap(payments).post(work))
            .service(web::resource("/orders").wrap(orders).post(work))
            // Elsewhere it has a port that strangers cannot reach.
            .route("/metrics", web::get().to(prometheus::scrape))
    };
    let server = HttpServer::new(app)
        .shutdown_signal(async move {
            stop_signal::stop_signal().await;
            let (payments, orders) = draining;
            payments.drain(Duration::from_secs(10)).await;
            orders.drain(Duration::from_secs(10)).await;
        })
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
