use sqlx::{Database, pool::PoolConnection};
use tokio::runtime::Handle;

/// A connection with a statement under way. It is closed when it is dropped, unless the statement has ended: in
/// its pool, the next user would wait for a statement that was given up.
pub(super) struct InUse<DB: Database> {
    /// Taken when this is dropped, and at no other time.
    connection: Option<PoolConnection<DB>>,
    ended: bool,
    runtime: Handle,
}

impl<DB: Database> InUse<DB> {
    /// Takes a connection into use. Called within a runtime.
    pub(super) fn new(connection: PoolConnection<DB>) -> Self {
        Self {
            connection: Some(connection),
            ended: false,
            runtime: Handle::current(),
        }
    }

    /// Returns the connection, which is there until this is dropped.
    pub(super) fn get(&mut self) -> Option<&mut DB::Connection> {
        self.connection.as_deref_mut()
    }

    /// Gives the connection back to its pool.
    pub(super) fn give_back(mut self) {
        self.ended = true;
    }
}

impl<DB: Database> Drop for InUse<DB> {
    fn drop(&mut self) {
        // A runtime that ends drops its tasks from outside, where sqlx would find none and panic.
        let _within = self.runtime.enter();
        if let Some(mut connection) = self.connection.take()
            && !self.ended
        {
            connection.close_on_drop();
        }
    }
}
