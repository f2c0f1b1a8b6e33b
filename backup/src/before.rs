//! The snapshot before: what need not be read again, and whether nothing changed at all.

use std::collections::BTreeMap;
use std::path::Path;

use rustic_core::repofile::{Metadata, SnapshotFile};
use rustic_core::{IndexedFullStatus, Repository};

use crate::content::{self, Content, Item};
use crate::manifest::{FileRecord, Found};
use crate::run::Source;
use crate::snapshots;

/// The newest snapshot of the same kind.
pub(crate) struct Before {
    pub(crate) snapshot: SnapshotFile,
    facts: serde_json::Value,
    /// What its manifest says of each file.
    records: BTreeMap<String, FileRecord>,
    content: Content,
}

impl Before {
    /// None without a readable manifest: every file is read anew then, since nothing vouches for one
    /// that is skipped.
    pub(crate) fn find(
        indexed: &Repository<IndexedFullStatus>,
        earlier: &[SnapshotFile],
        source: &Source,
    ) -> Option<Self> {
        // Strictly earlier: the manifest's time is that of a snapshot, and by size and time alone the
        // engine would take a manifest of the same instant for this one.
        let same = |s: &&SnapshotFile| {
            let earlier = snapshots::taken_at(s) < source.taken_at;
            earlier && s.label == source.label && s.hostname == source.host
        };
        let found = earlier.iter().rev().find(same)?;
        let manifest = snapshots::manifest(indexed, found)?;
        Some(Self {
            snapshot: found.clone(),
            facts: manifest.facts,
            records: manifest.files,
            content: content::walk(indexed, found.tree),
        })
    }

    /// What a file was, when by its size, time and inode it is the same one. By these the engine
    /// skips it as well, and refers to the bytes that were compared then: should the disk have bent
    /// them since, the repository has the good ones, and the drill finds the bent.
    pub(crate) fn record(&self, found: &Found) -> Option<FileRecord> {
        let (was, is) = (
            &self.content.files.get(&found.key)?.node.meta,
            found.node_metadata(),
        );
        let same = was.size == is.size && was.mtime == is.mtime && was.inode == is.inode;
        let record = self.records.get(&found.key)?;
        (same && record.size == is.size).then(|| record.clone())
    }

    /// Would a snapshot of what was found hold, file by file, what this one holds, and does the repository
    /// still have all of that? Times do not count: what is copied for each run is new each time.
    pub(crate) fn is_still(
        &self,
        indexed: &Repository<IndexedFullStatus>,
        found: &[Found],
        facts: &serde_json::Value,
    ) -> bool {
        let (files, dirs): (Vec<&Found>, Vec<&Found>) =
            found.iter().partition(|one| one.metadata.is_file());
        let is_here = |one: &&Found| {
            let item = self.content.files.get(&one.key);
            item.is_some_and(|item| {
                let record = self.records.get(&one.key);
                let stored = content::stored_length(indexed, &item.node);
                record.is_some()
                    && one.record.as_ref() == record
                    && stored == record.map(|record| record.size)
                    && is_alike(&item.node.meta, &one.node_metadata())
            })
        };
        let own_dirs = self.content.dirs.iter();
        let own_dirs: BTreeMap<&Path, &Item> = own_dirs.map(|dir| (&*dir.path, dir)).collect();
        let has_dir = |one: &&Found| {
            let item = own_dirs.get(one.path.as_path());
            item.is_some_and(|item| is_alike(&item.node.meta, &one.node_metadata()))
        };
        // The manifest, which was read, is one more.
        self.facts == *facts
            && self.content.unreadable.is_empty()
            && self.content.files.len() == files.len() + 1
            && own_dirs.len() == dirs.len()
            && files.iter().all(is_here)
            && dirs.iter().all(has_dir)
    }

    pub(crate) fn into_records(self) -> BTreeMap<String, FileRecord> {
        self.records
    }
}

/// Whose it is, and who may do what with it.
fn is_alike(was: &Metadata, is: &Metadata) -> bool {
    (was.mode, was.uid, was.gid) == (is.mode, is.uid, is.gid)
}
