//! A repository in a temporary directory, and the promises of saving and of coming back.

mod healing;
mod keeping;
mod lineages;
mod pruning;
mod restoring;
mod retention;
mod saving;
mod status;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    BackupError, Chunking, Progress, Quiet, RepositorySettings, Selector, SnapshotSummary, Source,
    Step, init, restore_to, run,
};

/// Tuesday noon in Japan.
const NOON: &str = "2026-04-07T03:00:00Z";

struct Room {
    dir: TempDir,
    settings: RepositorySettings,
    source: Source,
}

impl Room {
    fn new(chunking: Chunking) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = RepositorySettings {
            name: "A".to_owned(),
            location: dir.path().join("repository").into(),
            password_file: dir.path().join("password"),
            chunking,
        };
        let source = Source {
            dir: dir.path().join("source"),
            beside: Vec::new(),
            label: "db".to_owned(),
            host: "box".to_owned(),
            taken_at: NOON.parse().unwrap(),
            facts: json!({"residents": 3}),
        };
        fs::create_dir(&source.dir).unwrap();
        init(&settings).unwrap();
        Self {
            dir,
            settings,
            source,
        }
    }

    /// With a database, two attachments and an empty directory.
    fn filled() -> Self {
        let room = Self::new(Chunking::Fixed16KiB);
        room.put("hokatsu.db", &noise(1, 300_000));
        room.put("attachments/1", &noise(2, 50_000));
        room.put("attachments/2", b"");
        fs::create_dir(room.source.dir.join("empty")).unwrap();
        room
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        put(&self.source.dir.join(name), bytes);
    }

    fn later(&mut self, hours: i64) {
        self.source.taken_at += jiff::SignedDuration::from_hours(hours);
    }

    fn run(&self) -> Result<SnapshotSummary, BackupError> {
        run(&self.settings, &self.source, &quiet())
    }

    fn target(&self) -> PathBuf {
        self.dir.path().join("target")
    }

    fn restore(&self) -> Result<crate::RestoreSummary, BackupError> {
        restore_to(&self.settings, &Selector::Latest, &self.target(), &Quiet)
    }

    /// The largest pack, which holds data and not trees.
    fn pack(&self) -> PathBuf {
        let packs = files_below(&self.settings.location.directory().unwrap().join("data"));
        packs
            .into_iter()
            .max_by_key(|p| fs::metadata(p).unwrap().len())
            .unwrap()
    }
}

/// Does something to the world at the moment a step starts.
struct At<F>(Step, F);

impl<F: Fn() + Send + Sync> Progress for At<F> {
    fn start(&self, step: Step, _bytes: u64) {
        if step == self.0 {
            (self.1)();
        }
    }
    fn advance(&self, _bytes: u64) {}
}

fn quiet() -> Arc<dyn Progress> {
    Arc::new(Quiet)
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// Bytes that do not compress, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn flip_byte(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    put(path, &bytes);
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}
