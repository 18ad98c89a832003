//! The first example, run as its user runs it, and as two processes that share a Redis.

use std::{process::Command, time::Duration};

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::{example::example, quickstart::Quickstart, redis::Redis, server::client};

#[tokio::test]
async fn it_prints_two_curl_lines_that_show_the_refusal() {
    let quickstart = Quickstart::start(&[]);
    let said = quickstart.0.said();
    let curls: Vec<_> = said
        .iter()
        .filter(|line| line.contains("curl -i "))
        .collect();
    assert_eq!(curls.len(), 2, "{said:?}");
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
    let order = client().post(quickstart.0.url()).body("one tea").send();
    let order = tokio::spawn(order);
    while redis.keys().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    quickstart.0.terminate().await;
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
