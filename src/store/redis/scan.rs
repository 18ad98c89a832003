use redis::{RedisError, cmd};
use tokio::time::Instant;

use super::{RedisStore, call::Reply};
use crate::store::{Cursor, StoreError, StoreKey};

/// How many of the server's keys one step goes past at most. The server does nothing else
/// meanwhile, some hundred microseconds.
const LONGEST_STEP: usize = 1000;

impl RedisStore {
    /// Goes on from a cursor until some keys with this prefix turn up, the end is reached, or
    /// `until` has passed. Returns some `most` keys and where the next scan begins.
    pub(super) async fn scan(
        &self,
        prefix: &str,
        from: &Cursor,
        most: usize,
        until: Instant,
        deadline: Instant,
    ) -> Result<(Vec<StoreKey>, Option<Cursor>), StoreError> {
        let pattern = pattern(prefix);
        let mut at = position(from)?;
        let mut step = most.min(LONGEST_STEP);
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(at)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(step);
            let Reply::Value(page) = self.call(&scan, deadline).await? else {
                return Err(StoreError::unavailable("SCAN was not carried out"));
            };
            let (next, names): (u64, Vec<Vec<u8>>) = redis::from_redis_value(page)
                .map_err(|err| StoreError::interrupted(RedisError::from(err)))?;
            let keys: Vec<_> = (names.iter())
                .filter_map(|name| StoreKey::parse(str::from_utf8(name).ok()?))
                .collect();
            let next_cursor = (next != 0).then(|| Cursor::new(next.to_string()));
            if !keys.is_empty() || next == 0 || Instant::now() >= until {
                return Ok((keys, next_cursor));
            }
            at = next;
            // Where nothing has turned up for so long, little will in a step twice as long.
            step = (step * 2).min(LONGEST_STEP);
        }
    }
}

fn position(cursor: &Cursor) -> Result<u64, StoreError> {
    if cursor.is_start() {
        return Ok(0);
    }
    (cursor.as_str().parse())
        .map_err(|_| StoreError::unavailable("the cursor is not one that a Redis store has given"))
}

/// Matches what begins with the prefix, whatever characters are in it.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for c in prefix.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_matched_as_it_stands() {
        assert_eq!(pattern(""), "*");
        assert_eq!(pattern("orders:é"), "orders:é*");
        assert_eq!(pattern(r"a*?[^b-c]\"), r"a\*\?\[^b-c\]\\*");
    }

    #[test]
    fn a_cursor_of_another_store_is_refused() {
        for (text, at) in [("", 0), ("0", 0), ("18446744073709551615", u64::MAX)] {
            assert_eq!(position(&Cursor::new(text)).unwrap(), at);
        }
        for text in ["-1", "x", "18446744073709551616"] {
            let err = position(&Cursor::new(text)).unwrap_err();
            assert!(!err.may_have_run());
        }
    }
}
