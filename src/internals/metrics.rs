use crate::metrics::{CATALOGUE, OF_MEMORY};

/// A metric that is emitted, beside the label of its guard: its name, that of its label, and all
/// values of that.
pub type Emitted = (&'static str, Option<(&'static str, Vec<&'static str>)>);

/// Returns all metrics that are emitted.
pub fn emitted_metrics() -> Vec<Emitted> {
    let emitted = CATALOGUE.into_iter().chain(OF_MEMORY).map(|metric| {
        let label = metric.label.as_ref();
        (
            metric.name,
            label.map(|label| (label.name, (label.values)())),
        )
    });
    emitted.collect()
}
