//! A process is killed after each statement of one request in turn, and once it has committed. Rows and record are in
//! step, and the next process gets the response of the row that is there.

use std::{
    process::{Command, Output},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use actix_web::{
    App, Error, HttpResponse,
    body::to_bytes,
    error::ErrorServiceUnavailable,
    test::{TestRequest, call_service, init_service},
    web,
};
use actix_web_idempotency::Claim;
use actix_web_idempotency_sqlx::{
    Commit, SqliteDatabase, SqliteStore,
    sqlx::{SqlitePool, raw_sql},
};
use tokio::time::sleep;

use crate::support::{keys::keys_on, sqlite::SqliteFile};

/// The file of the process that is killed.
const FILE: &str = "VICTIM_FILE";
/// The statement after which it is, from 1 on; 0: once it has committed.
const AT: &str = "VICTIM_AT";
const NEVER: usize = usize::MAX;
const LEASE: Duration = Duration::from_millis(200);

/// Ends the process after so many statements of sqlx, which asks for each whether it is to be logged.
struct Killer {
    at: usize,
    statements: AtomicUsize,
}

impl log::Log for Killer {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        if metadata.target() == "sqlx::query"
            && self.statements.fetch_add(1, Ordering::SeqCst) + 1 == self.at
        {
            std::process::abort();
        }
        false
    }

    fn log(&self, _: &log::Record<'_>) {}

    fn flush(&self) {}
}

async fn pays(claim: Claim, pool: web::Data<SqlitePool>) -> Result<HttpResponse, Error> {
    let tx = pool.begin_with("BEGIN IMMEDIATE").await;
    let mut tx = tx.map_err(ErrorServiceUnavailable)?;
    let number: i64 = rand::random_range(0..i64::MAX);
    let row = format!("INSERT INTO payments VALUES ({number})");
    let row = raw_sql(actix_web_idempotency_sqlx::sqlx::AssertSqlSafe(row));
    row.execute(&mut *tx)
        .await
        .map_err(ErrorServiceUnavailable)?;
    let response = HttpResponse::Created().body(number.to_string());
    let response = claim.commit(tx, response).await?;
    if at() == 0 {
        std::process::abort();
    }
    Ok(response)
}

fn at() -> usize {
    std::env::var(AT).unwrap().parse().unwrap()
}

/// One request, of which the response is printed.
#[actix_web::test]
#[ignore = "the process that every_statement kills"]
async fn victim() {
    let file = std::env::var(FILE).unwrap();
    let store = SqliteStore::builder(SqliteDatabase::open(&file));
    let keys = keys_on(store.build().unwrap())
        .lease(LEASE)
        .build()
        .unwrap();
    let pool = SqlitePool::connect(&format!("sqlite://{file}"))
        .await
        .unwrap();
    let app = App::new().wrap(keys).app_data(web::Data::new(pool));
    let app = init_service(app.default_service(web::to(pays))).await;
    // From here on.
    let killer = Killer {
        at: at(),
        statements: AtomicUsize::new(0),
    };
    log::set_boxed_logger(Box::new(killer)).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let request = TestRequest::post().insert_header(("idempotency-key", "a-1"));
    let response = call_service(&app, request.to_request()).await;
    let (status, is_replay) = (
        response.status().as_u16(),
        response.headers().contains_key("idempotent-replayed"),
    );
    let body = to_bytes(response.into_body()).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    println!("response {status} {is_replay} {body}");
}

/// Runs a process of that. Returns the status of its response, whether it was a replay, and its body.
fn run(file: &SqliteFile, at: usize) -> Option<(u16, bool, String)> {
    let victim = module_path!().split_once("::").unwrap().1.to_owned() + "::victim";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &victim, "--ignored", "--nocapture"]);
    let command = command.env(FILE, file.path()).env(AT, at.to_string());
    let Output { stdout, .. } = command.output().unwrap();
    let said = String::from_utf8(stdout).unwrap();
    let (_, said) = said.split_once("response ")?;
    let mut words = said.split_whitespace();
    let (status, is_replay) = (words.next()?.parse().ok()?, words.next()? == "true");
    Some((
        status,
        is_replay,
        words.next().unwrap_or_default().to_owned(),
    ))
}

#[tokio::test]
async fn process_killed_after_any_statement_leaves_rows_and_record_in_step() {
    let mut statements = 0;
    let mut committed = 0;
    for at in 0.. {
        let file = SqliteFile::new().await;
        let pool = SqlitePool::connect(&file.url()).await.unwrap();
        raw_sql("CREATE TABLE payments (n INTEGER)")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
        let first = run(&file, at);
        committed += file.number("SELECT count(*) FROM payments").await;
        let mut last = None;
        for _try in 0..20 {
            match run(&file, NEVER).unwrap() {
                (201, is_replay, body) => {
                    last = Some((is_replay, body));
                    break;
                }
                // The lease of its predecessor, or a machine that stalls.
                (status, ..) => assert!([409, 503].contains(&status), "{at}: {status}"),
            }
            sleep(LEASE).await;
        }
        let (_, body) = last.expect("the lease has ended");
        assert_eq!(run(&file, NEVER), Some((201, true, body.clone())), "{at}");
        let paid = file.number("SELECT n FROM payments").await.to_string();
        assert_eq!(
            file.number("SELECT count(*) FROM payments").await,
            1,
            "{at}"
        );
        assert_eq!(paid, body, "{at}");
        let recorded = "SELECT count(*) FROM idempotency_keys WHERE status = 201";
        assert_eq!(file.number(recorded).await, 1, "{at}");
        if let Some((status, _, body)) = first {
            assert_eq!((status, body), (201, paid), "{at}");
            statements = at - 1;
            break;
        }
    }
    assert!(statements >= 4, "a request is only {statements} statements");
    assert!(
        committed > 1,
        "one was killed behind its commit, and one was not killed"
    );
}
