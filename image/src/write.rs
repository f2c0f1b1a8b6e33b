//! The image onto a real disk: the one that was meant, which nobody uses and which is blank or given up by name;
//! written, read back around the cache, and its table of partitions completed for its size.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use erase::Found;
use rustix::fs::{Advice, OFlags, fadvise};

use crate::assemble::Made;
use crate::child::Spec;
use crate::problem::{Problem, at, unclear};
use crate::room::Room;
use crate::{say, store, tree};

const LIMIT: Duration = Duration::from_secs(120);
/// What `blkid` answers when there is nothing.
const NOTHING: i32 = 2;

/// Writes the image onto this disk. One that holds something is taken only when `replaces` is its serial number.
///
/// # Errors
/// [`Problem::Refused`] with what to do, before anything is written; [`Problem::File`] of the disk;
/// [`Problem::Differs`] when it does not give back what it was given.
pub fn write(
    room: &Room,
    made: &Made,
    device: &Path,
    replaces: Option<&str>,
) -> Result<(), Problem> {
    let image = made.part("raw");
    let bytes = std::fs::metadata(&image).map_err(at(&image, "read"))?.len();
    let kind = std::fs::metadata(device).map_err(at(device, "look at"))?;
    if !kind.file_type().is_block_device() {
        let path = device.display();
        return Err(Problem::Refused(format!(
            "{path} is no disk; name one, as in /dev/sdb"
        )));
    }
    let found = found(device)?;
    fits(&found, bytes, is_blank(device)?, replaces).map_err(Problem::Refused)?;
    let begun = Instant::now();
    let hash = poured(&image, device)?;
    // The spare copy of the table belongs at the end of this disk, not at the end of the image.
    let place = device.to_string_lossy();
    tree::inside(
        room,
        &["sfdisk", "--relocate", "gpt-bak-std", &place],
        LIMIT,
    )
    .must("completing the table of partitions")?;
    say::line(&format!(
        "{}: {} {} ({} MiB) holds version {}, {} MiB in {:.0} s, read back, SHA-256 {hash}",
        device.display(),
        found.device.model,
        found.device.serial,
        found.device.size_bytes >> 20,
        made.version(),
        bytes >> 20,
        begun.elapsed().as_secs_f64()
    ));
    Ok(())
}

fn found(device: &Path) -> Result<Found, Problem> {
    let all = erase::disks().map_err(unclear("lsblk"))?;
    let disk = all.into_iter().find(|one| one.device.path == device);
    // A loop device stands for one, in trials.
    disk.map_or_else(|| erase::image(device).map_err(unclear("lsblk")), Ok)
}

fn is_blank(device: &Path) -> Result<bool, Problem> {
    let place = device.to_string_lossy();
    let ended = Spec::of(&["blkid", "--probe", &place], LIMIT).capture()?;
    Ok(ended.code == Some(NOTHING))
}

/// May it be written to? Why not, and what to do.
fn fits(found: &Found, bytes: u64, is_blank: bool, replaces: Option<&str>) -> Result<(), String> {
    let device = &found.device;
    let path = device.path.display();
    if !found.users.is_empty() {
        let users = found.users.join(", ");
        return Err(format!("{path} is in use ({users}); free it first"));
    }
    if found.read_only {
        return Err(format!(
            "{path} takes no writes; remove its write protection"
        ));
    }
    if device.size_bytes < bytes {
        let (has, wants) = (device.size_bytes, bytes);
        return Err(format!(
            "{path} has {has} bytes, the image wants {wants}; take a larger disk"
        ));
    }
    match replaces {
        Some(serial) if serial == device.serial && !serial.is_empty() => Ok(()),
        Some(serial) => Err(format!(
            "{path} has the serial number '{}', not '{serial}'; is it the right disk?",
            device.serial
        )),
        None if is_blank => Ok(()),
        None => Err(format!(
            "{path} ({} {}) holds something; if all of it may go, add --replace '{}'",
            device.model, device.serial, device.serial
        )),
    }
}

/// Writes it from the first byte on, flushes, reads it back from the disk itself; its SHA-256.
fn poured(image: &Path, device: &Path) -> Result<String, Problem> {
    let given = store::sha256(image)?;
    // Exclusively: nobody mounts it meanwhile.
    let flags = i32::try_from(OFlags::EXCL.bits()).map_err(unclear("the flags of open"))?;
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).custom_flags(flags);
    let mut disk = options.open(device).map_err(at(device, "open"))?;
    let mut source = File::open(image).map_err(at(image, "open"))?;
    let bytes = io::copy(&mut source, &mut disk).map_err(at(device, "write"))?;
    disk.sync_all().map_err(at(device, "flush"))?;
    fadvise(&disk, 0, None, Advice::DontNeed)
        .map_err(io::Error::from)
        .map_err(at(device, "flush"))?;
    disk.rewind().map_err(at(device, "read back"))?;
    let back = store::sha256_of(disk.take(bytes)).map_err(at(device, "read back"))?;
    if back == given {
        Ok(given)
    } else {
        Err(Problem::Differs {
            what: format!("{} gives back what it was given", device.display()),
            found: format!("of {bytes} bytes SHA-256 {back}; given was {given}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use base::paths::{MODE_PUBLIC, write_atomic};

    use super::*;

    fn disk(dir: &Path, bytes: u64) -> (std::path::PathBuf, Found) {
        let path = dir.join("disk");
        File::create(&path).unwrap().set_len(bytes).unwrap();
        let found = erase::image(&path).unwrap();
        (path, found)
    }

    #[test]
    fn the_disk_gets_the_bytes_of_the_image_and_keeps_what_lies_behind() {
        let dir = tempfile::tempdir().unwrap();
        let (image, (device, _)) = (dir.path().join("image"), disk(dir.path(), 6 << 20));
        let bytes: Vec<u8> = (0..=250).cycle().take(5 << 20).collect();
        write_atomic(&image, &bytes, MODE_PUBLIC).unwrap();
        let hash = poured(&image, &device).unwrap();
        assert_eq!(hash, store::sha256(&image).unwrap());
        let there = std::fs::read(&device).unwrap();
        assert_eq!(there.len(), 6 << 20);
        assert_eq!(there[..bytes.len()], bytes);
        assert!(there[bytes.len()..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_disk_that_is_used_small_or_full_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let (_, mut found) = disk(dir.path(), 1000);
        let serial = found.device.serial.clone();
        assert_eq!(fits(&found, 1000, true, None), Ok(()));
        assert_eq!(fits(&found, 1000, false, Some(&serial)), Ok(()));
        let said = |found: &Found, bytes, is_blank, replaces| {
            fits(found, bytes, is_blank, replaces).unwrap_err()
        };
        assert!(said(&found, 1001, true, None).contains("take a larger disk"));
        assert!(said(&found, 1000, false, None).contains(&format!("--replace '{serial}'")));
        assert!(said(&found, 1000, true, Some("other")).contains("right disk"));
        found.read_only = true;
        assert!(said(&found, 1000, true, None).contains("write protection"));
        found.users.push("/dev/loop0".to_owned());
        assert!(said(&found, 1000, true, None).contains("/dev/loop0"));
        found.users.clear();
        found.read_only = false;
        found.device.serial.clear();
        // What has no number cannot be named, so it cannot be given up.
        assert!(fits(&found, 1000, false, Some("")).is_err());
    }
}
