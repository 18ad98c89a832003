use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use actix_web_idempotency::store::redis::redis::{Client, Connection, cmd};
use anyhow::{Context, Result};

use crate::{cores::Core, interrupt::Interrupt, process::Process};

/// A Redis of our own, on a free port and a unix socket, without persistence. It ends when this is
/// dropped.
pub(crate) struct RedisServer {
    process: Process,
    port: u16,
    socket: PathBuf,
    version: String,
}

/// What it has done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    /// Calls by the name of the command, those that scripts make included.
    pub(crate) calls: BTreeMap<String, u64>,
    /// How often it has read from a socket: at most as often as clients have written.
    pub(crate) reads: u64,
}

impl RedisServer {
    pub(crate) fn start(core: Core, dir: &Path, interrupt: &Interrupt) -> Result<Self> {
        // Another program may take the port first; then Redis ends, and says so.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let socket = dir.join("redis.sock");
        let mut command = core.command("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .current_dir(dir);
        let process = Process::start(&mut command, &dir.join("redis.log"))?;
        let mut server = Self {
            process,
            port,
            socket,
            version: String::new(),
        };
        server.version = interrupt.poll("Redis answers", Duration::from_secs(10), || {
            let info = server.info("server").ok();
            Ok(info.and_then(|info| Some(field(&info, "redis_version")?.to_owned())))
        })?;
        Ok(server)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn unix_url(&self) -> String {
        format!("redis+unix://{}", self.socket.display())
    }

    /// Forgets all keys.
    pub(crate) fn clear(&self) -> Result<()> {
        Ok(cmd("FLUSHALL").arg("SYNC").exec(&mut self.connection()?)?)
    }

    pub(crate) fn work(&self) -> Result<Work> {
        let stats = self.info("stats")?;
        let reads = field(&stats, "total_reads_processed").context("no reads in INFO")?;
        let mut calls = BTreeMap::new();
        for line in self.info("commandstats")?.lines() {
            let Some((name, stats)) = line
                .strip_prefix("cmdstat_")
                .and_then(|line| line.split_once(":calls="))
            else {
                continue;
            };
            let count = stats.split(',').next().unwrap_or_default();
            calls.insert(name.to_owned(), count.parse()?);
        }
        // Ours.
        calls.remove("info");
        Ok(Work {
            calls,
            reads: reads.parse()?,
        })
    }

    fn info(&self, section: &str) -> Result<String> {
        Ok(cmd("INFO").arg(section).query(&mut self.connection()?)?)
    }

    /// For one command. Over the socket, because the port could be another program's.
    fn connection(&self) -> Result<Connection> {
        let client = Client::open(self.unix_url())?;
        let connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(connection)
    }
}

impl Work {
    pub(crate) fn since(&self, before: &Self) -> Self {
        let calls = self.calls.iter().map(|(name, count)| {
            let earlier = before.calls.get(name).copied().unwrap_or_default();
            (name.clone(), count - earlier)
        });
        Self {
            calls: calls.filter(|(_, count)| *count > 0).collect(),
            reads: self.reads - before.reads,
        }
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}
