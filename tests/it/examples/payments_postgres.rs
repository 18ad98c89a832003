//! The payments example: processes of it, a real PostgreSQL, and idempotency stores that forget.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::support::{
    detour::Detour,
    example::{Example, member},
    keys::{Answer, answer},
    postgres::Postgres,
    redis::Redis,
    server::client,
    wire::Wire,
};

pub(crate) struct Payments(pub(crate) Example);

impl Payments {
    /// One with the embedded store.
    pub(crate) fn start(database: &str) -> Self {
        Self::with(&[("DATABASE_URL", database)])
    }

    fn on(redis: &Redis, database: &str) -> Self {
        Self::with(&[("DATABASE_URL", database), ("REDIS_URL", &redis.url())])
    }

    fn with(environment: &[(&str, &str)]) -> Self {
        Self(Example::start(member("payments_postgres"), environment))
    }

    /// Five from Ann to Bob.
    fn request(&self, key: &str) -> RequestBuilder {
        let request = client().post(self.0.url()).header("idempotency-key", key);
        let request = request.header("x-account", "ann");
        request.json(&json!({ "amount": 5, "to": "bob" }))
    }

    async fn pay(&self, key: &str) -> Answer {
        answer(self.request(key)).await
    }

    async fn status(&self, key: &str) -> u16 {
        self.pay(key).await.status
    }
}

fn is_same_payment(one: &Answer, other: &Answer) -> bool {
    (one.status, other.status) == (201, 201) && one.body == other.body
}

fn is_replay_of(one: &Answer, other: &Answer) -> bool {
    one.is_replay && is_same_payment(one, other)
}

fn balance(postgres: &Postgres) -> String {
    postgres.query("SELECT balance FROM accounts WHERE id = 'ann'")
}

fn set_balance(postgres: &Postgres, balance: u32) {
    postgres.query(&format!("UPDATE accounts SET balance = {balance}"));
}

fn forget_everything(redis: &Redis) {
    redis.command(&["FLUSHALL"]);
}

#[tokio::test]
async fn a_repetition_gets_the_same_payment_whatever_the_store_has_forgotten() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let payments = Payments::on(&redis, &postgres.url());
    let first = payments.pay("a").await;
    assert_eq!(first.body, r#"{"id":1,"paid":{"amount":5,"to":"bob"}}"#);
    let replay = payments.pay("a").await;
    assert!(is_replay_of(&replay, &first), "{replay:?}");

    forget_everything(&redis);
    let again = payments.pay("a").await;
    assert!(is_same_payment(&again, &first), "{again:?}");
    assert!(!again.is_replay, "the database has answered");
    assert_eq!(balance(&postgres), "995");

    let other = payments.pay("b").await;
    assert_eq!(other.status, 201);
    assert_ne!(other.body, first.body);
    assert_eq!(balance(&postgres), "990");
    let paid = "SELECT account, idempotency_key, amount, recipient, paid FROM payments ORDER BY id";
    assert_eq!(postgres.query(paid), "ann|a|5|bob|t\nann|b|5|bob|t");
}

#[tokio::test]
async fn a_key_that_stands_for_another_payment_pays_nothing() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let payments = Payments::on(&redis, &postgres.url());
    assert_eq!(payments.status("a").await, 201);
    let other = || {
        let request = payments.request("a");
        request.json(&json!({ "amount": 6, "to": "bob" })).send()
    };
    assert_eq!(other().await.unwrap().status(), 422);
    forget_everything(&redis);
    assert_eq!(other().await.unwrap().status(), 422);
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test]
async fn of_twenty_equal_requests_on_two_processes_one_pays() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let processes = [0, 1].map(|_| Payments::on(&redis, &postgres.url()));
    let answers = join_all((0..20).map(|n| processes[n % 2].pay("a"))).await;
    let (paid, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 201);
    assert!(refused.iter().all(|it| it.status == 409), "{refused:?}");
    assert_eq!(
        paid.iter().filter(|it| !it.is_replay).count(),
        1,
        "{paid:?}"
    );
    assert!(paid.iter().all(|it| it.body == paid[0].body), "{paid:?}");
    assert_eq!(balance(&postgres), "995");
}

/// Nothing but the database holds them together.
#[tokio::test]
async fn of_twenty_equal_requests_on_two_processes_that_know_nothing_of_each_other_one_pays() {
    let postgres = Postgres::start();
    let processes = [0, 1].map(|_| Payments::start(&postgres.url()));
    let answers = join_all((0..20).map(|n| processes[n % 2].pay("a"))).await;
    let paid: Vec<_> = answers.iter().filter(|it| it.status == 201).collect();
    assert!(paid.iter().all(|it| it.body == paid[0].body), "{paid:?}");
    assert_eq!(
        paid.iter().filter(|it| !it.is_replay).count(),
        2,
        "{paid:?}"
    );
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test]
async fn different_payments_at_once_do_not_overdraw_the_account() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let processes = [0, 1].map(|_| Payments::on(&redis, &postgres.url()));
    set_balance(&postgres, 52);
    let keys: Vec<_> = (0..20).map(|n| format!("k-{n}")).collect();
    let statuses = keys.iter().enumerate();
    let statuses = join_all(statuses.map(|(n, key)| processes[n % 2].status(key))).await;
    let count = |wanted| statuses.iter().filter(|it| **it == wanted).count();
    assert_eq!((count(201), count(402)), (10, 10), "{statuses:?}");
    assert_eq!(balance(&postgres), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_killed_between_commit_and_answer_has_paid_and_the_next_one_says_so() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let detour = Detour::to(postgres.port(), "COMMIT").await;
    let killed = Payments::on(&redis, &Postgres::url_at(detour.port()));
    let heir = Payments::on(&redis, &postgres.url());
    let first = tokio::spawn(killed.request("a").send());
    detour.wait_until_held().await;
    assert_eq!(balance(&postgres), "995", "it is committed");
    drop(killed);
    assert!(first.await.unwrap().is_err(), "nobody was told");

    let begun = Instant::now();
    let told = loop {
        let response = heir.request("a").send().await.unwrap();
        if response.status() != 409 {
            break Answer::read(response).await;
        }
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(begun.elapsed() < Duration::from_secs(20), "the lease ends");
        sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(told.body, r#"{"id":1,"paid":{"amount":5,"to":"bob"}}"#);
    assert!(!told.is_replay);
    let replay = heir.pay("a").await;
    assert!(is_replay_of(&replay, &told), "{replay:?}");
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_owner_does_not_pay_what_its_successor_was_refused() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let detour = Detour::to(postgres.port(), "INSERT INTO payments").await;
    let stale = Payments::on(&redis, &Postgres::url_at(detour.port()));
    let successor = Payments::on(&redis, &postgres.url());
    set_balance(&postgres, 4);
    assert_eq!(successor.status("a").await, 402);
    let first = tokio::spawn(stale.request("a").send());
    detour.wait_until_held().await; // it has its fence and has written nothing

    forget_everything(&redis);
    assert_eq!(successor.status("a").await, 402);
    set_balance(&postgres, 1000);
    detour.let_go();
    assert_eq!(first.await.unwrap().unwrap().status(), 503);
    assert_eq!(balance(&postgres), "1000", "the client was told so");

    assert_eq!(
        successor.status("a").await,
        201,
        "a refusal settles nothing"
    );
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_owner_gets_the_payment_of_its_successor() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let detour = Detour::to(postgres.port(), "INSERT INTO payments").await;
    let stale = Payments::on(&redis, &Postgres::url_at(detour.port()));
    let successor = Payments::on(&redis, &postgres.url());
    let first = tokio::spawn(stale.request("a").send());
    detour.wait_until_held().await;

    forget_everything(&redis);
    let second = successor.pay("a").await;
    detour.let_go();
    let first = Answer::read(first.await.unwrap().unwrap()).await;
    assert!(is_same_payment(&first, &second), "{first:?} {second:?}");
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_suspended_in_its_transaction_is_thrown_out_of_it() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let detour = Detour::to(postgres.port(), "UPDATE accounts").await;
    let suspended = Payments::on(&redis, &Postgres::url_at(detour.port()));
    let successor = Payments::on(&redis, &postgres.url());
    let first = tokio::spawn(suspended.request("a").send());
    detour.wait_until_held().await;

    forget_everything(&redis);
    assert_eq!(successor.status("a").await, 201);
    detour.let_go();
    assert_eq!(first.await.unwrap().unwrap().status(), 500);
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test]
async fn a_fence_outlives_the_process_that_wrote_it() {
    let postgres = Postgres::start();
    let before = Payments::start(&postgres.url());
    set_balance(&postgres, 4);
    assert_eq!(before.status("a").await, 402);
    let is_now = "SELECT abs(fence / 1e6 - extract(epoch FROM now())) < 60 FROM payments";
    assert_eq!(postgres.query(is_now), "t", "it does not begin at 0 again");
    drop(before);
    let after = Payments::start(&postgres.url());
    set_balance(&postgres, 1000);
    assert_eq!(after.status("a").await, 201);
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_end_it_lets_a_payment_end_first_whose_client_has_left() {
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let detour = Detour::to(postgres.port(), "INSERT INTO payments").await;
    let ending = Payments::on(&redis, &Postgres::url_at(detour.port()));
    let addr = ending.0.url().split('/').nth(2).unwrap();
    let mut leaver = Wire::to(addr.parse().unwrap()).await;
    let body = r#"{"amount":5,"to":"bob"}"#;
    let head = "POST /payments HTTP/1.1\r\nhost: x\r\nx-account: ann\r\nidempotency-key: a\r\n";
    let rest = format!(
        "content-type: application/json\r\ncontent-length: {}",
        body.len()
    );
    leaver.send(format!("{head}{rest}\r\n\r\n{body}")).await;
    detour.wait_until_held().await;
    leaver.reset();
    tokio::join!(ending.0.terminate(), async {
        sleep(Duration::from_millis(500)).await; // time enough to end too early
        detour.let_go();
    });
    let next = Payments::on(&redis, &postgres.url());
    assert!(next.pay("a").await.is_replay);
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test]
async fn what_is_no_payment_is_refused_and_what_is_printed_works() {
    let postgres = Postgres::start();
    let payments = Payments::start(&postgres.url());
    let nothing = json!({ "amount": 0, "to": "bob" });
    let nothing = payments.request("a").json(&nothing).send();
    assert_eq!(nothing.await.unwrap().status(), 400);
    let nobodys = client().post(payments.0.url()).body("{}");
    let nobodys = nobodys.header("idempotency-key", "a").send();
    assert_eq!(nobodys.await.unwrap().status(), 401);
    let keyless = client().post(payments.0.url()).header("x-account", "ann");
    assert_eq!(keyless.body("{}").send().await.unwrap().status(), 400);

    let said = payments.0.said();
    let curl = said.iter().find(|line| line.contains("curl -i ")).unwrap();
    for part in ["x-account: ann", "idempotency-key: \"tea-1\"", "--json"] {
        assert!(curl.contains(part), "{curl}");
    }
    assert_eq!(balance(&postgres), "1000");
}
