use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Once, mpsc},
    thread,
    time::Duration,
};

/// The server of an example in a process of its own, as its user runs it. It is killed when this
/// is dropped.
pub(crate) struct Example {
    process: Child,
    url: String,
    said: Vec<String>,
}

impl Example {
    /// Starts it on a free port and reads what it prints, up to the empty line behind its URL.
    pub(crate) fn start(program: PathBuf, environment: &[(&str, &str)]) -> Self {
        let mut process = Command::new(program)
            .env("ADDR", "127.0.0.1:0")
            .env_remove("REDIS_URL")
            .env_remove("DATABASE_URL")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the examples are built with the tests");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (tell, told) = mpsc::channel();
        // In a thread, because a read of a pipe has no time limit.
        thread::spawn(move || {
            let (mut url, mut said) = (None, Vec::new());
            for line in lines.map_while(Result::ok) {
                if line.is_empty() && url.is_some() {
                    break;
                }
                url = url.or_else(|| url_in(&line));
                said.push(line);
            }
            tell.send((url, said))
        });
        let mut example = Self {
            process,
            url: String::new(),
            said: Vec::new(),
        };
        let told = told.recv_timeout(Duration::from_secs(20));
        let (url, said) = told.expect("it says where it listens, and then an empty line");
        example.url = url.expect("it says where it listens");
        example.said = said;
        example
    }

    /// The number of its process, which stays its own until this is dropped.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it has printed.
    pub(crate) fn said(&self) -> &[String] {
        &self.said
    }

    /// Stops the process where it stands.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.unwrap().success());
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn terminate(mut self) {
        self.signal("TERM");
        let ended = tokio::task::spawn_blocking(move || {
            let ended = self.process.wait();
            (self, ended)
        });
        let (_self, ended) = tokio::time::timeout(Duration::from_secs(20), ended)
            .await
            .expect("it ends")
            .unwrap();
        assert!(ended.unwrap().success());
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn url_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    Some(format!("http://{}", rest.split(' ').next()?))
}

/// The program of an example. Cargo puts it next to the folder of this test.
pub(crate) fn example(name: &str) -> PathBuf {
    built(programs().join("examples").join(name))
}

/// The program of an example that is a package of its own.
pub(crate) fn member(name: &str) -> PathBuf {
    built(programs().join(name))
}

fn programs() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    profile.to_owned()
}

/// Builds what is missing, once: `tests/run` has done so, `cargo test` alone builds no program of another
/// package.
fn built(program: PathBuf) -> PathBuf {
    static BUILD: Once = Once::new();
    if !program.exists() {
        BUILD.call_once(|| {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--quiet", "--workspace", "--all-features"]);
            cargo.args(["--bins", "--examples"]);
            let is_release = program
                .components()
                .any(|part| part.as_os_str() == "release");
            cargo.args(is_release.then_some("--release"));
            assert!(cargo.status().unwrap().success());
        });
    }
    assert!(program.exists(), "{program:?} cannot be built");
    program
}
