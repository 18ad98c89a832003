//! An API that says in its OpenAPI document what `POST /payments` does with an `Idempotency-Key`.
//!
//! Run it with `cargo run -p openapi`; `REDIS_URL` and `ADDR` are optional.

mod payment;
mod problem;
mod refusal;

use std::{env, io, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web};
use actix_web_idempotency::{
    AnyStore, Idempotency, MemoryStore, RedisStore, Scope, problem::Problems,
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

#[actix_web::main]
async fn main() -> io::Result<()> {
    let store = match env::var("REDIS_URL") {
        Ok(url) => AnyStore::new(RedisStore::new(url)?),
        Err(_) => AnyStore::new(MemoryStore::new()),
    };
    let idempotency = Idempotency::builder(store, Scope::header("x-user"))
        .required(true)
        .max_body(16 * 1024)
        .problems(Problems::new().base("https://api.example.com/problems"))
        .build()?;
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let wrapped = idempotency.clone();
    let app = move || {
        let payments = web::resource("/payments").wrap(wrapped.clone());
        App::new()
            .service(payments.post(payment::pay))
            .route("/openapi.json", web::get().to(document))
    };
    let server = HttpServer::new(app)
        .shutdown_signal(idempotency.drain_on_stop(Duration::from_secs(10)))
        .bind(addr)?;
    let url = format!("http://{}", server.addrs()[0]);
    println!("The document:\n\n  curl {url}/openapi.json\n");
    server.run().await?;
    idempotency.drain(Duration::from_secs(5)).await;
    Ok(())
}
