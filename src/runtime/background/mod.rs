//! One thread of the crate's own, with a current-thread runtime, for work that must outlive a
//! request: undoing claims, retried releases, giving expired memory back.
//!
//! actix ends its worker runtimes first when a server stops, and a task spawned on a stopping
//! worker silently never runs; a `Drop` may also find no runtime at all. A thread that nobody
//! stops has neither problem. It is started at first need and ends with the process.

#[cfg(any(test, feature = "test-util"))]
mod here;

use std::{
    cell::RefCell,
    future::{Future, pending},
    sync::OnceLock,
    thread,
};

use tokio::runtime::{self, Handle};

use super::log;

#[cfg(any(test, feature = "test-util"))]
pub use self::here::BackgroundHere;

static RUNTIME: OnceLock<Option<Handle>> = OnceLock::new();

thread_local! {
    /// The runtime that stands in for the crate's own, for work begun on this thread.
    static STAND_IN: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Runs a future to its end on the background runtime. Callable from everywhere, `Drop` too.
pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    // A thread that is ending has dropped its thread-locals; `try_with` then says so.
    let stand_in = STAND_IN.try_with(|handle| handle.borrow().clone()).ok();
    match stand_in
        .flatten()
        .or_else(|| RUNTIME.get_or_init(start).clone())
    {
        Some(handle) => drop(handle.spawn(work)),
        None => log::error!("background work is lost, there is no thread to run it"),
    }
}

fn start() -> Option<Handle> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .inspect_err(|err| log::error!("cannot build the background runtime: {err}"))
        .ok()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("actix-web-idempotency".to_owned())
        .spawn(move || runtime.block_on(pending::<()>()))
        .inspect_err(|err| log::error!("cannot start the background thread: {err}"))
        .ok()?;
    Some(handle)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn work_runs_without_a_runtime_at_hand() {
        let (sender, receiver) = mpsc::channel();
        spawn(async move {
            let name = thread::current().name().map(str::to_owned);
            sender.send(name).unwrap();
        });
        assert_eq!(
            receiver.recv().unwrap().as_deref(),
            Some("actix-web-idempotency")
        );
    }

    #[tokio::test]
    async fn work_can_run_on_the_runtime_of_a_test() {
        let _here = BackgroundHere::here();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        spawn(async move { sender.send(thread::current().id()).unwrap() });
        assert_eq!(receiver.await.unwrap(), thread::current().id());
    }
}
