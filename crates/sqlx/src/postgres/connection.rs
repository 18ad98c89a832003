use sqlx::{PgConnection, Postgres, pool::PoolConnection};

/// A connection with a statement under way. It is closed when it is dropped, unless the statement has ended: in
/// its pool, the next user would wait for a statement that was given up.
pub(super) struct InUse {
    connection: PoolConnection<Postgres>,
    ended: bool,
}

impl InUse {
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self {
            connection,
            ended: false,
        }
    }

    pub(super) fn get(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives the connection back to its pool.
    pub(super) fn give_back(mut self) {
        self.ended = true;
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}
