//! What clients are promised, asked of what they heard and of what has run.

use std::time::Duration;

use actix_web_idempotency::ExpiredLease;

use super::{
    client::{Heard, What},
    plan::{Guard, Plan, Request},
    runs::Run,
};

/// The longest that a call to the store is waited for.
const CALL: Duration = Duration::from_secs(10);

/// One request, what its client heard, and all that has run by the end.
pub(super) struct Asked<'a> {
    pub(super) plan: &'a Plan,
    pub(super) number: usize,
    pub(super) request: &'a Request,
    pub(super) heard: &'a Heard,
    pub(super) runs: &'a [Run],
}

impl Asked<'_> {
    pub(super) fn check(&self) -> Result<(), String> {
        let fair = match &self.heard.what {
            What::Left => return Ok(()),
            What::Answer {
                status,
                is_replay,
                body,
            } => self.is_answer(*status, *is_replay, body),
            What::Problem(status, name, is_retry) => self.is_problem(*status, name, *is_retry),
            What::Broken => self.own_run().is_some_and(|run| !run.is_whole),
            What::Failed => self.own_run().is_some_and(|run| run.panicked),
        };
        let what = format!("request {}: {:?}", self.number, self.heard);
        if !fair {
            return Err(format!("{what}: that is not what has happened"));
        }
        match self.heard.took() <= self.longest() {
            true => Ok(()),
            false => Err(format!("{what}: took longer than {:?}", self.longest())),
        }
    }

    /// The run of this request's own handler.
    fn own_run(&self) -> Option<&Run> {
        self.runs.iter().find(|run| run.request == self.number)
    }

    fn is_answer(&self, status: u16, is_replay: bool, body: &str) -> bool {
        let number = body.strip_prefix("run ").map(|n| n.trim_end_matches('.'));
        let run = number.and_then(|n| self.runs.get(n.parse::<usize>().ok()?));
        let Some(run) = run else {
            return false;
        };
        let is_whole = run.is_whole || status == 503;
        match is_replay {
            true => {
                is_whole && run.is_final && self.is_of(run) && run.payload == self.request.payload
            }
            false => is_whole && run.request == self.number,
        }
    }

    fn is_problem(&self, status: u16, name: &str, is_retry: bool) -> bool {
        let payload = self.request.payload;
        let has_faults = !self.plan.faults.is_empty();
        // Without faults the store hears of nothing but what runs.
        let ran = |is_it: &dyn Fn(&Run) -> bool| has_faults || self.runs_meanwhile().any(is_it);
        let is_same = |run: &Run| run.payload == payload;
        match (self.plan.guard, status, name, is_retry) {
            (_, 503, "store-unavailable", true) => has_faults,
            (Guard::Lock, 409, "busy", false) => ran(&is_same),
            (Guard::Keys { wait, .. }, 409, "in-flight", true) => {
                let has_waited = wait.is_none_or(|wait| self.heard.took() >= wait);
                ran(&is_same) && (has_waited || has_faults)
            }
            (Guard::Keys { .. }, 422, "key-reused", false) => {
                let others = &self.plan.requests;
                let is_other =
                    |other: &Request| other.name == self.request.name && other.payload != payload;
                let is_final = |run: &Run| self.is_of(run) && run.is_final && !is_same(run);
                others.iter().any(is_other)
                    && (ran(&|run| !is_same(run)) || self.runs.iter().any(is_final))
            }
            (Guard::Keys { .. }, 409, "response-not-stored", false) => self
                .runs
                .iter()
                .any(|run| self.is_of(run) && is_same(run) && run.is_final && !run.is_whole),
            (Guard::Keys { expired_lease, .. }, 409, "outcome-unknown", false) => {
                let panicked = |run: &Run| self.is_of(run) && is_same(run) && run.panicked;
                expired_lease == ExpiredLease::Refuse && self.runs.iter().any(panicked)
            }
            _ => false,
        }
    }

    fn is_of(&self, run: &Run) -> bool {
        run.name == self.request.name
    }

    /// What held the key at some moment between question and answer. What panics where nobody may
    /// follow holds it on.
    fn runs_meanwhile(&self) -> impl Iterator<Item = &Run> {
        let Heard { asked, at, .. } = self.heard;
        self.runs.iter().filter(move |run| {
            let is_gone =
                !(run.panicked && run.is_final) && run.ended.is_some_and(|ended| ended < *asked);
            self.is_of(run) && run.began <= *at && !is_gone
        })
    }

    /// A claim, a wait that ends with another claim, the run, and what the store is told of it.
    fn longest(&self) -> Duration {
        let wait = match self.plan.guard {
            Guard::Keys {
                wait: Some(wait), ..
            } => wait.max(CALL) + CALL,
            Guard::Keys { wait: None, .. } | Guard::Lock => CALL,
        };
        wait + self.request.lasts() + CALL + Duration::from_secs(1)
    }
}

/// Who hears an answer to a key hears the one answer that there is.
pub(super) fn one_answer_each(plan: &Plan, heard: &[Heard]) -> Result<(), String> {
    if plan.guard == Guard::Lock {
        return Ok(());
    }
    let finals = |heard: &Heard| match &heard.what {
        What::Answer { status, body, .. } if *status != 503 => Some((*status, body.clone())),
        _ => None,
    };
    let answers = plan
        .requests
        .iter()
        .zip(heard)
        .filter_map(|(request, heard)| Some((request.name, finals(heard)?)));
    let answers: Vec<_> = answers.collect();
    for (name, answer) in &answers {
        let other = answers
            .iter()
            .find(|(of, other)| of == name && other != answer);
        if let Some((_, other)) = other {
            return Err(format!("{name:?} was answered {answer:?} and {other:?}"));
        }
    }
    Ok(())
}

/// What a client has to hear when everything has settled, if it repeats a request that has come to
/// this.
pub(super) fn afterwards(plan: &Plan, request: &Request, runs: &[Run]) -> Option<What> {
    let problem = |status, name: &str| Some(What::Problem(status, name.to_owned(), false));
    let done = (runs.iter()).find(|run| run.name == request.name && run.is_final)?;
    if done.payload != request.payload {
        return problem(422, "key-reused");
    }
    if done.panicked {
        return problem(409, "outcome-unknown");
    }
    if !done.is_whole {
        return problem(409, "response-not-stored");
    }
    let number = runs.iter().position(|run| run.request == done.request)?;
    let probe = Request::probe(request.name, request.payload);
    let first = plan.requests.get(done.request).unwrap_or(&probe);
    Some(first.replay(number))
}
