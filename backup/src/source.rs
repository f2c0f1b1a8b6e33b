//! Hands a scanned source to the engine and notes the hash of every byte it takes.
//!
//! The engine skips what it cannot read and says so only in a log; what it truly read is known
//! here, so that [`crate::run`] can refuse a snapshot that lacks something.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest;
use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{Metadata as NodeMetadata, Node, NodeType};
use rustic_core::{
    ErrorKind, ReadSource, ReadSourceEntry, ReadSourceOpen, RusticError, RusticResult,
};

use crate::manifest::{FileRecord, Found, MANIFEST_NAME, hex};
use crate::progress::Progress;

/// restic keeps Go's file modes, in which this bit says "directory".
const GO_MODE_DIR: u32 = 1 << 31;
const PERMISSION_BITS: u32 = 0o777;
const MANIFEST_MODE: u32 = 0o600;

/// What the engine read, by path as in the manifest.
pub(crate) type ReadSoFar = Arc<Mutex<BTreeMap<String, FileRecord>>>;

pub(crate) struct Tree {
    taken_at: Timestamp,
    found: Vec<Found>,
    manifest: Vec<u8>,
    read: ReadSoFar,
    progress: Arc<dyn Progress>,
}

impl Tree {
    pub(crate) fn new(
        taken_at: jiff::Timestamp,
        found: Vec<Found>,
        manifest: Vec<u8>,
        progress: Arc<dyn Progress>,
    ) -> Self {
        Self {
            taken_at: engine_instant(taken_at),
            found,
            manifest,
            read: ReadSoFar::default(),
            progress,
        }
    }

    /// Size and hash of everything that was opened so far.
    pub(crate) fn read(&self) -> BTreeMap<String, FileRecord> {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn entry(&self, found: &Found) -> ReadSourceEntry<Opening> {
        let name = found.path.file_name().unwrap_or_default();
        let node = Node::new_node(name, node_type(&found.metadata), found.node_metadata());
        let open = found.metadata.is_file().then(|| Opening {
            from: From::File(found.from.clone()),
            key: found.key.clone(),
            read: Arc::clone(&self.read),
            progress: Arc::clone(&self.progress),
        });
        ReadSourceEntry {
            path: found.path.clone(),
            node,
            open,
        }
    }

    fn manifest_entry(&self) -> ReadSourceEntry<Opening> {
        let metadata = NodeMetadata {
            mode: Some(MANIFEST_MODE),
            mtime: Some(self.taken_at),
            size: u64::try_from(self.manifest.len()).unwrap_or(u64::MAX),
            ..NodeMetadata::default()
        };
        let node = Node::new_node(OsStr::new(MANIFEST_NAME), NodeType::File, metadata);
        let open = Some(Opening {
            from: From::Bytes(self.manifest.clone()),
            key: MANIFEST_NAME.to_owned(),
            read: Arc::clone(&self.read),
            progress: Arc::clone(&self.progress),
        });
        ReadSourceEntry {
            path: PathBuf::from(MANIFEST_NAME),
            node,
            open,
        }
    }
}

impl ReadSource for Tree {
    type Open = Opening;
    type Iter = std::vec::IntoIter<RusticResult<ReadSourceEntry<Opening>>>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    /// Sorted by path, as the engine needs it to find each file's predecessor.
    fn entries(&self) -> Self::Iter {
        let mut entries: Vec<_> = self.found.iter().map(|f| self.entry(f)).collect();
        entries.push(self.manifest_entry());
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.into_iter().map(Ok).collect::<Vec<_>>().into_iter()
    }
}

enum From {
    File(PathBuf),
    Bytes(Vec<u8>),
}

/// A file that the engine may or may not open.
pub(crate) struct Opening {
    from: From,
    key: String,
    read: ReadSoFar,
    progress: Arc<dyn Progress>,
}

impl ReadSourceOpen for Opening {
    type Reader = Hashing;

    fn open(self) -> RusticResult<Hashing> {
        let inner: Box<dyn Read + Send> = match self.from {
            From::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            From::File(path) => {
                let file = File::open(path).map_err(|e| {
                    RusticError::with_source(ErrorKind::InputOutput, "cannot open a source file", e)
                })?;
                Box::new(file)
            }
        };
        let context = digest::Context::new(&digest::SHA256);
        let (key, read, progress) = (self.key, self.read, self.progress);
        Ok(Hashing {
            inner,
            context,
            size: 0,
            key,
            read,
            progress,
        })
    }
}

/// A reader that notes on drop what went through it.
pub(crate) struct Hashing {
    inner: Box<dyn Read + Send>,
    context: digest::Context,
    size: u64,
    key: String,
    read: ReadSoFar,
    progress: Arc<dyn Progress>,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(piece) = buffer.get(..read) {
            self.context.update(piece);
        }
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        self.size += bytes;
        self.progress.advance(bytes);
        Ok(read)
    }
}

impl Drop for Hashing {
    fn drop(&mut self) {
        let record = FileRecord {
            size: self.size,
            sha256: hex(self.context.clone()),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.insert(std::mem::take(&mut self.key), record);
    }
}

fn node_type(metadata: &Metadata) -> NodeType {
    if metadata.is_dir() {
        NodeType::Dir
    } else {
        NodeType::File
    }
}

impl Found {
    /// Size, time and inode decide whether the engine may take a file as unchanged. Not the time of its
    /// last change of names: whoever links a file into a source changes that, and every hour everything
    /// would be read anew and every directory written anew.
    pub(crate) fn node_metadata(&self) -> NodeMetadata {
        let metadata = &self.metadata;
        let mode = metadata.mode() & PERMISSION_BITS;
        NodeMetadata {
            mode: Some(if metadata.is_dir() {
                mode | GO_MODE_DIR
            } else {
                mode
            }),
            mtime: instant(metadata.mtime(), metadata.mtime_nsec()),
            uid: Some(metadata.uid()),
            gid: Some(metadata.gid()),
            inode: metadata.ino(),
            size: if metadata.is_dir() { 0 } else { metadata.len() },
            ..NodeMetadata::default()
        }
    }
}

fn instant(seconds: i64, nanoseconds: i64) -> Option<Timestamp> {
    Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
}

/// The engine has a `jiff` of its own, of an older line.
pub(crate) fn engine_instant(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_nanosecond(at.as_nanosecond()).unwrap_or_default()
}
