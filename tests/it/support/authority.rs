use std::{fs, time::Duration};

use actix_web_idempotency::{RedisStore, store::redis::RedisStoreBuilder};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::redis::Redis;

/// An authority with what it has signed, as files in PEM.
pub(crate) struct Authority {
    files: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let files = TempDir::new().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        fs::write(files.path().join("ca.crt"), pem).unwrap();
        let issuer = Issuer::new(params, key);
        Self { files, issuer }
    }

    pub(crate) fn sign(&self, name: &str, host: &str) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        // The authority's own would make it look signed by itself.
        (params.distinguished_name).push(DnType::CommonName, name);
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.path(&format!("{name}.crt")), signed.pem()).unwrap();
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    pub(crate) fn pem(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn server(&self) -> Redis {
        let tls = self.tls();
        let tls: Vec<_> = tls.iter().map(String::as_str).collect();
        Redis::with_tls(&tls, &["--tls-auth-clients", "no"])
    }

    /// What a server is told that has a certificate of this authority.
    pub(crate) fn tls(&self) -> Vec<String> {
        self.sign("redis", "127.0.0.1");
        let [cert, key, authority] = ["redis.crt", "redis.key", "ca.crt"].map(|n| self.path(n));
        let options = [
            ["--tls-cert-file".to_owned(), cert],
            ["--tls-key-file".to_owned(), key],
            ["--tls-ca-cert-file".to_owned(), authority],
        ];
        options.concat()
    }

    /// The same for servers that show each other their certificates, and want to see one of everybody.
    pub(crate) fn mutual_tls(&self) -> Vec<String> {
        let more = ["--tls-replication", "yes", "--tls-auth-clients", "yes"];
        let more = more.map(str::to_owned);
        [self.tls(), more.to_vec()].concat()
    }

    /// As one whom such servers know.
    pub(crate) fn shown_to(&self, store: RedisStoreBuilder) -> RedisStore {
        self.sign("client", "client");
        let (certificate, key) = (self.pem("client.crt"), self.pem("client.key"));
        // A handshake takes its time on a busy machine.
        let store = store.timeout(Duration::from_secs(5));
        let store = store.certificate_authority(self.pem("ca.crt"));
        store.client_certificate(certificate, key).build().unwrap()
    }
}
