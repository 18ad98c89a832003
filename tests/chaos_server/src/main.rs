//! One of the servers that the test `chaos` starts, kills and suspends. It writes down what it does
//! and what the store tells it.
//!
//! From the environment: `REDIS_URL`; `ADDR`; `JOURNAL`, the file to append to; `LIFE`, its name;
//! `LEASE` in milliseconds; `WAIT` in milliseconds, or 0 to refuse duplicates.

mod asked;
mod event;
mod journal;
mod stalls;
mod witness;
mod work;

use std::{env, thread, time::Duration};

use actix_web::{App, HttpServer, web};
use actix_web_idempotency::{Idempotency, InFlight, RedisStore, Scope};

use self::{event::Event, journal::Journal, stalls::stalled, witness::Witness, work::work};

fn millis(name: &str) -> anyhow::Result<Duration> {
    Ok(Duration::from_millis(env::var(name)?.parse()?))
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let journal = web::Data::new(Journal::open()?);
    let store = Witness {
        store: RedisStore::new(env::var("REDIS_URL")?)?,
        journal: journal.clone().into_inner(),
    };
    let in_flight = match millis("WAIT")? {
        Duration::ZERO => InFlight::Reject,
        wait => InFlight::Wait(wait.into()),
    };
    let idempotency = Idempotency::builder(store, Scope::global())
        .required(true)
        .lease(millis("LEASE")?)
        .on_in_flight(in_flight)
        .build()?;
    let stalls = journal.clone();
    thread::spawn(move || {
        loop {
            if let Some(since) = stalled() {
                stalls.write(Event::Stalled { since });
            }
        }
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(journal.clone())
            .wrap(idempotency.clone())
            .route("/work", web::post().to(work))
    });
    let server = server.workers(1).bind(env::var("ADDR")?)?;
    for addr in server.addrs() {
        println!("http://{addr}/work\n");
    }
    Ok(server.run().await?)
}
