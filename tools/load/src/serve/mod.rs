//! The servers under test.

mod committed;
mod floor;
mod guarded;
mod order;
mod passage;
mod payload;
mod subject;

use std::io::{self, Write, stdout};

use actix_web::{
    App, HttpServer,
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use actix_web_idempotency::{ApiLock, Idempotency};

use self::{
    committed::{book, commit, committed, orders},
    floor::{
        memory, postgres,
        redis::{Floor, first_run, lock, replay},
        sqlite,
    },
    guarded::{crowded_keys, crowded_lock, keys, lock_over, pool, store, waiting_keys},
    order::{order, slow_order},
};
pub(crate) use self::{passage::Passage, payload::Payload, subject::Subject};

/// Serves a subject with one worker on a free port, and says where. Without the URL of a store it is in memory.
pub(crate) async fn serve(subject: Subject, url: Option<&str>) -> anyhow::Result<()> {
    let is_postgres = url.is_some_and(|url| url.starts_with("postgres:"));
    let is_sqlite = url.is_some_and(|url| url.starts_with("sqlite:"));
    match subject {
        Subject::Bare => {
            listen(|app| {
                app.service(web::resource("/orders").post(order));
            })
            .await?;
        }
        Subject::Floor(passage) if url.is_none() => {
            let table = web::Data::new(memory::Table::default());
            listen(move |app| {
                app.app_data(table.clone());
                let orders = web::resource("/orders").post(order);
                match passage {
                    Passage::Lock => app.service(orders.wrap(from_fn(memory::lock))),
                    _ => app.service(orders.wrap(from_fn(memory::keys))),
                };
            })
            .await?;
        }
        Subject::Floor(passage) if is_postgres => {
            // As the store makes it.
            let url = url.unwrap_or_default();
            store(Some(url)).await?;
            let pool = pool(url)?;
            if passage == Passage::Commit {
                orders(&pool).await?;
            }
            let floor = web::Data::new(postgres::Floor::new(pool));
            listen(move |app| {
                app.app_data(floor.clone());
                app.service(match passage {
                    Passage::Replay => web::resource("/orders").post(postgres::replay),
                    Passage::Commit => web::resource("/orders").post(postgres::commit),
                    _ => web::resource("/orders").post(postgres::first_run),
                });
            })
            .await?;
        }
        Subject::Floor(_) if is_sqlite => {
            // As the store makes it.
            let url = url.unwrap_or_default();
            store(Some(url)).await?;
            let floor = sqlite::Floor::new(url.trim_start_matches("sqlite:"));
            let floor = web::Data::new(floor);
            listen(move |app| {
                app.app_data(floor.clone());
                app.service(web::resource("/orders").post(sqlite::keys));
            })
            .await?;
        }
        Subject::Floor(passage) => {
            let redis = url.unwrap_or_default().to_owned();
            listen(move |app| {
                // Called once per worker, and so each has a connection of its own.
                app.app_data(web::Data::new(Floor::new(&redis)));
                app.service(match passage {
                    Passage::Lock => web::resource("/orders").post(lock),
                    Passage::Replay => web::resource("/orders").post(replay),
                    _ => web::resource("/orders").post(first_run),
                });
            })
            .await?;
        }
        Subject::Lock(payload) => behind_lock(lock_over(payload, store(url).await?)?).await?,
        Subject::CrowdedLock => behind_lock(crowded_lock().await?).await?,
        Subject::Keys => behind_keys(keys(store(url).await?)?).await?,
        Subject::Commit | Subject::AsynchronousClaims => {
            let pool = pool(url.unwrap_or_default())?;
            let keys = committed(&pool, subject == Subject::AsynchronousClaims).await?;
            let pool = web::Data::new(pool);
            listen(move |app| {
                app.app_data(pool.clone());
                app.service(web::resource("/orders").wrap(keys.clone()).post(commit));
            })
            .await?;
        }
        Subject::Book => {
            let pool = pool(url.unwrap_or_default())?;
            orders(&pool).await?;
            let pool = web::Data::new(pool);
            listen(move |app| {
                app.app_data(pool.clone());
                app.service(web::resource("/orders").post(book));
            })
            .await?;
        }
        Subject::CrowdedKeys => behind_keys(crowded_keys().await?).await?,
        Subject::WaitingKeys => {
            let keys = waiting_keys(store(url).await?)?;
            listen(move |app| {
                let slow = web::resource("/slow/{millis}");
                app.service(slow.wrap(keys.clone()).post(slow_order));
            })
            .await?;
        }
    }
    Ok(())
}

async fn behind_lock(lock: ApiLock) -> io::Result<()> {
    listen(move |app| {
        app.service(web::resource("/orders").wrap(lock.clone()).post(order));
    })
    .await
}

async fn behind_keys(keys: Idempotency) -> io::Result<()> {
    listen(move |app| {
        app.service(web::resource("/orders").wrap(keys.clone()).post(order));
    })
    .await
}

async fn listen(routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> io::Result<()> {
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(1)
        .bind(("127.0.0.1", 0))?;
    for addr in server.addrs() {
        println!("http://{addr}");
    }
    stdout().flush()?;
    server.run().await
}
