use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

/// The example in a process of its own, on a free port. It is killed when this is dropped.
pub(crate) struct Playground {
    process: Child,
    pub(crate) url: String,
}

impl Playground {
    pub(crate) fn start() -> Self {
        let test = env::current_exe().unwrap();
        let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
        let mut process = Command::new(profile.join("examples/playground"))
            .env("ADDR", "127.0.0.1:0")
            .env_remove("REDIS_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the playground is built; tests/run does that");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut playground = Self {
            process,
            url: String::new(),
        };
        playground.url = first(lines, |line| {
            let (_, rest) = line.split_once("Open ")?;
            Some(rest.split(' ').next()?.to_owned())
        });
        playground
    }

    /// What the server has counted in a run.
    pub(crate) async fn state(&self, run: &str) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}state?run={run}", self.url);
        let asked = client.get(url).timeout(Duration::from_secs(10)).send();
        asked.await.unwrap().json().await.unwrap()
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What is found in the first line that has it. The rest is read too, so that no pipe fills up.
pub(crate) fn first(
    lines: impl Iterator<Item = std::io::Result<String>> + Send + 'static,
    find: impl Fn(&str) -> Option<String> + Send + 'static,
) -> String {
    let (tell, told) = mpsc::channel();
    // In a thread, because a read of a pipe has no time limit.
    thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some(found) = find(&line) {
                let _ = tell.send(found);
            }
        }
    });
    let told = told.recv_timeout(Duration::from_secs(30));
    told.expect("it says where it listens")
}
