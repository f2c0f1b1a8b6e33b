//! Signatures of viruses, as ClamAV packs them (`.cvd`): what their first line says, and how old they are.
//!
//! Shape: `NAME.cvd` begins with 512 bytes of text, fields between colons. What stands there is believed only of
//! files whose signature was checked before (`hokatsu antivirus update`).
//! Limits: [`AGE_DAYS_MAX`]. Source: ClamAV, "ClamAV Virus Database (CVD)"; docs/decisions/0052-viruses.md.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

/// What changes each day.
pub const DAILY: &str = "daily";
/// What there is, in the order in which it is told; the first two must be there.
pub const NAMES: [&str; 3] = ["main", DAILY, "bytecode"];
/// Of these a scanner is no scanner without.
pub const NEEDED: [&str; 2] = ["main", DAILY];
/// How their files end. Others (`.cld`) carry no signature of their maker.
pub const EXTENSION: &str = "cvd";
/// Older ones are told to administrators, days: a stick a month, and some days for whoever brings it. The figure is
/// ours; neither the contract nor ClamAV names one.
pub const AGE_DAYS_MAX: i64 = 35;

const HEADER_BYTES: u64 = 512;
const MAGIC: &str = "ClamAV-VDB";
const VERSION_FIELD: usize = 2;
/// Seconds since 1970.
const BUILT_FIELD: usize = 8;
const HOURS_A_DAY: i64 = 24;

/// Why it cannot be said which signatures these are.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// It is none.
    #[error("{} is no file of signatures", path.display())]
    Bent {
        /// The file.
        path: PathBuf,
    },
}

/// One file of signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// `main`, `daily` or `bytecode`.
    pub name: String,
    /// Its number: each one that is made has a higher one.
    pub version: u32,
    /// When it was made.
    pub built_at: Timestamp,
}

impl Signature {
    /// Full days since it was made; none when the clock is before that.
    #[must_use]
    pub fn age_days(&self, now: Timestamp) -> i64 {
        now.duration_since(self.built_at).as_hours().max(0) / HOURS_A_DAY
    }

    /// Too old to find what is about?
    #[must_use]
    pub fn is_old(&self, now: Timestamp) -> bool {
        self.age_days(now) > AGE_DAYS_MAX
    }
}

/// Where the file of this name lies in a directory.
#[must_use]
pub fn file_of(dir: &Path, name: &str) -> PathBuf {
    dir.join(name).with_extension(EXTENSION)
}

/// What lies in a directory; nothing when it does not exist.
///
/// # Errors
/// [`SignatureError`].
pub fn installed(dir: &Path) -> Result<Vec<Signature>, SignatureError> {
    let found = NAMES.iter().map(|name| read(dir, name));
    found.filter_map(Result::transpose).collect()
}

/// The signatures of this name in a directory; nothing when there are none.
///
/// # Errors
/// [`SignatureError`].
pub fn read(dir: &Path, name: &str) -> Result<Option<Signature>, SignatureError> {
    let path = file_of(dir, name);
    let mut header = Vec::new();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SignatureError::Read { path, source }),
    };
    if let Err(source) = file.take(HEADER_BYTES).read_to_end(&mut header) {
        return Err(SignatureError::Read { path, source });
    }
    let text = String::from_utf8_lossy(&header);
    match parse(name, &text) {
        Some(signature) => Ok(Some(signature)),
        None => Err(SignatureError::Bent { path }),
    }
}

fn parse(name: &str, header: &str) -> Option<Signature> {
    let fields: Vec<&str> = header.split(':').collect();
    let built = fields.get(BUILT_FIELD)?.trim_end_matches([' ', '\0']);
    let version = fields.get(VERSION_FIELD)?.parse().ok()?;
    (fields.first() == Some(&MAGIC)).then_some(())?;
    Some(Signature {
        name: name.to_owned(),
        version,
        built_at: Timestamp::from_second(built.parse().ok()?).ok()?,
    })
}
