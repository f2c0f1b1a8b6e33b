//! Where files are brought back to: empty, or half full of the same snapshot.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::content::Content;
use crate::error::BackupError;
use crate::manifest::{self, FileRecord, Manifest};
use crate::progress::Quiet;
use crate::restore::MARKER_NAME;

/// Left free on the target's file system.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;

pub(super) enum Target {
    Fresh,
    CutShort,
}

pub(super) fn state(target: &Path, id: &str) -> Result<Target, BackupError> {
    let marker = target.join(MARKER_NAME);
    match fs::read_to_string(&marker) {
        Ok(text) if text == id => return Ok(Target::CutShort),
        Ok(_) => {
            return Err(BackupError::TargetUsed {
                path: target.to_owned(),
            });
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(BackupError::io("look into", target, e)),
    }
    match fs::read_dir(target) {
        Ok(mut entries) => match entries.next() {
            None => Ok(Target::Fresh),
            Some(_) => Err(BackupError::TargetUsed {
                path: target.to_owned(),
            }),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Target::Fresh),
        Err(e) => Err(BackupError::io("look into", target, e)),
    }
}

/// Names in the manifest whose file is in the target with the right hash.
pub(super) fn already_there<'a>(
    target: &Path,
    content: &Content,
    manifest: &'a Manifest,
) -> BTreeSet<&'a String> {
    let right = |(key, record): &(&String, &FileRecord)| {
        let Some(item) = content.files.get(*key) else {
            return false;
        };
        let path = target.join(&item.path);
        // Unreadable or absent means: not there; it is then restored or named.
        let there = fs::symlink_metadata(&path).is_ok_and(|m| m.is_file());
        there && manifest::hash_file(&path, &Quiet).is_ok_and(|found| found == **record)
    };
    manifest
        .files
        .iter()
        .filter(right)
        .map(|(key, _)| key)
        .collect()
}

pub(super) fn refuse_without_room(target: &Path, needed: u64) -> Result<(), BackupError> {
    let existing = target
        .ancestors()
        .find(|p| p.is_dir())
        .unwrap_or(Path::new("."));
    let free = base::paths::free_bytes(existing)?;
    let needed = needed.saturating_add(SPARE_BYTES);
    if free < needed {
        return Err(BackupError::NoRoom {
            path: target.to_owned(),
            needed,
            free,
        });
    }
    Ok(())
}
