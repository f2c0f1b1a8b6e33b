//! What a machine makes of a root that rots: it restarts at the first bent block, and after three tries in vain
//! the boot loader takes the other slot, where there is one.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::assemble::{self, Made};
use crate::boot::{OFF_MAX, SERVES_MAX, prepare, proven, serves};
use crate::child::Spec;
use crate::partitions::{self, Partition};
use crate::problem::{Problem, at};
use crate::room::Room;
use crate::vm::Machine;
use crate::{say, tree};

const LIMIT: Duration = Duration::from_secs(10 * 60);
/// The superblock of erofs lies so many bytes into the partition: it is read first.
const SUPERBLOCK: u64 = 1024;
/// What the kernel's own loader says once a start, before anything else. With a TPM there is more that it says.
pub const START: &str = "EFI stub: Loaded initrd";
/// Tries that a slot has.
const TRIES: usize = 3;
/// The version of the update that goes bad.
const NEWER: &str = "0.1.1";
/// A program that does nothing but fail, in place of the product.
const FAILS: &str = "/bin/false";

/// Flips one bit of the only slot: it has to restart instead of serving what was changed.
///
/// # Errors
/// When it does not restart.
pub fn flip(room: &Room, made: &Made) -> Result<(), Problem> {
    let disk = copy(room, &made.part("raw"))?;
    bend(room, &disk, made.version(), SUPERBLOCK)?;
    let trial = prepare(room, &disk)?;
    let mut machine = Machine::start(room, &trial.parts)?;
    let second = machine.wait("a restart", SERVES_MAX, |machine| {
        Ok((machine.times(START) >= 2).then(|| machine.second()))
    })?;
    say::line(&format!(
        "second start after {second:.0} s: it restarted by itself"
    ));
    machine.cut_off()?;
    fs::remove_file(&disk).map_err(at(&disk, "remove"))
}

/// What is wrong with an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// One bit of its root.
    Root,
    /// Its service ends at once.
    Service,
}

/// A machine that serves gets an update that is bad: three starts in vain, then it serves as before.
///
/// # Errors
/// When the old version does not serve in the end, or another number of starts was seen.
pub fn fall_back(room: &Room, made: &Made, binary: &Path, bad: Bad) -> Result<(), Problem> {
    let binary = match bad {
        Bad::Root => binary,
        Bad::Service => Path::new(FAILS),
    };
    let newer = assemble::assemble(room, binary, "out-newer", NEWER)?;
    let disk = copy(room, &made.part("raw"))?;
    let mut trial = prepare(room, &disk)?;
    trial.parts.system.clone_from(&disk);
    let mut machine = Machine::start(room, &trial.parts)?;
    let second = serves(room, &mut machine, &trial)?;
    say::line(&format!("{} serves after {second:.0} s", made.version()));
    proven(&mut machine)?;
    machine.power_off(OFF_MAX)?;
    install(room, &disk, &newer)?;
    if bad == Bad::Root {
        bend(room, &disk, NEWER, SUPERBLOCK)?;
    }
    trial.parts.stick = None;
    trial.parts.log = room.dir("vm")?.join("console-newer.log");
    let mut machine = Machine::start(room, &trial.parts)?;
    let second = serves(room, &mut machine, &trial)?;
    let starts = machine.times(START);
    say::line(&format!(
        "update {NEWER} with bad {bad:?}: {starts} starts, {} serves again after {second:.0} s",
        made.version()
    ));
    machine.cut_off()?;
    fs::remove_file(&disk).map_err(at(&disk, "remove"))?;
    if starts == TRIES + 1 {
        Ok(())
    } else {
        Err(Problem::Starts {
            starts,
            wanted: TRIES + 1,
        })
    }
}

/// A copy of an image, to be bent.
///
/// # Errors
/// When it cannot be copied.
pub fn copy(room: &Room, raw: &Path) -> Result<PathBuf, Problem> {
    let disk = room.dir("vm")?.join("disk.raw");
    let (from, to) = (raw.to_string_lossy(), disk.to_string_lossy());
    let words = ["cp", "--sparse=always", "--reflink=auto", &from, &to];
    Spec::of(&words, LIMIT).must("cp")?;
    Ok(disk)
}

/// Writes a version into the empty slot, as an update would.
fn install(room: &Room, disk: &Path, newer: &Made) -> Result<(), Problem> {
    let slots = partitions::of_image(room, disk)?;
    let empty = slots
        .iter()
        .zip(1..)
        .filter(|(one, _)| one.name == "_empty");
    let written = partitions::of_image(room, &newer.part("raw"))?;
    let ends = [("_verity", "root-verity.raw"), ("", "root.raw")];
    for ((slot, place), (end, part)) in empty.zip(ends) {
        let name = format!("hokatsu_{}{end}", newer.version());
        let from = named(&written, &name)?;
        pour(&newer.part(part), disk, slot.offset)?;
        partitions::rename(room, disk, place, &name, &from.uuid)?;
    }
    let esp = slots.first().ok_or(Problem::NoImage)?;
    let target = format!("{}@@{}", disk.display(), esp.offset);
    let kernel = newer.part("efi").to_string_lossy().into_owned();
    let entry = format!("::EFI/Linux/hokatsu_{}+{TRIES}.efi", newer.version());
    let words = ["mcopy", "-i", &target, &kernel, &entry];
    tree::inside(room, &words, LIMIT).must("mcopy").map(drop)
}

fn pour(part: &Path, disk: &Path, offset: u64) -> Result<(), Problem> {
    let bytes = fs::read(part).map_err(at(part, "read"))?;
    let file = fs::File::options().write(true).open(disk);
    let file = file.map_err(at(disk, "write"))?;
    file.write_all_at(&bytes, offset).map_err(at(disk, "write"))
}

fn named<'p>(all: &'p [Partition], name: &str) -> Result<&'p Partition, Problem> {
    all.iter()
        .find(|one| one.name == name)
        .ok_or(Problem::NoImage)
}

/// Flips one bit of this version's root, so many bytes into it.
///
/// # Errors
/// When the disk holds no such version.
pub fn bend(room: &Room, disk: &Path, version: &str, into: u64) -> Result<(), Problem> {
    let all = partitions::of_image(room, disk)?;
    let root = named(&all, &format!("hokatsu_{version}"))?;
    let place = root.offset.saturating_add(into);
    flip_bit(disk, place)?;
    say::line(&format!(
        "one bit flipped at byte {place} of the disk ({})",
        root.name
    ));
    Ok(())
}

fn flip_bit(file: &Path, place: u64) -> Result<(), Problem> {
    let open = fs::File::options().read(true).write(true).open(file);
    let open = open.map_err(at(file, "write"))?;
    let mut byte = [0];
    open.read_exact_at(&mut byte, place)
        .map_err(at(file, "read"))?;
    let bent = byte.map(|byte| byte ^ 1);
    open.write_all_at(&bent, place).map_err(at(file, "write"))
}

#[cfg(test)]
mod tests {
    use base::paths::{MODE_PUBLIC, write_atomic};

    use super::*;

    #[test]
    fn one_bit_is_flipped_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        write_atomic(&path, &[0b1010; 64], MODE_PUBLIC).unwrap();
        flip_bit(&path, 33).unwrap();
        let mut wanted = vec![0b1010; 64];
        wanted[33] = 0b1011;
        assert_eq!(fs::read(&path).unwrap(), wanted);
    }
}
