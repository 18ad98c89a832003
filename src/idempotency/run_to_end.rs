use std::{
    cell::Cell,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::rt;
use futures_util::future::LocalBoxFuture;
use tokio::runtime::Handle;

use crate::runtime::{Span, log};

/// Runs a future in place. Dropped after its [point of no return](DetachPoint) and before its end, it
/// moves it into a task. So a client that leaves does not cut its handler in half, and one that
/// stays costs nothing.
pub struct DetachOnDrop<T: 'static> {
    future: Option<LocalBoxFuture<'static, T>>,
    point: DetachPoint,
}

/// Says when a future has come to where it must not be dropped any more, and in which span that was:
/// what drops it may stand outside.
#[derive(Clone, Default)]
pub(super) struct DetachPoint(Rc<Cell<Option<Span>>>);

impl DetachPoint {
    pub(super) fn reach(&self) {
        self.0.set(Some(Span::current()));
    }
}

impl<T> DetachOnDrop<T> {
    pub(super) fn new<F: Future<Output = T> + 'static>(
        future: impl FnOnce(DetachPoint) -> F,
    ) -> Self {
        let point = DetachPoint::default();
        Self {
            future: Some(Box::pin(future(point.clone()))),
            point,
        }
    }
}

impl<T> fmt::Debug for DetachOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DetachOnDrop")
    }
}

impl<T> Future for DetachOnDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // Taken out while it runs: one that panics must not be run again by the drop.
        let Some(mut future) = self.future.take() else {
            return Poll::Pending;
        };
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            self.future = Some(future);
        }
        polled
    }
}

impl<T> Drop for DetachOnDrop<T> {
    fn drop(&mut self) {
        let (Some(future), Some(span)) = (self.future.take(), self.point.0.take()) else {
            return;
        };
        // In a worker that is ending the task is dropped at once, and its guard does the rest.
        if Handle::try_current().is_err() {
            return;
        }
        log::debug!("a client has left, its handler runs to its end");
        // actix runs services in a context that takes local tasks. Where somebody else does not,
        // spawning panics, and a panic must not leave a drop.
        let spawned = catch_unwind(AssertUnwindSafe(|| {
            rt::spawn(span.around(async move { drop(future.await) }))
        }));
        if spawned.is_err() {
            log::error!("a handler was cut off: its runtime takes no local tasks");
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn two_steps(ended: &Rc<Cell<bool>>) -> DetachOnDrop<u8> {
        let ended = Rc::clone(ended);
        DetachOnDrop::new(|point| async move {
            point.reach();
            tokio::task::yield_now().await;
            ended.set(true);
            7
        })
    }

    #[actix_web::test]
    async fn what_is_not_dropped_runs_in_place() {
        assert_eq!(two_steps(&Rc::default()).await, 7);
    }

    #[actix_web::test]
    async fn what_is_dropped_runs_on() {
        let ended = Rc::default();
        let mut run = two_steps(&ended);
        assert!((&mut run).now_or_never().is_none());
        drop(run);
        assert!(!ended.get());
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(ended.get());
    }

    #[actix_web::test]
    async fn before_the_point_of_no_return_it_ends_with_its_client() {
        let kept = Rc::new(());
        let inside = Rc::clone(&kept);
        let mut run = DetachOnDrop::new(|_point| async move {
            tokio::task::yield_now().await;
            drop(inside);
        });
        assert!((&mut run).now_or_never().is_none());
        drop(run);
        assert_eq!(Rc::strong_count(&kept), 1);
    }

    #[test]
    fn without_a_runtime_or_local_tasks_it_is_dropped_without_a_panic() {
        for _ in 0..2 {
            let mut run = two_steps(&Rc::default());
            assert!((&mut run).now_or_never().is_none());
            drop(run);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut run = two_steps(&Rc::default());
            assert!((&mut run).now_or_never().is_none());
            drop(run);
        });
    }

    #[actix_web::test]
    async fn what_panics_is_not_run_again() {
        let polled = Rc::new(Cell::new(0));
        let count = Rc::clone(&polled);
        let mut run: DetachOnDrop<()> = DetachOnDrop::new(|point| async move {
            point.reach();
            count.set(count.get() + 1);
            std::panic::resume_unwind(Box::new("on purpose"))
        });
        let outcome = AssertUnwindSafe(&mut run).catch_unwind().await;
        assert!(outcome.is_err());
        drop(run);
        tokio::task::yield_now().await;
        assert_eq!(polled.get(), 1);
    }
}
