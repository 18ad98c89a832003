//! What to do about the failures that are usual.

use super::{Database, Dialect, Inner};

impl<D: Database> Inner<D> {
    /// Returns what to do about a code of an error.
    pub(super) fn hint(&self, code: &str) -> Option<String> {
        match D::DIALECT {
            Dialect::Postgres => self.hint_of_postgres(code),
            Dialect::Sqlite => self.hint_of_sqlite(code),
        }
    }

    /// <https://www.sqlite.org/rescode.html>, the primary codes.
    fn hint_of_sqlite(&self, code: &str) -> Option<String> {
        let table = &self.table;
        Some(match code {
            "1" => format!(
                "the table {table} is missing or not the one that this version needs; call the store's migrate(), or \
                 compare it with its schema()"
            ),
            "5" | "6" => "another connection has held the database for too long; keep transactions that write short"
                .to_owned(),
            "8" => "the database is read-only: its file or folder may not be written, or was removed".to_owned(),
            "10" => "the disk does not read or write the database's file".to_owned(),
            "11" | "26" => "the database's file is damaged; restore it from a backup".to_owned(),
            "13" => "the disk is full".to_owned(),
            "14" => "the database's file cannot be opened; its folder must be there, and be writable".to_owned(),
            _ => return None,
        })
    }

    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn hint_of_postgres(&self, code: &str) -> Option<String> {
        let table = &self.table;
        Some(match code {
            "42P01" | "3F000" => format!(
                "the table {table} is missing; call the store's migrate(), or apply its schema() with your migrations"
            ),
            "42703" | "42804" | "42P10" | "42809" => format!(
                "the table {table} is not the one that this version needs; compare it with the store's schema()"
            ),
            "42501" => format!(
                "the database's user needs SELECT, INSERT, UPDATE and DELETE on the table {table}"
            ),
            "25006" => "the server is read-only; connect to the primary, with \
                        target_session_attrs=read-write where there are several hosts"
                .to_owned(),
            "57014" => "the server cancelled the statement; statement_timeout may be too short for a busy server"
                .to_owned(),
            "55P03" => "the server gave up waiting for a lock; something has locked the whole table".to_owned(),
            "53300" => "the server has no connection left; make the pools of all processes smaller than its \
                        max_connections together"
                .to_owned(),
            "53100" => "the server's disk is full".to_owned(),
            "26000" | "42P05" => "the connection leads through a pooler that does not know prepared statements; \
                                  switch transaction_pooler on"
                .to_owned(),
            "22021" => "a key prefix has a character that the database cannot store".to_owned(),
            _ => return None,
        })
    }
}
