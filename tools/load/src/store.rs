use std::fmt;

/// Where it keeps its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// In itself, if anywhere.
    Memory,
    Redis,
    /// The same over a unix socket.
    Unix,
    Postgres,
    /// PostgreSQL that waits for its disk.
    Disk,
    /// SQLite that waits for its disk.
    Sqlite,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Redis => "Redis",
            Self::Unix => "Redis by unix socket",
            Self::Postgres => "PostgreSQL",
            Self::Disk => "PostgreSQL on disk",
            Self::Sqlite => "SQLite",
        })
    }
}
