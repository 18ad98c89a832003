use actix_web_idempotency::commit::Completion;
use sqlx::{AssertSqlSafe, Error, Sqlite, SqliteConnection};

use super::{
    database::query_with,
    error::{IOERR, code_of, primary},
};
use crate::commit::Driver;

/// The code with which the statement fails if it finds no claim.
const CONSTRAINT_NOTNULL: i32 = 1299;

impl Driver for Sqlite {
    async fn complete(
        connection: &mut SqliteConnection,
        completion: &Completion,
    ) -> Result<(), Error> {
        // The statement ends the transaction if it finds no claim. sqlx would not notice, and take the next one on this
        // connection for a nested one; here the transaction is dropped in any case, so it need not.
        let sql = completion
            .sql()
            .replacen("INSERT INTO", "INSERT OR ABORT INTO", 1);
        let query = query_with(AssertSqlSafe(sql), &completion.values());
        query.fetch_one(connection).await.map(drop)
    }

    fn is_lost(err: &Error) -> bool {
        code_of(err) == Some(CONSTRAINT_NOTNULL)
    }

    fn is_refused(err: &Error) -> bool {
        code_of(err).is_some_and(|code| primary(code) != IOERR)
    }
}
