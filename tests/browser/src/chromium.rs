use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{page::Page, playground::first};

/// A browser without a window and with a profile of its own. It is killed when this is dropped.
pub(crate) struct Chromium {
    process: Child,
    /// Where its DevTools listen.
    tools: String,
    _profile: TempDir,
}

impl Chromium {
    pub(crate) fn start() -> Self {
        let program = env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new(&program)
            .args(["--headless=new", "--remote-debugging-port=0"])
            .args(["--no-first-run", "--disable-gpu", "--disable-dev-shm-usage"])
            // The sandbox needs rights that containers do not have; no foreign page is opened.
            .args(["--no-sandbox", "--disable-background-networking"])
            .args(["--no-proxy-server", "--hide-scrollbars"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; tests/run --browser installs it"));
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut chromium = Self {
            process,
            tools: String::new(),
            _profile: profile,
        };
        chromium.tools = first(lines, |line| {
            let (_, rest) = line.split_once("DevTools listening on ws://")?;
            Some(rest.split('/').next()?.to_owned())
        });
        chromium
    }

    /// Opens a page and waits until it is loaded.
    pub(crate) async fn open(&self, url: &str) -> Page {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let tab = client.put(format!("http://{}/json/new?about:blank", self.tools));
        let tab: Value = tab.send().await.unwrap().json().await.unwrap();
        Page::open(tab["webSocketDebuggerUrl"].as_str().unwrap(), url).await
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
