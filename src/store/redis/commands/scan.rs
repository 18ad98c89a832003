use std::{collections::VecDeque, sync::Arc};

use redis::{RedisError, cmd};
use tokio::time::Instant;

use super::{Backend, Commands, ServerReply};
use crate::store::{
    Cursor, StoreError, StoreKey,
    redis::cluster::{Address, Node},
};

/// How many of the server's keys one step goes past at most. The server does nothing else
/// meanwhile, some hundred microseconds.
const LONGEST_STEP: usize = 1000;

impl Commands {
    /// Goes on from a cursor until some keys with this prefix turn up, the end is reached, or
    /// `until` has passed. Returns some `most` keys and where the next scan begins.
    pub(crate) async fn scan(
        &self,
        prefix: &str,
        from: &Cursor,
        most: usize,
        until: Instant,
        deadline: Instant,
    ) -> Result<(Vec<StoreKey>, Option<Cursor>), StoreError> {
        let pattern = pattern(prefix);
        let mut step = most.min(LONGEST_STEP);
        let (mut places, mut at) = self.places(from, deadline).await?;
        while let Some(place) = places.front() {
            let mut scan = cmd("SCAN");
            scan.arg(at)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(step);
            let reply = self.call_at(place.as_deref(), &scan, deadline).await?;
            let ServerReply::Value(page) = reply else {
                return Err(StoreError::unavailable("SCAN was not carried out"));
            };
            let (next, names): (u64, Vec<Vec<u8>>) = redis::from_redis_value(page)
                .map_err(|err| StoreError::interrupted(RedisError::from(err)))?;
            let keys: Vec<_> = (names.iter())
                .filter_map(|name| StoreKey::parse(str::from_utf8(name).ok()?))
                .collect();
            if next == 0 {
                places.pop_front();
            }
            let next_cursor = places.front().map(|place| cursor(next, place.as_deref()));
            if !keys.is_empty() || next_cursor.is_none() || Instant::now() >= until {
                return Ok((keys, next_cursor));
            }
            at = next;
            // Where nothing has turned up for so long, little will in a step twice as long.
            step = (step * 2).min(LONGEST_STEP);
        }
        Ok((vec![], None))
    }

    /// Where is left to go, and how far the first place has been walked. In a cluster these are
    /// its primaries, of which one that has left it since counts as walked; else there is one.
    async fn places(&self, from: &Cursor, deadline: Instant) -> Result<(Places, u64), StoreError> {
        let Backend::Cluster(cluster) = &self.source else {
            return Ok((Places::from([None]), number(from.as_str())?));
        };
        let nodes = cluster.primaries(deadline).await?;
        if from.is_start() {
            return Ok((nodes.into_iter().map(Some).collect(), 0));
        }
        let (at, address) = from.as_str().split_once('@').ok_or_else(foreign_cursor)?;
        let (at, address) = (
            number(at)?,
            Address::read(address).ok_or_else(foreign_cursor)?,
        );
        let is_there = nodes.iter().any(|node| node.address == address);
        let left = nodes.into_iter().filter(|node| node.address >= address);
        Ok((left.map(Some).collect(), if is_there { at } else { 0 }))
    }
}

type Places = VecDeque<Option<Arc<Node>>>;

fn cursor(at: u64, place: Option<&Node>) -> Cursor {
    Cursor::new(match place {
        None => at.to_string(),
        Some(node) => format!("{at}@{}", node.address),
    })
}

fn number(text: &str) -> Result<u64, StoreError> {
    match text {
        "" => Ok(0),
        text => text.parse().map_err(|_| foreign_cursor()),
    }
}

fn foreign_cursor() -> StoreError {
    StoreError::unavailable("the cursor is not one that this Redis store has given")
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
            assert_eq!(number(text).unwrap(), at);
        }
        for text in ["-1", "x", "18446744073709551616"] {
            let err = number(text).unwrap_err();
            assert!(!err.may_have_run());
        }
    }
}
