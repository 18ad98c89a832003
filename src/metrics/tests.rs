use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    time::Duration,
};

use ::metrics::with_local_recorder;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

use super::{
    catalogue::OF_MEMORY,
    metric::{Measure, Metric},
    *,
};
use crate::{
    event::{Ending, FinishOutcome, Incident, IncidentKind, Outcome, RequestEvent},
    store::StoreErrorKind,
};

type Series = BTreeMap<String, f64>;

fn recorder() -> PrometheusRecorder {
    let builder = PrometheusBuilder::new().set_buckets(&[1.0]).unwrap();
    builder.build_recorder()
}

/// What a recorder shows.
fn shown(recorder: &PrometheusRecorder) -> Series {
    let text = recorder.handle().render();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = lines.map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.to_owned(), value.parse().unwrap())
    });
    read.collect()
}

/// What it has counted, without the buckets.
fn counted(recorder: &PrometheusRecorder) -> Series {
    let mut counted = shown(recorder);
    counted.retain(|series, value| *value != 0.0 && !series.contains("_bucket{"));
    counted
}

fn series<const N: usize>(expected: [(&str, f64); N]) -> Series {
    let expected = expected.map(|(series, value)| (format!("idempotency_{series}"), value));
    expected.into()
}

/// A run of which everything is known, and which has met everything.
fn run() -> RequestEvent {
    RequestEvent {
        attempt: NonZeroU32::new(2),
        wait_duration: Some(Duration::from_millis(250)),
        claim_duration: Some(Duration::from_millis(500)),
        handler_duration: Some(Duration::from_millis(1500)),
        finish_duration: Some(Duration::from_millis(750)),
        total_duration: Duration::from_secs(3),
        recorded_body: Some(7),
        ending: Some(Ending::Recorded),
        finish: Some(FinishOutcome::Lost),
        store_error: Some(StoreErrorKind::Timeout),
        ..refused(Outcome::Executed, None)
    }
}

fn refused(outcome: Outcome, problem: Option<&'static str>) -> RequestEvent {
    RequestEvent {
        outcome,
        problem,
        ..RequestEvent::new()
    }
}

#[test]
fn a_run_is_counted_on_each_of_its_sides() {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        observer("tea")(Event::Request(&run()));
    });
    let expected = series([
        (r#"requests_total{guard="tea",outcome="executed"}"#, 1.0),
        (r#"takeovers_total{guard="tea"}"#, 1.0),
        (r#"endings_total{guard="tea",ending="recorded"}"#, 1.0),
        (r#"lost_total{guard="tea"}"#, 1.0),
        (r#"store_errors_total{guard="tea",error="timeout"}"#, 1.0),
        (
            r#"request_duration_seconds_count{guard="tea",outcome="executed"}"#,
            1.0,
        ),
        (
            r#"request_duration_seconds_sum{guard="tea",outcome="executed"}"#,
            3.0,
        ),
        (r#"handler_duration_seconds_count{guard="tea"}"#, 1.0),
        (r#"handler_duration_seconds_sum{guard="tea"}"#, 1.5),
        (
            r#"store_duration_seconds_count{guard="tea",step="claiming"}"#,
            1.0,
        ),
        (
            r#"store_duration_seconds_sum{guard="tea",step="claiming"}"#,
            0.5,
        ),
        (
            r#"store_duration_seconds_count{guard="tea",step="settling"}"#,
            1.0,
        ),
        (
            r#"store_duration_seconds_sum{guard="tea",step="settling"}"#,
            0.75,
        ),
        (r#"wait_duration_seconds_count{guard="tea"}"#, 1.0),
        (r#"wait_duration_seconds_sum{guard="tea"}"#, 0.25),
        (r#"recorded_body_bytes_count{guard="tea"}"#, 1.0),
        (r#"recorded_body_bytes_sum{guard="tea"}"#, 7.0),
    ]);
    assert_eq!(counted(&recorder), expected);
}

#[test]
fn a_refusal_a_run_that_is_cut_off_and_an_incident_are_counted() {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        let tell = observer("tea");
        let refusal = refused(Outcome::Mismatch, Some("key-reused"));
        for event in [&refusal, &refusal, &refused(Outcome::Executed, None)] {
            tell(Event::Request(event));
        }
        let incident = Incident::about_claims(IncidentKind::NotRenewed, 5);
        let incident = incident.caused_by(StoreErrorKind::Unavailable);
        tell(Event::Incident(&incident));
    });
    let mut counted = counted(&recorder);
    counted.retain(|series, _| !series.contains("_seconds_"));
    let expected = series([
        (r#"requests_total{guard="tea",outcome="mismatch"}"#, 2.0),
        (r#"refusals_total{guard="tea",problem="key-reused"}"#, 2.0),
        (r#"requests_total{guard="tea",outcome="executed"}"#, 1.0),
        (r#"cut_off_total{guard="tea"}"#, 1.0),
        (
            r#"incidents_total{guard="tea",incident="not_renewed"}"#,
            5.0,
        ),
        (
            r#"store_errors_total{guard="tea",error="unavailable"}"#,
            1.0,
        ),
    ]);
    assert_eq!(counted, expected);
}

#[test]
fn counters_are_zero_before_anything_has_happened() {
    let recorder = recorder();
    let tell = with_local_recorder(&recorder, || observer("tea"));
    let zeroes = shown(&recorder);
    assert_eq!(zeroes.len(), 49, "the documentation says so");
    assert!(zeroes.values().all(|value| *value == 0.0));
    for metric in CATALOGUE.iter().filter(|it| it.measure == Measure::Times) {
        let its = |series: &&String| series.starts_with(&format!("{}{{", metric.name));
        let values = metric.label.as_ref().map_or(1, |it| (it.values)().len());
        assert_eq!(zeroes.keys().filter(its).count(), values, "{}", metric.name);
    }
    drop(tell);
}

#[test]
fn a_recorder_that_comes_later_counts_from_then_on() {
    let tell = observer("tea");
    let recorder = recorder();
    with_local_recorder(&recorder, || tell(Event::Request(&run())));
    let executed = r#"idempotency_requests_total{guard="tea",outcome="executed"}"#;
    assert_eq!(shown(&recorder)[executed], 1.0);
    assert!(shown(&recorder).values().any(|value| *value == 0.0));
    let seen = shown(&recorder);
    let counters = seen.keys().filter(|series| series.contains("_total{"));
    assert_eq!(counters.count(), 49, "those that stand at zero too");
    // Not even one that comes after the first event is missed.
    let another = self::recorder();
    with_local_recorder(&another, || tell(Event::Request(&run())));
    assert_eq!(shown(&another)[executed], 1.0);
    assert_eq!(shown(&recorder)[executed], 1.0);
}

#[test]
fn two_guards_are_counted_apart_and_two_of_one_name_together() {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        for guard in ["tea", "tea", "coffee"] {
            observer(guard)(Event::Request(&run()));
        }
    });
    let counted = counted(&recorder);
    for (guard, times) in [("tea", 2.0), ("coffee", 1.0)] {
        let series = format!(r#"idempotency_takeovers_total{{guard="{guard}"}}"#);
        assert_eq!(counted[&series], times);
    }
}

#[test]
fn the_catalogue_describes_all_that_is_emitted() {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        let tell = observer("tea");
        tell(Event::Request(&run()));
    });
    recorder.handle().run_upkeep(); // publishes descriptions
    let text = recorder.handle().render();
    let about = |start: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(start));
        lines
            .map(|rest| rest.split(' ').next().unwrap().to_owned())
            .collect()
    };
    let names = CATALOGUE.map(|metric| metric.name.to_owned());
    assert_eq!(about("# TYPE "), BTreeSet::from(names.clone()));
    assert_eq!(about("# HELP "), BTreeSet::from(names));
}

#[test]
fn names_follow_the_convention() {
    for metric in CATALOGUE.into_iter().chain(OF_MEMORY) {
        let suffix = match metric.measure {
            Measure::Times => "_total",
            Measure::Seconds => "_seconds",
            Measure::Bytes => "_bytes",
            Measure::Level => "",
        };
        let name = metric.name;
        assert!(
            name.starts_with("idempotency_") && name.ends_with(suffix),
            "{name}"
        );
        assert!(metric.help.ends_with('.'), "{name}");
    }
}

/// The names in a function `name` of a source text.
fn named(source: &str) -> BTreeSet<&str> {
    let (_, body) = source.split_once("fn as_str(self)").unwrap();
    let (body, _) = body.split_once("\n    }").unwrap();
    let arms = body
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::"));
    arms.map(|arm| arm.split('"').nth(1).unwrap()).collect()
}

#[test]
fn every_name_that_something_can_have_is_a_value_of_its_label() {
    let (outcomes, endings) = include_str!("../event/outcome.rs")
        .split_once("pub enum Ending")
        .unwrap();
    for (metric, source) in [
        (&catalogue::REQUESTS, outcomes),
        (&catalogue::REQUEST_DURATION, outcomes),
        (&catalogue::REFUSALS, include_str!("../problem/kind.rs")),
        (&catalogue::ENDINGS, endings),
        (&catalogue::INCIDENTS, include_str!("../event/incident.rs")),
        (&catalogue::STORE_ERRORS, include_str!("../store/error.rs")),
    ] {
        let values = (metric.label.as_ref().unwrap().values)();
        assert_eq!(BTreeSet::from_iter(values), named(source));
    }
}

#[test]
fn the_documentation_has_a_line_for_each() {
    let page = include_str!("mod.rs");
    for metric in CATALOGUE.into_iter().chain(OF_MEMORY) {
        let label = metric.label.as_ref();
        let label = label.map_or(String::new(), |label| format!("`{}` ", label.name));
        let line = format!("//! | `{}` | {label}| ", metric.name);
        assert!(page.contains(&line), "{line}");
    }
    let series = |it: &&&Metric| it.measure != Measure::Times;
    let histograms = CATALOGUE.iter().filter(series);
    let values = |it: &&Metric| it.label.as_ref().map_or(1, |label| (label.values)().len());
    assert_eq!(histograms.map(values).sum::<usize>(), 16, "it says so");
}
