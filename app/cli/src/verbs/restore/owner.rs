//! Root may restore; what it made belongs to whoever has the data directory, as before.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::Path;

use base::report::Report;

use crate::verbs::restore::states::unusable;

/// Gives everything below `path` to the owner of `like`; nothing to do for anybody but root.
pub(crate) fn hand_over(path: &Path, like: &Path) -> Result<(), Report> {
    match fs::metadata(like) {
        Ok(owner) => give(path, (owner.uid(), owner.gid())),
        // Nothing was there before: whoever restores onto a bare machine keeps it.
        Err(_) => Ok(()),
    }
}

/// Makes root the owner for as long as it works: the store opens only what is its own.
pub(super) fn take(path: &Path) -> Result<(), Report> {
    let own = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    give(path, own)
}

fn give(path: &Path, (user, group): (u32, u32)) -> Result<(), Report> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let mut open = vec![path.to_path_buf()];
    while let Some(place) = open.pop() {
        let at = |e| unusable(&place, e);
        let found = fs::symlink_metadata(&place).map_err(at)?;
        if (found.uid(), found.gid()) != (user, group) {
            lchown(&place, Some(user), Some(group)).map_err(at)?;
        }
        if found.is_dir() {
            for entry in fs::read_dir(&place).map_err(at)? {
                open.push(entry.map_err(at)?.path());
            }
        }
    }
    Ok(())
}
