use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// The channels that somebody watches. Locked to look one up, never across an await.
#[derive(Default)]
pub(crate) struct ChannelRegistry(Mutex<HashMap<Arc<str>, Channel>>);

#[derive(Default)]
struct Channel {
    changed: Arc<Notify>,
    watches: usize,
}

impl ChannelRegistry {
    /// Counts one more watch of a channel, and returns what is notified when it changes.
    pub(crate) fn add(&self, channel: &Arc<str>) -> Arc<Notify> {
        let mut channels = self.lock();
        let entry = channels.entry(Arc::clone(channel)).or_default();
        entry.watches += 1;
        Arc::clone(&entry.changed)
    }

    /// Counts one less. After the last one `unsubscribe` is called under the lock, so that its
    /// order stands before those of a watch that begins now.
    pub(crate) fn remove(&self, channel: &str, unsubscribe: impl FnOnce()) {
        let mut channels = self.lock();
        let Some(entry) = channels.get_mut(channel) else {
            return;
        };
        entry.watches -= 1;
        if entry.watches == 0 {
            channels.remove(channel);
            unsubscribe();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Channel>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self, channel: &str) {
        if let Some(channel) = self.lock().get(channel) {
            channel.changed.notify_waiters();
        }
    }

    /// After a lost connection: anything may have changed.
    pub(crate) fn wake_all(&self) {
        for channel in self.lock().values() {
            channel.changed.notify_waiters();
        }
    }
}
