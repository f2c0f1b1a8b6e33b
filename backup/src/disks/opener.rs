//! What needs root: done by a small program of its own, which the settings name, so that whoever takes
//! backups is not root and a machine without LUKS can be tried with another one.
//!
//! Shape: `opener identify DEVICE` prints `TYPE=` and `UUID=`; `alike UUID` prints devices; `open DEVICE
//! PLACE KEY` (`-`: a passphrase), `mount PLACE MODE`, `own PLACE`, `unmount PLACE`, `close PLACE`;
//! `admit DEVICE KEY SLOT`, `retire DEVICE KEY SLOT` and `prove DEVICE`, which prints `yes` or `no`. Not 0
//! is a failure; the first line of its errors says why. The one we ship is `backup/units/disk-opener`.
//! Invariant: a passphrase goes through a pipe, never through a word that every process could read.
//! Limits: [`OPEN_MAX`] and so on; a disk that hangs does not hold a visit up for ever.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base::command::{self, Spec};

use super::error::DiskError;

/// Spinning up, and deriving the key.
const OPEN_MAX: Duration = Duration::from_secs(180);
/// Deriving one key after the other: a passphrase is tried on every slot.
const SLOT_MAX: Duration = Duration::from_secs(600);
/// A journal may have to be replayed.
const MOUNT_MAX: Duration = Duration::from_secs(600);
/// What was written is flushed.
const UNMOUNT_MAX: Duration = Duration::from_secs(1_800);
/// Characters of what the opener said.
const SAID_CHARS_MAX: usize = 200;
const PLACE_CHARS_MAX: usize = 32;

/// What a device says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `crypto_LUKS`, `xfs`, …; as `blkid` calls it.
    pub kind: String,
    pub uuid: String,
}

/// How a disk is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Read-only, and not even a journal is replayed: it may not be ours.
    Look,
    /// Read-only.
    Read,
    Write,
}

/// The program, with its first words.
#[derive(Debug, Clone)]
pub struct Opener {
    words: Vec<String>,
}

impl Opener {
    #[must_use]
    pub fn new(words: &[String]) -> Self {
        Self {
            words: words.to_vec(),
        }
    }

    /// What a device says it is; nothing is opened.
    ///
    /// # Errors
    /// [`DiskError::Unrecognised`] when it says nothing.
    pub fn identify(&self, device: &Path) -> Result<Identity, DiskError> {
        let text = self.ask("identify", &[&text(device)], OPEN_MAX)?;
        let value = |key: &str| {
            let mut lines = text.lines();
            let line = lines.find_map(|line| line.strip_prefix(key));
            line.map(str::trim).unwrap_or_default().to_owned()
        };
        let identity = Identity {
            kind: value("TYPE="),
            uuid: value("UUID="),
        };
        if identity.uuid.is_empty() {
            return Err(DiskError::Unrecognised(device.display().to_string()));
        }
        Ok(identity)
    }

    /// Every device with this UUID: more than one are copies of each other.
    ///
    /// # Errors
    /// As any step.
    pub fn alike(&self, uuid: &str) -> Result<Vec<PathBuf>, DiskError> {
        let text = self.ask("alike", &[uuid], OPEN_MAX)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(lines.map(PathBuf::from).collect())
    }

    /// Opens what is encrypted.
    ///
    /// # Errors
    /// [`DiskError::Refused`]: the key does not open it, the device is gone.
    pub fn open(&self, device: &Path, place: &Place, key: &Path) -> Result<(), DiskError> {
        let words = [&text(device), &place.name, &text(key)];
        self.ask("open", &words.map(String::as_str), OPEN_MAX)?;
        Ok(())
    }

    /// Opens what is encrypted, by a passphrase.
    ///
    /// # Errors
    /// As [`Opener::open`].
    pub fn open_by(&self, device: &Path, place: &Place, passphrase: &str) -> Result<(), DiskError> {
        let words = [&text(device), &place.name, "-"];
        self.tell("open", &words, passphrase, SLOT_MAX)?;
        Ok(())
    }

    /// Mounts what was opened.
    ///
    /// # Errors
    /// [`DiskError::Refused`].
    pub fn mount(&self, place: &Place, mode: Mode) -> Result<(), DiskError> {
        let mode = match mode {
            Mode::Look => "look",
            Mode::Read => "read",
            Mode::Write => "write",
        };
        self.ask("mount", &[&place.name, mode], MOUNT_MAX)?;
        Ok(())
    }

    /// Gives the top of a mounted disk to whoever runs this.
    ///
    /// # Errors
    /// [`DiskError::Refused`].
    pub fn own(&self, place: &Place) -> Result<(), DiskError> {
        self.ask("own", &[&place.name], OPEN_MAX)?;
        Ok(())
    }

    /// Unmounts; what was written is on the device when this returns.
    ///
    /// # Errors
    /// [`DiskError::Refused`].
    pub fn unmount(&self, place: &Place) -> Result<(), DiskError> {
        self.ask("unmount", &[&place.name], UNMOUNT_MAX)?;
        Ok(())
    }

    /// Closes what was opened: without the key nobody reads it now.
    ///
    /// # Errors
    /// [`DiskError::Refused`].
    pub fn close(&self, place: &Place) -> Result<(), DiskError> {
        self.ask("close", &[&place.name], OPEN_MAX)?;
        Ok(())
    }

    /// A passphrase opens the disk from now on, by this slot of its header, beside what opens it already.
    ///
    /// # Errors
    /// [`DiskError::Refused`]: the key does not open it, the slot is in use. Nothing was changed then.
    pub fn admit(
        &self,
        device: &Path,
        key: &Path,
        slot: u8,
        passphrase: &str,
    ) -> Result<(), DiskError> {
        let words = [&text(device), &text(key), &slot.to_string()];
        let words = words.map(String::as_str);
        self.tell("admit", &words, passphrase, SLOT_MAX)?;
        Ok(())
    }

    /// What a slot holds opens the disk no more; an empty one is as good. Another slot that this key opens
    /// must be left.
    ///
    /// # Errors
    /// [`DiskError::Refused`]: the key opens no other slot.
    pub fn retire(&self, device: &Path, key: &Path, slot: u8) -> Result<(), DiskError> {
        let words = [&text(device), &text(key), &slot.to_string()];
        self.ask("retire", &words.map(String::as_str), SLOT_MAX)?;
        Ok(())
    }

    /// Does this passphrase open the disk? It stays as it is, open or shut.
    ///
    /// # Errors
    /// [`DiskError::Refused`] when nobody can tell.
    pub fn prove(&self, device: &Path, passphrase: &str) -> Result<bool, DiskError> {
        let answer = self.tell("prove", &[&text(device)], passphrase, SLOT_MAX)?;
        Ok(answer.trim() == "yes")
    }

    fn ask(
        &self,
        step: &'static str,
        words: &[&str],
        limit: Duration,
    ) -> Result<String, DiskError> {
        self.tell(step, words, "", limit)
    }

    /// Asks, and hands exactly `input` over.
    fn tell(
        &self,
        step: &'static str,
        words: &[&str],
        input: &str,
        limit: Duration,
    ) -> Result<String, DiskError> {
        let (program, first) = self.words.split_first().ok_or(DiskError::NoOpener)?;
        let spec = Spec::new(program, limit).args(first).arg(step).args(words);
        let spec = spec.input(input);
        let failed = |source| DiskError::Opener { step, source };
        let output = command::run(&spec).map_err(failed)?;
        if output.status.success() {
            return Ok(output.stdout.text());
        }
        let said = output.stderr.text();
        let said = said.lines().next().unwrap_or_default();
        Err(DiskError::Refused {
            step,
            on: words.first().copied().unwrap_or_default().to_owned(),
            said: said.chars().take(SAID_CHARS_MAX).collect(),
        })
    }
}

/// Where a disk is mounted: the directory above its repository, called by its last part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    name: String,
    /// The top of the mounted disk.
    pub at: PathBuf,
}

impl Place {
    /// The place of a repository's path, `…/NAME/hokatsu`.
    ///
    /// # Errors
    /// [`DiskError::NoPlace`]: the opener takes small letters, digits and `-` only.
    pub fn of(repository: &Path) -> Result<Self, DiskError> {
        let at = repository.parent().unwrap_or(Path::new(""));
        let name = at.file_name().and_then(|name| name.to_str());
        let fits = |name: &&str| {
            let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            name.len() <= PLACE_CHARS_MAX && !name.starts_with('-') && name.chars().all(known)
        };
        match name.filter(fits) {
            Some(name) => Ok(Self {
                name: name.to_owned(),
                at: at.to_owned(),
            }),
            None => Err(DiskError::NoPlace(repository.to_owned())),
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
