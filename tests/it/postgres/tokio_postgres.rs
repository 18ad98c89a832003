//! The recipe for another driver: tokio-postgres, with a pool of deadpool. The guide leads here.

use actix_web::{App, HttpResponse, Result, error::ErrorServiceUnavailable, web};
use actix_web_idempotency::{
    Claim,
    commit::{CommitError, CommitErrorKind},
    store::{Cursor, Inspect, sql::Value},
};
use deadpool_postgres::{
    Config, Pool, Runtime, Transaction,
    tokio_postgres::{Error, NoTls, error::SqlState, types::ToSql},
};

use crate::{
    serve,
    support::{
        keys::{Answer, answer, keys_on, pay},
        postgres::PostgresTable,
    },
};

/// Commits the rows of a transaction and the response, or neither.
async fn commit(
    claim: &Claim,
    transaction: Transaction<'_>,
    response: HttpResponse,
) -> Result<HttpResponse, CommitError> {
    let (completion, response) = claim.completion(response)?;
    let completed = {
        let values = completion.values();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(as_sql).collect();
        transaction.query_one(completion.sql(), &values).await
    };
    match completed {
        Ok(_row) => {}
        Err(err) if err.code() == Some(&SqlState::DIVISION_BY_ZERO) => {
            return Err(completion.lost());
        }
        Err(err) => return Err(completion.rolled_back(err)),
    }
    match transaction.commit().await {
        Ok(()) => {
            completion.committed();
            Ok(response)
        }
        Err(err) if is_refused(&err) => Err(completion.rolled_back(err)),
        Err(err) => Err(completion.in_doubt(err)),
    }
}

fn as_sql<'a>(value: &'a Value<'_>) -> &'a (dyn ToSql + Sync) {
    match value {
        Value::Int(int) => int,
        Value::Text(text) => text,
        Value::Bytes(bytes) => bytes,
        _ => &None::<i64>,
    }
}

/// Whether the server itself has refused to commit, and goes on.
fn is_refused(err: &Error) -> bool {
    let code = err.code().map(SqlState::code);
    code.is_some_and(|code| !code.starts_with("57P") && !code.starts_with("08"))
}

fn pool() -> Pool {
    let config = Config {
        url: Some(PostgresTable::server().url()),
        ..Config::default()
    };
    config.create_pool(Some(Runtime::Tokio1), NoTls).unwrap()
}

#[tokio::test]
async fn rows_and_response_commit_together_over_tokio_postgres() {
    let table = PostgresTable::new().await;
    let rows = format!("rows_of_{}", table.name);
    PostgresTable::server().query(&format!("CREATE TABLE {rows} (n integer)"));
    let insert = format!("INSERT INTO {rows} VALUES (1)");
    let keys = keys_on(table.store.clone()).build().unwrap();
    let store = table.store.clone();
    let handler = move |claim: Claim, pool: web::Data<Pool>, body: String| {
        let (insert, store) = (insert.clone(), store.clone());
        async move {
            let mut client = pool.get().await.map_err(ErrorServiceUnavailable)?;
            let transaction = client
                .transaction()
                .await
                .map_err(ErrorServiceUnavailable)?;
            (transaction.execute(&insert, &[]).await).map_err(ErrorServiceUnavailable)?;
            if body == "lost" {
                let most = 10.try_into().unwrap();
                let page = store.list("", &Cursor::start(), most).await.unwrap();
                for (key, _) in page.entries {
                    store.force_release(&key).await.unwrap();
                }
                let lost = commit(&claim, transaction, HttpResponse::Created().finish()).await;
                let lost = lost.unwrap_err();
                assert_eq!(lost.kind(), CommitErrorKind::Lost);
                return Err(lost.into());
            }
            let response = HttpResponse::Created().body("paid");
            Ok::<_, actix_web::Error>(commit(&claim, transaction, response).await?)
        }
    };
    let pool = web::Data::new(pool());
    let server = serve!(
        1,
        App::new()
            .wrap(keys.clone())
            .app_data(pool.clone())
            .default_service(web::to(handler.clone()))
    );
    assert_eq!(answer(pay(&server, "lost", "lost")).await.status, 503);
    let count = format!("SELECT count(*) FROM {rows}");
    assert_eq!(PostgresTable::server().query(&count), "0");

    let first = answer(pay(&server, "a-1", "x")).await;
    assert_eq!(first, Answer::executed(201, "paid"));
    assert_eq!(
        answer(pay(&server, "a-1", "x")).await,
        Answer::replayed(201, "paid")
    );
    assert_eq!(PostgresTable::server().query(&count), "1");
}
