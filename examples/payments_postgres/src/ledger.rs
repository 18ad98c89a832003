use std::num::NonZeroU32;

use actix_web_idempotency::store::StoreTime;
use anyhow::Result;
use deadpool_postgres::{Config, Pool, Runtime, tokio_postgres::NoTls};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Payment {
    pub(crate) amount: NonZeroU32,
    pub(crate) to: String,
}

pub(crate) enum Outcome {
    /// Now or before; with the payment's number.
    Paid(i64),
    /// The account cannot pay that much.
    Refused,
    /// The key belongs to another payment.
    KeyReused,
    /// A later owner of the key has been here.
    Stale,
}

/// Waits until whoever writes the same key at this moment is done, and tells what stands there now.
const CLAIM: &str = "
    INSERT INTO payments AS here (account, idempotency_key, amount, recipient, fence)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (account, idempotency_key)
        DO UPDATE SET fence = greatest(here.fence, excluded.fence)
    RETURNING id, paid, amount = $3 AND recipient = $4 AS equal, fence > $5 AS stale";

const DEBIT: &str = "UPDATE accounts SET balance = balance - $2 WHERE id = $1 AND balance >= $2";

pub(crate) struct Ledger {
    pool: Pool,
}

impl Ledger {
    pub(crate) async fn open(url: String) -> Result<Self> {
        let config = Config {
            url: Some(url),
            // Or a process that is suspended in a transaction keeps its successor waiting.
            options: Some("-c idle_in_transaction_session_timeout=10s".to_owned()),
            ..Config::new()
        };
        let pool = config.create_pool(Some(Runtime::Tokio1), NoTls)?;
        let schema = include_str!("../schema.sql");
        pool.get().await?.batch_execute(schema).await?;
        Ok(Self { pool })
    }

    /// Key, fencing token and money in one transaction.
    ///
    /// The unique constraint makes it one payment: whatever the idempotency store has forgotten,
    /// whoever comes second finds the row of the first. A refusal settles nothing, and that is what
    /// the fencing token is for: an owner that was suspended for longer than its lease must not pay what its successor was
    /// refused, because the client knows that nothing was paid.
    pub(crate) async fn pay(
        &self,
        account: &str,
        key: &str,
        payment: &Payment,
        fence: StoreTime,
    ) -> Result<Outcome> {
        let amount = i64::from(payment.amount.get());
        let fence = i64::try_from(fence.0)?;
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?; // rolled back when it is dropped
        let row = transaction
            .query_one(CLAIM, &[&account, &key, &amount, &payment.to, &fence])
            .await?;
        let id: i64 = row.try_get("id")?;
        if !row.try_get::<_, bool>("equal")? {
            return Ok(Outcome::KeyReused);
        }
        if row.try_get("paid")? {
            return Ok(Outcome::Paid(id));
        }
        if row.try_get("stale")? {
            return Ok(Outcome::Stale);
        }
        let paid = transaction.execute(DEBIT, &[&account, &amount]).await? == 1;
        let note = "UPDATE payments SET paid = $2 WHERE id = $1";
        transaction.execute(note, &[&id, &paid]).await?;
        transaction.commit().await?;
        Ok(match paid {
            true => Outcome::Paid(id),
            false => Outcome::Refused, // the token stays
        })
    }
}
