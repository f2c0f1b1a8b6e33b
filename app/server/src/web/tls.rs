//! TLS 1.3 only, with ring; the certificate is read again when its file changes.
//!
//! Terminals are asked for a certificate of our authority. One without is let through: whether it
//! is needed depends on who signs in, and only a page can say what to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use base::report::{Kind, Report, Runbook};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};

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
    let strict = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .allow_unauthenticated()
        .build()
        .map_err(|e| unusable(path, e))?;
    Ok(Arc::new(ExpiredToo(strict)))
}

/// Lets an expired certificate of ours through the handshake, because only a page can say that it is
/// expired and what to do; the engine counts it as none (`Terminal::expired`). Everything else about
/// it is checked as of its last second.
#[derive(Debug)]
struct ExpiredToo(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for ExpiredToo {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let strict = self.0.verify_client_cert(leaf, chain, now);
        if let Err(Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after, ..
        })) = strict
        {
            return self.0.verify_client_cert(leaf, chain, not_after);
        }
        strict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
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

fn stamp(settings: &TlsSettings) -> [Stamp; 3] {
    let of = |path: &Path| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.modified().ok()?, data.len()))
    };
    let authority = settings.client_ca.as_deref().and_then(of);
    [of(&settings.certificate), of(&settings.key), authority]
}
