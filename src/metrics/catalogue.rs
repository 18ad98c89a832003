use super::{
    metric::{Label, Measure, Metric},
    name,
};
use crate::{
    event::{Ending, IncidentKind, Outcome},
    problem::ProblemKind,
    store::StoreErrorKind,
};

/// All that is emitted for a guard.
pub(crate) const CATALOGUE: [&Metric; 13] = [
    &REQUESTS,
    &REFUSALS,
    &TAKEOVERS,
    &CUT_OFF,
    &ENDINGS,
    &LOST,
    &STORE_ERRORS,
    &INCIDENTS,
    &REQUEST_DURATION,
    &HANDLER_DURATION,
    &STORE_DURATION,
    &WAIT_DURATION,
    &RECORDED_BODY,
];

/// All that is emitted for a memory store.
pub(crate) const OF_MEMORY: [&Metric; 4] = [
    &MEMORY_ENTRIES,
    &MEMORY_ENTRIES_MAX,
    &MEMORY_BYTES,
    &MEMORY_BYTES_MAX,
];

/// The steps in which the store is asked.
pub(super) const CLAIMING: &str = "claiming";
pub(super) const SETTLING: &str = "settling";

pub(super) static REQUESTS: Metric = Metric {
    name: name::REQUESTS,
    measure: Measure::Times,
    label: Some(OUTCOME),
    help: "Requests that were guarded or refused, by what became of them.",
};
pub(super) static REFUSALS: Metric = Metric {
    name: name::REFUSALS,
    measure: Measure::Times,
    label: Some(PROBLEM),
    help: "Requests that were told a problem, by its name.",
};
pub(super) static TAKEOVERS: Metric = Metric {
    name: name::TAKEOVERS,
    measure: Measure::Times,
    label: None,
    help: "Runs whose owner before them had died, or had outlived its lease.",
};
pub(super) static CUT_OFF: Metric = Metric {
    name: name::CUT_OFF,
    measure: Measure::Times,
    label: None,
    help: "Handlers that were cut off before they had answered.",
};
pub(super) static ENDINGS: Metric = Metric {
    name: name::ENDINGS,
    measure: Measure::Times,
    label: Some(ENDING),
    help: "Keys whose handler has ended, by what becomes of them.",
};
pub(super) static LOST: Metric = Metric {
    name: name::LOST,
    measure: Measure::Times,
    label: None,
    help: "Runs whose key was another's when they ended; the same work may have been done twice.",
};
pub(super) static STORE_ERRORS: Metric = Metric {
    name: name::STORE_ERRORS,
    measure: Measure::Times,
    label: Some(ERROR),
    help: "Requests and incidents that met a failing store, by how it failed.",
};
pub(super) static INCIDENTS: Metric = Metric {
    name: name::INCIDENTS,
    measure: Measure::Times,
    label: Some(INCIDENT),
    help: "Claims that something happened to in the background, and mistakes of set-up, by what.",
};
pub(super) static REQUEST_DURATION: Metric = Metric {
    name: name::REQUEST_DURATION,
    measure: Measure::Seconds,
    label: Some(OUTCOME),
    help: "Time in the middleware, to the end of the answer, handler and wait included.",
};
pub(super) static HANDLER_DURATION: Metric = Metric {
    name: name::HANDLER_DURATION,
    measure: Measure::Seconds,
    label: None,
    help: "Time that handlers took to answer.",
};
pub(super) static STORE_DURATION: Metric = Metric {
    name: name::STORE_DURATION,
    measure: Measure::Seconds,
    label: Some(STEP),
    help: "Time that the store took to say whose a key is, or to be told how it ended.",
};
pub(super) static WAIT_DURATION: Metric = Metric {
    name: name::WAIT_DURATION,
    measure: Measure::Seconds,
    label: None,
    help: "Time that duplicates waited for the first one to end.",
};
pub(super) static RECORDED_BODY: Metric = Metric {
    name: name::RECORDED_BODY,
    measure: Measure::Bytes,
    label: None,
    help: "Sizes of the bodies that are recorded.",
};

static MEMORY_ENTRIES: Metric = Metric {
    name: name::MEMORY_ENTRIES,
    measure: Measure::Level,
    label: None,
    help: "Claims and records in the memory store.",
};
static MEMORY_ENTRIES_MAX: Metric = Metric {
    name: name::MEMORY_ENTRIES_MAX,
    measure: Measure::Level,
    label: None,
    help: "The most claims and records; a full memory store refuses new keys.",
};
static MEMORY_BYTES: Metric = Metric {
    name: name::MEMORY_BYTES,
    measure: Measure::Level,
    label: None,
    help: "Bytes of recorded headers and bodies in the memory store.",
};
static MEMORY_BYTES_MAX: Metric = Metric {
    name: name::MEMORY_BYTES_MAX,
    measure: Measure::Level,
    label: None,
    help: "The most bytes; beyond that the memory store drops its oldest bodies.",
};

const OUTCOME: Label = Label {
    name: "outcome",
    values: || {
        [
            Outcome::Executed,
            Outcome::Replayed,
            Outcome::InFlight,
            Outcome::Mismatch,
            Outcome::NotStored,
            Outcome::Unknown,
            Outcome::Invalid,
            Outcome::Failed,
            Outcome::StoreError,
            Outcome::Unguarded,
            Outcome::Abandoned,
        ]
        .map(Outcome::as_str)
        .to_vec()
    },
};
const PROBLEM: Label = Label {
    name: "problem",
    values: || {
        [
            ProblemKind::Busy,
            ProblemKind::KeyMissing,
            ProblemKind::KeyInvalid,
            ProblemKind::ScopeMissing,
            ProblemKind::InFlight,
            ProblemKind::KeyReused,
            ProblemKind::OutcomeUnknown,
            ProblemKind::ResponseNotStored,
            ProblemKind::PayloadTooLarge,
            ProblemKind::BodyTimeout,
            ProblemKind::StoreUnavailable,
        ]
        .map(ProblemKind::as_str)
        .to_vec()
    },
};
const ENDING: Label = Label {
    name: "ending",
    values: || {
        [
            Ending::Recorded,
            Ending::Committed,
            Ending::Tombstone,
            Ending::Freed,
            Ending::Lapsed,
        ]
        .map(Ending::as_str)
        .to_vec()
    },
};
const INCIDENT: Label = Label {
    name: "incident",
    values: || {
        [
            IncidentKind::LostLease,
            IncidentKind::NotRenewed,
            IncidentKind::Hung,
            IncidentKind::Undone,
            IncidentKind::Superseded,
            IncidentKind::NotRecorded,
            IncidentKind::Buried,
            IncidentKind::NotReleased,
            IncidentKind::Overloaded,
            IncidentKind::BodyRefused,
            IncidentKind::ScopeMissing,
            IncidentKind::EncodedResponse,
            IncidentKind::SecondStore,
            IncidentKind::StoreFilling,
            IncidentKind::CommitInDoubt,
            IncidentKind::CommitRolledBack,
            IncidentKind::CommitForgotten,
        ]
        .map(IncidentKind::as_str)
        .to_vec()
    },
};
const ERROR: Label = Label {
    name: "error",
    values: || {
        [StoreErrorKind::Unavailable, StoreErrorKind::Timeout]
            .map(StoreErrorKind::as_str)
            .to_vec()
    },
};
const STEP: Label = Label {
    name: "step",
    values: || vec![CLAIMING, SETTLING],
};
