use std::{collections::BTreeMap, sync::Arc};

use super::{Cluster, Node};
use crate::store::StoreKey;

/// How many keys are tried. A primary with one slot in a hundred is found all but surely; one that
/// hardly has any may be left out.
const TRIES: usize = 2000;

impl Cluster {
    /// A key with this prefix for each primary that serves such keys, as far as is known without
    /// asking. With braces in the prefix they are all at one.
    pub(crate) fn probes(&self, key_prefix: &str) -> Vec<(String, Arc<Node>)> {
        let layout = self.layout();
        let count = layout.primaries().count();
        let mut probes = BTreeMap::new();
        for _ in 0..TRIES {
            let key = StoreKey::new(key_prefix, rand::random()).to_string();
            if let Some(node) = layout.owner(super::slot_of(key.as_bytes())) {
                let probe = || (key, Arc::clone(node));
                probes.entry(node.address.clone()).or_insert_with(probe);
            }
            if probes.len() == count {
                break;
            }
        }
        probes.into_values().collect()
    }
}
