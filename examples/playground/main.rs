//! A page that shows what the guards do: send equal orders at once, and see which are executed.
//!
//! Run it with `cargo run --example playground`; `REDIS_URL` and `ADDR` are optional.

mod answer;
mod client;
mod event;
mod guard;
mod guards;
mod ledger;
mod order;
mod page;
mod place;
mod request;
mod run;
mod settings;
mod tally;
mod witness;

use std::{env, io, time::Duration};

use actix_web::{App, HttpServer, middleware::from_fn, web};
use actix_web_idempotency::{AnyStore, MemoryStore, RedisStore};

use crate::{guard::Guard, guards::Guards, ledger::Ledger, witness::witness};

#[actix_web::main]
async fn main() -> io::Result<()> {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    let store = match env::var("REDIS_URL") {
        Ok(url) => AnyStore::new(RedisStore::new(url)?),
        Err(_) => AnyStore::new(MemoryStore::new()),
    };
    // Built once, outside of the closure below, which runs once per worker.
    let guards = Guards::on(store)?;
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let ledger = web::Data::new(Ledger::default());
    let wrapped = guards.clone();
    let app = move || {
        let orders = |guard: Guard| web::resource(guard.path()).post(order::order);
        App::new()
            .app_data(ledger.clone())
            .configure(page::page)
            .route("/runs", web::post().to(run::run))
            .route("/state", web::get().to(run::state))
            // What is wrapped last stands outermost: the witness sees what the guards answer.
            .service(orders(Guard::None).wrap(from_fn(witness)))
            .service(
                orders(Guard::Lock)
                    .wrap(wrapped.lock.clone())
                    .wrap(from_fn(witness)),
            )
            .service(
                orders(Guard::Reject)
                    .wrap(wrapped.reject.clone())
                    .wrap(from_fn(witness)),
            )
            .service(
                orders(Guard::Wait)
                    .wrap(wrapped.wait.clone())
                    .wrap(from_fn(witness)),
            )
    };
    let server = HttpServer::new(app)
        // A client that hangs up closes its connection; by default actix takes that for one that
        // has only ended its sending.
        .h1_allow_half_closed(false)
        .workers(2)
        .shutdown_timeout(5)
        .shutdown_signal(guards.drain_on_stop(Duration::from_secs(10)))
        .bind(addr)?;
    println!("Open http://{}/ in a browser.\n", server.addrs()[0]);
    server.run().await?;
    guards.drain(Duration::from_secs(5)).await;
    Ok(())
}
