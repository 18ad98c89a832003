use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::PathBuf,
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{cores::Core, cpu::cpu_of, interrupt::Interrupt, process::Process};

/// Whether a PostgreSQL waits for its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    Yes,
    No,
}

/// A PostgreSQL of our own, on a free port. It ends when this is dropped.
pub(crate) struct PostgresServer {
    process: Process,
    port: u16,
    dir: TempDir,
}

impl PostgresServer {
    pub(crate) fn start(core: Core, flush: Flush, interrupt: &Interrupt) -> Result<Self> {
        let dir = TempDir::with_prefix("load-")?;
        let account = account()?;
        if let Some((user, group)) = account {
            chown(dir.path(), Some(user), Some(group))?;
        }
        let run_as = |command: &mut Command| {
            command.current_dir(dir.path());
            if let Some((user, group)) = account {
                command.uid(user).gid(group);
            }
        };
        let mut initdb = Command::new(bin()?.join("initdb"));
        run_as(initdb.args([
            "--pgdata=data",
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
        ]));
        let made = initdb.output()?;
        ensure!(made.status.success(), "{made:?}");
        // Another program may take the port first; then it ends, and says so.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = core.command(&bin()?.join("postgres").to_string_lossy());
        command
            .args(["-D", "data", "-h", "127.0.0.1", "-p", &port.to_string()])
            .args(["-k", &dir.path().to_string_lossy()])
            .args((flush == Flush::No).then_some("-F"))
            .args(["-c", "shared_buffers=256MB", "-c", "max_wal_size=8GB"]);
        run_as(&mut command);
        let log = dir.path().join("postgres.log");
        let process = Process::start(&mut command, &log)?;
        let server = Self { process, port, dir };
        interrupt.poll("PostgreSQL answers", Duration::from_secs(10), || {
            Ok(server.query("SELECT 1").ok())
        })?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Forgets all keys.
    pub(crate) fn clear(&self) -> Result<()> {
        self.query("DROP TABLE IF EXISTS idempotency_keys, orders, saved")
    }

    /// The processor time of all its sessions.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let parent = self.process.id();
        let mut sum = cpu_of(parent)?;
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            // Behind the name, which may contain anything: the state, and the parent.
            let rest = stat.rsplit_once(") ").map(|(_, rest)| rest);
            let of = rest.and_then(|rest| rest.split(' ').nth(1));
            if of.is_some_and(|of| of == parent.to_string()) {
                sum += cpu_of(id).unwrap_or_default();
            }
        }
        Ok(sum)
    }

    fn query(&self, sql: &str) -> Result<()> {
        let psql = Command::new(bin()?.join("psql"))
            .args(["-Xqtc", sql, "-U", "postgres", "postgres"])
            .args(["-p", &self.port.to_string(), "-h"])
            .arg(self.dir.path())
            .output()?;
        ensure!(psql.status.success(), "{psql:?}");
        Ok(())
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // The way that ends its children, too, and leaves no shared memory behind.
        let id = self.process.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &id]).status();
        thread::sleep(Duration::from_millis(500));
    }
}

/// The folder of its programs, which Debian keeps out of PATH.
fn bin() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let bins = versions.filter_map(|version| {
        let path = version.ok()?.path();
        let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
        Some((number, path.join("bin")))
    });
    let newest = bins.max().map(|(_, bin)| bin);
    newest.context("PostgreSQL is missing: apt-get install postgresql, or let tests/run do it")
}

/// The account of its processes: one's own, but for root, whom it refuses.
fn account() -> Result<Option<(u32, u32)>> {
    let id = |words: &[&str]| -> Result<u32> {
        let output = Command::new("id").args(words).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    };
    Ok(match id(&["-u"])? {
        0 => Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)),
        _ => None,
    })
}
