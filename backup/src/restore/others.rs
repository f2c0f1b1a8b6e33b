//! What this repository has lost and another one still has, found by hash.
//!
//! Shape: opened only when something is missing. A piece is called by the hash of its bytes, so that
//! repositories that cut alike help each other piece by piece; a file is found in the manifests.
//! Limits: [`SNAPSHOTS_MAX`] manifests of each repository, those nearest in time.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use rustic_core::repofile::{BlobType, Node, SnapshotFile};
use rustic_core::{BlobId, IndexedFullStatus, Repository, TreeId};

use crate::content;
use crate::manifest::{FileRecord, Manifest};
use crate::repository;
use crate::settings::RepositorySettings;
use crate::snapshots;

const SNAPSHOTS_MAX: usize = 50;

/// Repositories beside the one that is restored from.
pub(crate) struct Others<'s> {
    settings: Vec<&'s RepositorySettings>,
    taken_at: Timestamp,
    opened: OnceCell<Vec<Other>>,
}

pub(crate) struct Other {
    pub(crate) name: String,
    pub(crate) indexed: Repository<IndexedFullStatus>,
    /// Nearest in time first.
    snapshots: Vec<SnapshotFile>,
    /// By size and hash: in which tree, under which name. Made when first asked.
    files: OnceCell<Places>,
}

type Places = BTreeMap<(u64, String), Vec<(String, TreeId)>>;

/// A file of another repository.
pub(crate) struct Found {
    pub(crate) key: String,
    pub(crate) path: std::path::PathBuf,
    pub(crate) node: Node,
}

impl<'s> Others<'s> {
    /// Everything but `own`.
    pub(crate) fn of(
        all: &'s [RepositorySettings],
        own: &RepositorySettings,
        taken_at: Timestamp,
    ) -> Self {
        Self {
            settings: all
                .iter()
                .filter(|other| other.location != own.location)
                .collect(),
            taken_at,
            opened: OnceCell::new(),
        }
    }

    fn opened(&self) -> &[Other] {
        self.opened.get_or_init(|| {
            let open = |settings: &&RepositorySettings| {
                open(settings, self.taken_at)
                    .inspect_err(|error| log::warn!("cannot help out: {error}"))
                    .ok()
            };
            self.settings.iter().filter_map(open).collect()
        })
    }

    /// The manifest of the same moment, which all repositories share.
    pub(crate) fn manifest_of(&self, wanted: &SnapshotFile) -> Option<Manifest> {
        let hash = snapshots::describe(wanted)?.manifest_sha256;
        self.opened().iter().find_map(|other| {
            let same = |snapshot: &&SnapshotFile| {
                snapshots::describe(snapshot).is_some_and(|told| told.manifest_sha256 == hash)
            };
            let snapshot = other.snapshots.iter().find(same)?;
            snapshots::manifest(&other.indexed, snapshot)
        })
    }

    /// A piece, and which repository has it.
    pub(crate) fn piece(&self, id: &BlobId) -> Option<(String, impl AsRef<[u8]> + use<>)> {
        self.opened().iter().find_map(|other| {
            let piece = other.indexed.get_blob_cached(id, BlobType::Data).ok()?;
            Some((other.name.clone(), piece))
        })
    }

    /// A file of the same content; of several, the one of the same name.
    pub(crate) fn same_content(&self, key: &str, record: &FileRecord) -> Option<(&Other, Found)> {
        self.opened().iter().find_map(|other| {
            let wanted = (record.size, record.sha256.clone());
            let places = other.files().get(&wanted)?;
            let named = places.iter().find(|(name, _)| name == key);
            let (name, tree) = named.or_else(|| places.first())?;
            let mut content = content::walk(&other.indexed, *tree);
            let item = content.files.remove(name)?;
            let (path, node) = (item.path, item.node);
            let key = name.clone();
            Some((other, Found { key, path, node }))
        })
    }
}

impl Other {
    fn files(&self) -> &Places {
        self.files.get_or_init(|| {
            let mut all = Places::new();
            for snapshot in self.snapshots.iter().take(SNAPSHOTS_MAX) {
                let Some(manifest) = snapshots::manifest(&self.indexed, snapshot) else {
                    continue;
                };
                for (key, record) in manifest.files {
                    let places = all.entry((record.size, record.sha256)).or_default();
                    places.push((key, snapshot.tree));
                }
            }
            all
        })
    }
}

fn open(
    settings: &RepositorySettings,
    taken_at: Timestamp,
) -> Result<Other, crate::error::BackupError> {
    let opened = repository::open(settings)?;
    let mut all = snapshots::proven(&opened, settings)?;
    all.sort_by_key(|snapshot| {
        let apart = snapshots::taken_at(snapshot).duration_since(taken_at);
        apart.unsigned_abs()
    });
    let indexed = opened.to_indexed();
    let reading = crate::error::BackupError::engine("read the index", &settings.name);
    Ok(Other {
        name: settings.name.clone(),
        indexed: indexed.map_err(reading)?,
        snapshots: all,
        files: OnceCell::new(),
    })
}
