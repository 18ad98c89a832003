//! The examples idempotency, wait and queue, run as their user runs them.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use actix_web_idempotency::{
    dedup::{DedupOutcome, Deduplicator},
    event::FinishOutcome,
};

use crate::support::{
    eventually,
    example::{Example, example},
    redis::Redis,
    server::client,
    wire::Wire,
};

#[tokio::test]
async fn the_lines_that_it_prints_show_what_it_says() {
    let server = Example::start(example("idempotency"), &[]);
    let commands = server
        .said()
        .iter()
        .filter(|line| line.contains("curl -i http://"));
    let commands: Vec<_> = commands.map(String::as_str).collect();
    assert_eq!(commands.len(), 5, "{:?}", server.said());
    let script = format!("{}\nwait", commands.join("\n"));
    let said = tokio::task::spawn_blocking(move || {
        Command::new("bash").args(["-c", &script]).output().unwrap()
    });
    let said = String::from_utf8(said.await.unwrap().stdout).unwrap();
    let answers: Vec<_> = said.split("HTTP/1.1 ").skip(1).collect();
    assert_eq!(answers.len(), 5, "{said}");
    let order = r#"{"id":1,"ordered":{"item":"tea"}}"#;
    assert!(
        answers[0].starts_with("201") && answers[0].contains(order),
        "{said}"
    );
    assert!(!answers[0].contains("idempotent-replayed"));
    assert!(
        answers[1].starts_with("201") && answers[1].contains(order),
        "{said}"
    );
    assert!(answers[1].contains("idempotent-replayed: true"));
    assert!(
        answers[2].starts_with("422") && answers[2].contains("#key-reused"),
        "{said}"
    );
    let mut last = [answers[3], answers[4]];
    last.sort();
    assert!(
        last[0].starts_with("201") && last[0].contains(r#"{"id":2"#),
        "{said}"
    );
    assert!(
        last[1].starts_with("409") && last[1].contains("retry-after: 1"),
        "{said}"
    );
}

#[tokio::test]
async fn told_to_end_it_lets_handlers_end_whose_client_has_left() {
    let redis = Redis::start();
    let url = redis.url();
    let environment = [("REDIS_URL", url.as_str())];
    let server = Example::start(example("idempotency"), &environment);
    let addr = server
        .url()
        .trim_start_matches("http://")
        .trim_end_matches("/orders");
    let mut wire = Wire::to(addr.parse().unwrap()).await;
    let head = "POST /orders HTTP/1.1\r\nhost: x\r\nx-user: ann\r\nidempotency-key: a\r\n";
    wire.send(format!(
        "{head}content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    ))
    .await;
    eventually("it is claimed", async || redis.keys().len() == 1).await;
    // Redis has the claim; a little later the handler runs, for a second.
    tokio::time::sleep(Duration::from_millis(400)).await;
    wire.reset();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.terminate().await;

    let next = Example::start(example("idempotency"), &environment);
    let request = client()
        .post(next.url())
        .header("x-user", "ann")
        .header("idempotency-key", "a");
    let replay = request
        .header("content-type", "application/json")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(replay.status(), 201);
    assert_eq!(replay.headers()["idempotent-replayed"], "true");
    assert_eq!(replay.headers()["location"], "/orders/1");
}

async fn run(mut command: Command) -> Output {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    tokio::time::timeout(Duration::from_secs(30), output)
        .await
        .expect("it ends")
        .unwrap()
}

#[tokio::test]
async fn of_ten_payments_at_once_one_is_executed_and_ten_are_answered() {
    let redis = Redis::start();
    for url in [None, Some(redis.url())] {
        let mut command = Command::new(example("wait"));
        command.env_remove("REDIS_URL");
        command.envs(url.map(|url| ("REDIS_URL", url)));
        let output = run(command).await;
        assert!(output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines.len(), 11, "{said}");
        let answers = lines
            .iter()
            .filter(|line| line.starts_with(r#"201 Created {"payment":1}"#));
        assert_eq!(answers.count(), 10, "{said}");
        let replays = lines.iter().filter(|line| line.ends_with(" (replayed)"));
        assert_eq!(replays.count(), 9, "{said}");
        assert_eq!(lines[10], "executions: 1");
    }
}

/// A command of the queue example.
fn queue(redis: &Redis, arguments: &[&str]) -> Command {
    let mut command = Command::new(example("queue"));
    command.args(arguments).env("REDIS_URL", redis.url());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

fn work(redis: &Redis) -> Child {
    queue(redis, &["work"]).spawn().unwrap()
}

/// How often each job was sent, according to what processes have said.
fn sent(said: &[String]) -> BTreeMap<&str, usize> {
    let mut sent = BTreeMap::new();
    for line in said.iter().flat_map(|said| said.lines()) {
        if let Some((job, _)) = line.split_once(": sent, attempt") {
            *sent.entry(job).or_default() += 1;
        }
    }
    sent
}

async fn finish(worker: Child) -> String {
    let output = tokio::task::spawn_blocking(|| worker.wait_with_output().unwrap());
    let output = tokio::time::timeout(Duration::from_secs(30), output)
        .await
        .expect("it ends");
    String::from_utf8(output.unwrap().stdout).unwrap()
}

#[tokio::test]
async fn of_two_processes_that_share_a_queue_each_job_is_done_by_one() {
    let redis = Redis::start();
    assert!(run(queue(&redis, &["put", "10"])).await.status.success());
    let workers = [work(&redis), work(&redis)];
    let [one, other] = workers.map(finish);
    let said: [String; 2] = tokio::join!(one, other).into();
    let sent = sent(&said);
    assert_eq!(sent.len(), 10, "{said:?}");
    assert!(sent.values().all(|times| *times == 1), "{said:?}");
    let repetitions = said.iter().flat_map(|said| said.lines());
    assert_eq!(
        repetitions
            .filter(|line| line.contains("done before, mail for"))
            .count(),
        10
    );
}

#[tokio::test]
async fn the_job_of_a_process_that_dies_is_done_by_another() {
    let redis = Redis::start();
    assert!(run(queue(&redis, &["put", "5"])).await.status.success());
    let mut dies = work(&redis);
    eventually("it has begun", async || {
        redis
            .keys()
            .iter()
            .any(|key| key.starts_with("example:once:"))
    })
    .await;
    dies.kill().unwrap();
    let said = [finish(dies).await, finish(work(&redis)).await];
    let sent = sent(&said);
    assert_eq!(sent.len(), 5, "{said:?}");
    assert!(sent.values().sum::<usize>() <= 6, "{said:?}");
}

#[tokio::test]
async fn an_operator_lists_shows_releases_and_deletes() {
    let redis = Redis::start();
    let inspect = async |arguments: &[&str]| {
        let mut command = Command::new(example("inspect"));
        command.args(arguments).env("REDIS_URL", redis.url());
        let output = run(command).await;
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let deduplicator = Deduplicator::builder(redis.store()).build().unwrap();
    let claim = async |key: &str| match deduplicator.claim(key, None).await.unwrap() {
        DedupOutcome::Execute(run) => run,
        other => panic!("{other:?}"),
    };
    let (running, done) = (claim("secret-a").await, claim("secret-b").await);
    assert_eq!(done.complete("secret").await, FinishOutcome::Confirmed);
    let [one, other] = ["secret-a", "secret-b"].map(|key| deduplicator.stored_key(key).to_string());

    let (_, listed) = inspect(&["list", "once:"]).await;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(
        listed.contains(&format!("{one} running, attempt 1, lease ends in ")),
        "{listed}"
    );
    assert!(
        listed.contains(&format!("{other} finished, 200, 6 bytes, forgotten in ")),
        "{listed}"
    );
    assert!(!listed.contains("secret"), "{listed}");
    assert_eq!(inspect(&["list", "nothing:"]).await, (true, String::new()));

    assert!(inspect(&["show", &one]).await.1.starts_with("running"));
    assert!(
        inspect(&["release", &other])
            .await
            .1
            .starts_with("nothing was released")
    );
    assert!(inspect(&["release", &one]).await.1.starts_with("released"));
    assert_eq!(inspect(&["show", &one]).await.1, "vacant\n");
    assert!(inspect(&["delete", &other]).await.1.starts_with("deleted"));
    assert!(
        inspect(&["delete", &other])
            .await
            .1
            .starts_with("nothing was deleted")
    );
    assert_eq!(
        running.complete("late").await,
        FinishOutcome::Confirmed,
        "into the vacant place"
    );
    assert!(inspect(&["show", &one]).await.1.starts_with("finished"));
    for nonsense in [&[][..], &["show"], &["show", "x"], &["eat", &one]] {
        assert!(!inspect(nonsense).await.0, "{nonsense:?}");
    }
}

#[tokio::test]
async fn nonsense_ends_it_with_a_sentence() {
    let redis = Redis::start();
    for arguments in [&[][..], &["put"], &["put", "many"], &["sleep"]] {
        assert!(
            !run(queue(&redis, arguments)).await.status.success(),
            "{arguments:?}"
        );
    }
    assert!(redis.keys().is_empty());
}
