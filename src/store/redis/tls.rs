use rustls::crypto::{CryptoProvider, ring};

/// Sees to it that redis' TLS finds a cryptography provider.
///
/// rustls picks one by itself only while a single one is compiled in, and panics otherwise, which
/// any other dependency of the application can bring about. A provider that the application has
/// installed stays.
pub(super) fn prepare() {
    if CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster, which is as good.
        let _ = ring::default_provider().install_default();
    }
}
