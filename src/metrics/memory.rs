use std::time::Duration;

use metrics::{Key, Level, Metadata, with_recorder};
use tokio::time::sleep;

use super::catalogue::OF_MEMORY;
use crate::{
    runtime::background,
    store::memory::{MemoryStore, MemoryUsage},
};

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// How often the gauges are set.
const EVERY: Duration = Duration::from_secs(5);

/// Sets gauges to how full a memory store is, at once and then every five seconds, for as long as the
/// store lives. `store` is a label: the name of this store.
///
/// ```
/// use actix_web_idempotency::{MemoryStore, metrics};
///
/// let store = MemoryStore::new();
/// metrics::memory_store("payments", &store);
/// ```
pub fn memory_store(name: &'static str, store: &MemoryStore) {
    let keys = OF_MEMORY.map(|metric| metric.key(name));
    let usage = store.usage_while_it_lives();
    background::spawn(async move {
        while let Some(usage) = usage() {
            set(&keys, usage);
            sleep(EVERY).await;
        }
    });
}

/// No handle is kept, as with [`Counter`](super::series::Counter).
fn set(keys: &[Key; 4], usage: MemoryUsage) {
    let levels = [
        usage.entries,
        usage.max_entries,
        usage.bytes,
        usage.max_bytes,
    ];
    with_recorder(|recorder| {
        for metric in OF_MEMORY {
            metric.describe(recorder);
        }
        for (key, level) in keys.iter().zip(levels) {
            recorder.register_gauge(key, &METADATA).set(level as f64);
        }
    });
}

#[cfg(test)]
mod tests {
    use ::metrics::with_local_recorder;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn gauges_have_the_figures_of_their_store() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let usage = MemoryStore::builder()
            .max_entries(7)
            .max_bytes(1000)
            .build();
        with_local_recorder(&recorder, || {
            set(
                &OF_MEMORY.map(|metric| metric.key("tea")),
                usage.unwrap().usage(),
            );
        });
        let text = recorder.handle().render();
        for line in [
            r#"idempotency_memory_entries{store="tea"} 0"#,
            r#"idempotency_memory_entries_max{store="tea"} 7"#,
            r#"idempotency_memory_bytes{store="tea"} 0"#,
            r#"idempotency_memory_bytes_max{store="tea"} 1000"#,
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
