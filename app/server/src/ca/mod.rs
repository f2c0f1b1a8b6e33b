//! The appliance's own certificate authority: one for the whole network of the city.
//!
//! Shape: `ca.pem` is given to the terminals, `ca.key` never leaves the directory; `server.pem` and
//! `server.key` are what the service shows. [`terminal`] makes the certificates by which terminals
//! are recognised, `standing` renews those of service and authority. That a terminal is lost is told
//! by the register of terminals, not by a revocation list.

mod standing;
pub mod terminal;
pub mod terms;

pub use standing::ends_on;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use base::paths::{MODE_PRIVATE, MODE_PUBLIC, PathError, create_private_dir, write_atomic};
use base::report::{Kind, Report, Runbook};
use jiff::ToSpan as _;
use jiff::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

use crate::web::tls::TlsSettings;

/// The authority outlives the contract (five years) with room for a late successor.
const CA_YEARS: i32 = 10;
/// Within what browsers accept (398 with the days before and after); the service renews it by itself.
const SERVER_DAYS: i32 = 396;

/// Certificate or key could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The library refused.
    #[error("certificate cannot be made")]
    Make(#[from] rcgen::Error),
    /// The file system refused.
    #[error("certificate cannot be written")]
    Write(#[from] PathError),
    /// This installation has no authority of its own, or it cannot be read.
    #[error("authority cannot be read")]
    Read(#[from] std::io::Error),
    /// `ca.pem` holds no certificate.
    #[error("authority's file holds no certificate")]
    NoAuthority,
    /// The file for a terminal could not be packed.
    #[error("certificate cannot be packed")]
    Pack(#[from] p12_keystore::error::Error),
    /// The calendar refused.
    #[error("certificate's end is out of the calendar")]
    Calendar,
}

impl CaError {
    /// The same failure for its readers.
    pub fn report(self, dir: &Path) -> Report {
        Report::new(Kind::Certificate, self)
            .staff("証明書を作れませんでした。何も変わっていません。")
            .operator(
                "証明書を作れませんでした。認証局の鍵と、書込みの権限と空き容量を確かめてください",
                Runbook::CertificateMissing,
            )
            .at(dir)
    }
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Authority {
    /// For the terminals.
    pub ca_file: PathBuf,
    /// For the service.
    pub tls: TlsSettings,
}

impl Authority {
    /// Where the files lie in `dir`, whether they exist or not.
    pub fn in_dir(dir: &Path) -> Self {
        Self {
            ca_file: dir.join("ca.pem"),
            tls: TlsSettings {
                certificate: dir.join("server.pem"),
                key: dir.join("server.key"),
                client_ca: Some(dir.join("ca.pem")),
            },
        }
    }

    /// Makes a new authority and a server certificate for these names.
    ///
    /// # Errors
    /// [`CaError`].
    pub fn create(
        dir: &Path,
        names: &[&str],
        addresses: &[IpAddr],
        today: Date,
    ) -> Result<Self, CaError> {
        create_private_dir(dir)?;
        let made = Self::in_dir(dir);
        let ca_key = KeyPair::generate()?;
        let ca_params = ca_params(today)?;
        let ca = ca_params.self_signed(&ca_key)?;
        let key = KeyPair::generate()?;
        let issuer = Issuer::new(ca_params, &ca_key);
        let leaf = server_params(names, addresses, today)?.signed_by(&key, &issuer)?;
        write_atomic(
            &dir.join("ca.key"),
            ca_key.serialize_pem().as_bytes(),
            MODE_PRIVATE,
        )?;
        write_atomic(&made.ca_file, ca.pem().as_bytes(), MODE_PUBLIC)?;
        write_atomic(&made.tls.key, key.serialize_pem().as_bytes(), MODE_PRIVATE)?;
        write_atomic(&made.tls.certificate, leaf.pem().as_bytes(), MODE_PUBLIC)?;
        Ok(made)
    }
}

fn ca_params(today: Date) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "hokatsu CA");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "和光市");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let end = today
        .checked_add(CA_YEARS.years())
        .or(Err(CaError::Calendar))?;
    valid(&mut params, today, end)?;
    Ok(params)
}

fn server_params(
    names: &[&str],
    addresses: &[IpAddr],
    today: Date,
) -> Result<CertificateParams, CaError> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "hokatsu");
    params
        .subject_alt_names
        .extend(addresses.iter().map(|address| SanType::IpAddress(*address)));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let end = today
        .checked_add(SERVER_DAYS.days())
        .or(Err(CaError::Calendar))?;
    valid(&mut params, today, end)?;
    Ok(params)
}

/// From the day before, so that a terminal whose clock is slow accepts it, to the whole of the last
/// Japanese day: midnight UTC is nine in the morning.
fn valid(params: &mut CertificateParams, today: Date, end: Date) -> Result<(), CaError> {
    let day = |date: Date| {
        let month = u8::try_from(date.month()).or(Err(CaError::Calendar))?;
        let day = u8::try_from(date.day()).or(Err(CaError::Calendar))?;
        Ok::<_, CaError>(date_time_ymd(i32::from(date.year()), month, day))
    };
    params.not_before = day(today.yesterday().or(Err(CaError::Calendar))?)?;
    params.not_after = day(end.tomorrow().or(Err(CaError::Calendar))?)?;
    Ok(())
}
