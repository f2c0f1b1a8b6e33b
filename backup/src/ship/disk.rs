//! Which disk is ours: a file on it names the database and the disk, a file on the machine the disk.
//!
//! Shape: [`Enrolment`] in [`NAME`] at the top of the place on the disk; its copy beside the socket.
//! Invariant: nothing is written to a place whose file does not say exactly what the machine expects. An
//! empty mount point, the disk of another machine and one that was replaced are all left untouched.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::error::ShipError;
use super::format::{Hash, hash};

/// The file on the disk.
pub const NAME: &str = "hokatsu-shipping.json";
const MACHINE_NAME: &str = "disk.json";
const FORMAT: u32 = 1;
const BYTES_MAX: u64 = 4_096;

/// What such a file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    format: u32,
    /// SHA-256 of the database's public key, hexadecimal.
    database: String,
    /// A random number, hexadecimal.
    disk: String,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
}

/// Which database, by the public key that its access log is signed with. A database that is restored
/// keeps it; another installation has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseId(pub(super) Hash);

impl DatabaseId {
    /// The database whose public key this is.
    #[must_use]
    pub fn of_key(public: &[u8]) -> Self {
        Self(hash(&[b"hokatsu database\n", public]))
    }
}

/// A database and the disk that it is shipped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) database: Hash,
    pub(super) disk: [u8; 16],
}

impl Enrolment {
    fn identity(&self) -> Option<Identity> {
        let database = HEXLOWER.decode(self.database.as_bytes()).ok()?;
        let disk = HEXLOWER.decode(self.disk.as_bytes()).ok()?;
        Some(Identity {
            database: database.try_into().ok()?,
            disk: disk.try_into().ok()?,
        })
    }
}

/// What lies at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// No such directory.
    Missing,
    /// An empty directory: a disk that is not mounted, or a new one.
    Empty,
    /// Something that is not ours.
    Other,
    /// A disk that is shipped to, of this or another database.
    Enrolled(Enrolment),
}

/// Looks at a place and touches nothing.
///
/// # Errors
/// Those of the file system.
pub fn look(place: &Path) -> Result<Place, ShipError> {
    if let Some(enrolment) = read(&place.join(NAME))? {
        return Ok(Place::Enrolled(enrolment));
    }
    match fs::read_dir(place) {
        Ok(mut entries) => {
            // A file system of its own begins with this directory.
            let other = entries.any(|e| e.map_or(true, |e| e.file_name() != "lost+found"));
            Ok(if other { Place::Other } else { Place::Empty })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::Missing),
        Err(error) => Err(ShipError::io("look at", place, error)),
    }
}

/// Makes an empty place ours, or takes back one that was ours before.
///
/// # Errors
/// [`ShipError::NotOurs`] when something else lies there; those of the file systems.
pub fn enrol(
    place: &Path,
    machine: &Path,
    database: DatabaseId,
    now: Timestamp,
) -> Result<Enrolment, ShipError> {
    let ours = HEXLOWER.encode(&database.0);
    let enrolment = match look(place)? {
        Place::Missing => return Err(ShipError::NoDisk(place.to_owned())),
        Place::Enrolled(found) if found.database == ours => found,
        Place::Other | Place::Enrolled(_) => return Err(ShipError::NotOurs(place.to_owned())),
        Place::Empty => {
            let mut disk = [0; 16];
            SystemRandom::new()
                .fill(&mut disk)
                .map_err(|ring::error::Unspecified| ShipError::NoRandom)?;
            let made = Enrolment {
                format: FORMAT,
                database: ours,
                disk: HEXLOWER.encode(&disk),
                enrolled_at: now,
            };
            write(&place.join(NAME), &made)?;
            made
        }
    };
    create_private_dir(machine)?;
    write(&machine.join(MACHINE_NAME), &enrolment)?;
    Ok(enrolment)
}

/// The disk at a place, when it is the one that this machine ships this database to.
pub(super) fn ours(
    place: &Path,
    machine: &Path,
    database: DatabaseId,
) -> Result<Identity, ShipError> {
    let here = match look(place)? {
        Place::Missing | Place::Empty => return Err(ShipError::NoDisk(place.to_owned())),
        Place::Other => return Err(ShipError::NotOurs(place.to_owned())),
        Place::Enrolled(here) => here,
    };
    let expected = read(&machine.join(MACHINE_NAME))?;
    let identity = here.identity().filter(|id| id.database == database.0);
    let known = expected.is_some_and(|expected| expected.disk == here.disk);
    identity
        .filter(|_| known && here.format == FORMAT)
        .ok_or_else(|| ShipError::NotOurs(place.to_owned()))
}

/// The disk at a place, for reading on any machine.
pub(super) fn readable(place: &Path) -> Result<Identity, ShipError> {
    match look(place)? {
        Place::Missing | Place::Empty => Err(ShipError::NoDisk(place.to_owned())),
        Place::Other => Err(ShipError::NotOurs(place.to_owned())),
        Place::Enrolled(here) => here
            .identity()
            .ok_or_else(|| ShipError::NotOurs(place.to_owned())),
    }
}

fn read(path: &Path) -> Result<Option<Enrolment>, ShipError> {
    let at = |error| ShipError::io("read", path, error);
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(error)),
    };
    let mut text = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut text).map_err(at)?;
    // A bent one is nobody's, which is the safe side.
    let unknown = Enrolment {
        format: 0,
        database: String::new(),
        disk: String::new(),
        enrolled_at: Timestamp::UNIX_EPOCH,
    };
    Ok(Some(serde_json::from_slice(&text).unwrap_or(unknown)))
}

fn write(path: &Path, enrolment: &Enrolment) -> Result<(), ShipError> {
    let text = serde_json::to_vec(enrolment).map_err(io::Error::other);
    let text = text.map_err(|error| ShipError::io("write", path, error))?;
    Ok(write_atomic(path, &text, MODE_PRIVATE)?)
}
