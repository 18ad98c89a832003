use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use tokio::runtime::Handle;

/// A connection with a statement under way. It is closed when it is dropped, unless the statement has ended: in
/// its pool, the next user would wait for a statement that was given up.
pub(super) struct InUse {
    /// Taken when this is dropped, and at no other time.
    connection: Option<PoolConnection<Postgres>>,
    ended: bool,
    runtime: Handle,
}

impl InUse {
    /// Takes a connection into use. Called within a runtime.
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self {
            connection: Some(connection),
            ended: false,
            runtime: Handle::current(),
        }
    }

    /// Returns the connection, which is there until this is dropped.
    pub(super) fn get(&mut self) -> Option<&mut PgConnection> {
        self.connection.as_deref_mut()
    }

    /// Gives the connection back to its pool.
    pub(super) fn give_back(mut self) {
        self.ended = true;
    }
}

impl Drop for InUse {
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
