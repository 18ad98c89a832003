use std::collections::HashMap;

use actix_web_idempotency::store::StoreTime;

use super::{
    contract::Contract,
    history::{Call, Told},
    key::{Key, phases},
    play::Pace,
    sequence::{Sequence, Step},
    watch::Watch,
};

/// How many calls there were, and before how many of them a time might or might not have ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Certainty {
    pub(super) calls: usize,
    pub(super) unsure: usize,
}

impl Certainty {
    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.unsure += other.unsure;
    }
}

/// Whether a store may have said all that.
pub(super) fn check(
    sequence: &Sequence,
    pace: Pace,
    history: &[Call],
) -> Result<Certainty, String> {
    let contract = Contract::new(&sequence.claims, pace);
    let mut certainty = Certainty::default();
    let mut keys: HashMap<usize, Vec<Key>> = HashMap::new();
    let mut fences = HashMap::new();
    let mut watches: Vec<Watch> = Vec::new();
    for (n, call) in history.iter().enumerate() {
        if let Told::Wrong(why) = &call.told {
            return Err(format!("{sequence:#?}\n{}{why}", said(&history[..=n])));
        }
        let key = contract.key_of(call.step);
        let before = keys.entry(key).or_insert_with(|| vec![Key::Vacant]);
        certainty.calls += 1;
        let is_unsure = before.iter().any(|key| phases(*key, call.at).len() > 1);
        certainty.unsure += usize::from(is_unsure);
        let mut after = Vec::new();
        for possible in before.iter().flat_map(|key| contract.next(*key, call)) {
            if !after.contains(&possible) {
                after.push(possible);
            }
        }
        let is_fence = is_fence(&mut fences, key, call);
        if after.is_empty() || !is_fence {
            let before: Vec<_> = before.iter().map(|key| phases(*key, call.at)).collect();
            let so_far = said(&history[..=n]);
            let key_was = format!("key {key} can only be: {before:.1?}");
            return Err(format!(
                "{sequence:#?}\n{so_far}which breaks the contract; {key_was}"
            ));
        }
        if let Step::Watch(by) = call.step {
            watches.push(Watch::new(by, call));
        }
        for watch in &mut watches {
            if contract.claims[watch.by].key == key {
                watch.sees(&after, call.at);
            }
        }
        *before = after;
    }
    for watch in watches {
        watch
            .check(pace)
            .map_err(|why| format!("{sequence:#?}\n{}{why}", said(history)))?;
    }
    Ok(certainty)
}

fn said(history: &[Call]) -> String {
    history.iter().map(|call| format!("{call:?}\n")).collect()
}

/// A later owner is told a later time.
fn is_fence(last: &mut HashMap<usize, (usize, StoreTime)>, key: usize, call: &Call) -> bool {
    let (Step::Renew(by), Told::Renewed(Some(at))) = (call.step, &call.told) else {
        return true;
    };
    match last.insert(key, (by, *at)) {
        Some((before, earlier)) if before == by => *at >= earlier,
        Some((_, earlier)) => *at > earlier,
        None => true,
    }
}
