use super::Dialect;
use crate::config::ConfigError;

/// A name of PostgreSQL is cut off behind so many bytes. The index has a longer one than the table.
const LONGEST_NAME: usize = 63 - PURGE_AT.len();
const PURGE_AT: &str = "_purge_at";
const DEFAULT: &str = "idempotency_keys";

/// The name of the table, with or without a schema, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    schema: Option<String>,
    name: String,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            schema: None,
            name: DEFAULT.to_owned(),
        }
    }
}

impl Table {
    pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Self, ConfigError> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, text),
        };
        if !is_plain(name) || !schema.is_none_or(is_plain) {
            return Err(ConfigError::new(format!(
                "table must be a name or schema.name of letters, digits and underscores, each with up to \
                 {LONGEST_NAME} characters (got {text:?}); {} is a good default",
                DEFAULT
            )));
        }
        // The statement that makes an index does not take the name of its table with a schema.
        if dialect == Dialect::Sqlite && schema.is_some() {
            return Err(ConfigError::new(format!(
                "table must be a name without a schema in SQLite (got {text:?}); {DEFAULT} is a good default"
            )));
        }
        Ok(Self {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        })
    }

    /// Returns a statement for this table: it is written for the default one.
    pub(super) fn insert_into(&self, sql: &str) -> String {
        if *self == Self::default() {
            return sql.to_owned();
        }
        let index = format!("\"{}{PURGE_AT}\"", self.name);
        sql.replace(&format!("{DEFAULT}{PURGE_AT}"), &index)
            .replace(&format!(" {DEFAULT}"), &format!(" {}", self.quoted()))
    }

    /// Returns the name as it is written in a statement: quoted, so that no word is a reserved one.
    pub(super) fn quoted(&self) -> String {
        match &self.schema {
            Some(schema) => format!("\"{schema}\".\"{}\"", self.name),
            None => format!("\"{}\"", self.name),
        }
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.chars().all(is_part)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_name_is_quoted_in_statements() {
        let plain = Table::default();
        assert_eq!(Table::parse(DEFAULT, Dialect::Postgres), Ok(plain.clone()));
        let sql = "ON idempotency_keys; idempotency_keys_purge_at";
        assert_eq!(plain.insert_into(sql), sql);
        let qualified = Table::parse("app.Keys", Dialect::Postgres).unwrap();
        assert_eq!(
            qualified.insert_into(sql),
            r#"ON "app"."Keys"; "Keys_purge_at""#
        );
        assert_eq!(qualified.to_string(), "app.Keys");
    }

    #[test]
    fn table_of_sqlite_has_no_schema() {
        assert!(Table::parse("keys", Dialect::Sqlite).is_ok());
        assert!(Table::parse("app.keys", Dialect::Sqlite).is_err());
    }

    #[test]
    fn table_name_with_other_characters_is_refused() {
        let long = "x".repeat(LONGEST_NAME + 1);
        for text in [
            "", ".", "a.", ".a", "a.b.c", "a b", "a\"b", "a;b", "é", "1a", &long,
        ] {
            let refused = Table::parse(text, Dialect::Postgres)
                .unwrap_err()
                .to_string();
            assert!(refused.starts_with("table must be a name"), "{refused}");
        }
    }
}
