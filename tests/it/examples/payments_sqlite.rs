//! The payments example on SQLite: processes of it on one file, which are killed.

use std::{
    process::Command,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::{join, join_all};
use rand::RngExt;
use tokio::{
    task::{block_in_place, spawn_blocking},
    time::{Instant, sleep},
};

use super::payments_postgres::payment;
use crate::support::{
    example::{Example, member},
    keys::{Answer, answer},
    sqlite::SqliteFile,
};

const LIMIT: Duration = Duration::from_secs(40);

fn start(file: &SqliteFile) -> Example {
    let file = file.path().display().to_string();
    Example::start(member("payments_sqlite"), &[("LEDGER", &file)])
}

async fn balance(file: &SqliteFile) -> i64 {
    file.number("SELECT balance FROM accounts WHERE id = 'ann'")
        .await
}

#[tokio::test]
async fn retry_after_a_restart_gets_the_same_payment() {
    let file = SqliteFile::new().await;
    let paid = r#"{"id":1,"paid":{"amount":5,"to":"a"}}"#;
    let before = start(&file);
    let first = answer(payment(before.url(), "a")).await;
    assert_eq!(first, Answer::executed(201, paid));
    drop(before);
    let after = start(&file);
    let again = answer(payment(after.url(), "a")).await;
    assert_eq!(again, Answer::replayed(201, paid));
    assert_eq!(balance(&file).await, 995);

    let said = after.said();
    let curl = said
        .iter()
        .find(|line| line.contains("curl -i "))
        .unwrap()
        .clone();
    let said = spawn_blocking(move || Command::new("sh").args(["-c", &curl]).output().unwrap());
    let said = String::from_utf8(said.await.unwrap().stdout).unwrap();
    assert!(
        said.contains("201 Created") && said.contains(r#""to":"bob""#),
        "{said}"
    );
}

#[tokio::test]
async fn of_twenty_equal_requests_on_two_processes_with_one_file_one_pays() {
    let file = SqliteFile::new().await;
    let processes = [0, 1].map(|_| start(&file));
    let answers = (0..20).map(|n| answer(payment(processes[n % 2].url(), "a")));
    let answers = join_all(answers).await;
    let (paid, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 201);
    assert!(refused.iter().all(|it| it.status == 409), "{refused:?}");
    let first = paid.iter().filter(|it| !it.is_replay).count();
    assert_eq!(first, 1, "{paid:?}");
    assert_eq!(balance(&file).await, 995);
}

const PAYMENTS: usize = 150;
const KILLS: usize = 6;

/// Two processes share the file, and one after the other is killed and started again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payments_on_processes_that_are_killed_are_paid_once_each() {
    let file = SqliteFile::new().await;
    let processes = [0, 1].map(|_| Mutex::new(start(&file)));
    let url = |n: usize| {
        let process = processes[n % 2].lock();
        process
            .unwrap_or_else(PoisonError::into_inner)
            .url()
            .to_owned()
    };
    let client = async |number: usize| {
        for n in (number..PAYMENTS).step_by(10) {
            let (key, begun) = (format!("k-{n}"), Instant::now());
            for attempt in n.. {
                assert!(begun.elapsed() < LIMIT, "{key} is not paid");
                let request = payment(&url(attempt), &key).timeout(Duration::from_secs(5));
                let status = request
                    .send()
                    .await
                    .map(|response| response.status().as_u16());
                match status {
                    Ok(201) => break,
                    Ok(409 | 500 | 503) | Err(_) => sleep(Duration::from_millis(50)).await,
                    Ok(other) => panic!("{key}: {other}"),
                }
            }
        }
    };
    let nemesis = async {
        for kill in 0..KILLS {
            sleep(Duration::from_millis(rand::rng().random_range(50..300))).await;
            block_in_place(|| *processes[kill % 2].lock().unwrap() = start(&file));
        }
    };
    join(join_all((0..10).map(client)), nemesis).await;
    assert_eq!(balance(&file).await, 1000 - 5 * 150);
    for (count, what) in [
        ("count(*) FROM payments", "payments"),
        (
            "count(DISTINCT recipient) FROM payments",
            "keys that are paid",
        ),
        (
            "count(*) FROM idempotency_keys WHERE status = 201",
            "records",
        ),
        (
            "count(*) FROM payments JOIN idempotency_keys ON json_extract(CAST(body AS TEXT), '$.id') = id",
            "payments in step with their records",
        ),
    ] {
        assert_eq!(file.number(&format!("SELECT {count}")).await, 150, "{what}");
    }
}
