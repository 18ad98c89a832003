use actix_web_idempotency::store::sql::{DatabaseError, Row};
use sqlx::{Decode, Row as _, Type, postgres::Postgres};

/// A row of PostgreSQL.
pub struct PgRow(pub(super) sqlx::postgres::PgRow);

impl PgRow {
    fn column<'r, T: Decode<'r, Postgres> + Type<Postgres>>(
        &'r self,
        column: usize,
    ) -> Result<Option<T>, DatabaseError> {
        // It has run: the reply is of another shape.
        self.0.try_get(column).map_err(DatabaseError::lost)
    }
}

impl Row for PgRow {
    fn int(&self, column: usize) -> Result<Option<i64>, DatabaseError> {
        self.column(column)
    }

    fn text(&self, column: usize) -> Result<Option<String>, DatabaseError> {
        self.column(column)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, DatabaseError> {
        self.column(column)
    }
}

/// Shows no content: among the columns are tokens and responses.
impl std::fmt::Debug for PgRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PgRow(..)")
    }
}
