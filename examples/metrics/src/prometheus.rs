use std::{io, time::Duration};

use actix_web::{HttpResponse, http::header, rt, web};
use actix_web_idempotency::metrics::name;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Seconds. A store in memory takes microseconds, Redis less than a millisecond, and half a second
/// is the longest that it is waited for.
const STORE: [f64; 13] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
];
/// Seconds. A lease is renewed from the tenth on, so handlers may take long.
const OTHERS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];
/// Bytes. What is larger than the last is not recorded, unless that is changed.
const BODIES: [f64; 5] = [256.0, 4_096.0, 65_536.0, 262_144.0, 1_048_576.0];

/// Where all that is counted goes from now on.
pub(crate) fn install() -> io::Result<PrometheusHandle> {
    let prometheus = recorder().map_err(io::Error::other)?;
    let tended = prometheus.clone();
    rt::spawn(async move {
        let mut ticks = rt::time::interval(Duration::from_secs(5));
        loop {
            ticks.tick().await;
            tended.run_upkeep(); // or samples pile up between scrapes
        }
    });
    Ok(prometheus)
}

fn recorder() -> Result<PrometheusHandle, BuildError> {
    let seconds = Matcher::Suffix("_duration_seconds".to_owned());
    let store = Matcher::Full(name::STORE_DURATION.to_owned()); // which goes before the suffix
    let bodies = Matcher::Full(name::RECORDED_BODY.to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &OTHERS)?
        .set_buckets_for_metric(store, &STORE)?
        .set_buckets_for_metric(bodies, &BODIES)?
        .install_recorder()
}

pub(crate) async fn scrape(prometheus: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4"))
        .body(prometheus.render())
}
