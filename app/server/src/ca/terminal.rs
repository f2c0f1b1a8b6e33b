//! A terminal's certificate: key, certificate and authority in one PKCS#12 file, which Windows and
//! ChromeOS import. The key is never kept here: it leaves in the file and is forgotten.

use std::path::Path;

use data_encoding::HEXLOWER;
use jiff::ToSpan as _;
use jiff::civil::Date;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose};
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{Authority, CaError, valid};

/// As long as the contract. Not shorter: what is lost is shut out by the register the same second.
const TERMINAL_YEARS: i32 = 5;

/// What was made for one terminal.
pub struct Issued {
    /// How the certificate is recognised: SHA-256 of its DER, hexadecimal.
    pub fingerprint: String,
    /// Last day.
    pub expires_on: Date,
    /// The PKCS#12 file.
    pub package: Vec<u8>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued({}, …)", self.fingerprint)
    }
}

/// How a certificate is recognised.
pub fn fingerprint(der: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, der).as_ref())
}

impl Authority {
    /// Makes key and certificate for a terminal, locked with `passphrase`. `name` is what the
    /// certificate store of the terminal shows.
    ///
    /// # Errors
    /// [`CaError`], among them that this installation has no authority of its own.
    pub fn issue_terminal(
        dir: &Path,
        name: &str,
        passphrase: &str,
        today: Date,
    ) -> Result<Issued, CaError> {
        let pem = std::fs::read_to_string(dir.join("ca.pem"))?;
        let ca_key = KeyPair::from_pem(&std::fs::read_to_string(dir.join("ca.key"))?)?;
        let issuer = Issuer::from_ca_cert_pem(&pem, ca_key)?;
        let expires_on = today
            .checked_add(TERMINAL_YEARS.years())
            .or(Err(CaError::Calendar))?;
        let key = KeyPair::generate()?;
        let leaf = params(name, today, expires_on)?.signed_by(&key, &issuer)?;
        let authority =
            CertificateDer::from_pem_slice(pem.as_bytes()).or(Err(CaError::NoAuthority))?;
        let chain = [leaf.der().as_ref(), authority.as_ref()];
        Ok(Issued {
            fingerprint: fingerprint(leaf.der()),
            expires_on,
            package: package(name, passphrase, &key, chain)?,
        })
    }
}

fn params(name: &str, today: Date, end: Date) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
        .distinguished_name
        .push(DnType::OrganizationName, "和光市");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    valid(&mut params, today, end)?;
    Ok(params)
}

/// AES-256 and SHA-256: Windows 10 and ChromeOS read it; the older ciphers are not even compiled.
fn package(
    name: &str,
    passphrase: &str,
    key: &KeyPair,
    chain: [&[u8]; 2],
) -> Result<Vec<u8>, CaError> {
    let certificates: Result<Vec<Certificate>, _> =
        chain.into_iter().map(Certificate::from_der).collect();
    let key = PrivateKey::from_der(key.serialized_der())?;
    let id = digest(&SHA256, name.as_bytes()).as_ref().to_vec();
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new(id, key, certificates?);
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(entry));
    Ok(store.writer(passphrase).write()?)
}
