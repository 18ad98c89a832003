use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{JoinHandle, spawn},
};

use super::{
    event::{Micros, now},
    stalls::stalled,
};

/// Notes when this process gets no processor.
pub(super) struct StallWatch {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<(Micros, Micros)>>,
}

impl StallWatch {
    pub(super) fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = spawn(move || {
            let mut stalls = Vec::new();
            while !over.load(Ordering::Relaxed) {
                stalls.extend(stalled().map(|since| (since, now())));
            }
            stalls
        });
        Self { is_over, thread }
    }

    /// From when until when, each time.
    pub(super) fn end(self) -> Vec<(Micros, Micros)> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
