//! The first example, run as its user runs it, and as two processes that share a Redis.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::{redis::Redis, server::client};

/// The example in a process of its own.
pub(crate) struct Quickstart {
    process: Child,
    url: String,
    said: Vec<String>,
}

impl Quickstart {
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        let mut process = Command::new(example("quickstart"))
            .env("ADDR", "127.0.0.1:0")
            .env_remove("REDIS_URL")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the examples are built with the tests");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let said: Vec<_> = lines.map(Result::unwrap).take(5).collect();
        let url = said.iter().find_map(|line| {
            let (_, rest) = line.split_once("http://")?;
            Some(format!("http://{}", rest.split(' ').next()?))
        });
        let url = url.unwrap_or_else(|| {
            panic!("it does not say where it listens, {:?}", process.wait());
        });
        Self { process, url, said }
    }

    pub(crate) async fn order(&self, what: &str) -> (u16, String) {
        let request = client().post(&self.url).body(what.to_owned());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn terminate(mut self) {
        let kill = format!("kill -TERM {}", self.process.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
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

impl Drop for Quickstart {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Cargo puts examples next to the folder of this test.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    profile.join("examples").join(name)
}

#[tokio::test]
async fn it_prints_two_curl_lines_that_show_the_refusal() {
    let quickstart = Quickstart::start(&[]);
    let curls: Vec<_> = quickstart
        .said
        .iter()
        .filter(|line| line.contains("curl -i "))
        .collect();
    assert_eq!(curls.len(), 2, "{:?}", quickstart.said);
    assert!(curls[0].contains("/orders -d 'one tea'"));

    let (first, second) = tokio::join!(quickstart.order("one tea"), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        quickstart.order("one tea").await
    });
    assert_eq!(first, (201, r#"{"ordered":"one tea"}"#.to_owned()));
    assert_eq!(second.0, 409);
    let problem: Value = serde_json::from_str(&second.1).unwrap();
    assert_eq!(problem["detail"], "Your order is already being placed");
}

#[tokio::test]
async fn of_a_hundred_equal_requests_on_two_processes_one_runs() {
    let redis = Redis::start();
    let environment = [("REDIS_URL", redis.url())];
    let environment = environment
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let processes = [0, 1].map(|_| Quickstart::start(&environment));
    let orders = (0..100).map(|n| processes[n % 2].order("one tea"));
    let mut statuses: Vec<_> = join_all(orders)
        .await
        .into_iter()
        .map(|(status, _)| status)
        .collect();
    statuses.sort();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    assert!(redis.keys().is_empty());
}

#[tokio::test]
async fn told_to_end_it_lets_its_orders_end_first() {
    let redis = Redis::start();
    let url = redis.url();
    let quickstart = Quickstart::start(&[("REDIS_URL", &url)]);
    let order = client().post(&quickstart.url).body("one tea").send();
    let order = tokio::spawn(order);
    while redis.keys().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    quickstart.terminate().await;
    assert_eq!(order.await.unwrap().unwrap().status(), 201);
    assert!(redis.keys().is_empty());
}

#[tokio::test]
async fn a_url_that_cannot_be_used_ends_it_with_a_sentence() {
    let output = Command::new(example("quickstart"))
        .envs([
            ("REDIS_URL", "redis://:secret@host:port"),
            ("ADDR", "127.0.0.1:0"),
        ])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("redis://[[user]:password@]host"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}
