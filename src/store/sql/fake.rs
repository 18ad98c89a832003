use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use super::{Database, DatabaseError, Dialect, Row, Statement};

/// A database that does nothing: every key can be claimed and completed, each claim that is waited for still has its
/// key, and nothing is to be purged.
#[derive(Debug, Default)]
pub(super) struct Fake {
    purges: AtomicUsize,
}

impl Fake {
    pub(super) fn purges(&self) -> usize {
        self.purges.load(Ordering::SeqCst)
    }
}

/// The reply to a statement, told by its first column.
pub(super) enum Reply {
    Word(&'static str),
    /// The number of a claim that is looked for, or how much a purge has seen.
    Number(i64),
}

impl Row for Reply {
    fn int(&self, _column: usize) -> Result<Option<i64>, DatabaseError> {
        Ok(Some(match self {
            // The attempt.
            Self::Word(_) => 1,
            Self::Number(number) => *number,
        }))
    }

    fn text(&self, _column: usize) -> Result<Option<String>, DatabaseError> {
        Ok(match self {
            Self::Word(word) => Some((*word).to_owned()),
            Self::Number(_) => None,
        })
    }

    fn bytes(&self, _column: usize) -> Result<Option<Vec<u8>>, DatabaseError> {
        Ok(None)
    }
}

impl Database for Fake {
    const DIALECT: Dialect = Dialect::Postgres;

    type Row = Reply;

    async fn run(&self, statement: &Statement<'_>) -> Result<Vec<Reply>, DatabaseError> {
        let first = statement.sql().lines().next().unwrap_or_default();
        Ok(vec![match first {
            first if first.contains("Claims a vacant key") => Reply::Word("claimed"),
            first if first.contains("Replaces a claim by its record") => Reply::Word("done"),
            first if first.contains("still have their key") => Reply::Number(0),
            first if first.contains("Removes rows") => {
                self.purges.fetch_add(1, Ordering::SeqCst);
                Reply::Number(0)
            }
            other => return Err(DatabaseError::refused(None, other.to_owned())),
        }])
    }

    async fn run_script(&self, _sql: &str, _deadline: Instant) -> Result<(), DatabaseError> {
        Ok(())
    }
}
