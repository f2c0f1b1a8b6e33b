//! Disk A in a machine: a blank one is locked and filled, the machine serves without it, and finds it again.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::assemble::Made;
use crate::boot::{blank, prepare_as, proven, serves};
use crate::problem::{Problem, at};
use crate::room::Room;
use crate::vm::{Machine, Parts};
use crate::{say, trial};

/// A backup, a drill of it and a reading of it, on two emulated and busy processors.
const FOUND_MAX: Duration = Duration::from_secs(30 * 60);
pub(crate) const DISK_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// As a site with disk A has it.
pub(crate) const SITE: &str = r#"[server]
listen = "0.0.0.0:443"
data = "/var/lib/hokatsu"

[organisation]
name = "試験の町"
insurer_no = "112292"

[[backup.repositories]]
name = "array"
path = "/srv/array/repository"
password_file = "/var/lib/hokatsu/keys/array.password"

[[backup.repositories]]
name = "disk-a"
path = "/srv/disk-a/repository"
password_file = "/var/lib/hokatsu/keys/disk-a.password"

[backup.shipping]
path = "/srv/disk-a/shipped"
device = "/dev/disk/by-partlabel/hokatsu-disk-a"
key_file = "/etc/hokatsu/keys/disk-a.luks"

[backup.disks]
opener = ["/usr/libexec/hokatsu/disk-opener"]
"#;
const SCRIPT: &str = r#"
is_well() { as_service hokatsu --json ship status 2>/dev/null | grep --quiet '"well":true'; }
until_it_is systemctl --quiet is-active hokatsu.service
if [ -e /dev/hokatsu/disk-a ]; then
  until_it_is is_well
fi
say mount $(findmnt --noheadings --output SOURCE,FSTYPE,OPTIONS /srv/disk-a)
say kind $(lsblk --noheadings --nodeps --output TYPE /dev/mapper/disk-a 2>&1)
say ship $(as_service hokatsu --json ship status 2>/dev/null | tr -d '\n')
systemctl start hokatsu-backup.service
say backup $(systemctl show --property=Result --value hokatsu-backup.service)
say records $(tr '\n' ' ' </var/lib/hokatsu/backup-records/runs.jsonl)
say saved $(as_service hokatsu --json backup list 2>/dev/null | tr -d '\n')
"#;
/// What residents' data begins with, wherever it lies in clear.
pub const PLAIN: &[u8] = b"SQLite format 3\0";

/// # Errors
/// What did not hold, with what the machine said.
pub fn disk_a(room: &Room, made: &Made) -> Result<(), Problem> {
    let mut all = prepare_as(room, &made.part("raw"), SITE)?;
    let vm = room.dir("vm")?;
    let (disk, script) = (vm.join("disk-a.raw"), vm.join("trial.smbios"));
    blank(&disk, DISK_BYTES)?;
    trial::hand_over(SCRIPT, &script)?;
    all.parts.trial = Some(script);
    all.parts.disk_a = Some(disk.clone());
    // Without a TPM the data volume is in clear: there the search has to find something.
    all.parts.tpm = None;

    let mut machine = Machine::start(room, &all.parts)?;
    let second = serves(room, &mut machine, &all)?;
    proven(&mut machine)?;
    has_it(&mut machine)?;
    say::line(&format!(
        "a blank disk A: serves after {second:.0} s, locked, shipped to and saved to after {:.0} s",
        machine.second()
    ));
    machine.cut_off()?;
    let locked = times(&disk, PLAIN)?;
    let mut open = 0;
    for data in all.parts.data.iter().flatten() {
        open += times(data, PLAIN)?;
    }
    say::line(&format!(
        "databases in clear: {locked} on disk A, {open} on both data disks of a machine without TPM"
    ));
    must(locked == 0 && open > 0, "disk A is locked", "")?;

    let without = Parts {
        stick: None,
        disk_a: None,
        log: vm.join("console-without.log"),
        ..all.parts.clone()
    };
    let mut machine = Machine::start(room, &without)?;
    let second = serves(room, &mut machine, &all)?;
    machine.wait("what was found", FOUND_MAX, |machine| {
        Ok(trial::has_ended(machine).then_some(()))
    })?;
    let ship = json(&machine, "ship")?;
    must(
        is_well(&ship) == Some(false),
        "the shipper misses its disk",
        &ship,
    )?;
    say::line(&format!(
        "without disk A: serves after {second:.0} s, and says that it misses it"
    ));
    machine.cut_off()?;

    let again = Parts {
        log: vm.join("console-again.log"),
        disk_a: Some(disk),
        ..without
    };
    let mut machine = Machine::start(room, &again)?;
    has_it(&mut machine)?;
    say::line(&format!(
        "with it again: all of it after {:.0} s",
        machine.second()
    ));
    machine.cut_off()
}

/// Locked, mounted as it should be, shipped to and saved to.
fn has_it(machine: &mut Machine) -> Result<(), Problem> {
    machine.wait("what was found", FOUND_MAX, |machine| {
        Ok(trial::has_ended(machine).then_some(()))
    })?;
    let told = |name: &str| trial::found(machine, name).unwrap_or_default();
    let (kind, mount) = (told("kind"), told("mount"));
    must(kind == "crypt", "disk A is locked", &kind)?;
    for word in ["/dev/mapper/disk-a", "xfs", "nosuid", "nodev", "noexec"] {
        must(mount.contains(word), word, &mount)?;
    }
    let ship = json(machine, "ship")?;
    must(is_well(&ship) == Some(true), "the shipper is well", &ship)?;
    must(
        told("backup") == "success",
        "the backup ended well",
        told("backup"),
    )?;
    let saved = json(machine, "saved")?;
    for repository in ["array", "disk-a"] {
        must(of(&saved, repository) > 0, repository, &saved)?;
    }
    Ok(())
}

fn json(machine: &Machine, name: &str) -> Result<Value, Problem> {
    let text = trial::found(machine, name).unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| Problem::Differs {
        what: name.to_owned(),
        found: format!("{error}: {text}"),
    })
}

fn is_well(ship: &Value) -> Option<bool> {
    ship.get("well").and_then(Value::as_bool)
}

/// Snapshots of a repository in a list of them.
fn of(saved: &Value, repository: &str) -> usize {
    let all = saved.as_array().into_iter().flatten();
    let name = |one: &Value| one.get("repository").and_then(Value::as_str) == Some(repository);
    all.filter(|one| name(one)).count()
}

pub(crate) fn must(holds: bool, what: &str, found: impl std::fmt::Display) -> Result<(), Problem> {
    if holds {
        return Ok(());
    }
    Err(Problem::Differs {
        what: what.to_owned(),
        found: found.to_string(),
    })
}

/// How often these bytes lie on a disk.
///
/// # Errors
/// [`Problem::File`] when it cannot be read.
pub fn times(disk: &Path, wanted: &[u8]) -> Result<usize, Problem> {
    const PIECE: u64 = 1024 * 1024;
    let mut file = File::open(disk).map_err(at(disk, "read"))?;
    let (mut window, mut found) = (Vec::new(), 0);
    loop {
        let piece = (&mut file).take(PIECE).read_to_end(&mut window);
        if piece.map_err(at(disk, "read"))? == 0 {
            return Ok(found);
        }
        let places = window.windows(wanted.len());
        found += places.filter(|place| *place == wanted).count();
        // What may begin at the end of this piece is looked at with the next.
        let tail = window.len().saturating_sub(wanted.len().saturating_sub(1));
        window.drain(..tail);
    }
}
