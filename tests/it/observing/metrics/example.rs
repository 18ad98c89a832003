//! The metrics example, scraped as Prometheus does it.

use std::collections::BTreeSet;

use actix_web_idempotency::internals::emitted_metrics;

use super::scrape::Scrape;
use crate::support::{
    eventually,
    example::{Example, member},
    redis::Redis,
    server::client,
};

/// The base of the URLs that it prints.
fn base(example: &Example) -> &str {
    let (base, _) = example.url().rsplit_once('/').unwrap();
    base
}

async fn scraped(example: &Example) -> Scrape {
    let answer = client().get(format!("{}/metrics", base(example)));
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let media_type = answer.headers()["content-type"].to_str().unwrap();
    assert_eq!(media_type, "text/plain; version=0.0.4");
    Scrape::new(answer.text().await.unwrap())
}

async fn order(example: &Example, path: &str, key: &str) -> u16 {
    let request = client().post(format!("{}/{path}", base(example)));
    let request = request
        .header("x-user", "ann")
        .header("idempotency-key", key);
    let answer = request.body("tea").send().await.unwrap();
    answer.status().as_u16()
}

#[tokio::test]
async fn what_its_user_does_is_counted_on_both_stores() {
    let redis = Redis::start();
    let url = redis.url();
    for environment in [&[][..], &[("REDIS_URL", url.as_str())]] {
        let example = Example::start(member("metrics_prometheus"), environment);
        let twice = tokio::join!(
            order(&example, "payments", "a"),
            order(&example, "payments", "a")
        );
        assert_eq!(twice, (201, 201));
        let orders = tokio::join!(order(&example, "orders", ""), order(&example, "orders", ""));
        assert!(matches!(orders, (201, 409) | (409, 201)), "{orders:?}");
        let scrape = scraped(&example).await;
        let series = scrape.series();
        for (name, labels) in [
            ("requests_total", r#"guard="payments",outcome="executed""#),
            ("requests_total", r#"guard="payments",outcome="replayed""#),
            ("requests_total", r#"guard="orders",outcome="executed""#),
            ("requests_total", r#"guard="orders",outcome="in_flight""#),
            ("refusals_total", r#"guard="orders",problem="busy""#),
            ("endings_total", r#"guard="payments",ending="recorded""#),
            ("wait_duration_seconds_count", r#"guard="payments""#),
            (
                "handler_duration_seconds_bucket",
                r#"guard="payments",le="0.5""#,
            ),
            (
                "store_duration_seconds_count",
                r#"guard="orders",step="settling""#,
            ),
            ("recorded_body_bytes_bucket", r#"guard="payments",le="256""#),
        ] {
            let found = series.get(format!("idempotency_{name}{{{labels}}}").as_str());
            assert_eq!(found, Some(&1.0), "{name} {labels}");
        }
    }
}

#[tokio::test]
async fn before_anything_happens_all_counters_are_there_and_explained() {
    let example = Example::start(member("metrics_prometheus"), &[]);
    let emitted = emitted_metrics();
    let names = emitted.iter().map(|(name, _)| *name);
    let is_single = |name: &&str| name.ends_with("_total") || name.contains("_memory_");
    let counters: BTreeSet<_> = names.filter(is_single).collect();
    let scrape = scraped(&example).await;
    assert_eq!(BTreeSet::from_iter(scrape.said("TYPE")), counters);
    let series = scrape.series();
    assert_eq!(series.len(), 102, "of two guards and a store");
    for (series, value) in series {
        assert_eq!(value == 0.0, !series.contains("_max{"), "{series} {value}");
    }
    // The exporter publishes descriptions when it is tended.
    eventually("they are explained", async || {
        let scrape = scraped(&example).await;
        BTreeSet::from_iter(scrape.said("HELP")) == counters
    })
    .await;
}
