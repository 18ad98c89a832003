use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::Event;

use crate::runtime::log;

/// The closure of the application that receives events.
#[derive(Clone)]
pub(crate) struct Observer(Arc<Inner<Tell>>);

type Tell = dyn Fn(Event<'_>) + Send + Sync;

struct Inner<F: ?Sized> {
    has_panicked: AtomicBool,
    tell: F,
}

impl Observer {
    pub(crate) fn new(tell: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            has_panicked: AtomicBool::new(false),
            tell,
        }))
    }

    /// Calls the closure. Its panic must neither break a request nor free a key; and this is called from drops,
    /// which must not panic.
    pub(crate) fn tell(&self, event: Event<'_>) {
        let told = catch_unwind(AssertUnwindSafe(|| (self.0.tell)(event)));
        if told.is_err() && !self.0.has_panicked.swap(true, Ordering::Relaxed) {
            log::error!("an observer of events has panicked; further panics are not logged");
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
