use std::{fmt, io, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use rustls_native_certs::CertificateResult;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::config::ConfigError;

/// Certificates, all in PEM. Where there are none, the system's serve.
#[derive(Default)]
pub(crate) struct Trust {
    pub(crate) authority: Option<Vec<u8>>,
    /// Certificate and key.
    pub(crate) own: Option<(Vec<u8>, Vec<u8>)>,
}

/// Whether there are certificates of one's own.
pub(crate) fn is_given(trust: &Trust) -> bool {
    trust.authority.is_some() || trust.own.is_some()
}

/// What a connection needs for TLS. Certificates are read once, when the store is built.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    pub(crate) fn new(trust: &Trust) -> Result<Self, ConfigError> {
        // rustls picks a provider by itself only while a single one is compiled in, and panics
        // otherwise, which any other dependency of the application can bring about.
        let provider = match CryptoProvider::get_default() {
            Some(installed) => Arc::clone(installed),
            None => Arc::new(ring::default_provider()),
        };
        let unusable = |err: rustls::Error| {
            ConfigError::new(format!("TLS cannot be used with these settings: {err}"))
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots(trust)?);
        let config = match &trust.own {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates("client_certificate", certificate)?;
                let key = PrivateKeyDer::from_pem_slice(key)
                    .map_err(|err| not_pem("the key of client_certificate", &err))?;
                config.with_client_auth_cert(chain, key).map_err(unusable)?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(crate) async fn shake_hands(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        self.0.connect(name, tcp).await
    }
}

/// The certificate authorities that are trusted.
fn roots(trust: &Trust) -> Result<RootCertStore, ConfigError> {
    let Some(authority) = &trust.authority else {
        return roots_of_the_system(rustls_native_certs::load_native_certs());
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("certificate_authority", authority)? {
        (roots.add(certificate)).map_err(|err| not_pem("certificate_authority", &err))?;
    }
    Ok(roots)
}

fn roots_of_the_system(found: CertificateResult) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let reason = found.errors.first().map(|err| format!(" ({err})"));
    Err(ConfigError::new(format!(
        "rediss:// needs the certificate authorities of the system and found none{}; install them, \
         name a file of them in SSL_CERT_FILE, or give certificate_authority",
        reason.unwrap_or_default()
    )))
}

fn certificates(setting: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(none) if none.is_empty() => Err(not_pem(setting, &"it holds no certificate")),
        Ok(certificates) => Ok(certificates),
        Err(err) => Err(not_pem(setting, &err)),
    }
}

fn not_pem(setting: &str, err: &dyn fmt::Display) -> ConfigError {
    ConfigError::new(format!("{setting} must be in PEM; {err}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_without_any_authority_names_what_to_install() {
        let none = roots_of_the_system(CertificateResult::default());
        let err = none.unwrap_err().to_string();
        assert!(err.contains("SSL_CERT_FILE"), "{err}");
    }

    #[test]
    fn tls_rejects_what_is_not_pem_and_names_the_setting() {
        let made = rcgen::generate_simple_self_signed(["app".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let build = |authority: &str, certificate: &str, key: &str| {
            let trust = Trust {
                authority: Some(authority.into()),
                own: Some((certificate.into(), key.into())),
            };
            Tls::new(&trust).map(drop).map_err(|err| err.to_string())
        };
        build(&certificate, &certificate, &key).unwrap();
        for (built, setting) in [
            (
                build("secret", &certificate, &key),
                "certificate_authority must be in PEM",
            ),
            (
                build(&certificate, "secret", &key),
                "client_certificate must be in PEM",
            ),
            (
                build(&certificate, &certificate, "secret"),
                "the key of client_certificate must be in PEM",
            ),
        ] {
            let err = built.unwrap_err();
            assert!(err.starts_with(setting) && !err.contains("secret"), "{err}");
        }
        let other = rcgen::generate_simple_self_signed(["app".to_owned()]).unwrap();
        let err = build(
            &certificate,
            &certificate,
            &other.signing_key.serialize_pem(),
        );
        assert!(err.unwrap_err().contains("cannot be used"));
    }
}
