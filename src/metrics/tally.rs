use std::{num::NonZeroU32, sync::Once, time::Duration};

use super::{
    catalogue::{self as of, CATALOGUE, CLAIMING, OF_MEMORY, SETTLING},
    metric::Metric,
    series::{Counter, Histogram, Labelled},
};
use crate::{
    event::{Event, FinishOutcome, Incident, Outcome, RequestEvent},
    store::StoreErrorKind,
};

/// The counters and histograms of one guard.
pub(super) struct Tally {
    introduced: Once,
    requests: Labelled<Counter>,
    refusals: Labelled<Counter>,
    takeovers: Counter,
    cut_off: Counter,
    endings: Labelled<Counter>,
    lost: Counter,
    store_errors: Labelled<Counter>,
    incidents: Labelled<Counter>,
    request_duration: Labelled<Histogram>,
    handler_duration: Histogram,
    store_duration: Labelled<Histogram>,
    wait_duration: Histogram,
    recorded_body: Histogram,
}

impl Tally {
    /// That of a guard. The recorder that is there already is told of it.
    pub(super) fn new(guard: &'static str) -> Self {
        let counter = |metric: &Metric| Counter::new(metric.key(guard));
        let counters = |metric: &Metric| Labelled::new(metric.keys(guard), Counter::new);
        let histogram = |metric: &Metric| Histogram::new(metric.key(guard));
        let histograms = |metric: &Metric| Labelled::new(metric.keys(guard), Histogram::new);
        let tally = Self {
            introduced: Once::new(),
            requests: counters(&of::REQUESTS),
            refusals: counters(&of::REFUSALS),
            takeovers: counter(&of::TAKEOVERS),
            cut_off: counter(&of::CUT_OFF),
            endings: counters(&of::ENDINGS),
            lost: counter(&of::LOST),
            store_errors: counters(&of::STORE_ERRORS),
            incidents: counters(&of::INCIDENTS),
            request_duration: histograms(&of::REQUEST_DURATION),
            handler_duration: histogram(&of::HANDLER_DURATION),
            store_duration: histograms(&of::STORE_DURATION),
            wait_duration: histogram(&of::WAIT_DURATION),
            recorded_body: histogram(&of::RECORDED_BODY),
        };
        tally.introduce();
        tally
    }

    /// Counts an event. Before the first the recorder is told once more: it may be another by now.
    pub(super) fn count(&self, event: Event<'_>) {
        self.introduced.call_once(|| self.introduce());
        match event {
            Event::Request(request) => self.request(request),
            Event::Incident(incident) => self.incident(incident),
        }
    }

    /// Says what there is, and that nothing has been counted yet.
    fn introduce(&self) {
        metrics::with_recorder(|recorder| {
            for metric in CATALOGUE.into_iter().chain(OF_MEMORY) {
                metric.describe(recorder);
            }
        });
        let labelled = [
            &self.requests,
            &self.refusals,
            &self.endings,
            &self.store_errors,
            &self.incidents,
        ];
        let single = [&self.takeovers, &self.cut_off, &self.lost];
        for counter in labelled.into_iter().flat_map(Labelled::all).chain(single) {
            counter.add(0);
        }
    }

    fn request(&self, request: &RequestEvent) {
        let outcome = request.outcome.as_str();
        one_more(&self.requests, outcome);
        if let Some(problem) = request.problem {
            one_more(&self.refusals, problem);
        }
        if request.attempt > Some(NonZeroU32::MIN) {
            self.takeovers.add(1);
        }
        if request.outcome == Outcome::Executed && request.handler_duration.is_none() {
            self.cut_off.add(1);
        }
        if let Some(ending) = request.ending {
            one_more(&self.endings, ending.as_str());
        }
        if request.finish == Some(FinishOutcome::Lost) {
            self.lost.add(1);
        }
        self.failed(request.store_error);
        self.durations(request);
    }

    fn durations(&self, request: &RequestEvent) {
        let outcome = request.outcome.as_str();
        took(
            self.request_duration.with(outcome),
            Some(request.total_duration),
        );
        took(Some(&self.handler_duration), request.handler_duration);
        took(self.store_duration.with(CLAIMING), request.claim_duration);
        took(self.store_duration.with(SETTLING), request.finish_duration);
        took(Some(&self.wait_duration), request.wait_duration);
        if let Some(bytes) = request.recorded_body {
            self.recorded_body.record(bytes as f64);
        }
    }

    fn incident(&self, incident: &Incident<'_>) {
        if let Some(counter) = self.incidents.with(incident.kind.as_str()) {
            counter.add(incident.claims as u64);
        }
        self.failed(incident.store_error);
    }

    fn failed(&self, error: Option<StoreErrorKind>) {
        if let Some(error) = error {
            one_more(&self.store_errors, error.as_str());
        }
    }
}

fn one_more(counters: &Labelled<Counter>, value: &str) {
    if let Some(counter) = counters.with(value) {
        counter.add(1);
    }
}

fn took(histogram: Option<&Histogram>, time: Option<Duration>) {
    if let (Some(histogram), Some(time)) = (histogram, time) {
        histogram.record(time.as_secs_f64());
    }
}
