//! One file, without the rest.

use std::path::Path;

use crate::content;
use crate::error::BackupError;
use crate::place;
use crate::progress::{Progress, Step};
use crate::repository;
use crate::restore::job::{Job, Layout};
use crate::restore::others::Others;
use crate::restore::{RestoreSummary, target};
use crate::settings::RepositorySettings;
use crate::snapshots::{self, Selector};

/// Names told when the wanted one is not there.
const ALIKE_MAX: usize = 5;

/// Brings one file of a snapshot back into a directory, under its own name and without the directories
/// above it.
///
/// # Errors
/// [`BackupError::NoFile`] with names that end alike, [`BackupError::TargetUsed`] when something of
/// that name is there, otherwise as [`super::restore_to`].
pub fn restore_file(
    (settings, others): (&RepositorySettings, &[RepositorySettings]),
    selector: &Selector,
    (wanted, target): (&str, &Path),
    progress: &dyn Progress,
) -> Result<RestoreSummary, BackupError> {
    place::watched(settings, || {
        restore((settings, others), selector, (wanted, target), progress)
    })
}

fn restore(
    (settings, others): (&RepositorySettings, &[RepositorySettings]),
    selector: &Selector,
    (wanted, target): (&str, &Path),
    progress: &dyn Progress,
) -> Result<RestoreSummary, BackupError> {
    let opened = repository::open(settings)?;
    let all = snapshots::proven(&opened, settings)?;
    let snapshot = snapshots::select(all, selector, &settings.name)?;
    let indexed = opened.to_indexed();
    let indexed = indexed.map_err(BackupError::engine("read the index", &settings.name))?;
    let others = Others::of(others, settings, snapshots::taken_at(&snapshot));
    let own = snapshots::manifest(&indexed, &snapshot);
    let id = snapshots::full_id(&snapshot);
    let Some(manifest) = own.or_else(|| others.manifest_of(&snapshot)) else {
        return Err(BackupError::ManifestUnreadable { snapshot: id });
    };
    let Some(record) = manifest.files.get(wanted) else {
        let name = wanted.rsplit('/').next().unwrap_or(wanted);
        let alike = manifest.files.keys().filter(|key| key.ends_with(name));
        return Err(BackupError::NoFile {
            snapshot: id,
            wanted: wanted.to_owned(),
            alike: alike.take(ALIKE_MAX).cloned().collect(),
        });
    };
    let mut content = content::walk(&indexed, snapshot.tree);
    let item = content.files.remove(wanted);
    let saved = item.as_ref().map_or(Path::new(wanted), |item| &item.path);
    let path = target.join(saved.file_name().unwrap_or_default());
    if path.symlink_metadata().is_ok() {
        return Err(BackupError::TargetUsed { path });
    }
    target::refuse_without_room(target, record.size)?;
    if !target.is_dir() {
        base::paths::create_private_dir(target)?;
    }
    progress.start(Step::Restore, record.size);
    let job = Job {
        indexed: &indexed,
        others: &others,
        target,
        layout: Layout::NameAlone,
        progress,
    };
    let mut summary = RestoreSummary::of(snapshots::info(&snapshot), 0);
    let outcome = job.file((wanted, record), item.as_ref())?;
    summary.add(wanted, record, outcome);
    base::paths::sync_dir(target)?;
    Ok(summary)
}
