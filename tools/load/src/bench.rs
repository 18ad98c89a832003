use anyhow::Result;
use tempfile::TempDir;

use crate::{
    cores::Cores,
    interrupt::Interrupt,
    postgres_server::{Flush, PostgresServer},
    process::Process,
    program::Program,
    redis_server::RedisServer,
    store::Store,
};

/// Where things are measured: a Redis and two PostgreSQL of its own, and two cores.
pub(crate) struct Bench {
    pub(crate) redis: RedisServer,
    pub(crate) postgres: PostgresServer,
    /// One that waits for its disk.
    pub(crate) on_disk: PostgresServer,
    pub(crate) cores: Cores,
    pub(crate) interrupt: Interrupt,
    dir: TempDir,
}

/// A server under test. It ends when this is dropped.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// Without a path.
    pub(crate) url: String,
}

impl Bench {
    pub(crate) fn new(cores: Cores, interrupt: Interrupt) -> Result<Self> {
        let dir = TempDir::with_prefix("load-")?;
        let redis = RedisServer::start(cores.load, dir.path(), &interrupt)?;
        let postgres = PostgresServer::start(cores.load, Flush::No, &interrupt)?;
        let on_disk = PostgresServer::start(cores.load, Flush::Yes, &interrupt)?;
        Ok(Self {
            redis,
            postgres,
            on_disk,
            cores,
            interrupt,
            dir,
        })
    }

    /// Forgets all keys.
    pub(crate) fn clear(&self) -> Result<()> {
        self.redis.clear()?;
        self.postgres.clear()?;
        self.on_disk.clear()?;
        for name in ["keys.db", "keys.db-wal", "keys.db-shm"] {
            // It may not be there.
            let _ = std::fs::remove_file(self.dir.path().join(name));
        }
        Ok(())
    }

    /// Starts a program on the server's core and waits until it serves.
    pub(crate) fn serve(&self, program: Program, store: Store) -> Result<Server> {
        let mut command = program.command(self.cores.server)?;
        match store {
            Store::Memory => &mut command,
            Store::Redis => command.arg(self.redis.url()),
            Store::Unix => command.arg(self.redis.unix_url()),
            Store::Postgres => command.arg(self.postgres.url()),
            Store::Disk => command.arg(self.on_disk.url()),
            Store::Sqlite => {
                let file = self.dir.path().join("keys.db");
                command.arg(format!("sqlite:{}", file.display()))
            }
        };
        command.env("NODE_ENV", "production");
        let process = Process::start(&mut command, &self.dir.path().join("server.log"))?;
        let url = process.line(&self.interrupt)?;
        Ok(Server { process, url })
    }
}
