//! `rediss://`, with a certificate authority that only the environment knows, or only the builder.

use std::fs;

use actix_idempotency::{RedisStore, store::conformance};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::{quickstart::Quickstart, support::redis::Redis};

/// An authority with what it has signed, as files in PEM.
struct Authority {
    files: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let files = TempDir::new().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        fs::write(files.path().join("ca.crt"), pem).unwrap();
        let issuer = Issuer::new(params, key);
        Self { files, issuer }
    }

    fn sign(&self, name: &str, host: &str) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        // The authority's own would make it look signed by itself.
        (params.distinguished_name).push(DnType::CommonName, name);
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.path(&format!("{name}.crt")), signed.pem()).unwrap();
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    fn pem(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn server(&self) -> Redis {
        self.sign("redis", "127.0.0.1");
        let [cert, key, authority] = ["redis.crt", "redis.key", "ca.crt"].map(|n| self.path(n));
        Redis::with_tls(&cert, &key, &authority)
    }
}

#[tokio::test]
async fn a_server_is_trusted_when_its_authority_is() {
    let authority = Authority::new();
    let redis = authority.server();
    let (url, trusted) = (redis.tls_url(), authority.path("ca.crt"));
    let trusting = Quickstart::start(&[("REDIS_URL", &url), ("SSL_CERT_FILE", &trusted)]);
    assert_eq!(trusting.order("one tea").await.0, 201);

    // Signed by nobody the system knows.
    let doubting = Quickstart::start(&[("REDIS_URL", &url)]);
    assert_eq!(doubting.order("one tea").await.0, 503);
}

#[tokio::test]
async fn an_authority_of_ones_own_is_given_to_the_builder() {
    let authority = Authority::new();
    let redis = authority.server();
    let store = RedisStore::builder(redis.tls_url()).certificate_authority(authority.pem("ca.crt"));
    let store = store.build().unwrap();
    conformance::check(&store).await;
    assert!(redis.calls("ssubscribe") > 0, "wake-ups come over TLS too");

    let other = Authority::new();
    let store = RedisStore::builder(redis.tls_url()).certificate_authority(other.pem("ca.crt"));
    store.build().unwrap().ping().await.unwrap_err();
}

#[tokio::test]
async fn a_server_that_asks_who_connects_is_shown_a_certificate() {
    let authority = Authority::new();
    let redis = authority.server();
    redis.command(&["CONFIG", "SET", "tls-auth-clients", "yes"]);
    let trusting =
        || RedisStore::builder(redis.tls_url()).certificate_authority(authority.pem("ca.crt"));
    trusting().build().unwrap().ping().await.unwrap_err();

    authority.sign("client", "client");
    let store =
        trusting().client_certificate(authority.pem("client.crt"), authority.pem("client.key"));
    store.build().unwrap().ping().await.unwrap();
}

#[test]
fn certificates_that_cannot_be_used_are_refused_when_the_store_is_built() {
    let authority = Authority::new();
    let store = RedisStore::builder("rediss://localhost").client_certificate("x", "y");
    store.build().unwrap_err();
    let plain = RedisStore::builder("redis://localhost");
    let err = plain
        .certificate_authority(authority.pem("ca.crt"))
        .build()
        .unwrap_err();
    assert!(err.to_string().contains("rediss://"), "{err}");
}
