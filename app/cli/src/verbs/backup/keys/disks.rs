//! The encrypted disks that the words open, beside the key file of the machine.
//!
//! Shape: a sheet takes one slot of a disk's LUKS header. It is noted on the list of sheets before it is
//! done, so that what was cut short is taken back by the next sheet.
//! Invariant: an older sheet's slot goes only where the words in hand open the disk and every repository
//! on it. Otherwise the lock would want one paper and the repository behind it another.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use backup::disks::{DiskError, Opener};
use backup::records::History;
use backup::sheet::{DiskLock, Sheet, Sheets};
use backup::status::LockedDisk;
use base::disks::Disks;
use base::report::{Kind, Report, Runbook};
use base::settings::Site;

use super::Desk;
use crate::output::Voice;

/// What people call the disk that is always plugged in.
const DISK_A: &str = "A";
const BY_UUID: &str = "/dev/disk/by-uuid";
/// As `blkid` calls what is encrypted.
const ENCRYPTED: &str = "crypto_LUKS";

/// The disks of the settings.
pub(super) struct LuksDisks {
    opener: Opener,
    all: Vec<LuksDisk>,
    /// UUIDs of those that are out of use or lost: nobody opens them any more.
    ended: Vec<String>,
}

struct LuksDisk {
    name: String,
    at: At,
    key: PathBuf,
    /// Repositories of the settings that lie on it.
    holds: Vec<String>,
}

enum At {
    Device(PathBuf),
    Uuid(String),
}

/// A disk that is here.
pub(super) struct Found<'l> {
    disk: &'l LuksDisk,
    device: PathBuf,
    uuid: String,
}

impl Found<'_> {
    pub(super) fn name(&self) -> &str {
        &self.disk.name
    }
}

/// What the words did on the disks.
pub(super) struct Tried<'l> {
    opened: Vec<&'l Found<'l>>,
    shut: Vec<&'l LuksDisk>,
}

impl Tried<'_> {
    pub(super) fn opened(&self) -> Vec<String> {
        self.opened
            .iter()
            .map(|one| one.disk.name.clone())
            .collect()
    }

    /// Writes down, on the sheet, which disks its words opened.
    pub(super) fn note(&self, sheet: &mut Sheet, at: &str) {
        for lock in &mut sheet.disks {
            if self.opened.iter().any(|one| one.uuid == lock.uuid) {
                lock.proven_at = Some(at.to_owned());
            }
        }
    }

    pub(super) fn shut(&self) -> Vec<String> {
        self.shut.iter().map(|disk| disk.name.clone()).collect()
    }

    /// Nobody gets at this repository by the words: they do not open the disk that it lies on.
    pub(super) fn is_behind_shut(&self, repository: &str) -> bool {
        let mut holds = self.shut.iter().flat_map(|disk| &disk.holds);
        holds.any(|held| held == repository)
    }

    /// The words open the disk with this UUID and everything on it.
    pub(super) fn opens_all_of(&self, uuid: &str, repositories: &[String]) -> bool {
        let found = self.opened.iter().find(|one| one.uuid == uuid);
        found.is_some_and(|one| {
            one.disk
                .holds
                .iter()
                .all(|held| repositories.contains(held))
        })
    }
}

/// Slots of sheets that were to go.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) removed: usize,
    /// Still open: the disk said no, or is away.
    pub(super) left: usize,
}

impl LuksDisks {
    pub(super) fn of(desk: &Desk<'_>) -> Result<Self, Report> {
        let known = Disks::read(&desk.dir.backup_disks()).map_err(DiskError::from)?;
        let rotated = desk.site.backup.repositories.iter().filter_map(|one| {
            let key = one.removable.as_ref()?.key_file.clone()?;
            Some(LuksDisk {
                name: one.name().to_owned(),
                at: At::Uuid(known.named(one.name())?.uuid.clone()),
                key,
                holds: vec![one.name().to_owned()],
            })
        });
        let ended = known.disks.iter().filter(|disk| disk.ended.is_some());
        Ok(Self {
            opener: Opener::new(&desk.site.backup.disks().opener),
            all: disk_a(desk.site, desk).into_iter().chain(rotated).collect(),
            ended: ended.map(|disk| disk.uuid.clone()).collect(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those that are here; of the others it is said what to do.
    pub(super) fn here(&self, voice: &Voice) -> Vec<Found<'_>> {
        let mut here = Vec::new();
        for disk in &self.all {
            match self.find(disk) {
                Ok(Some(found)) => here.push(found),
                Ok(None) => voice.say(&format!(
                    "ディスク「{}」は、つながっていません。つないで hokatsu backup key prove を実行すると、\
                     この用紙のことばで開くようになります。",
                    disk.name
                )),
                Err(report) => {
                    voice.report(&report);
                    say_not_let_in(&disk.name, voice);
                }
            }
        }
        here
    }

    fn find<'l>(&self, disk: &'l LuksDisk) -> Result<Option<Found<'l>>, Report> {
        let uuid = match &disk.at {
            At::Uuid(uuid) => uuid.clone(),
            At::Device(device) if !device.exists() => return Ok(None),
            At::Device(device) => self.encrypted(device)?,
        };
        let mut devices = self.opener.alike(&uuid)?;
        let device = devices.pop();
        if !devices.is_empty() {
            let words = "同じ番号のディスクが2台以上つながっています。複製されたディスクがあります";
            let report = Report::bare(Kind::CheckFailed).operator(words, Runbook::DiskForeign);
            return Err(report.at(&disk.name));
        }
        Ok(device.map(|device| Found { disk, device, uuid }))
    }

    fn encrypted(&self, device: &Path) -> Result<String, Report> {
        let identity = self.opener.identify(device)?;
        if identity.kind == ENCRYPTED {
            return Ok(identity.uuid);
        }
        let words = "[backup.shipping] device の装置は、暗号化（LUKS）されていません";
        let report = Report::bare(Kind::Settings).operator(words, Runbook::RecoverySheet);
        Err(report.at(device))
    }

    /// Lets the words into one disk. False: it was said why not; a sheet is worth making without it.
    pub(super) fn admit(
        &self,
        (found, password): (&Found<'_>, &str),
        sheets: &mut Sheets,
        number: u32,
        desk: &Desk<'_>,
    ) -> Result<bool, Report> {
        let name = found.name();
        let Some(slot) = sheets.disk_slot(number, &found.uuid) else {
            desk.voice.say(&format!(
                "ディスク「{name}」には、確かめていない復旧シートが多すぎて、この用紙のことばを入れられません。"
            ));
            return Ok(false);
        };
        note(sheets, number, &found.uuid, Some((name, slot)), desk)?;
        let done = self
            .opener
            .admit(&found.device, &found.disk.key, slot, password);
        let Err(error) = done else {
            return Ok(true);
        };
        // Whoever says no has changed nothing; of one who does not answer nobody knows.
        if matches!(error, DiskError::Refused { .. }) {
            note(sheets, number, &found.uuid, None, desk)?;
        }
        desk.voice.report(&error.into());
        say_not_let_in(name, desk.voice);
        Ok(false)
    }

    /// Tries the words on every disk, and lets those of a known sheet in where a disk does not know them.
    pub(super) fn prove<'l>(
        &'l self,
        here: &'l [Found<'l>],
        password: &str,
        (sheets, number): (&mut Sheets, Option<u32>),
        desk: &Desk<'_>,
    ) -> Result<Tried<'l>, Report> {
        let mut opened = Vec::new();
        for found in here {
            if self.opens(found, password, sheets, number, desk)? {
                opened.push(found);
            }
        }
        let is_open = |disk: &LuksDisk| opened.iter().any(|one| std::ptr::eq(one.disk, disk));
        let shut = self.all.iter().filter(|disk| !is_open(disk)).collect();
        Ok(Tried { opened, shut })
    }

    fn opens(
        &self,
        found: &Found<'_>,
        password: &str,
        sheets: &mut Sheets,
        number: Option<u32>,
        desk: &Desk<'_>,
    ) -> Result<bool, Report> {
        let (name, voice) = (found.name(), desk.voice);
        let told = |error: DiskError| voice.report(&error.into());
        match self.opener.prove(&found.device, password) {
            Ok(true) => {
                voice.say(&format!("ディスク「{name}」が開きました。"));
                return Ok(true);
            }
            Ok(false) => {}
            Err(error) => {
                told(error);
                return Ok(false);
            }
        }
        let Some(number) = number else {
            voice.say(&format!(
                "ディスク「{name}」は、この用紙のことばでは開きません。"
            ));
            return Ok(false);
        };
        // What lies in the slot stands on no list: a sheet made after the backup that this machine was
        // restored from, or one that was cut short.
        if let Some(slot) = sheets.disk_slot(number, &found.uuid)
            && let Err(error) = self.opener.retire(&found.device, &found.disk.key, slot)
        {
            told(error);
            return Ok(false);
        }
        if !self.admit((found, password), sheets, number, desk)? {
            return Ok(false);
        }
        match self.opener.prove(&found.device, password) {
            Ok(true) => voice.say(&format!(
                "ディスク「{name}」も、この用紙のことばで開くようにしました。"
            )),
            Ok(false) => {
                say_not_let_in(name, voice);
                return Ok(false);
            }
            Err(error) => {
                told(error);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes slots away. One whose disk is not here just now stays on the list.
    pub(super) fn drop_slots(
        &self,
        here: &[Found<'_>],
        sheets: &mut Sheets,
        desk: &Desk<'_>,
        goes: impl Fn(&Sheet, &DiskLock) -> bool,
    ) -> Result<Gone, Report> {
        let mut gone = Gone::default();
        for sheet in &mut sheets.sheets {
            let locks = sheet.disks.clone().into_iter();
            let locks = locks.filter(|lock| !self.ended.contains(&lock.uuid));
            let (going, mut left): (Vec<_>, Vec<_>) = locks.partition(|lock| goes(sheet, lock));
            for lock in going {
                if self.is_retired(here, &lock, sheet.number, desk) {
                    gone.removed += 1;
                } else {
                    gone.left += 1;
                    left.push(lock);
                }
            }
            sheet.disks = left;
        }
        sheets.forget_spent();
        sheets.write(&desk.file()).map_err(Report::from)?;
        Ok(gone)
    }

    fn is_retired(
        &self,
        here: &[Found<'_>],
        lock: &DiskLock,
        number: u32,
        desk: &Desk<'_>,
    ) -> bool {
        if let Some(found) = here.iter().find(|one| one.uuid == lock.uuid) {
            match self
                .opener
                .retire(&found.device, &found.disk.key, lock.slot)
            {
                Ok(()) => return true,
                Err(error) => desk.voice.report(&error.into()),
            }
        }
        desk.voice.say(&format!(
            "ディスク「{}」に届かないため、番号 {number} の用紙はそこではまだ開きます。つないで、\
             hokatsu backup key prove をもう一度実行してください。",
            lock.name
        ));
        false
    }
}

/// Which disks of the settings are locked, for the probe: nothing is opened, and no account is needed.
pub(in crate::verbs::backup) fn locked(
    site: &Site,
    known: &Disks,
    history: &History,
) -> Vec<LockedDisk> {
    let first = history.records.iter().map(|one| one.ended_at).min();
    let disk_a = site.backup.shipping.as_ref().and_then(|one| one.disk());
    let disk_a = disk_a.map(|(device, _)| LockedDisk {
        name: DISK_A.to_owned(),
        uuid: uuid_of(device),
        since: first,
    });
    let rotated = site.backup.repositories.iter().filter_map(|one| {
        one.removable.as_ref()?.key_file.as_ref()?;
        let disk = known.named(one.name())?;
        Some(LockedDisk {
            name: disk.name.clone(),
            uuid: Some(disk.uuid.clone()),
            since: Some(disk.enrolled_at),
        })
    });
    disk_a.into_iter().chain(rotated).collect()
}

/// As udev links it; who has none, or an absent disk, is not told.
fn uuid_of(device: &Path) -> Option<String> {
    let device = device.canonicalize().ok()?;
    let mut links = fs::read_dir(BY_UUID).ok()?.flatten();
    let link = links.find(|link| link.path().canonicalize().is_ok_and(|path| path == device))?;
    Some(link.file_name().to_string_lossy().into_owned())
}

/// The disk of the shipped log. While it is there, what else lies on it shows by the file system.
fn disk_a(site: &Site, desk: &Desk<'_>) -> Option<LuksDisk> {
    let shipping = site.backup.shipping.as_ref()?;
    let (device, key) = shipping.disk()?;
    let file_system = |path: &Path| fs::metadata(path).ok().map(|found| found.dev());
    let of_disk = file_system(&shipping.path);
    let lies_on_it = |path: &Path| of_disk.is_some() && file_system(path) == of_disk;
    let held = desk.repositories.iter().filter(|one| {
        let directory = one.location.directory();
        directory.is_some_and(&lies_on_it)
    });
    Some(LuksDisk {
        name: DISK_A.to_owned(),
        at: At::Device(device.to_owned()),
        key: key.to_owned(),
        holds: held.map(|one| one.name.clone()).collect(),
    })
}

/// What this sheet has on this disk: a slot, or nothing.
fn note(
    sheets: &mut Sheets,
    number: u32,
    uuid: &str,
    slot: Option<(&str, u8)>,
    desk: &Desk<'_>,
) -> Result<(), Report> {
    if let Some(sheet) = sheets.numbered(number) {
        sheet.disks.retain(|lock| lock.uuid != uuid);
        sheet.disks.extend(slot.map(|(name, slot)| DiskLock {
            name: name.to_owned(),
            uuid: uuid.to_owned(),
            slot,
            proven_at: None,
        }));
    }
    sheets.write(&desk.file()).map_err(Report::from)
}

fn say_not_let_in(name: &str, voice: &Voice) {
    voice.say(&format!(
        "ディスク「{name}」は、まだこの用紙のことばで開きません。上のことを直してから、\
         hokatsu backup key prove を実行してください。"
    ));
}
