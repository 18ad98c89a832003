//! `rediss://`, with a certificate authority that only the environment knows.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::{quickstart::Quickstart, support::redis::Redis};

#[tokio::test]
async fn a_server_is_trusted_when_its_authority_is() {
    let files = TempDir::new().unwrap();
    let path = |name: &str| files.path().join(name).display().to_string();

    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(
        path("ca.crt"),
        authority.self_signed(&authority_key).unwrap().pem(),
    )
    .unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let signed = server
        .signed_by(&key, &Issuer::new(authority, authority_key))
        .unwrap();
    fs::write(path("redis.crt"), signed.pem()).unwrap();
    fs::write(path("redis.key"), key.serialize_pem()).unwrap();

    let redis = Redis::with_tls(&path("redis.crt"), &path("redis.key"), &path("ca.crt"));
    let (url, authority) = (redis.tls_url(), path("ca.crt"));
    let trusting = Quickstart::start(&[("REDIS_URL", &url), ("SSL_CERT_FILE", &authority)]);
    assert_eq!(trusting.order("one tea").await.0, 201);

    // Signed by nobody the system knows.
    let doubting = Quickstart::start(&[("REDIS_URL", &url)]);
    assert_eq!(doubting.order("one tea").await.0, 503);
}
