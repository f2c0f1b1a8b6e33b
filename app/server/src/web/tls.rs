//! TLS 1.3 only, with ring; the certificate is read again when its file changes.
//!
//! Terminals are asked for a certificate of our authority. One without is let through: whether it
//! is needed depends on who signs in, and only a page can say what to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use base::report::{Kind, Report, Runbook};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Where certificate and key lie.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// Chain, PEM, leaf first.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
    /// Authority of the terminals' certificates, PEM; `None`: terminals are not asked.
    pub client_ca: Option<PathBuf>,
}

/// Reads both files.
///
/// # Errors
/// A [`Report`] naming the file that is missing or does not fit.
pub fn load(settings: &TlsSettings) -> Result<Arc<ServerConfig>, Report> {
    let chain = CertificateDer::pem_file_iter(&settings.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| unusable(&settings.certificate, e))?;
    let key =
        PrivateKeyDer::from_pem_file(&settings.key).map_err(|e| unusable(&settings.key, e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(settings.client_ca.as_deref(), &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| unusable(&settings.certificate, e))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|e| unusable(&settings.certificate, e))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn verifier(
    authority: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Report> {
    let Some(path) = authority else {
        return Ok(WebPkiClientVerifier::no_client_auth());
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| unusable(path, e))?;
    for certificate in certificates {
        roots.add(certificate).map_err(|e| unusable(path, e))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .allow_unauthenticated()
        .build()
        .map_err(|e| unusable(path, e))
}

fn unusable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Report {
    Report::new(Kind::Certificate, error)
        .staff("接続の準備ができていません。担当者にお知らせください。")
        .operator(
            "サーバ証明書または鍵を読めません。ファイルの場所と中身を確かめてください",
            Runbook::CertificateMissing,
        )
        .at(path)
}

/// Takes a renewed certificate into use without a restart. A broken one is reported and the old
/// one stays in use.
pub(crate) async fn watch(settings: TlsSettings, live: RustlsConfig) {
    let mut known = stamp(&settings);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = stamp(&settings);
        if now == known {
            continue;
        }
        known = now;
        match load(&settings) {
            Ok(config) => {
                live.reload_from_config(config);
                log::info!("certificate reloaded");
            }
            Err(report) => {
                log::error!("renewed certificate is unusable, the old one stays in use");
                log::debug!("{}", report.for_developer());
            }
        }
    }
}

type Stamp = Option<(std::time::SystemTime, u64)>;

fn stamp(settings: &TlsSettings) -> [Stamp; 2] {
    let of = |path: &Path| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.modified().ok()?, data.len()))
    };
    [of(&settings.certificate), of(&settings.key)]
}
