//! What the store in a SQL database is made of, for `shown.rs`.

use std::time::{Duration, Instant};

use actix_web_idempotency::store::{
    NewClaim, OwnerToken, Record, RecordedResponse, Store, StoreKey,
    sql::{Connection, Database, DatabaseError, Dialect, SqlStore, Statement, Value},
};
use actix_web_idempotency_sqlx::{
    PgDatabase, PgRow, PgStore,
    sqlx::{PgPool, postgres::PgPoolOptions},
};
use bytes::Bytes;

use super::shown::{SECRET, Shown, TOKEN};
use crate::support::postgres::Postgres;

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
