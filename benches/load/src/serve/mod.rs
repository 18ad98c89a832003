//! The servers under test.

mod floor;
mod guarded;
mod order;
mod passage;
mod payload;
mod subject;

use std::io::{self, Write, stdout};

use actix_web::{
    App, HttpServer,
    web::{self, ServiceConfig},
};

use self::{
    floor::{Floor, first_run, lock, replay},
    guarded::{keys, lock_over, waiting_keys},
    order::{order, slow_order},
};
pub(crate) use self::{passage::Passage, payload::Payload, subject::Subject};

/// Serves a subject with one worker on a free port, and says where. Without the URL of a Redis its
/// store is in memory.
pub(crate) async fn serve(subject: Subject, redis: Option<&str>) -> anyhow::Result<()> {
    match subject {
        Subject::Bare => {
            listen(|app| {
                app.service(web::resource("/orders").post(order));
            })
            .await?;
        }
        Subject::Floor(passage) => {
            let redis = redis.unwrap_or_default().to_owned();
            listen(move |app| {
                // Called once per worker, and so each has a connection of its own.
                app.app_data(web::Data::new(Floor::new(&redis)));
                app.service(match passage {
                    Passage::Lock => web::resource("/orders").post(lock),
                    Passage::FirstRun => web::resource("/orders").post(first_run),
                    Passage::Replay => web::resource("/orders").post(replay),
                });
            })
            .await?;
        }
        Subject::Lock(payload) => {
            let lock = lock_over(payload, redis)?;
            listen(move |app| {
                app.service(web::resource("/orders").wrap(lock.clone()).post(order));
            })
            .await?;
        }
        Subject::Keys => {
            let keys = keys(redis)?;
            listen(move |app| {
                app.service(web::resource("/orders").wrap(keys.clone()).post(order));
            })
            .await?;
        }
        Subject::WaitingKeys => {
            let keys = waiting_keys(redis)?;
            listen(move |app| {
                let slow = web::resource("/slow/{millis}");
                app.service(slow.wrap(keys.clone()).post(slow_order));
            })
            .await?;
        }
    }
    Ok(())
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
