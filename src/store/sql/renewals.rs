//! The renewals of a process, in one statement.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::json;
use tokio::{sync::oneshot, task::yield_now, time::timeout_at};

use super::{
    Database, Inner, Value,
    on_cut_off::OnCutOff,
    rows::{Columns, millis},
    store::renewed,
};
use crate::{
    runtime::background,
    store::{Lease, Renewed, StoreError},
};

/// How many leases one statement renews.
const MOST: usize = 1000;

/// The leases that wait for the next statement. There is one at a time, so that what comes meanwhile goes together.
#[derive(Debug, Default)]
pub(super) struct Renewals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Whether a task is at work.
    running: bool,
}

#[derive(Debug)]
struct Waiting {
    lease: Lease,
    reply: oneshot::Sender<Result<Renewed, StoreError>>,
}

impl Renewals {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets another task begin, where this one was cut off: by a panic of the driver, or with its runtime. Those that
    /// wait for it are told, because their replies are dropped.
    fn cut_off(&self) {
        let mut state = self.lock();
        state.running = false;
        state.waiting.clear();
    }

    /// Returns the next leases; none if the task is to end.
    fn take(&self) -> Vec<Waiting> {
        let mut state = self.lock();
        let count = state.waiting.len().min(MOST);
        let rest = state.waiting.split_off(count);
        let next = mem::replace(&mut state.waiting, rest);
        state.running = !next.is_empty();
        next
    }
}

pub(super) async fn renew<D: Database>(
    store: &Arc<Inner<D>>,
    lease: &Lease,
) -> Result<Renewed, StoreError> {
    let deadline = store.deadline();
    let (reply, replied) = oneshot::channel();
    let must_start = {
        let mut state = store.renewals.lock();
        state.waiting.push(Waiting {
            lease: lease.clone(),
            reply,
        });
        !mem::replace(&mut state.running, true)
    };
    if must_start {
        background::spawn(run(Arc::clone(store)));
    }
    match timeout_at(deadline.into(), replied).await {
        Ok(Ok(replied)) => replied,
        Ok(Err(_)) => Err(StoreError::interrupted("the renewal was given up")),
        Err(_) => Err(StoreError::late("the renewals of this process are late")),
    }
}

async fn run<D: Database>(store: Arc<Inner<D>>) {
    let cut_off = OnCutOff::new(|| store.renewals.cut_off());
    loop {
        // Those that are renewed in the same round have come by then.
        yield_now().await;
        let all = store.renewals.take();
        if all.is_empty() {
            return cut_off.never();
        }
        match renew_all(&store, &all).await {
            Ok(times) => {
                for one in all {
                    let reply = match times.get(&id(&one.lease)) {
                        Some(micros) => renewed(*micros),
                        None => Renewed::Lost,
                    };
                    let _ = one.reply.send(Ok(reply));
                }
            }
            Err(err) => {
                for one in all {
                    let _ = one.reply.send(Err(err.to_another()));
                }
            }
        }
    }
}

/// What tells one lease from another: key and token.
type Id = (String, Vec<u8>);

fn id(lease: &Lease) -> Id {
    (lease.key().to_text(), lease.token().as_bytes().to_vec())
}

/// Returns the times of those that were renewed.
async fn renew_all<D: Database>(
    store: &Inner<D>,
    all: &[Waiting],
) -> Result<HashMap<Id, i64>, StoreError> {
    let asked: Vec<_> = all
        .iter()
        .map(|Waiting { lease, .. }| {
            json!({
                "key": lease.key().to_text(),
                "token": lease.token().to_hex(),
                "lease": millis(lease.duration()),
                "grace": millis(lease.grace()),
            })
        })
        .collect();
    let asked = serde_json::Value::Array(asked).to_string();
    let sql = &store.statements.renew;
    let rows = store.run_reserved(sql, &[Value::Text(&asked)]).await?;
    let mut times = HashMap::with_capacity(rows.len());
    for row in &rows {
        let mut columns = Columns::new(row);
        let (key, token, micros) = (columns.text()?, columns.bytes()?, columns.int()?);
        if let (Some(key), Some(token), Some(micros)) = (key, token, micros) {
            times.insert((key, token), micros);
        }
    }
    Ok(times)
}
