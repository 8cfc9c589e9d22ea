//! The certificate authorities that upstreams are checked against.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;

/// Protocols offered to an upstream.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS settings, made when they are first needed: reading the system's certificates takes a while.
#[derive(Debug)]
pub(super) struct TlsSettings {
    extra_roots: Arc<Vec<CertificateDer<'static>>>,
    made: OnceCell<Made>,
}

#[derive(Clone, Debug)]
struct Made {
    upstream: Arc<ClientConfig>,
    proxy: Arc<ClientConfig>,
}

impl TlsSettings {
    pub(super) fn new(extra_roots: Vec<CertificateDer<'static>>) -> Self {
        Self {
            extra_roots: Arc::new(extra_roots),
            made: OnceCell::new(),
        }
    }

    /// Returns the settings for upstreams, which are offered HTTP/2.
    pub(super) async fn upstream(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.made().await.upstream)
    }

    /// Returns the settings for proxies, which are asked to tunnel over HTTP/1.
    pub(super) async fn proxy(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.made().await.proxy)
    }

    async fn made(&self) -> &Made {
        let load = || async {
            let extra = Arc::clone(&self.extra_roots);
            let loaded = tokio::task::spawn_blocking(move || load(&extra)).await;
            // Loading fails only where the runtime is going down; nothing can be checked then.
            loaded.unwrap_or_else(|_| configure(RootCertStore::empty()))
        };
        self.made.get_or_init(load).await
    }
}

fn load(extra: &[CertificateDer<'static>]) -> Made {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in native.errors {
        tracing::debug!(%error, "a certificate of the system could not be read");
    }
    roots.add_parsable_certificates(native.certs);
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(extra.iter().cloned());
    configure(roots)
}

fn configure(roots: RootCertStore) -> Made {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut upstream = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut proxy = upstream.clone();
    upstream.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    proxy.alpn_protocols = vec![b"http/1.1".to_vec()];
    Made {
        upstream: Arc::new(upstream),
        proxy: Arc::new(proxy),
    }
}
