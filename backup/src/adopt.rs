//! What a job that was killed left in a repository, put in order before the next one builds on it.
//!
//! Shape: half files go ([`place::sweep`]). A whole pack that no index names yet is entered in one: the engine
//! finds it by its header and takes pieces out of it as if it were there for good, so that a snapshot would
//! rest on what no reader finds and the next prune deletes. No whole pack is ever removed here: should an
//! index be what is lost, its packs are all that is left.
//! Invariant: a job that came to its end says so in a small file; only without it the packs are looked at.

use std::collections::BTreeSet;

use rustic_core::repofile::{IndexFile, MasterKey, PackId};
use rustic_core::{Credentials, RepairIndexOptions};

use crate::error::BackupError;
use crate::settings::RepositorySettings;
use crate::{place, repository};

/// Puts it in order; how many half files went.
pub(crate) fn sweep(settings: &RepositorySettings, key: &MasterKey) -> Result<u64, BackupError> {
    let mut swept = place::sweep(settings)?;
    let settled = place::settled_file(settings)?;
    if settled.exists() {
        let begun = std::fs::remove_file(&settled);
        begun.map_err(|e| BackupError::io("remove", &settled, e))?;
    } else {
        swept += adopt(settings, key)?;
    }
    Ok(swept)
}

/// The job that followed came to its end.
pub(crate) fn settled(settings: &RepositorySettings) -> Result<(), BackupError> {
    let file = place::settled_file(settings)?;
    Ok(base::paths::write_atomic(
        &file,
        b"",
        base::paths::MODE_PRIVATE,
    )?)
}

fn adopt(settings: &RepositorySettings, key: &MasterKey) -> Result<u64, BackupError> {
    let engine = || BackupError::engine("read the index", &settings.name);
    let opened = repository::open_with(settings, &Credentials::Masterkey(key.clone()))?;
    let mut named = BTreeSet::new();
    for index in opened.stream_files::<IndexFile>().map_err(engine())? {
        let (_, index) = index.map_err(engine())?;
        let packs = index.packs.iter().chain(&index.packs_to_delete);
        named.extend(packs.map(|pack| pack.id));
    }
    let (mut half, mut whole) = (0, 0_usize);
    for pack in opened.list::<PackId>().map_err(engine())? {
        if named.contains(&pack) {
            continue;
        }
        if place::removed_as_half(settings, pack.to_hex().as_str())? {
            half += 1;
        } else {
            whole += 1;
        }
    }
    if whole > 0 {
        log::info!("{whole} packs of a job that was cut short are entered in the index");
        let entered = opened.repair_index(&RepairIndexOptions::default(), false);
        entered.map_err(BackupError::engine(
            "enter packs in the index",
            &settings.name,
        ))?;
        repository::flush(settings)?;
    }
    Ok(half)
}
