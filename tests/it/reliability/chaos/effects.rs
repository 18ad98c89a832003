use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    event::{Call, Entry, Event, Micros},
    life::Life,
    run::{Missed, Run, Told},
};

/// What the journals tell.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) runs: Vec<Run>,
    /// Claims of processes that lived to the end, whose end nobody has told the store.
    pub(super) abandoned: Vec<String>,
    /// When a process got no processor: from and until.
    pub(super) stalls: Vec<(Micros, Micros)>,
}

impl Effects {
    pub(super) fn gather(lives: &[Life]) -> Self {
        let mut all = Self::default();
        for life in lives {
            all.add(life.killed, &life.entries());
        }
        all
    }

    pub(super) fn add(&mut self, killed: Option<Micros>, entries: &[Entry]) {
        let stalls: Arc<[_]> = entries.iter().filter_map(stall).collect();
        let mut claims: HashMap<&str, Vec<&Entry>> = HashMap::new();
        for entry in entries {
            if let Some(claim) = claim(&entry.event) {
                claims.entry(claim).or_default().push(entry);
            }
        }
        let mut by_fence = HashMap::new();
        let mut ends = HashMap::new();
        for entry in entries {
            match &entry.event {
                Event::Renewed { claim, store_time } => {
                    by_fence.insert(*store_time, claim.as_str());
                }
                Event::Ended { run, fate } => {
                    ends.insert(run.as_str(), (entry.at, *fate));
                }
                _ => {}
            }
        }
        for entry in entries {
            let Event::Begun { run, key, fence } = &entry.event else {
                continue;
            };
            let claim = by_fence.get(fence).and_then(|claim| claims.get(claim));
            let of_claim = || claim.into_iter().flatten();
            self.runs.push(Run {
                id: run.clone(),
                key: key.clone(),
                fence: *fence,
                ended: ends.get(run.as_str()).copied(),
                confirmed: of_claim().filter_map(|entry| confirmation(entry)).max(),
                told: of_claim().filter_map(|entry| told(entry)).collect(),
                lost: of_claim().filter_map(|entry| lost(entry)).collect(),
                missed: of_claim().filter_map(|entry| missed(entry)).collect(),
                killed,
                stalls: Arc::clone(&stalls),
            });
        }
        if killed.is_none() {
            let abandoned = claims.iter().filter(|(_, entries)| is_abandoned(entries));
            let abandoned: BTreeSet<_> = abandoned.map(|(claim, _)| claim.to_string()).collect();
            self.abandoned.extend(abandoned);
        }
        self.stalls.extend(stalls.iter());
    }
}

fn claim(event: &Event) -> Option<&str> {
    match event {
        Event::Claimed { claim }
        | Event::Renewed { claim, .. }
        | Event::Lost { claim, .. }
        | Event::Told { claim, .. }
        | Event::Missed { claim, .. } => Some(claim),
        Event::Begun { .. } | Event::Ended { .. } | Event::Stalled { .. } => None,
    }
}

fn stall(entry: &Entry) -> Option<(Micros, Micros)> {
    match entry.event {
        Event::Stalled { since } => Some((since, entry.at)),
        _ => None,
    }
}

fn confirmation(entry: &Entry) -> Option<Micros> {
    match entry.event {
        Event::Renewed { store_time, .. } => Some(store_time),
        _ => None,
    }
}

fn lost(entry: &Entry) -> Option<(Micros, Micros)> {
    match entry.event {
        Event::Lost { since, .. } => Some((since, entry.at)),
        _ => None,
    }
}

fn told(entry: &Entry) -> Option<Told> {
    let at = entry.at;
    match entry.event {
        Event::Told { ending, held, .. } => Some(Told { at, ending, held }),
        _ => None,
    }
}

fn missed(entry: &Entry) -> Option<Missed> {
    let until = entry.at;
    match entry.event {
        Event::Missed { call, since, .. } => Some(Missed { call, since, until }),
        _ => None,
    }
}

/// It is held, or may be, and nobody has tried to say how it ends.
fn is_abandoned(entries: &[&Entry]) -> bool {
    let is_held = entries.iter().any(|entry| match entry.event {
        Event::Claimed { .. } => true,
        Event::Missed { call, sent, .. } => call == Call::Begin && sent,
        _ => false,
    });
    let is_ended = entries.iter().any(|entry| match entry.event {
        Event::Told { .. } => true,
        Event::Missed { call, .. } => matches!(call, Call::Complete | Call::Release),
        _ => false,
    });
    is_held && !is_ended
}
