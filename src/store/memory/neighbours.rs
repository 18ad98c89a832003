//! Finds out when two stores of this process are used where one was meant.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::table::Table;

use crate::runtime::log;

/// The most prefixes of one store that are looked at. An application has one for each guard.
const MOST: usize = 16;

/// The prefixes under which a store has had claims. A list that only grows, because each claim reads it
/// and a lock would cost the workers more than all the rest.
#[derive(Default)]
pub(super) struct Prefixes(OnceLock<Box<Link>>);

struct Link {
    prefix: Box<str>,
    next: Prefixes,
}

impl Prefixes {
    /// Remembers a prefix. Returns whether it is new.
    pub(super) fn is_new(&self, prefix: &str) -> bool {
        let mut list = self;
        for _ in 0..MOST {
            let mut is_new = false;
            let link = list.0.get_or_init(|| {
                is_new = true;
                Box::new(Link {
                    prefix: prefix.into(),
                    next: Self::default(),
                })
            });
            if is_new || *link.prefix == *prefix {
                return is_new;
            }
            list = &link.next;
        }
        false
    }
}

/// A store of this process, once for each of its prefixes.
struct Known {
    store: Weak<Table>,
    prefix: Box<str>,
    has_warned: bool,
}

/// All that still live, and some that do not. Locked once for each prefix of each store.
static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// Makes a prefix of a store known. Returns whether another living store has had claims with it, which is
/// logged for the first of them.
pub(super) fn is_second(store: &Arc<Table>, prefix: &str) -> bool {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|other| other.store.strong_count() > 0);
    let mut others = known.iter().filter(|other| *other.prefix == *prefix);
    let is_second = others.clone().next().is_some();
    let is_first_warning = is_second && !others.any(|other| other.has_warned);
    known.push(Known {
        store: Arc::downgrade(store),
        prefix: prefix.into(),
        has_warned: is_second,
    });
    drop(known);
    if is_first_warning {
        log::warn!(
            incident = "second_store", prefix;
            "two memory stores of this process have claims with the prefix {prefix:?}, and neither sees \
             the other's, so a duplicate can run again: build the store once, outside of the closure of \
             HttpServer::new, and clone it; if two are meant, give their guards a key_prefix each \
             (reported once)"
        );
    }
    is_second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_new_once_and_not_looked_at_beyond_the_most() {
        let prefixes = Prefixes::default();
        for number in 0..MOST {
            assert!(prefixes.is_new(&number.to_string()), "{number}");
            assert!(!prefixes.is_new(&number.to_string()), "{number}");
        }
        assert!(!prefixes.is_new("one more"));
    }

    #[test]
    fn store_is_second_while_another_one_with_its_prefix_lives() {
        let [one, other, third] = [(); 3].map(|()| Arc::new(Table::new(0, 1)));
        assert!(!is_second(&one, "neighbours-a:"));
        assert!(!is_second(&other, "neighbours-b:"));
        assert!(is_second(&other, "neighbours-a:"));
        drop((one, other));
        assert!(!is_second(&third, "neighbours-a:"));
    }
}
