use std::time::Duration;

use actix_http::Request as Sent;
use actix_web::{
    App, Error, HttpRequest, Route,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    test::init_service,
    web,
};
use actix_web_idempotency::{
    ApiLock, Claim, ExpiredLease, Idempotency, InFlight, RequestView, Scope, store::Inspected,
    testing::BackgroundHere,
};
use futures_util::future::join_all;
use tokio::{
    runtime::{Builder, Handle},
    task::LocalSet,
    time::sleep,
};

use super::{
    client::{Heard, What, send},
    fickle::Fickle,
    log::Log,
    plan::{Guard, Plan, Request},
    promise::{Asked, afterwards, one_answer_each},
    runs::Runs,
};

/// Longer than a store may go wrong, shorter than the longest run.
const LEASE: Duration = Duration::from_secs(120);
/// Longer than the longest run: that of a lock is not renewed.
const TTL: Duration = Duration::from_secs(300);
/// Longer than everything that goes on in the background.
const LONG: Duration = Duration::from_secs(1200);
/// Long enough for an undo to find what is carried out late.
const UNDO: Duration = Duration::from_secs(25);

/// Lives a plan through, from its first request until nothing is left of it. Tells what was not as
/// promised, and all that happened.
pub(super) fn live(plan: &Plan) -> Result<Vec<Heard>, String> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let log = Log::new();
        let store = Fickle::new(plan.faults.clone(), log.clone()).await;
        let _here = BackgroundHere::here();
        let outcome = match plan.guard {
            Guard::Lock => with_a_lock(plan, store, &log).await,
            Guard::Keys {
                expired_lease,
                wait,
            } => with_keys(plan, store, expired_lease, wait, &log).await,
        };
        outcome.map_err(|why| format!("{why}\n{}\n", log.text()))
    })
}

async fn with_a_lock(plan: &Plan, store: Fickle, log: &Log) -> Result<Vec<Heard>, String> {
    let runs = Runs::new(plan.guard, log.clone());
    let payload = |req: &RequestView<'_>| {
        let tenant = req.header("x-tenant").map(String::from);
        let key = req.header("idempotency-key").map(String::from);
        serde_json::json!([tenant, key, req.body()])
    };
    let lock = ApiLock::builder(store.clone(), payload)
        .ttl(TTL)
        .build()
        .unwrap();
    let service = {
        let app = App::new().wrap(lock.clone());
        init_service(app.default_service(handler(plan, &runs))).await
    };
    let life = Life {
        plan,
        log,
        store,
        runs,
    };
    let heard = life.all(&service, || lock.drain(LONG)).await?;
    drop((service, lock));
    life.ends().await?;
    Ok(heard)
}

async fn with_keys(
    plan: &Plan,
    store: Fickle,
    expired_lease: ExpiredLease,
    wait: Option<Duration>,
    log: &Log,
) -> Result<Vec<Heard>, String> {
    let runs = Runs::new(plan.guard, log.clone());
    let keys = Idempotency::builder(store.clone(), Scope::header("x-tenant"))
        .lease(LEASE)
        .on_expired_lease(expired_lease)
        .on_in_flight(wait.map_or(InFlight::Reject, |limit| InFlight::Wait(limit.into())))
        .build()
        .unwrap();
    let service = {
        let app = App::new().wrap(keys.clone());
        init_service(app.default_service(handler(plan, &runs))).await
    };
    let life = Life {
        plan,
        log,
        store,
        runs,
    };
    let heard = life.all(&service, || keys.drain(LONG)).await?;
    drop((service, keys));
    life.ends().await?;
    Ok(heard)
}

/// Does what is planned for the request, or what a probe does.
fn handler(plan: &Plan, runs: &Runs) -> Route {
    let (requests, runs) = (plan.requests.clone(), runs.clone());
    web::to(
        move |req: HttpRequest, claim: Option<Claim>, body: String| {
            let text = |name: &str| {
                req.headers()
                    .get(name)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            };
            let number: usize = text("x-request").parse().unwrap();
            let probe = || {
                let (tenant, key) = (text("x-tenant"), text("idempotency-key"));
                let is_it = |it: &&Request| it.name.tenant == tenant && it.name.key == key;
                let of = requests.iter().find(is_it).unwrap();
                Request::probe(of.name, if body == "tea" { "tea" } else { "coffee" })
            };
            let request = requests.get(number).cloned().unwrap_or_else(probe);
            runs.clone().handle(number, request, claim)
        },
    )
}

struct Life<'a> {
    plan: &'a Plan,
    log: &'a Log,
    store: Fickle,
    runs: Runs,
}

impl Life<'_> {
    async fn all<S, B>(
        &self,
        service: &S,
        drain: impl AsyncFn() -> bool,
    ) -> Result<Vec<Heard>, String>
    where
        S: Service<Sent, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        let requests = self.plan.requests.iter().enumerate();
        let heard = requests.map(|(number, request)| send(service, number, request, self.log));
        let heard = join_all(heard).await;
        self.log.say("all have heard or left");
        if !drain().await {
            return Err("the background does not settle".to_owned());
        }
        let runs = self.runs.all();
        for (number, (request, heard)) in self.plan.requests.iter().zip(&heard).enumerate() {
            let asked = Asked {
                plan: self.plan,
                number,
                request,
                heard,
                runs: &runs,
            };
            asked.check()?;
        }
        one_answer_each(self.plan, &heard)?;
        self.is_at_rest()?;
        self.store.is_well();
        sleep(UNDO).await;
        self.nothing_is_held().await?;
        self.probe(service).await?;
        self.is_at_rest()?;
        Ok(heard)
    }

    /// What was begun has come to its end, whoever left, and nothing was begun that should not.
    fn is_at_rest(&self) -> Result<(), String> {
        for (n, run) in self.runs.all().iter().enumerate() {
            let is_cut_off = self.plan.guard != Guard::Lock && !run.is_over;
            if run.ended.is_none() || is_cut_off {
                return Err(format!("run {n} did not come to its end"));
            }
        }
        match self.runs.breaches().first() {
            Some(breach) => Err(breach.clone()),
            None => Ok(()),
        }
    }

    /// Nothing but records is left, and what nobody may follow.
    async fn nothing_is_held(&self) -> Result<(), String> {
        let unknown = self.unknown();
        let held: Vec<_> = self
            .store
            .entries()
            .await
            .into_iter()
            .map(|(_, held)| held)
            .collect();
        let claims = held
            .iter()
            .filter(|held| matches!(held, Inspected::Claim { .. }))
            .count();
        let locks = held
            .iter()
            .filter(|held| matches!(held, Inspected::Lock { .. }))
            .count();
        match claims == unknown && locks == 0 {
            true => Ok(()),
            false => Err(format!(
                "{unknown} outcomes are unknown, and {held:?} is left"
            )),
        }
    }

    /// How many have panicked where nobody may follow.
    fn unknown(&self) -> usize {
        let runs = self.runs.all();
        let unknown = runs.iter().filter(|run| run.panicked && run.is_final);
        unknown.count()
    }

    /// Every key answers as it has to: what is done is told, what is free runs.
    async fn probe<S, B>(&self, service: &S) -> Result<(), String>
    where
        S: Service<Sent, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        if self.unknown() > 0 {
            // Until then they count as running.
            sleep(LEASE).await;
        }
        let mut number = self.plan.requests.len();
        for planned in &self.plan.requests {
            for payload in [planned.payload, "tea", "coffee"] {
                let probe = Request::probe(planned.name, payload);
                let runs = self.runs.all();
                let expected = afterwards(self.plan, &probe, &runs).unwrap_or(What::Answer {
                    status: 201,
                    is_replay: false,
                    body: format!("run {}", runs.len()),
                });
                let heard = send(service, number, &probe, self.log).await;
                if heard.what != expected {
                    return Err(format!(
                        "afterwards {:?} instead of {expected:?}",
                        heard.what
                    ));
                }
                number += 1;
            }
        }
        Ok(())
    }

    /// When its records are gone there is nothing left to do.
    async fn ends(&self) -> Result<(), String> {
        self.store.clear().await;
        sleep(LONG).await;
        match Handle::current().metrics().num_alive_tasks() {
            0 => Ok(()),
            tasks => Err(format!("{tasks} tasks are left in the background")),
        }
    }
}
