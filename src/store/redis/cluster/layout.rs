use std::{collections::BTreeMap, sync::Arc};

use redis::{ErrorKind, RedisError, RedisResult, Value};

use super::node::{Address, Node};

/// Which primary serves which slots.
#[derive(Default)]
pub(super) struct Layout {
    /// Ordered by address, so that a walk can go on after any of them.
    primaries: BTreeMap<Address, Arc<Node>>,
    /// First and last slot, and who serves them; in order.
    ranges: Vec<(u16, u16, Address)>,
}

impl Layout {
    /// From ranges as `CLUSTER SLOTS` tells them. `node` finds or makes what is at an address.
    pub(super) fn new(
        mut ranges: Vec<(u16, u16, Address)>,
        mut node: impl FnMut(&Address) -> Arc<Node>,
    ) -> Self {
        ranges.sort();
        let mut primaries = BTreeMap::new();
        for (.., address) in &ranges {
            if !primaries.contains_key(address) {
                primaries.insert(address.clone(), node(address));
            }
        }
        Self { primaries, ranges }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Arc<Node>> {
        let after = self.ranges.partition_point(|(first, ..)| *first <= slot);
        let (_, last, address) = self.ranges.get(after.checked_sub(1)?)?;
        (slot <= *last)
            .then(|| self.primaries.get(address))
            .flatten()
    }

    pub(super) fn at(&self, address: &Address) -> Option<&Arc<Node>> {
        self.primaries.get(address)
    }

    /// All of them, in the order of their addresses.
    pub(super) fn primaries(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.primaries.values()
    }
}

/// Reads the answer of `CLUSTER SLOTS`.
pub(super) fn ranges_in(answer: Value, asked: &Address) -> RedisResult<Vec<(u16, u16, Address)>> {
    let Value::Array(ranges) = answer.extract_error()? else {
        return Err(strange());
    };
    let ranges = ranges.into_iter().map(|range| {
        let Value::Array(parts) = range else {
            return Err(strange());
        };
        let mut parts = parts.into_iter();
        // Behind the primary stand its replicas.
        let (Some(first), Some(last), Some(Value::Array(primary))) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(strange());
        };
        let mut primary = primary.into_iter();
        let (Some(host), Some(port)) = (primary.next(), primary.next()) else {
            return Err(strange());
        };
        let host: Option<String> = redis::from_redis_value(host)?;
        let port = number(port)?;
        let address = Address::told(&host.unwrap_or_default(), port, asked);
        let (first, last) = (number(first)?, number(last)?);
        Ok((first, last, address))
    });
    ranges.collect()
}

/// The redis crate would cut a larger number short.
fn number(value: Value) -> RedisResult<u16> {
    let number: i64 = redis::from_redis_value(value)?;
    u16::try_from(number).map_err(|_| strange())
}

fn strange() -> RedisError {
    let kind = ErrorKind::UnexpectedReturnType;
    RedisError::from((kind, "CLUSTER SLOTS was answered by something else"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::redis::wire::Server;

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        let node = Value::Array(vec![
            host,
            Value::Int(port),
            Value::Nil,
            Value::Array(vec![]),
        ]);
        let replica = node.clone();
        Value::Array(vec![Value::Int(first), Value::Int(last), node, replica])
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_slot_is_served_by_the_primary_of_its_range() {
        let asked = Address::new("a", 1);
        let answer = Value::Array(vec![
            range(6000, 9000, text("c"), 3),
            range(0, 4999, Value::Nil, 1),
            range(5000, 5000, text("b"), 2),
            range(9001, 16383, text(""), 1),
        ]);
        let ranges = ranges_in(answer, &asked).unwrap();
        let like = Server::new("redis://x", &Default::default(), &Default::default()).unwrap();
        let layout = Layout::new(ranges, |address| {
            Arc::new(Node::new(address.clone(), &like, Duration::from_secs(1)))
        });
        let owner = |slot| layout.owner(slot).map(|node| node.address.to_string());
        for (slot, expected) in [
            (0, Some("a:1")),
            (4999, Some("a:1")),
            (5000, Some("b:2")),
            (5001, None),
            (6000, Some("c:3")),
            (9000, Some("c:3")),
            (16383, Some("a:1")),
        ] {
            assert_eq!(owner(slot).as_deref(), expected, "{slot}");
        }
        let all: Vec<_> = layout
            .primaries()
            .map(|node| node.address.to_string())
            .collect();
        assert_eq!(all, ["a:1", "b:2", "c:3"]);
        assert!(Layout::default().owner(0).is_none());
    }

    #[test]
    fn another_answer_is_an_error() {
        let asked = Address::new("a", 1);
        for answer in [
            Value::Okay,
            Value::Array(vec![Value::Nil]),
            Value::Array(vec![Value::Array(vec![Value::Int(0)])]),
            Value::Array(vec![range(0, 99999, text("b"), 2)]),
        ] {
            assert!(ranges_in(answer, &asked).is_err());
        }
    }
}
