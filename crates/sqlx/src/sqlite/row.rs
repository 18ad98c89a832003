use actix_web_idempotency::store::sql::{DatabaseError, Row};
use sqlx::{Decode, Row as _, Type, sqlite::Sqlite};

/// A row of SQLite.
pub struct SqliteRow(pub(super) sqlx::sqlite::SqliteRow);

impl SqliteRow {
    fn column<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(
        &'r self,
        column: usize,
    ) -> Result<Option<T>, DatabaseError> {
        // It has run: the reply is of another shape.
        self.0.try_get(column).map_err(DatabaseError::lost)
    }
}

impl Row for SqliteRow {
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
impl std::fmt::Debug for SqliteRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteRow(..)")
    }
}
