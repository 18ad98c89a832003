//! What the store in a SQL database is made of, for `shown.rs`.

use std::time::{Duration, Instant};

use actix_web::{
    App, HttpResponse,
    test::{TestRequest, call_service, init_service},
    web,
};
use actix_web_idempotency::{
    Claim,
    store::{
        NewClaim, OwnerToken, Record, RecordedResponse, Store, StoreKey,
        sql::{Connection, Database, DatabaseError, Dialect, SqlStore, Statement, Value},
    },
};
use actix_web_idempotency_sqlx::{
    PgDatabase, PgRow, PgStore,
    sqlx::{PgPool, postgres::PgPoolOptions},
};
use bytes::Bytes;

use super::shown::{SECRET, Shown, TOKEN};
use crate::support::{
    keys::keys_on,
    postgres::{Postgres, PostgresTable},
};

/// A database that shows what it is to do, and does nothing.
struct Spy(Shown);

impl std::fmt::Debug for Spy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spy")
    }
}

impl Database for Spy {
    const DIALECT: Dialect = Dialect::Postgres;

    type Row = PgRow;

    async fn run(&self, statement: &Statement<'_>) -> Result<Vec<PgRow>, DatabaseError> {
        self.0.add("Statement", statement);
        for value in statement.values() {
            self.0.add("Value", value);
        }
        let connection: Connection = statement.connection();
        self.0.add("Connection", &connection);
        assert!(!statement.values().is_empty() && !statement.time_left().is_zero());
        let refused = DatabaseError::refused(Some("42P01"), "there is no such table");
        self.0
            .add("DatabaseError", &(&refused, refused.to_string()));
        Err(refused)
    }

    async fn run_script(&self, _sql: &str, _deadline: Instant) -> Result<(), DatabaseError> {
        Err(DatabaseError::no_connection("a spy"))
    }
}

pub(super) async fn of_sql(shown: &Shown) {
    shown.add("Dialect", &Dialect::Postgres);
    shown.add("Value", &Value::Text(SECRET));
    let builder = SqlStore::<Spy>::builder(Spy(shown.clone()));
    shown.add("SqlStoreBuilder", &builder);
    let store = builder.build().unwrap();
    let mut claim = NewClaim::lock(StoreKey::new("t:", [7; 32]), Duration::from_secs(60));
    claim.token = OwnerToken::from_bytes(TOKEN);
    let record = Record::Response(RecordedResponse {
        fingerprint: None,
        status: 201,
        headers: [("location", SECRET)].into_iter().collect(),
        body: Bytes::from_static(SECRET.as_bytes()),
    });
    let lease = claim.lease();
    let kept = store.complete(&lease, &record, Duration::from_secs(60));
    let err = kept.await.unwrap_err();
    shown.add("StoreError", &(&err, err.to_string()));
    shown.add("CompletionSql", &store.completion());

    show_commit(shown).await;
    let postgres = Postgres::start();
    let url = format!(
        "postgres://postgres:{SECRET}@127.0.0.1:{}/postgres",
        postgres.port()
    );
    let pool: PgPool = PgPoolOptions::new().connect_lazy(&url).unwrap();
    shown.add("SqlStoreBuilder", &PgStore::builder(pool.clone()));
    shown.add("SqlStore", &PgStore::new(PgDatabase::new(pool.clone())));
    let store = PgStore::new(pool);
    store.migrate().await.unwrap();
    let findings = store.check().await.unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        shown.add("Finding", &(&finding, finding.to_string()));
        shown.add("FindingKind", &finding.kind());
    }
}

/// A commit of a response, and what becomes of it.
async fn show_commit(shown: &Shown) {
    let table = PostgresTable::new().await;
    let keys = keys_on(table.store).build().unwrap();
    let shown = shown.clone();
    let handler = move |claim: Claim| {
        let shown = shown.clone();
        async move {
            let response = HttpResponse::Created()
                .insert_header(("location", SECRET))
                .body(SECRET);
            let (completion, response) = claim.completion(response).unwrap();
            shown.add("Completion", &completion);
            let err = completion.rolled_back("the database says no");
            shown.add("CommitError", &(&err, err.to_string()));
            shown.add("CommitErrorKind", &err.kind());
            response
        }
    };
    let app = init_service(App::new().wrap(keys).default_service(web::to(handler))).await;
    let request = TestRequest::post().insert_header(("idempotency-key", SECRET));
    let response = call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 201);
}
