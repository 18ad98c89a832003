//! A real PgBouncer of a test's own, in front of a PostgreSQL.

use std::{
    fs,
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{
    postgres::{Account, Postgres},
    redis::free_port,
};

const MISSING: &str = "PgBouncer is installed: apt-get install pgbouncer; tests/run does that";

/// In transaction mode. It ends when this is dropped.
pub(crate) struct PgBouncer {
    _dir: TempDir,
    port: u16,
    pooler: Child,
}

impl PgBouncer {
    /// With so many connections to the server.
    pub(crate) fn start(postgres: &Postgres, connections: usize) -> Self {
        for _ in 0..10 {
            if let Some(pooler) = Self::launch(postgres, connections) {
                return pooler;
            }
        }
        panic!("pgbouncer does not start");
    }

    fn launch(postgres: &Postgres, connections: usize) -> Option<Self> {
        let (dir, port) = (TempDir::with_prefix("idempotency-").unwrap(), free_port());
        let config = format!(
            "[databases]\n\
             postgres = host=127.0.0.1 port={} user=postgres\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             pool_mode = transaction\n\
             default_pool_size = {connections}\n\
             ignore_startup_parameters = extra_float_digits\n",
            postgres.port()
        );
        let path = dir.path().join("pgbouncer.ini");
        fs::write(&path, config).unwrap();
        let mut command = Command::new("pgbouncer");
        if let Some(account) = Account::of_servers() {
            account.owns(dir.path());
            account.runs(&mut command);
        }
        let mut pooler = command
            .arg(&path)
            .current_dir(dir.path())
            .env(
                "PATH",
                "/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin",
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.path().join("log")).unwrap())
            .spawn()
            .expect(MISSING);
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            if pooler.try_wait().unwrap().is_some() {
                return None;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(Self {
                    _dir: dir,
                    port,
                    pooler,
                });
            }
            sleep(Duration::from_millis(10));
        }
        let _ = pooler.kill();
        let _ = pooler.wait();
        None
    }

    pub(crate) fn url(&self) -> String {
        Postgres::url_at(self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.pooler.kill();
        let _ = self.pooler.wait();
    }
}
