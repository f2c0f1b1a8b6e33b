//! The log on the second disk, written: only ever added to, and flushed before it is called durable.
//!
//! Shape: [`Writer::part`] and [`Writer::commit`] gather records, [`Writer::flush`] writes and flushes
//! them. A segment that reached [`SEGMENT_BYTES_MAX`] is followed by another.
//! Invariant: whatever was flushed is never written again. After an error the unflushed end is cut off and
//! the writer is given up; the next one begins a new segment behind the last proven transaction. So a
//! flush that failed is never asked a second time, which Linux would answer with a lie.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base::paths::{MODE_PRIVATE, create_private_dir, sync_dir};
use jiff::Timestamp;

use super::disk::Identity;
use super::error::ShipError;
use super::format::{HASH_BYTES, Hash, Head, Holds, RecordHead, RecordKind, hash};
use super::reading::{Tail, generation_dir, segment_numbers, segment_path};
use super::wal::{Commit, Position};

/// A segment is ended once it is so long: what has to be read to go on after a restart.
const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Gathered before it is written out.
const GATHER_BYTES: usize = 4 * 1024 * 1024;

/// What is behind the last flush.
#[derive(Debug, Clone, Copy)]
struct Mark {
    bytes: u64,
    chain: Hash,
    commit: u64,
    at: Option<Timestamp>,
    position: Position,
}

#[derive(Debug)]
pub(super) struct Writer {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    head: Head,
    gathered: Vec<u8>,
    now: Mark,
    flushed: Mark,
    /// When the generation began, and bytes of its earlier segments.
    pub(super) began_at: Timestamp,
    earlier_bytes: u64,
}

impl Writer {
    /// Begins a generation whose first transaction comes after `after`.
    pub(super) fn begin(
        place: &Path,
        identity: Identity,
        (generation, after): (u32, u64),
        page_bytes: u32,
        now: Timestamp,
    ) -> Result<Self, ShipError> {
        let dir = generation_dir(place, generation);
        create_private_dir(&dir)?;
        let head = Head {
            holds: Holds::Base,
            page_bytes,
            generation,
            segment: 1,
            database: identity.database,
            disk: identity.disk,
            made_at: now,
            after,
            position: Position::NONE,
            chain: [0; HASH_BYTES],
        };
        Self::open(dir, head, (now, None), 0)
    }

    /// Goes on with a generation, in a new segment behind its last proven transaction.
    pub(super) fn resume(
        place: &Path,
        identity: Identity,
        tail: &Tail,
        now: Timestamp,
    ) -> Result<Self, ShipError> {
        let head = Head {
            holds: Holds::Commits,
            page_bytes: tail.page_bytes,
            generation: tail.generation,
            segment: tail.segment.saturating_add(u32::from(!tail.is_bare)),
            database: identity.database,
            disk: identity.disk,
            made_at: now,
            after: tail.commit,
            position: tail.position,
            chain: tail.chain,
        };
        let dir = generation_dir(place, tail.generation);
        if tail.is_bare {
            // Its time is of an earlier try; otherwise it is the same, and nobody misses it.
            let path = segment_path(&dir, tail.segment);
            fs::remove_file(&path).map_err(|e| ShipError::io("remove", &path, e))?;
        }
        let times = (tail.began_at, Some(tail.at));
        Self::open(dir, head, times, tail.bytes)
    }

    /// Waits until the disk has all of a generation. A shipper that was killed between writing and flushing
    /// leaves records that can be read and that a power cut would take away.
    pub(super) fn settle(place: &Path, generation: u32) -> Result<(), ShipError> {
        let dir = generation_dir(place, generation);
        for number in segment_numbers(&dir)? {
            let path = segment_path(&dir, number);
            let flushed = File::open(&path).and_then(|file| file.sync_all());
            flushed.map_err(|e| ShipError::io("flush", &path, e))?;
        }
        Ok(sync_dir(&dir)?)
    }

    fn open(
        dir: PathBuf,
        head: Head,
        (began_at, at): (Timestamp, Option<Timestamp>),
        earlier_bytes: u64,
    ) -> Result<Self, ShipError> {
        let (path, file, start) = new_segment(&dir, &head)?;
        let mark = Mark {
            bytes: length_of(&file, &path)?,
            chain: start,
            commit: head.after,
            at,
            position: head.position,
        };
        Ok(Self {
            dir,
            path,
            file,
            head,
            gathered: Vec::new(),
            now: mark,
            flushed: mark,
            began_at,
            earlier_bytes,
        })
    }

    pub(super) fn page_bytes(&self) -> u32 {
        self.head.page_bytes
    }

    pub(super) fn generation(&self) -> u32 {
        self.head.generation
    }

    /// Where the last transaction ended in SQLite's log, flushed or not.
    pub(super) fn position(&self) -> Position {
        self.now.position
    }

    /// The last transaction, flushed or not.
    pub(super) fn commit_number(&self) -> u64 {
        self.now.commit
    }

    /// The last transaction that is durable, and when it was seen.
    pub(super) fn durable(&self) -> (u64, Option<Timestamp>) {
        (self.flushed.commit, self.flushed.at)
    }

    /// Bytes of the generation so far.
    pub(super) fn bytes(&self) -> u64 {
        let gathered = u64::try_from(self.gathered.len()).unwrap_or(u64::MAX);
        let written = self.earlier_bytes.saturating_add(self.now.bytes);
        written.saturating_add(gathered)
    }

    /// SQLite's log was begun anew and nothing was missed.
    pub(super) fn begun_anew(&mut self, position: Position) {
        self.now.position = position;
        self.flushed.position = position;
    }

    /// Says that the next transaction comes after this one: numbers are given once on a disk.
    pub(super) fn number_after(&mut self, commit: u64) {
        self.now.commit = self.now.commit.max(commit);
    }

    /// Pages of a transaction (or of the base) that is not over.
    pub(super) fn part(&mut self, body: &[u8]) -> Result<(), ShipError> {
        let head = RecordHead {
            kind: RecordKind::Part,
            commit: self.now.commit.saturating_add(1),
            body_bytes: body.len(),
        };
        self.add(&head, body)
    }

    /// The end of a transaction.
    pub(super) fn commit(
        &mut self,
        body: &[u8],
        at: Timestamp,
        commit: Commit,
    ) -> Result<(), ShipError> {
        let number = self.now.commit.saturating_add(1);
        let head = RecordHead {
            kind: RecordKind::Commit {
                at,
                db_pages: commit.db_pages,
                end: commit.end,
            },
            commit: number,
            body_bytes: body.len(),
        };
        self.add(&head, body)?;
        self.now.commit = number;
        self.now.at = Some(at);
        self.now.position = commit.end;
        Ok(())
    }

    fn add(&mut self, head: &RecordHead, body: &[u8]) -> Result<(), ShipError> {
        let head = head.encode();
        let chain = hash(&[&self.now.chain, &head, body]);
        for piece in [head.as_slice(), body, &chain] {
            self.gathered.extend_from_slice(piece);
        }
        self.now.chain = chain;
        if self.gathered.len() >= GATHER_BYTES {
            self.write_out()?;
        }
        Ok(())
    }

    fn write_out(&mut self) -> Result<(), ShipError> {
        let written = self.file.write_all(&self.gathered);
        written.map_err(|e| ShipError::io("write", &self.path, e))?;
        let bytes = u64::try_from(self.gathered.len()).unwrap_or(u64::MAX);
        self.now.bytes = self.now.bytes.saturating_add(bytes);
        self.gathered.clear();
        Ok(())
    }

    /// Writes what was gathered and waits until the disk has it.
    pub(super) fn flush(&mut self) -> Result<(), ShipError> {
        self.write_out()?;
        if self.now.bytes != self.flushed.bytes {
            let flushed = self.file.sync_data();
            flushed.map_err(|e| ShipError::io("flush", &self.path, e))?;
        }
        // Flushed and yet gone with its directory: that is not durable.
        let found = self.file.metadata();
        let found = found.map_err(|e| ShipError::io("look at", &self.path, e))?;
        if found.nlink() == 0 {
            return Err(ShipError::Vanished(self.dir.clone()));
        }
        self.flushed = self.now;
        Ok(())
    }

    /// Begins another segment when this one is long, or when the base is whole. Everything is flushed.
    pub(super) fn turn_page(&mut self, holds: Holds, now: Timestamp) -> Result<(), ShipError> {
        if self.head.holds == holds && self.now.bytes < SEGMENT_BYTES_MAX {
            return Ok(());
        }
        let head = Head {
            holds,
            segment: self.head.segment.saturating_add(1),
            made_at: now,
            after: self.now.commit,
            position: self.now.position,
            chain: self.now.chain,
            ..self.head
        };
        let (path, file, start) = new_segment(&self.dir, &head)?;
        self.earlier_bytes = self.earlier_bytes.saturating_add(self.now.bytes);
        self.now.bytes = length_of(&file, &path)?;
        self.now.chain = start;
        self.flushed = self.now;
        (self.path, self.file, self.head) = (path, file, head);
        Ok(())
    }

    /// Cuts off what was not flushed; false when it stays. Of no more use afterwards.
    pub(super) fn give_up(self) -> bool {
        // A disk that is gone refuses this too; the reader passes over the rest all the same.
        if let Err(error) = self.file.set_len(self.flushed.bytes) {
            log::debug!(
                "the unflushed end of {} stays: {error}",
                self.path.display()
            );
            return false;
        }
        true
    }

    /// Takes back what was gathered since the last flush, as long as none of it was written out.
    pub(super) fn take_back(&mut self) -> bool {
        if self.now.bytes != self.flushed.bytes {
            return false;
        }
        self.gathered.clear();
        self.now = self.flushed;
        true
    }
}

fn new_segment(dir: &Path, head: &Head) -> Result<(PathBuf, File, Hash), ShipError> {
    let path = segment_path(dir, head.segment);
    let at = |step| {
        let path = path.clone();
        move |error| ShipError::io(step, &path, error)
    };
    let mut options = File::options();
    options.write(true).create_new(true).mode(MODE_PRIVATE);
    let mut file = options.open(&path).map_err(at("make"))?;
    let (bytes, start) = head.encode();
    let written = file.write_all(&bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Without its head it is nothing; left behind it would only be asked about.
        if let Err(error) = fs::remove_file(&path) {
            log::debug!("{} stays: {error}", path.display());
        }
        return Err(at("write")(error));
    }
    sync_dir(dir)?;
    Ok((path, file, start))
}

fn length_of(file: &File, path: &Path) -> Result<u64, ShipError> {
    let found = file
        .metadata()
        .map_err(|e| ShipError::io("look at", path, e))?;
    Ok(found.len())
}

/// Removes a generation that holds no state of the database.
pub(super) fn discard(place: &Path, generation: u32) -> Result<(), ShipError> {
    let dir = generation_dir(place, generation);
    match fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ShipError::io("remove", &dir, error))
        }
        Ok(()) | Err(_) => Ok(sync_dir(place)?),
    }
}
