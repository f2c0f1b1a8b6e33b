//! The directories beside the data directory: the state that is being made, and those that are kept.
//!
//! All lie on the data directory's own file system, so that each change of names is one step.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base::clock::japan;
use base::report::{Kind, Report, Runbook};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use store::DataDir;

/// Names that only a data directory of ours has; another directory is not put away.
const OURS: [&str; 5] = [
    "hokatsu.db",
    "keys",
    "audit-checkpoints.jsonl",
    "attachments",
    "presence",
];

/// Between the name of a data directory and the moment, in the names of former states.
const KEPT: &str = ".before-";
const MOMENT: &str = "%Y-%m-%dT%H%M%S";

/// Where everything of one data directory lies.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) data: DataDir,
    parent: PathBuf,
    name: String,
}

impl Places {
    pub(super) fn of(dir: &DataDir) -> Result<Self, Report> {
        let path = std::path::absolute(dir.path()).map_err(|e| unusable(dir.path(), e))?;
        // A link is followed to the directory that it means: that one is renamed.
        let path = path.canonicalize().unwrap_or(path);
        let name = path.file_name().map(|name| name.to_string_lossy());
        let (Some(parent), Some(name)) = (path.parent(), name) else {
            return Err(refused(
                Kind::Usage,
                "この場所はデータディレクトリにできません",
                &path,
            ));
        };
        Ok(Self {
            parent: parent.to_path_buf(),
            name: name.into_owned(),
            data: DataDir::new(&path),
        })
    }

    fn beside(&self, end: &str) -> PathBuf {
        self.parent.join(format!("{}{end}", self.name))
    }

    pub(super) fn parent(&self) -> &Path {
        &self.parent
    }

    /// The state that is being made; after the exchange, for a moment, the former one.
    pub(super) fn staging(&self) -> DataDir {
        DataDir::new(self.beside(".restoring"))
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.beside(".restore.json")
    }

    /// Where a copy of the former database lies while it is read, when it has to be migrated.
    pub(super) fn scratch(&self) -> PathBuf {
        self.beside(".former.db")
    }

    /// A name for the former state, by the moment; behind all that are kept, also those of the same second or of a
    /// clock that ran ahead: the newest is the one that is put back.
    pub(super) fn kept_at(&self, now: Timestamp) -> Result<PathBuf, Report> {
        let mut at = now.to_zoned_datetime(japan()).datetime();
        let begin = format!("{}{KEPT}", self.name);
        let newest = self.kept()?.into_iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_prefix(&begin)?.to_owned();
            DateTime::strptime(MOMENT, name).ok()
        });
        if let Some(newest) = newest.max() {
            at = at.max(newest.saturating_add(SignedDuration::from_secs(1)));
        }
        Ok(self.beside(&format!("{KEPT}{}", at.strftime(MOMENT))))
    }

    /// Former states that are kept, newest first.
    pub(super) fn kept(&self) -> Result<Vec<PathBuf>, Report> {
        let begin = format!("{}{KEPT}", self.name);
        let entries = match fs::read_dir(&self.parent) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(unusable(&self.parent, e)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| unusable(&self.parent, e))?;
            if entry.file_name().to_string_lossy().starts_with(&begin) && entry.path().is_dir() {
                found.push(entry.path());
            }
        }
        // Their names sort by time.
        found.sort();
        found.reverse();
        Ok(found)
    }

    /// Is there something that has to be put away?
    pub(super) fn is_used(&self) -> Result<bool, Report> {
        match fs::read_dir(self.data.path()) {
            Ok(mut entries) => Ok(entries.next().is_some()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(unusable(self.data.path(), e)),
        }
    }

    /// Refuses what cannot be exchanged in one step, before anything is written.
    pub(super) fn refuse_unfit(&self, used: bool) -> Result<(), Report> {
        let path = self.data.path();
        if used && !OURS.iter().any(|name| path.join(name).exists()) {
            return Err(refused(
                Kind::Usage,
                "この場所には hokatsu のものではないファイルがあります。何も変更していません。\
                 --data が正しいか確かめてください",
                path,
            ));
        }
        let above = fs::metadata(&self.parent).map_err(|e| unusable(&self.parent, e))?;
        if let Ok(own) = fs::metadata(path)
            && own.dev() != above.dev()
        {
            return Err(refused(
                Kind::DataDirectory,
                "データディレクトリがディスクの付け根（マウントした場所）なので、入れ替えられません。\
                 何も変更していません。--to で戻し、手順書のとおりに移してください",
                path,
            ));
        }
        let writable = rustix::fs::access(&self.parent, rustix::fs::Access::WRITE_OK);
        writable.map_err(|e| {
            Report::new(Kind::Permission, std::io::Error::from(e))
                .operator(
                    "データディレクトリの隣に書けません。何も変更していません。\
                     `sudo hokatsu restore` のように管理者として実行してください",
                    Runbook::RestoreFailed,
                )
                .at(&self.parent)
        })
    }
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

pub(super) fn refused(kind: Kind, text: &str, path: &Path) -> Report {
    Report::bare(kind)
        .operator(text, Runbook::RestoreFailed)
        .at(path)
}

pub(super) fn unusable(
    path: &Path,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Report {
    Report::new(Kind::Disk, error)
        .operator(
            "復元に使う場所を読み書きできません。もとの記録は無事です",
            Runbook::RestoreFailed,
        )
        .at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_one_second_are_kept_under_names_of_their_own_that_sort() {
        let root = tempfile::tempdir().unwrap();
        let places = Places::of(&DataDir::new(root.path().join("data"))).unwrap();
        let now = "2026-11-30T14:59:59.7Z".parse().unwrap();
        let mut names = Vec::new();
        for _ in 0..3 {
            let path = places.kept_at(now).unwrap();
            fs::create_dir(&path).unwrap();
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
        let ends = [
            "2026-11-30T235959",
            "2026-12-01T000000",
            "2026-12-01T000001",
        ];
        assert_eq!(names, ends.map(|end| format!("data.before-{end}")));
    }
}
