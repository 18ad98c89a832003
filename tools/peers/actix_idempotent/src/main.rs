//! The published actix-idempotent, with sessions as its README has them.

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
};

use actix_idempotent::{IdempotentFactory, IdempotentOptions};
use actix_session::{
    SessionMiddleware,
    config::{BrowserSession, TtlExtensionPolicy},
    storage::RedisSessionStore,
};
use actix_web::{
    App, HttpResponse, HttpServer,
    cookie::{Key, SameSite, time::Duration},
    http::header::ContentType,
    web,
};
use anyhow::Context;
use deadpool_redis::{Config, Runtime};

static RUNS: AtomicU64 = AtomicU64::new(0);

/// The handler of all rows, as in tools/load/src/serve/order.rs.
async fn order(body: web::Bytes) -> HttpResponse {
    let run = RUNS.fetch_add(1, Ordering::Relaxed) + 1;
    let receipt = format!(r#"{{"run":"{run:08}","received":{}}}"#, body.len());
    HttpResponse::Created()
        .content_type(ContentType::json())
        .body(receipt)
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let url = env::args().nth(1).context("the URL of a Redis")?;
    let pool = Config::from_url(url).create_pool(Some(Runtime::Tokio1))?;
    let store = RedisSessionStore::new_pooled(pool).await?;
    let secret = Key::generate();
    let server = HttpServer::new(move || {
        let lifecycle = BrowserSession::default()
            .state_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest)
            .state_ttl(Duration::days(1));
        let sessions = SessionMiddleware::builder(store.clone(), secret.clone())
            .cookie_name("session".to_owned())
            .session_lifecycle(lifecycle)
            .cookie_http_only(false)
            .cookie_same_site(SameSite::Strict)
            .build();
        let idempotent = IdempotentFactory::new(IdempotentOptions::default());
        App::new()
            .wrap(sessions)
            .route("/orders", web::post().to(order).wrap(idempotent))
    })
    .workers(1)
    .bind(("127.0.0.1", 0))?;
    for addr in server.addrs() {
        println!("http://{addr}");
    }
    server.run().await?;
    Ok(())
}
