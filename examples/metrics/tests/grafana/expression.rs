use std::collections::BTreeSet;

use actix_web_idempotency::internals::{Emitted, emitted_metrics};
use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{self, Expr, LabelModifier, VectorSelector},
};

/// An expression of PromQL, of which each name, label and value is one that the crate emits.
pub(crate) struct Expression {
    /// The metrics that it asks for.
    pub(crate) metrics: BTreeSet<&'static str>,
    /// The labels of what it gives.
    pub(crate) labels: BTreeSet<String>,
    /// Whether it gives only what is above or below something, as an alert must.
    pub(crate) is_comparison: bool,
}

impl Expression {
    /// Reads it, with Grafana's variables or without.
    pub(crate) fn read(text: &str) -> Self {
        let text = without_variables(text);
        let parsed = parser::parse(&text).unwrap_or_else(|err| panic!("{text}: {err}"));
        let mut metrics = BTreeSet::new();
        let labels = labels(&parsed, &mut metrics).unwrap_or_default();
        let is_comparison =
            matches!(&parsed, Expr::Binary(binary) if binary.op.is_comparison_operator());
        Self {
            metrics,
            labels,
            is_comparison,
        }
    }
}

/// The text with values in place of Grafana's variables.
pub(crate) fn without_variables(text: &str) -> String {
    let text = text
        .replace("$__rate_interval", "5m")
        .replace("$__range", "1h")
        .replace("$guard", ".*");
    assert!(!text.contains('$'), "{text} has an unknown variable");
    text
}

type Labels = BTreeSet<String>;

/// The labels of what an expression gives; none of a number.
fn labels(expr: &Expr, metrics: &mut BTreeSet<&'static str>) -> Option<Labels> {
    match expr {
        Expr::NumberLiteral(_) => None,
        Expr::Paren(paren) => labels(&paren.expr, metrics),
        Expr::VectorSelector(selector) => Some(selected(selector, metrics)),
        Expr::MatrixSelector(matrix) => Some(selected(&matrix.vs, metrics)),
        Expr::Aggregate(aggregate) => {
            let inner = labels(&aggregate.expr, metrics).expect("something is aggregated");
            let by = match &aggregate.modifier {
                None => Labels::new(),
                Some(LabelModifier::Include(by)) => by.labels.iter().cloned().collect(),
                Some(LabelModifier::Exclude(_)) => panic!("{expr} does not say what remains"),
            };
            assert!(
                by.is_subset(&inner),
                "{expr} is by labels that are not there"
            );
            Some(by)
        }
        Expr::Call(call) => {
            let arguments = call.args.args.iter().filter_map(|it| labels(it, metrics));
            let mut inner = arguments.last().expect("it is called with something");
            if call.func.name == "histogram_quantile" {
                assert!(inner.remove("le"), "{expr} needs the buckets");
            }
            Some(inner)
        }
        Expr::Binary(binary) => {
            let sides = [&binary.lhs, &binary.rhs].map(|side| labels(side, metrics));
            if let [Some(left), Some(right)] = &sides {
                assert_eq!(left, right, "{expr}: its sides never meet");
            }
            let [left, right] = sides;
            left.or(right)
        }
        _ => panic!("{expr} is of an unknown kind"),
    }
}

/// The labels of a metric that is asked for.
fn selected(selector: &VectorSelector, metrics: &mut BTreeSet<&'static str>) -> Labels {
    let name = selector.name.as_deref().expect("it names a metric");
    let (metric, label) = emitted(name);
    metrics.insert(metric);
    let owner = if is_gauge(metric) { "store" } else { "guard" };
    let mut labels = Labels::from([owner.to_owned()]);
    labels.extend(label.iter().map(|(label, _)| (*label).to_owned()));
    labels.extend(name.ends_with("_bucket").then(|| "le".to_owned()));
    assert!(selector.matchers.or_matchers.is_empty(), "{selector}");
    for matcher in &selector.matchers.matchers {
        assert!(
            labels.contains(&matcher.name),
            "{selector} has no such label"
        );
        if matcher.name != owner {
            let (_, values) = label.as_ref().unwrap();
            for value in wanted(matcher) {
                assert!(values.contains(&value), "{selector}: {value} is no value");
            }
        }
    }
    labels
}

/// The values that it lets through, or keeps back.
fn wanted(matcher: &Matcher) -> Vec<&str> {
    match matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => vec![&matcher.value],
        MatchOp::Re(_) | MatchOp::NotRe(_) => matcher.value.split('|').collect(),
    }
}

/// Whether it says how full a memory store is.
fn is_gauge(metric: &str) -> bool {
    metric.starts_with("idempotency_memory_")
}

/// What is emitted under this name: counters and gauges have theirs, histograms three.
fn emitted(series: &str) -> Emitted {
    let found = emitted_metrics().into_iter().find(|(metric, _)| {
        let rest = series.strip_prefix(metric);
        let is_single = metric.ends_with("_total") || is_gauge(metric);
        rest.is_some_and(|rest| match rest {
            "" => is_single,
            "_bucket" | "_sum" | "_count" => !is_single,
            _ => false,
        })
    });
    found.unwrap_or_else(|| panic!("{series} is not emitted"))
}

#[test]
#[should_panic(expected = "idempotency_request_total is not emitted")]
fn a_metric_that_is_not_emitted_is_found() {
    Expression::read("rate(idempotency_request_total[5m])");
}

#[test]
#[should_panic(expected = "executd is no value")]
fn a_value_that_a_label_cannot_have_is_found() {
    Expression::read(r#"idempotency_requests_total{outcome=~"replayed|executd"}"#);
}

#[test]
#[should_panic(expected = "has no such label")]
fn a_label_that_a_metric_does_not_have_is_found() {
    Expression::read(r#"idempotency_lost_total{outcome="executed"}"#);
}

#[test]
#[should_panic(expected = "is by labels that are not there")]
fn a_sum_by_a_label_that_is_not_there_is_found() {
    Expression::read("sum by (problem) (idempotency_requests_total)");
}

#[test]
#[should_panic(expected = "its sides never meet")]
fn sides_that_never_meet_are_found() {
    Expression::read("idempotency_lost_total / idempotency_requests_total");
}
