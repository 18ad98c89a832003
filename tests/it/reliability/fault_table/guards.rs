use actix_web::{App, HttpRequest, HttpResponse, http::Method, web};
use actix_web_idempotency::{
    AnyStore, ApiLock, Fingerprint, Idempotency, InFlight, RequestView, StoreFailure,
    store::StoreKey,
};
use tokio::time::sleep;

use super::{HANDLER, LEASE, WAIT, caller::KEY, long_runs::is_long, runs::Runs, target::Target};
use crate::{
    serve,
    support::{keys::keys_on, server::Server},
};

/// Both middlewares with all policies, on one store.
#[derive(Clone)]
pub(super) struct Guards {
    locks: [ApiLock; 2],
    keys: [Idempotency; 3],
}

impl Guards {
    pub(super) fn on(store: &AnyStore) -> Self {
        let lock = |target: Target| {
            let payload = |req: &RequestView<'_>| req.path().to_owned();
            let lock = ApiLock::builder(store.clone(), payload).ttl(LEASE);
            let lock = lock.key_prefix(target.prefix());
            lock.silent(target.fails_open()).build().unwrap()
        };
        let keys = |target: Target| {
            let keys = keys_on(store.clone())
                .lease(LEASE)
                .key_prefix(target.prefix());
            let policy = match target.fails_open() {
                false => StoreFailure::FailClosed,
                true => StoreFailure::FailOpen,
            };
            let in_flight = match target.waits() {
                false => InFlight::Reject,
                true => InFlight::Wait(WAIT.into()),
            };
            let keys = keys.on_store_failure(policy).on_in_flight(in_flight);
            keys.build().unwrap()
        };
        Self {
            locks: [Target::LockClosed, Target::LockOpen].map(lock),
            keys: [Target::KeysClosed, Target::KeysOpen, Target::KeysWait].map(keys),
        }
    }

    pub(super) fn serve(&self, runs: &Runs) -> Server {
        let (guards, runs) = (self.clone(), runs.clone());
        serve!(2, {
            let [closed, open] = guards.locks.clone();
            let [keys_closed, keys_open, keys_wait] = guards.keys.clone();
            let scope = |target: Target| web::scope(&format!("/{}", target.name()));
            App::new()
                .app_data(web::Data::new(runs.clone()))
                .service(
                    scope(Target::LockClosed)
                        .wrap(closed)
                        .default_service(web::to(handler)),
                )
                .service(
                    scope(Target::LockOpen)
                        .wrap(open)
                        .default_service(web::to(handler)),
                )
                .service(
                    scope(Target::KeysClosed)
                        .wrap(keys_closed)
                        .default_service(web::to(handler)),
                )
                .service(
                    scope(Target::KeysOpen)
                        .wrap(keys_open)
                        .default_service(web::to(handler)),
                )
                .service(
                    scope(Target::KeysWait)
                        .wrap(keys_wait)
                        .default_service(web::to(handler)),
                )
        })
    }

    /// Under which key something is stored.
    pub(super) fn stored_key(&self, target: Target, number: usize) -> StoreKey {
        let path = target.path(number);
        let [closed, open, wait] = &self.keys;
        let keys = match target {
            Target::LockClosed | Target::LockOpen => {
                let digest = Fingerprint::digest_json(&path).unwrap();
                return StoreKey::new(target.prefix(), *digest.as_bytes());
            }
            Target::KeysClosed => closed,
            Target::KeysOpen => open,
            Target::KeysWait => wait,
        };
        keys.stored_key(None, &Method::POST, &path, &KEY.parse().unwrap())
    }
}

async fn handler(req: HttpRequest, runs: web::Data<Runs>) -> HttpResponse {
    let running = runs.begin(req.path());
    let (_, number) = Target::parse(req.path());
    match is_long(number) {
        true => runs.long_ones_may_end().await,
        false => sleep(HANDLER).await,
    }
    running.is_answered();
    HttpResponse::Created().body("done")
}
