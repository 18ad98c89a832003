use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Semaphore;

use super::eventually;

/// Stands in handlers: counts who came in, and keeps them there until they are let go.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Inner>);

struct Inner {
    entered: AtomicUsize,
    left: AtomicUsize,
    may_leave: Semaphore,
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Inner {
            entered: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            may_leave: Semaphore::new(0),
        }))
    }

    pub(crate) fn open() -> Self {
        let gate = Self::closed();
        gate.0.may_leave.add_permits(Semaphore::MAX_PERMITS);
        gate
    }

    /// What a handler awaits.
    pub(crate) async fn pass(&self) {
        self.0.entered.fetch_add(1, Ordering::SeqCst);
        self.0.may_leave.acquire().await.unwrap().forget();
        self.0.left.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn entered(&self) -> usize {
        self.0.entered.load(Ordering::SeqCst)
    }

    pub(crate) fn left(&self) -> usize {
        self.0.left.load(Ordering::SeqCst)
    }

    pub(crate) fn let_go(&self, handlers: usize) {
        self.0.may_leave.add_permits(handlers);
    }

    pub(crate) async fn wait_for_entered(&self, handlers: usize) {
        eventually("a handler is entered", async || self.entered() >= handlers).await;
        assert_eq!(self.entered(), handlers);
    }
}
