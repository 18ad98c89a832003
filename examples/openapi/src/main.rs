//! An API that says in its OpenAPI document what `POST /payments` does with an `Idempotency-Key`.
//!
//! Run it with `cargo run -p openapi`; `REDIS_URL` and `ADDR` are optional.

#[path = "../../stop_signal/mod.rs"]
mod stop_signal;

mod payment;
mod problem;
mod refusal;

use std::{env, io, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web};
use actix_web_idempotency::{
    ConfigError, Idempotency, MemoryStore, RedisStore, Scope, problem::Problems, store::Store,
};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Payments",
        version = "1.0.0",
        description = "Pays once, however often it is asked.",
        license(name = "MIT OR Apache-2.0"),
    ),
    tags((name = "payments")),
    paths(payment::pay),
    components(schemas(problem::Problem)) // `IntoResponses` only refers to it
)]
struct Document;

async fn document() -> HttpResponse {
    HttpResponse::Ok().json(Document::openapi())
}

fn idempotency_on(store: impl Store) -> Result<Idempotency, ConfigError> {
    Idempotency::builder(store, Scope::header("x-user"))
        .required(true)
        .max_body(16 * 1024)
        .problems(Problems::new().base("https://api.example.com/problems"))
        .build()
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let idempotency = match env::var("REDIS_URL") {
        Ok(url) => idempotency_on(RedisStore::new(url)?)?,
        Err(_) => idempotency_on(MemoryStore::new())?,
    };
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let (wrapped, draining) = (idempotency.clone(), idempotency.clone());
    let app = move || {
        let payments = web::resource("/payments").wrap(wrapped.clone());
        App::new()
            .service(payments.post(payment::pay))
            .route("/openapi.json", web::get().to(document))
    };
    let server = HttpServer::new(app)
        .shutdown_signal(async move {
            stop_signal::stop_signal().await;
            draining.drain(Duration::from_secs(10)).await;
        })
        .bind(addr)?;
    let url = format!("http://{}", server.addrs()[0]);
    println!("The document:\n\n  curl {url}/openapi.json\n");
    server.run().await?;
    idempotency.drain(Duration::from_secs(5)).await;
    Ok(())
}
