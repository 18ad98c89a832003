use actix_web_idempotency::commit::Completion;
use sqlx::{AssertSqlSafe, Error, PgConnection, Postgres};

use super::{
    database::query_with,
    error::{code_of, ends_the_connection},
};
use crate::commit::Driver;

/// The code with which the statement fails if it finds no claim.
const DIVISION_BY_ZERO: &str = "22012";

impl Driver for Postgres {
    async fn complete(connection: &mut PgConnection, completion: &Completion) -> Result<(), Error> {
        let sql = AssertSqlSafe(completion.sql().to_owned());
        let query = query_with(sql, &completion.values()).persistent(completion.may_be_prepared());
        query.fetch_one(connection).await.map(drop)
    }

    fn is_lost(err: &Error) -> bool {
        code_of(err).as_deref() == Some(DIVISION_BY_ZERO)
    }

    fn is_refused(err: &Error) -> bool {
        code_of(err).is_some_and(|code| !ends_the_connection(&code))
    }
}
