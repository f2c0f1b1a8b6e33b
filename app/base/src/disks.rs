//! Disks that are carried away: which were enrolled, how each stands, and what is done to one just now.
//!
//! Shape: [`Disks`] is a file among the keys: every backup has it, and a restore keeps that of today, or
//! a disk that was lost since would be trusted again. [`Here`] lies beside the records of backups and
//! counts until the machine is started anew. The console writes both; pages and probes read them.
//! Invariant: a disk that ended is never written to again. No personal data.
//! Errors: [`SmallFileError`]; a file that cannot be read is never taken for an empty one.
//! Source: docs/decisions/0038-rotated-disks.md.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::paths::{MODE_PRIVATE, create_private_dir};
use crate::small_file::{self, SmallFileError};

/// Names this start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// How a disk left the rotation for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Taken out of use by somebody who has it.
    Released,
    /// Nobody knows where it is.
    Lost,
}

/// The end of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: How,
}

/// The last time that something was saved on a disk and read back from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// When the disk was free to go.
    pub at: Timestamp,
    /// When the state that was saved was frozen.
    pub taken_at: Timestamp,
    /// Id of the snapshot, the newest in its repository.
    pub snapshot: String,
}

/// One enrolled disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The repository of the settings that lies on it; what its label says.
    pub name: String,
    /// UUID of its LUKS header (or, without one, of its file system), as `blkid` prints it.
    pub uuid: String,
    /// A random number that stands on it, hexadecimal.
    pub mark: String,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// Nothing while it takes part.
    #[serde(default)]
    pub ended: Option<Ended>,
    /// Nothing before its first visit that went well.
    #[serde(default)]
    pub saved: Option<Saved>,
    /// When it was unplugged; nothing while it is here, or before its first visit.
    #[serde(default)]
    pub left_at: Option<Timestamp>,
}

/// Every disk that was ever enrolled, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Disks {
    /// Those that ended, too.
    pub disks: Vec<Disk>,
}

impl Disks {
    /// What the file says; nothing was enrolled when there is none.
    ///
    /// # Errors
    /// [`SmallFileError::Io`], [`SmallFileError::Bent`].
    pub fn read(file: &Path) -> Result<Self, SmallFileError> {
        read(file)
    }

    /// Changes the list; whoever else changes it waits. It is on the disk when this returns.
    ///
    /// # Errors
    /// As [`Disks::read`], and [`SmallFileError::Files`].
    pub fn change<T>(
        file: &Path,
        change: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, SmallFileError> {
        changed(file, |disks: &mut Self| change(disks))
    }

    /// Those that take part.
    pub fn active(&self) -> impl Iterator<Item = &Disk> {
        self.disks.iter().filter(|disk| disk.ended.is_none())
    }

    /// The disk of this name that takes part.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Disk> {
        self.active().find(|disk| disk.name == name)
    }

    /// The disk with this UUID: one that takes part before one that ended.
    #[must_use]
    pub fn with_uuid(&self, uuid: &str) -> Option<&Disk> {
        let mut active = self.active();
        let ended = || self.disks.iter().rev().find(|disk| disk.uuid == uuid);
        active.find(|disk| disk.uuid == uuid).or_else(ended)
    }

    /// Changes the disk of this name that takes part.
    pub fn active_mut(&mut self, name: &str) -> Option<&mut Disk> {
        let mut active = self.disks.iter_mut().filter(|disk| disk.ended.is_none());
        active.find(|disk| disk.name == name)
    }
}

/// What is done to a disk that is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It must not be unplugged.
    Working,
    /// Saved, read back, closed: it may be unplugged.
    Free,
    /// Nothing was saved; it may be unplugged.
    Refused,
}

/// A disk that is plugged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugged {
    /// Its name; nothing for one that is not known.
    pub name: Option<String>,
    /// What is done to it.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// The process that works on it.
    pub pid: u32,
    /// For people.
    pub words: String,
}

impl Plugged {
    /// Whoever worked on it may have been ended without a word.
    fn seen_now(self) -> Self {
        let works = self.state == State::Working;
        if !works || Path::new("/proc").join(self.pid.to_string()).exists() {
            return self;
        }
        let name = self.name.as_deref().unwrap_or_default();
        Self {
            state: State::Refused,
            words: format!(
                "ディスク「{name}」への控えが途中で止まりました。前の控えは残っています。つなぎ直してください。"
            ),
            ..self
        }
    }
}

/// Disks that are plugged in, by their device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Here {
    boot: String,
    devices: BTreeMap<String, Plugged>,
}

impl Here {
    /// What is here since the machine was started; nothing when there is no file.
    ///
    /// # Errors
    /// As [`Disks::read`].
    pub fn read(file: &Path) -> Result<BTreeMap<String, Plugged>, SmallFileError> {
        let here: Self = read(file)?;
        let is_now = here.boot == boot_id()?;
        if !is_now {
            return Ok(BTreeMap::new());
        }
        let all = here.devices.into_iter();
        Ok(all.map(|(device, one)| (device, one.seen_now())).collect())
    }

    /// Notes how a device stands, or that it is gone; what was known of it before.
    ///
    /// # Errors
    /// As [`Disks::change`].
    pub fn note(
        file: &Path,
        device: &str,
        plugged: Option<Plugged>,
    ) -> Result<Option<Plugged>, SmallFileError> {
        let boot = boot_id()?;
        changed(file, |here: &mut Self| {
            if here.boot != boot {
                here.devices.clear();
                here.boot = boot;
            }
            match plugged {
                Some(plugged) => here.devices.insert(device.to_owned(), plugged),
                None => here.devices.remove(device),
            }
        })
    }
}

fn boot_id() -> Result<String, SmallFileError> {
    let path = Path::new(BOOT_ID);
    let id = std::fs::read_to_string(path).map_err(SmallFileError::io(path))?;
    Ok(id.trim().to_owned())
}

fn read<T: DeserializeOwned + Default>(file: &Path) -> Result<T, SmallFileError> {
    Ok(small_file::read(file)?.unwrap_or_default())
}

/// Read, changed and written by one process after the other: two disks may be plugged in at once.
fn changed<T: DeserializeOwned + Serialize + Default, R>(
    file: &Path,
    change: impl FnOnce(&mut T) -> R,
) -> Result<R, SmallFileError> {
    if let Some(above) = file.parent() {
        create_private_dir(above)?;
    }
    let path = file.with_extension("lock");
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(false);
    let lock = options.open(&path).map_err(SmallFileError::io(&path))?;
    lock.lock().map_err(SmallFileError::io(&path))?;
    let mut all: T = read(file)?;
    let done = change(&mut all);
    small_file::write(file, &all, MODE_PRIVATE)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::write_atomic;

    fn disk(name: &str, uuid: &str) -> Disk {
        Disk {
            name: name.to_owned(),
            uuid: uuid.to_owned(),
            mark: "00".to_owned(),
            enrolled_at: "2026-11-23T00:00:00Z".parse().unwrap(),
            ended: None,
            saved: None,
            left_at: None,
        }
    }

    #[test]
    fn a_disk_that_ended_is_found_by_its_uuid_and_never_by_its_name() {
        let mut lost = disk("B", "1");
        lost.ended = Some(Ended {
            at: lost.enrolled_at,
            how: How::Lost,
        });
        let disks = Disks {
            disks: vec![lost, disk("B", "2"), disk("C", "3")],
        };
        assert_eq!(disks.named("B").unwrap().uuid, "2");
        assert!(disks.with_uuid("1").unwrap().ended.is_some());
        assert_eq!(disks.active().count(), 2);
        assert_eq!(disks.with_uuid("4"), None);
    }

    #[test]
    fn a_list_is_changed_by_one_after_the_other_and_a_bent_one_is_no_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys/backup-disks.json");
        assert_eq!(Disks::read(&file).unwrap(), Disks::default());
        std::thread::scope(|scope| {
            for number in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    let name = number.to_string();
                    let add = |disks: &mut Disks| disks.disks.push(disk(&name, &name));
                    Disks::change(file, add).unwrap();
                });
            }
        });
        assert_eq!(Disks::read(&file).unwrap().disks.len(), 8);
        write_atomic(&file, b"{\"disks\":[", MODE_PRIVATE).unwrap();
        assert!(matches!(
            Disks::read(&file),
            Err(SmallFileError::Bent { .. })
        ));
        assert!(Disks::change(&file, |_| ()).is_err());
    }

    #[test]
    fn what_was_plugged_in_before_the_machine_was_started_anew_is_not_here() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("here.json");
        let plugged = Plugged {
            name: Some("B".to_owned()),
            state: State::Free,
            since: "2026-11-23T00:00:00Z".parse().unwrap(),
            pid: std::process::id(),
            words: String::new(),
        };
        Here::note(&file, "/dev/sdb1", Some(plugged.clone())).unwrap();
        assert_eq!(Here::read(&file).unwrap().len(), 1);
        let text = std::fs::read_to_string(&file).unwrap();
        let boot = boot_id().unwrap();
        let before = text.replacen(&boot, "another start", 1);
        write_atomic(&file, before.as_bytes(), MODE_PRIVATE).unwrap();
        assert!(Here::read(&file).unwrap().is_empty());
        let gone = Plugged {
            state: State::Working,
            // No process has this number: the kernel's largest is far below.
            pid: u32::MAX,
            ..plugged
        };
        Here::note(&file, "/dev/sdc1", Some(gone)).unwrap();
        let here = Here::read(&file).unwrap();
        assert_eq!(here.len(), 1);
        let told = &here["/dev/sdc1"];
        assert_eq!(told.state, State::Refused);
        assert!(told.words.contains("途中で止まりました"), "{}", told.words);
        assert!(Here::note(&file, "/dev/sdc1", None).unwrap().is_some());
    }
}
