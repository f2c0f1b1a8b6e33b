//! `site.toml`: what is different from one installation to the next.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::antivirus::AntivirusSettings;
use super::backup::BackupSettings;
use super::place::{MachineDisks, NetworkSettings, TimeSettings, Wrong};
use super::problem::SettingsProblem;
use super::sign_in::SignInSettings;
use super::ups::UpsSettings;
use crate::number::m10w21_holds;

/// Bytes of a site file we are willing to read.
const BYTES_MAX: u64 = 1024 * 1024;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// `[server]`: where the service listens and keeps its data.
    pub server: ServerSettings,
    /// `[organisation]`: who runs it.
    pub organisation: OrganisationSettings,
    /// `[backup]`: where backups go.
    #[serde(default)]
    pub backup: BackupSettings,
    /// `[attachments]`: what may be attached.
    attachments: Option<Spanned<AttachmentSettings>>,
    /// `[sign_in]`: how staff show who they are.
    sign_in: Option<Spanned<SignInSettings>>,
    /// `[ups]`: what the machine does when the power fails.
    ups: Option<Spanned<UpsSettings>>,
    /// `[antivirus]`: what looks through files that come in.
    antivirus: Option<Spanned<AntivirusSettings>>,
}

/// `[server]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The data directory; `--data` wins.
    pub data: Option<PathBuf>,
    /// `[server.tls]`.
    pub tls: Option<TlsSettings>,
    /// `[server.network]`: the machine's address; by DHCP when absent.
    pub network: Option<NetworkSettings>,
    /// `[server.time]`: where the machine's time comes from; from nowhere when absent.
    pub time: Option<TimeSettings>,
    /// `[server.disks]`: which disks are the machine's; those of a virtual machine when absent.
    pub disks: Option<MachineDisks>,
}

/// `[server.tls]`: files in PEM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate with its chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// The authority whose client certificates are asked for; none when absent.
    pub client_ca: Option<PathBuf>,
}

/// `[organisation]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationSettings {
    /// The municipality's name as printed on forms.
    pub name: String,
    /// The insurer number (保険者番号): six digits, the last an M10W21 check digit.
    insurer_no: Spanned<String>,
}

/// `[attachments]`. What is not said keeps its default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttachmentSettings {
    /// Largest file that may be attached, MiB.
    pub file_mib_max: u16,
}

/// A larger one would not fit into the time that a form may take to arrive.
const FILE_MIB_MAX: std::ops::RangeInclusive<u16> = 1..=100;

impl Default for AttachmentSettings {
    fn default() -> Self {
        Self { file_mib_max: 20 }
    }
}

impl AttachmentSettings {
    /// The same in bytes.
    #[must_use]
    pub fn file_bytes_max(&self) -> u64 {
        u64::from(self.file_mib_max) * 1024 * 1024
    }
}

impl ServerSettings {
    fn check(&self) -> Result<(), Wrong> {
        if let Some(network) = &self.network {
            network.check(self.listen)?;
        }
        if let Some(time) = &self.time {
            time.check(self.network.as_ref())?;
        }
        self.disks.as_ref().map_or(Ok(()), MachineDisks::check)
    }
}

impl OrganisationSettings {
    /// The insurer number, six digits.
    #[must_use]
    pub fn insurer_no(&self) -> &str {
        self.insurer_no.get_ref()
    }
}

impl Site {
    /// Reads and checks the file; relative paths in it mean "beside the file".
    ///
    /// # Errors
    /// [`SettingsProblem`] with the line and a Japanese reason.
    pub fn read(path: &Path) -> Result<Self, SettingsProblem> {
        let unreadable = |source| SettingsProblem::Unreadable {
            path: path.to_owned(),
            source,
        };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > BYTES_MAX {
            return Err(unreadable(std::io::ErrorKind::FileTooLarge.into()));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?, path)
    }

    /// Reads and checks the file's text; `path` names it in errors.
    ///
    /// # Errors
    /// [`SettingsProblem`] with the line and a Japanese reason.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsProblem> {
        let mut site: Self =
            toml::from_str(text).map_err(|error| SettingsProblem::from_toml(path, text, &error))?;
        site.check()
            .map_err(|(span, reason)| SettingsProblem::at(path, text, &span, reason))?;
        site.anchor(path.parent().unwrap_or(Path::new("")));
        Ok(site)
    }

    /// How staff sign in; what the file does not say has its default.
    #[must_use]
    pub fn sign_in(&self) -> SignInSettings {
        let named = self.sign_in.as_ref().map(Spanned::get_ref);
        named.cloned().unwrap_or_default()
    }

    /// The supplies that feed this machine; nothing when the file names none.
    #[must_use]
    pub fn ups(&self) -> Option<&UpsSettings> {
        self.ups.as_ref().map(Spanned::get_ref)
    }

    /// What looks through files that come in; nothing when the file names none.
    #[must_use]
    pub fn antivirus(&self) -> Option<&AntivirusSettings> {
        self.antivirus.as_ref().map(Spanned::get_ref)
    }

    /// What may be attached; what the file does not say has its default.
    #[must_use]
    pub fn attachments(&self) -> AttachmentSettings {
        let named = self.attachments.as_ref().map(Spanned::get_ref);
        named.cloned().unwrap_or_default()
    }

    fn check(&self) -> Result<(), Wrong> {
        let number = &self.organisation.insurer_no;
        if number.get_ref().len() != 6 || !m10w21_holds(number.get_ref()) {
            let reason = "保険者番号は6桁で、末尾の検証番号が合っている必要があります。\
                          （全国地方公共団体コードとは別の番号です。）";
            return Err((number.span(), reason.to_owned()));
        }
        self.server.check()?;
        self.backup.check()?;
        if let Some(named) = &self.attachments
            && !FILE_MIB_MAX.contains(&named.get_ref().file_mib_max)
        {
            let (from, to) = (FILE_MIB_MAX.start(), FILE_MIB_MAX.end());
            let reason = format!("file_mib_max は {from} から {to} までです。");
            return Err((named.span(), reason));
        }
        if let Some(sign_in) = &self.sign_in
            && let Some(reason) = sign_in.get_ref().problem()
        {
            return Err((sign_in.span(), reason));
        }
        if let Some(ups) = &self.ups
            && let Some(reason) = ups.get_ref().problem()
        {
            return Err((ups.span(), reason));
        }
        if let Some(antivirus) = &self.antivirus
            && let Some(reason) = antivirus.get_ref().problem()
        {
            return Err((antivirus.span(), reason));
        }
        Ok(())
    }

    fn anchor(&mut self, base: &Path) {
        let place = |path: &mut PathBuf| *path = base.join(&*path);
        self.server.data.iter_mut().for_each(place);
        if let Some(tls) = &mut self.server.tls {
            place(&mut tls.certificate);
            place(&mut tls.key);
            tls.client_ca.iter_mut().for_each(place);
        }
        if let Some(ups) = &mut self.ups {
            place(&mut ups.get_mut().state_dir);
        }
        if let Some(antivirus) = &mut self.antivirus {
            let named = antivirus.get_mut();
            [&mut named.socket, &mut named.signatures]
                .into_iter()
                .for_each(place);
        }
        let sign_in = self.sign_in.as_mut().map(Spanned::get_mut);
        let keys = sign_in.and_then(|sign_in| sign_in.factor_key_file.as_mut());
        keys.into_iter().for_each(place);
        for repository in &mut self.backup.repositories {
            repository.place.anchor(base);
            place(&mut repository.password_file);
            let disk = repository.removable.as_mut();
            let key = disk.and_then(|disk| disk.key_file.as_mut());
            key.into_iter().for_each(place);
        }
        if let Some(shipping) = &mut self.backup.shipping {
            shipping.anchor(place);
        }
    }
}
