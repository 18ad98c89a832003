use super::history::Span;

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key {
    Vacant,
    Claimed(Claimed),
    Finished {
        by: usize,
        record: usize,
        until: Span,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Claimed {
    pub(super) by: usize,
    pub(super) attempt: u32,
    pub(super) lapses: Span,
    pub(super) forgotten: Span,
}

/// The same at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Vacant,
    Live(Claimed),
    Lapsed(Claimed),
    Finished { by: usize, record: usize },
}

/// What a key may hold by then.
pub(super) fn phases(key: Key, at: Span) -> Vec<Phase> {
    let (all, ends) = match key {
        Key::Vacant => return vec![Phase::Vacant],
        Key::Finished { by, record, until } => {
            let finished = Phase::Finished { by, record };
            (vec![(finished, None, until)], until)
        }
        Key::Claimed(claimed) => {
            let Claimed {
                lapses, forgotten, ..
            } = claimed;
            let mut all = vec![(Phase::Live(claimed), None, lapses)];
            // Redis counts whole milliseconds: of a claim that is forgotten when it lapses it says in the last one
            // that it has lapsed.
            if lapses != forgotten || lapses.from != lapses.to {
                all.push((Phase::Lapsed(claimed), Some(lapses), forgotten));
            }
            (all, forgotten)
        }
    };
    let mut possible: Vec<_> = (all.into_iter())
        .filter(|(_, since, until)| {
            at.from < until.to && since.is_none_or(|since| at.to >= since.from)
        })
        .map(|(phase, _, _)| phase)
        .collect();
    if at.to >= ends.from {
        possible.push(Phase::Vacant);
    }
    possible
}
