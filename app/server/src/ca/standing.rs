//! Until when the certificates of the appliance hold, and new ones under the same keys.
//!
//! The key stays, so that a renewal is one file that is whole or absent: no moment at which key and
//! certificate do not fit. What was issued under the authority holds under its renewed certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use base::clock::japanese_day;
use base::paths::{MODE_PUBLIC, write_atomic};
use jiff::Timestamp;
use jiff::civil::Date;
use rcgen::{Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::{Authority, CaError, ca_params, server_params};

/// The last whole Japanese day of the first certificate of a PEM file.
///
/// # Errors
/// [`CaError::Read`], [`CaError::NoAuthority`] when the file holds none that can be read.
pub fn ends_on(pem: &Path) -> Result<Date, CaError> {
    with_first(pem, |certificate| {
        let seconds = certificate.validity().not_after.timestamp();
        let end = Timestamp::from_second(seconds).or(Err(CaError::Calendar))?;
        japanese_day(end).yesterday().or(Err(CaError::Calendar))
    })
}

fn with_first<T>(
    pem: &Path,
    read: impl FnOnce(&X509Certificate<'_>) -> Result<T, CaError>,
) -> Result<T, CaError> {
    let text = std::fs::read(pem)?;
    let der = CertificateDer::from_pem_slice(&text).or(Err(CaError::NoAuthority))?;
    let (_, certificate) = X509Certificate::from_der(&der).or(Err(CaError::NoAuthority))?;
    read(&certificate)
}

/// Under which names and addresses a certificate is shown.
fn names(pem: &Path) -> Result<(Vec<String>, Vec<IpAddr>), CaError> {
    with_first(pem, |certificate| {
        let found = certificate.subject_alternative_name();
        let found = found.or(Err(CaError::NoAuthority))?;
        let (mut names, mut addresses) = (Vec::new(), Vec::new());
        for name in found.iter().flat_map(|found| &found.value.general_names) {
            if let GeneralName::DNSName(name) = name {
                names.push((*name).to_owned());
            } else if let GeneralName::IPAddress(bytes) = name {
                addresses.extend(address(bytes));
            }
        }
        Ok((names, addresses))
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).into());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(sixteen).into())
}

impl Authority {
    /// A new certificate for the service: same key, names and addresses. Its last day.
    ///
    /// # Errors
    /// [`CaError`]; then the old one is still there.
    pub fn renew_server(dir: &Path, today: Date) -> Result<Date, CaError> {
        let here = Self::in_dir(dir);
        let (names, addresses) = names(&here.tls.certificate)?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let pem = std::fs::read_to_string(&here.ca_file)?;
        let issuer = Issuer::from_ca_cert_pem(&pem, ca_key(dir)?)?;
        let key = KeyPair::from_pem(&std::fs::read_to_string(&here.tls.key)?)?;
        let leaf = server_params(&names, &addresses, today)?.signed_by(&key, &issuer)?;
        let file = &here.tls.certificate;
        write_atomic(file, leaf.pem().as_bytes(), MODE_PUBLIC)?;
        ends_on(file)
    }

    /// A new certificate for the authority itself: same key and name. Its last day.
    ///
    /// # Errors
    /// [`CaError`]; then the old one is still there.
    pub fn renew_authority(dir: &Path, today: Date) -> Result<Date, CaError> {
        let file = Self::in_dir(dir).ca_file;
        let renewed = ca_params(today)?.self_signed(&ca_key(dir)?)?;
        write_atomic(&file, renewed.pem().as_bytes(), MODE_PUBLIC)?;
        ends_on(&file)
    }
}

fn ca_key(dir: &Path) -> Result<KeyPair, CaError> {
    Ok(KeyPair::from_pem(&std::fs::read_to_string(
        dir.join("ca.key"),
    )?)?)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn made(dir: &Path) -> Authority {
        let addresses = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        let names = ["hokatsu", "localhost"];
        Authority::create(dir, &names, &addresses, date(2026, 11, 24)).unwrap()
    }

    #[test]
    fn a_renewed_certificate_has_the_same_names_and_key_and_a_later_end() {
        let dir = tempfile::tempdir().unwrap();
        let made = made(dir.path());
        let file = &made.tls.certificate;
        assert_eq!(ends_on(file).unwrap(), date(2027, 12, 25));
        let (before, key) = (names(file).unwrap(), std::fs::read(&made.tls.key).unwrap());
        assert_eq!((before.0.len(), before.1.len()), (2, 2));
        let end = Authority::renew_server(dir.path(), date(2027, 12, 1)).unwrap();
        assert_eq!(end, date(2028, 12, 31));
        assert_eq!(names(file).unwrap(), before);
        assert_eq!(std::fs::read(&made.tls.key).unwrap(), key);
    }

    #[test]
    fn a_renewed_authority_has_the_same_key_so_that_what_it_issued_holds() {
        let dir = tempfile::tempdir().unwrap();
        let made = made(dir.path());
        let spki = || with_first(&made.ca_file, |c| Ok(c.public_key().raw.to_vec())).unwrap();
        let subject = || with_first(&made.ca_file, |c| Ok(c.subject().as_raw().to_vec())).unwrap();
        let before = (spki(), subject());
        let end = Authority::renew_authority(dir.path(), date(2036, 1, 1)).unwrap();
        assert_eq!(end, date(2046, 1, 1));
        assert_eq!((spki(), subject()), before);
    }

    #[test]
    fn a_file_that_holds_no_certificate_is_told_as_that() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.pem");
        assert!(matches!(ends_on(&path), Err(CaError::Read(_))));
        write_atomic(&path, b"-----", MODE_PUBLIC).unwrap();
        assert!(matches!(ends_on(&path), Err(CaError::NoAuthority)));
    }
}
