//! The connection is cut at each message of one request in turn, before the server receives it and after. Rows and
//! record are in step, whoever saw a success saw that row, and a retry ends in one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use actix_web::{App, Error, HttpResponse, error::ErrorServiceUnavailable, web};
use actix_web_idempotency::{Claim, Idempotency};
use actix_web_idempotency_sqlx::{
    Commit, PgStore,
    sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions, query},
};
use tokio::time::sleep;

use crate::{
    serve,
    support::{
        GENEROUS,
        cutter::{Cutter, Side},
        keys::{Answer, answer, keys_on, pay},
        postgres::Postgres,
        server::Server,
    },
};

/// What a handler needs to pay: it writes a row of a new number, and responds with that number.
#[derive(Clone)]
struct Till {
    pool: PgPool,
    rows: String,
    number: Arc<AtomicI32>,
}

async fn pays(claim: Claim, till: web::Data<Till>) -> Result<HttpResponse, Error> {
    let number = till.number.fetch_add(1, Ordering::SeqCst);
    let mut tx = till.pool.begin().await.map_err(ErrorServiceUnavailable)?;
    let row = format!("INSERT INTO {} VALUES ({number})", till.rows);
    let row = query(AssertSqlSafe(row)).execute(&mut *tx);
    row.await.map_err(ErrorServiceUnavailable)?;
    let response = HttpResponse::Created().body(number.to_string());
    Ok(claim.commit(tx, response).await?)
}

fn served(keys: &Idempotency, till: &Till) -> Server {
    let (keys, till) = (keys.clone(), web::Data::new(till.clone()));
    serve!(
        1,
        App::new()
            .wrap(keys.clone())
            .app_data(till.clone())
            .default_service(web::to(pays))
    )
}

/// Runs one request whose way is cut at a message, and retries it. Returns whether it came to that message.
async fn is_in_step(postgres: &Postgres, at: usize, side: Side) -> bool {
    let name = format!("keys_{at}_{side:?}").to_lowercase();
    let cutter = Cutter::on(postgres, at, side).await;
    let pool = PgPoolOptions::new().max_connections(3);
    let pool = pool.connect_lazy(&cutter.url()).unwrap();
    let store = PgStore::builder(pool.clone()).table(&name);
    let store = store.timeout(GENEROUS).build().unwrap();
    postgres.query(&store.schema());
    let rows = format!("rows_of_{name}");
    postgres.query(&format!("CREATE TABLE {rows} (n integer)"));
    let till = Till {
        pool,
        rows: rows.clone(),
        number: Arc::default(),
    };
    let server = served(&keys_on(store).build().unwrap(), &till);

    let mut successes: Vec<Answer> = Vec::new();
    for _try in 0..200 {
        let told = answer(pay(&server, "a-1", "x")).await;
        match told.status {
            201 => successes.push(told),
            409 | 503 => sleep(Duration::from_millis(20)).await,
            other => panic!("{at} {side:?}: {other}"),
        }
        if successes.len() == 2 {
            break;
        }
    }
    let committed = postgres.query(&format!("SELECT n FROM {rows}"));
    assert_eq!(successes.len(), 2, "{at} {side:?}: no final response");
    for success in &successes {
        assert_eq!(success.body, committed, "{at} {side:?}: {successes:?}");
    }
    assert!(successes[1].is_replay, "{at} {side:?}");
    let recorded = format!("SELECT convert_from(body, 'UTF8') FROM {name} WHERE status = 201");
    assert_eq!(postgres.query(&recorded), committed, "{at} {side:?}");
    cutter.has_cut()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_at_any_message_leaves_rows_and_record_in_step() {
    let postgres = Postgres::start();
    for side in [Side::Before, Side::After] {
        let mut at = 0;
        while is_in_step(&postgres, at, side).await {
            at += 1;
        }
        assert!(at > 15, "a request is only {at} messages");
        println!("{at} messages, cut {side:?}");
    }
}
