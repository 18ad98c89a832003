//! The payments example: processes of it that are killed and suspended, and a real PostgreSQL.

use std::{process::Command, time::Duration};

use futures_util::{
    StreamExt,
    future::{join_all, ready},
    stream,
};
use reqwest::RequestBuilder;
use serde_json::json;
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::support::{
    cutter::{Cutter, Side, Then},
    detour::Detour,
    example::{Example, member},
    keys::{Answer, answer},
    postgres::Postgres,
    problems::{ProblemKind, assert_refused},
    server::client,
    wire::Wire,
};

/// Longer than a lease of the example, and than the server lets a transaction be idle.
pub(super) const LIMIT: Duration = Duration::from_secs(40);

pub(super) struct Payments(pub(super) Example);

impl Payments {
    pub(super) fn start(database: &str) -> Self {
        let environment = [("DATABASE_URL", database)];
        Self(Example::start(member("payments_postgres"), &environment))
    }

    /// Five from Ann to somebody who is called as the key, to be found by it.
    fn request(&self, key: &str) -> RequestBuilder {
        payment(self.0.url(), key)
    }

    async fn pay(&self, key: &str) -> Answer {
        answer(self.request(key)).await
    }

    async fn status(&self, key: &str) -> u16 {
        self.pay(key).await.status
    }

    /// Tries until the response is final.
    async fn pay_at_last(&self, key: &str) -> Answer {
        let begun = Instant::now();
        loop {
            let told = self.pay(key).await;
            if ![409, 500, 503].contains(&told.status) {
                return told;
            }
            assert!(begun.elapsed() < LIMIT, "{key}: {told:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

pub(super) fn payment(url: &str, key: &str) -> RequestBuilder {
    let request = client().post(url).header("idempotency-key", key);
    let request = request.header("x-account", "ann");
    request.json(&json!({ "amount": 5, "to": key }))
}

/// What the bank has written down for a key, as the response to its payment says it.
pub(super) fn written_down(postgres: &Postgres, key: &str) -> String {
    let paid = "SELECT format('{\"id\":%s,\"paid\":{\"amount\":%s,\"to\":\"%s\"}}', id, amount, recipient) ";
    let of_key = format!("FROM payments JOIN outbox ON payment = id WHERE recipient = '{key}'");
    postgres.query(&format!("{paid}{of_key}"))
}

pub(super) fn balance(postgres: &Postgres) -> String {
    postgres.query("SELECT balance FROM accounts WHERE id = 'ann'")
}

pub(super) fn set_balance(postgres: &Postgres, balance: u32) {
    postgres.query(&format!("UPDATE accounts SET balance = {balance}"));
}

#[tokio::test]
async fn retry_gets_the_same_payment_and_the_bank_has_paid_once() {
    let postgres = Postgres::start();
    let payments = Payments::start(&postgres.url());
    let paid = r#"{"id":1,"paid":{"amount":5,"to":"a"}}"#;
    assert_eq!(payments.pay("a").await, Answer::executed(201, paid));
    assert_eq!(payments.pay("a").await, Answer::replayed(201, paid));
    assert_eq!(written_down(&postgres, "a"), paid);
    assert_eq!(balance(&postgres), "995");
    assert_eq!(payments.status("b").await, 201);
    assert_eq!(balance(&postgres), "990");
    let mails = "SELECT mail FROM outbox ORDER BY payment";
    assert_eq!(
        postgres.query(mails),
        "a, you have got 5\nb, you have got 5"
    );
}

#[tokio::test]
async fn key_of_another_payment_pays_nothing() {
    let postgres = Postgres::start();
    let payments = Payments::start(&postgres.url());
    assert_eq!(payments.status("a").await, 201);
    let other = json!({ "amount": 6, "to": "a" });
    assert_refused(payments.request("a").json(&other), ProblemKind::KeyReused).await;
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test]
async fn refused_payment_can_be_tried_again_when_there_is_money() {
    let postgres = Postgres::start();
    let payments = Payments::start(&postgres.url());
    set_balance(&postgres, 4);
    assert_eq!(payments.status("a").await, 402);
    set_balance(&postgres, 1000);
    assert_eq!(payments.status("a").await, 201);
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test]
async fn of_twenty_equal_requests_on_two_processes_one_pays() {
    let postgres = Postgres::start();
    let processes = [0, 1].map(|_| Payments::start(&postgres.url()));
    let answers = join_all((0..20).map(|n| processes[n % 2].pay("a"))).await;
    let (paid, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 201);
    assert!(refused.iter().all(|it| it.status == 409), "{refused:?}");
    let first = paid.iter().filter(|it| !it.is_replay).count();
    assert_eq!(first, 1, "{paid:?}");
    assert!(paid.iter().all(|it| it.body == paid[0].body), "{paid:?}");
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test]
async fn different_payments_at_once_do_not_overdraw_the_account() {
    let postgres = Postgres::start();
    let processes = [0, 1].map(|_| Payments::start(&postgres.url()));
    set_balance(&postgres, 52);
    let keys: Vec<_> = (0..20).map(|n| format!("k-{n}")).collect();
    let statuses = keys.iter().enumerate();
    let statuses = join_all(statuses.map(|(n, key)| processes[n % 2].status(key))).await;
    let count = |wanted| statuses.iter().filter(|it| **it == wanted).count();
    assert_eq!((count(201), count(402)), (10, 10), "{statuses:?}");
    assert_eq!(balance(&postgres), "2");
}

/// The record is there as soon as the payment is: nobody waits for a lease to end.
#[tokio::test(flavor = "multi_thread")]
async fn process_killed_between_commit_and_response_has_paid_and_the_retry_is_a_replay() {
    let postgres = Postgres::start();
    let detour = Detour::to(postgres.port(), "COMMIT").await;
    let killed = Payments::start(&Postgres::url_at(detour.port()));
    let heir = Payments::start(&postgres.url());
    let first = tokio::spawn(killed.request("a").send());
    detour.wait_until_held().await;
    drop(killed);
    assert!(first.await.unwrap().is_err(), "nobody was told");

    let paid = written_down(&postgres, "a");
    assert_eq!(heir.pay("a").await, Answer::replayed(201, paid));
    assert_eq!(balance(&postgres), "995");
}

/// Kills a process at each message that it sends for one payment, before PostgreSQL receives it and after.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn process_killed_at_any_message_leaves_payment_and_record_in_step() {
    let postgres = Postgres::start();
    let heir = Payments::start(&postgres.url());
    for side in [Side::Before, Side::After] {
        let killed_at = async |at| {
            let key = format!("{side:?}-{at}");
            let cutter = Cutter::to(postgres.port()).await;
            let killed = Payments::start(&cutter.url());
            let id = killed.0.id().to_string();
            let kill = async move {
                let kill = || Command::new("kill").args(["-KILL", &id]).status();
                assert!(kill().unwrap().success());
                Then::Cut
            };
            cutter.arm(at, side, kill).await;
            let mut told = Vec::new();
            if let Ok(first) = killed.request(&key).send().await {
                told.push(Answer::read(first).await);
            }
            told.push(heir.pay_at_last(&key).await);
            told.push(heir.pay(&key).await);
            let paid = written_down(&postgres, &key);
            assert!(told.last().unwrap().is_replay, "{key}: {told:?}");
            for told in told {
                assert_eq!((told.status, told.body), (201, paid.clone()), "{key}");
            }
            cutter.has_struck()
        };
        // Several at once, because each waits until the lease of its predecessor has ended.
        let messages = stream::iter(0..).map(killed_at).buffered(12);
        let messages = messages.take_while(|was_killed| ready(*was_killed)).count();
        let messages = messages.await;
        assert!(messages > 15, "a payment is only {messages} messages");
        println!("killed {side:?} each of {messages} messages");
    }
}

/// Suspends a process before PostgreSQL receives the statement that completes its claim, or after it, until another
/// process has its key; then it goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn process_suspended_for_longer_than_its_lease_does_not_pay_again() {
    for word in [
        "-- Claims a vacant key",
        "-- Replaces a claim by its record, as the last",
        "COMMIT",
    ] {
        let postgres = Postgres::start();
        let detour = Detour::to(postgres.port(), word).await;
        let suspended = Payments::start(&Postgres::url_at(detour.port()));
        let successor = Payments::start(&postgres.url());
        let first = tokio::spawn(suspended.request("a").send());
        detour.wait_until_held().await;
        suspended.0.freeze();
        detour.let_go();
        let paid = successor.pay_at_last("a").await;
        suspended.0.thaw();
        let first = Answer::read(first.await.unwrap().unwrap()).await;
        match first.status {
            201 => assert_eq!(first.body, paid.body, "{word}"),
            told => assert!([409, 500, 503].contains(&told), "{word}: {told}"),
        }
        assert_eq!(written_down(&postgres, "a"), paid.body, "{word}");
        assert_eq!(
            suspended.pay_at_last("a").await,
            Answer::replayed(201, paid.body)
        );
        assert_eq!(balance(&postgres), "995", "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn process_told_to_end_lets_a_payment_end_first_whose_client_has_left() {
    let postgres = Postgres::start();
    let detour = Detour::to(postgres.port(), "INSERT INTO payments").await;
    let ending = Payments::start(&Postgres::url_at(detour.port()));
    let addr = ending.0.url().split('/').nth(2).unwrap();
    let mut leaver = Wire::to(addr.parse().unwrap()).await;
    let body = r#"{"amount":5,"to":"a"}"#;
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
    let next = Payments::start(&postgres.url());
    assert!(next.pay("a").await.is_replay);
    assert_eq!(balance(&postgres), "995");
}

#[tokio::test]
async fn request_that_is_no_payment_is_refused_and_what_is_printed_works() {
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
    assert_eq!(balance(&postgres), "1000");

    let said = payments.0.said();
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
    assert_eq!(balance(&postgres), "995");
}
