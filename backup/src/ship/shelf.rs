//! The bytes of attachments on the second disk: there before the row that names them is committed.
//!
//! Shape: `attachments/ab/abcd…` as on the shelf of the data directory (`store`), each file copied once, its
//! hash proven on the way. What was missed is caught up with by [`sync`]. Bytes that are no longer on the
//! shelf move below `gone/`, where points in time still find them, until [`forget`] takes them.
//! Invariant: a file has its name only when it is whole, flushed and has the hash that it is called by.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base::paths::{create_private_dir, sync_dir};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::digest::{Context, SHA256};

use super::disk::ours;
use super::error::ShipError;
use super::shipper::ShipSettings;

const SHELF: &str = "attachments";
/// Below the place: what is no longer on the shelf, laid out as a data directory.
pub const GONE: &str = "gone";
const READ_BYTES: usize = 256 * 1024;

fn shelf(settings: &ShipSettings) -> PathBuf {
    settings.database.with_file_name(SHELF)
}

/// Copies a file that was just taken in, by its name on the shelf.
pub(super) fn take(
    settings: &ShipSettings,
    sha256: &[u8; 32],
    name: &str,
) -> Result<(), ShipError> {
    let ShipSettings { place, machine, .. } = settings;
    ours(place, machine, settings.database_id)?;
    let hash = HEXLOWER.encode(sha256);
    copy(&shelf(settings).join(name), &place.join(SHELF), &hash)
}

/// Brings what the disk has not got, and puts aside what the shelf has no more; how many of each.
pub(super) fn sync(settings: &ShipSettings, now: Timestamp) -> Result<(u64, u64), ShipError> {
    let ShipSettings { place, machine, .. } = settings;
    ours(place, machine, settings.database_id)?;
    let (from, to) = (shelf(settings), place.join(SHELF));
    let (here, there) = (hashes(&from)?, hashes(&to)?);
    let mut brought = 0;
    for hash in here.difference(&there) {
        let source = at(&from, hash);
        match copy(&source, &to, hash) {
            Ok(()) => brought += 1,
            // Swept since it was listed.
            Err(_) if !source.exists() => {}
            // Bent on the shelf: `attachments check` names it; the others are brought all the same.
            Err(ShipError::Bent) => log::error!("bytes on the shelf are bent and not shipped"),
            Err(error) => return Err(error),
        }
    }
    let aside = place.join(GONE).join(SHELF);
    let mut gone = 0;
    for hash in there.difference(&here) {
        put_aside(&at(&to, hash), &at(&aside, hash), now)?;
        gone += 1;
    }
    Ok((brought, gone))
}

/// What was put aside before this moment, to be removed; and removes it.
pub(super) fn forget(place: &Path, before: Timestamp) -> Result<u64, ShipError> {
    let aside = place.join(GONE).join(SHELF);
    let mut removed = 0;
    for hash in hashes(&aside)? {
        let path = at(&aside, &hash);
        let since = fs::metadata(&path).and_then(|found| found.modified());
        let since = since.map_err(|e| ShipError::io("look at", &path, e))?;
        if Timestamp::try_from(since).is_ok_and(|since| since <= before) {
            fs::remove_file(&path).map_err(|e| ShipError::io("remove", &path, e))?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn at(shelf: &Path, hash: &str) -> PathBuf {
    shelf.join(hash.get(..2).unwrap_or_default()).join(hash)
}

/// The hashes on a shelf; none when there is no shelf.
fn hashes(shelf: &Path) -> Result<BTreeSet<String>, ShipError> {
    let mut found = BTreeSet::new();
    for (_, dir) in entries(shelf)? {
        if dir.is_dir() {
            let names = entries(&dir)?.into_iter().map(|(name, _)| name);
            found.extend(names.filter(|name| is_hash(name)));
        }
    }
    Ok(found)
}

fn is_hash(name: &str) -> bool {
    name.len() == 64 && HEXLOWER.decode(name.as_bytes()).is_ok()
}

fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>, ShipError> {
    let failed = |error| ShipError::io("list", dir, error);
    let listed = match fs::read_dir(dir) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    listed
        .map(|entry| {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Ok((name, entry.path()))
        })
        .collect()
}

fn copy(source: &Path, shelf: &Path, hash: &str) -> Result<(), ShipError> {
    let target = at(shelf, hash);
    let dir = target.parent().unwrap_or(shelf);
    let reading = |error| ShipError::io("read", source, error);
    let writing = |error| ShipError::io("write", &target, error);
    let mut from = File::open(source).map_err(reading)?;
    let length = from.metadata().map_err(reading)?.len();
    if fs::metadata(&target).is_ok_and(|found| found.len() == length) {
        return Ok(());
    }
    if !dir.is_dir() {
        create_private_dir(dir)?;
    }
    let mut draft = tempfile::NamedTempFile::new_in(dir).map_err(writing)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = from.read(&mut buffer).map_err(reading)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            break;
        };
        context.update(piece);
        draft.write_all(piece).map_err(writing)?;
    }
    if HEXLOWER.encode(context.finish().as_ref()) != hash {
        return Err(ShipError::Bent);
    }
    draft.as_file().sync_all().map_err(writing)?;
    draft.persist(&target).map_err(|e| writing(e.error))?;
    Ok(sync_dir(dir)?)
}

/// Its time becomes the moment since which it is not needed.
fn put_aside(from: &Path, to: &Path, now: Timestamp) -> Result<(), ShipError> {
    let failed = |error| ShipError::io("put aside", from, error);
    let dir = to.parent().unwrap_or(to);
    if !dir.is_dir() {
        create_private_dir(dir)?;
    }
    let file = File::options().write(true).open(from).map_err(failed)?;
    let since = std::time::SystemTime::try_from(now).map_err(io::Error::other);
    let times = FileTimes::new().set_modified(since.map_err(failed)?);
    file.set_times(times).map_err(failed)?;
    fs::rename(from, to).map_err(failed)?;
    Ok(sync_dir(dir)?)
}
