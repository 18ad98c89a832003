use std::num::NonZeroUsize;

use super::{
    Database, Inner, Row, SqlStore, Value,
    call::IfLost,
    rows::{Columns, known},
    store::Removes,
};
use crate::store::{Cursor, Inspect, Inspected, Page, StoreError, StoreKey};

/// Sorts behind every character that follows a prefix.
const LAST: char = char::MAX;

impl<D: Database> Inspect for SqlStore<D> {
    async fn look_up(&self, key: &StoreKey) -> Result<Option<Inspected>, StoreError> {
        let key = key.to_text();
        let rows = self.0.rows(&key, "", &key, 1).await?;
        match rows.first() {
            Some(row) => Ok(read(row)?.1),
            None => Ok(None),
        }
    }

    async fn list(
        &self,
        prefix: &str,
        from: &Cursor,
        most: NonZeroUsize,
    ) -> Result<Page, StoreError> {
        let above = format!("{prefix}{LAST}");
        let rows = self
            .0
            .rows(prefix, from.as_str(), &above, most.get())
            .await?;
        let (mut entries, mut last) = (Vec::with_capacity(rows.len()), String::new());
        for row in &rows {
            let inspected;
            (last, inspected) = read(row)?;
            // Not every row is one of this crate: the table is open to the application.
            if let (Some(key), Some(inspected)) = (StoreKey::parse(&last), inspected) {
                entries.push((key, inspected));
            }
        }
        let is_full = rows.len() >= most.get();
        Ok(Page {
            entries,
            next: is_full.then(|| Cursor::new(last)),
        })
    }

    async fn force_release(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.0.remove(key, None, Removes::Claims).await
    }

    async fn delete(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.0.remove(key, None, Removes::Everything).await
    }
}

impl<D: Database> Inner<D> {
    async fn rows(
        &self,
        prefix: &str,
        after: &str,
        above: &str,
        most: usize,
    ) -> Result<Vec<D::Row>, StoreError> {
        let values = [
            Value::Text(prefix),
            Value::Text(after),
            Value::Text(above),
            Value::Int(most.try_into().unwrap_or(i64::MAX)),
        ];
        let sql = &self.statements.list;
        self.run(sql, &values, IfLost::Repeat, self.deadline())
            .await
    }
}

/// Returns a row's key, and what it has; `None` if it is forgotten.
fn read<R: Row>(row: &R) -> Result<(String, Option<Inspected>), StoreError> {
    let mut columns = Columns::new(row);
    let key = columns.text()?.unwrap_or_default();
    let (fingerprint, attempt) = (columns.fingerprint()?, columns.attempt()?);
    let (lease_left, left) = (columns.duration()?, columns.duration()?);
    let has_no_grace = columns.int()? == Some(1);
    let (status, size) = (columns.int()?, columns.int()?);
    if left.is_zero() {
        return Ok((key, None));
    }
    let (Some(attempt), Some(fingerprint)) = (attempt, fingerprint) else {
        return Ok((key, Some(Inspected::Unreadable)));
    };
    let inspected = match status.map(u16::try_from) {
        Some(Ok(status)) => Inspected::Finished {
            status: known(status),
            fingerprint,
            size: size.and_then(|size| usize::try_from(size).ok()),
            left,
        },
        Some(Err(_)) => Inspected::Unreadable,
        None if has_no_grace && fingerprint.is_none() => Inspected::Lock { left },
        None => Inspected::Claim {
            attempt,
            fingerprint,
            lease_left: (!lease_left.is_zero()).then_some(lease_left),
            remembered_for: left,
        },
    };
    Ok((key, Some(inspected)))
}
