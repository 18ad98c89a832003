use redis::{Client, ClientTlsConfig, ConnectionInfo, RedisResult, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};

use super::RedisStoreBuilder;

/// Certificates, all in PEM. Where there are none, the system's serve.
#[derive(Default)]
pub(super) struct Trust {
    authority: Option<Vec<u8>>,
    /// Certificate and key.
    own: Option<(Vec<u8>, Vec<u8>)>,
}

impl RedisStoreBuilder {
    /// The certificate authority that the servers' certificates come from, those of sentinels and of
    /// all nodes of a cluster too, in PEM. For `rediss://` URLs.
    ///
    /// Default: those that the system trusts, or that `SSL_CERT_FILE` names.
    pub fn certificate_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust.authority = Some(pem.into());
        self
    }

    /// What the servers are shown that ask who connects: a certificate and its key, in PEM. For
    /// `rediss://` URLs.
    ///
    /// Default: nothing. Most servers ask for a password instead.
    ///
    /// ```
    /// use actix_idempotency::RedisStore;
    ///
    /// # let own = rcgen::generate_simple_self_signed(["app".to_owned()]).unwrap();
    /// # let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    /// # let authority = certificate.clone();
    /// // Each as `std::fs::read("..")?` has it.
    /// let store = RedisStore::builder("rediss://10.0.0.1/")
    ///     .certificate_authority(authority)
    ///     .client_certificate(certificate, key)
    ///     .build()?;
    ///
    /// // And through Sentinel, or on a cluster:
    /// # let own = rcgen::generate_simple_self_signed(["app".to_owned()]).unwrap();
    /// # let authority = own.cert.pem();
    /// let sentinels = ["rediss://10.0.0.1:26379", "rediss://10.0.0.2:26379"];
    /// let store = RedisStore::sentinel("rediss://app:secret@mymaster/", sentinels)
    ///     .certificate_authority(authority)
    ///     .build()?;
    /// # Ok::<_, actix_idempotency::ConfigError>(())
    /// ```
    pub fn client_certificate(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.trust.own = Some((certificate.into(), key.into()));
        self
    }
}

/// Whether there are certificates of one's own.
pub(super) fn is_given(trust: &Trust) -> bool {
    trust.authority.is_some() || trust.own.is_some()
}

pub(super) fn open(info: ConnectionInfo, trust: &Trust) -> RedisResult<Client> {
    prepare();
    if !is_given(trust) {
        return Client::open(info);
    }
    let own = trust
        .own
        .as_ref()
        .map(|(certificate, key)| ClientTlsConfig {
            client_cert: certificate.clone(),
            client_key: key.clone(),
        });
    let certificates = TlsCertificates {
        client_tls: own,
        root_cert: trust.authority.clone(),
    };
    Client::build_with_tls(info, certificates)
}

/// Sees to it that redis' TLS finds a cryptography provider.
///
/// rustls picks one by itself only while a single one is compiled in, and panics otherwise, which
/// any other dependency of the application can bring about. A provider that the application has
/// installed stays.
fn prepare() {
    if CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster, which is as good.
        let _ = ring::default_provider().install_default();
    }
}
