//! What a disk was told to write, in the order in which it was told, and what a power cut may leave of it.
//!
//! Shape: [`Log`] reads what QEMU's `blklogwrites` wrote: a first sector of its own, then per write one sector of head
//! (place, length, flags; little-endian) and the bytes. [`Log::cut`] chooses what is left, [`Left::onto`] makes the
//! disk.
//! Invariant: what was written before the last flush that had come to its end is there whole. Of what came later
//! each write is there, is not there, or is there up to one of its sectors; that is what a disk with a cache may do,
//! and killing QEMU never shows it, since the host keeps everything.
//! Source: the Linux kernel, drivers/md/dm-log-writes.c; QEMU, block/blklogwrites.c.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::problem::{Problem, at, unclear};

/// Bytes that a disk writes whole or not at all.
pub const SECTOR: u64 = 512;
const FLUSH: u64 = 1;
/// Of these a log has no bytes; a disk may forget what lay there, or not.
const DISCARD: u64 = 4;
/// Of a hundred writes that were not flushed, so many of those that are left are left in part.
const TORN_PERCENT: u64 = 20;

/// The log of one disk.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    entries: Vec<Entry>,
}

/// One thing that the disk was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// Where on the disk, bytes.
    place: u64,
    /// How many bytes; none: a flush.
    bytes: u64,
    flags: u64,
    /// Where its bytes lie in the log.
    data: u64,
}

impl Entry {
    const fn end(self) -> u64 {
        self.data.saturating_add(self.in_log())
    }

    const fn in_log(self) -> u64 {
        if self.flags & DISCARD == 0 {
            self.bytes
        } else {
            0
        }
    }

    const fn is_flush(self) -> bool {
        self.flags & FLUSH != 0
    }
}

/// What a power cut left of a log's writes.
#[derive(Debug)]
pub struct Left<'l> {
    log: &'l Log,
    /// Each with the bytes of it that are there.
    writes: Vec<(Entry, u64)>,
    /// Writes that are not there at all.
    pub lost: u64,
    /// Writes that are there in part.
    pub torn: u64,
}

impl Log {
    /// Everything that lies whole in it; it may have been cut off anywhere.
    ///
    /// # Errors
    /// [`Problem::File`], and [`Problem::NotUnderstood`] for what is no such log.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let file = File::open(path).map_err(at(path, "open"))?;
        let length = file.metadata().map_err(at(path, "read"))?.len();
        let mut entries = Vec::new();
        let mut next = SECTOR;
        while next.saturating_add(SECTOR) <= length {
            let mut head = [0; 32];
            file.read_exact_at(&mut head, next)
                .map_err(at(path, "read"))?;
            let [sector, sectors, flags, _] = fields(head);
            // A write that was under way when the machine died has its place and no head yet.
            if sectors == 0 && flags == 0 {
                break;
            }
            if flags & !(FLUSH | DISCARD) != 0 {
                let flags = io::Error::other(format!("flags {flags} at {next}"));
                return Err(unclear("blklogwrites")(flags));
            }
            let entry = Entry {
                place: sector.saturating_mul(SECTOR),
                bytes: sectors.saturating_mul(SECTOR),
                flags,
                data: next.saturating_add(SECTOR),
            };
            if entry.end() > length {
                break;
            }
            next = entry.end();
            entries.push(entry);
        }
        Ok(Self {
            path: path.to_path_buf(),
            entries,
        })
    }

    /// The same of a disk that says that it has flushed and has not.
    #[must_use]
    pub fn lying(mut self) -> Self {
        self.entries.retain(|entry| !entry.is_flush());
        self
    }

    /// How many things the disk had been told when the log was so many bytes long.
    #[must_use]
    pub fn until(&self, length: u64) -> usize {
        self.entries.partition_point(|entry| entry.end() <= length)
    }

    /// Flushes among the first `count` things.
    #[must_use]
    pub fn flushes(&self, count: usize) -> usize {
        let first = self.entries.iter().take(count);
        first.filter(|entry| entry.is_flush()).count()
    }

    /// Writes among the first `count` things that no flush had followed by then.
    #[must_use]
    pub fn unsure(&self, count: usize) -> usize {
        let newest_first = self.entries.iter().take(count).rev();
        let later = newest_first.take_while(|entry| !entry.is_flush());
        later.filter(|entry| entry.in_log() > 0).count()
    }

    /// The power goes after the first `count` things. `below` gives a number smaller than the one it is given; of a
    /// hundred writes that were not flushed so many as `kept_percent` are left.
    pub fn cut(
        &self,
        count: usize,
        kept_percent: u64,
        mut below: impl FnMut(u64) -> u64,
    ) -> Left<'_> {
        let told = self.entries.get(..count).unwrap_or(&self.entries);
        let flushed = told.iter().rposition(|entry| entry.is_flush());
        let sure = flushed.map_or(0, |at| at + 1);
        let mut left = Left {
            log: self,
            writes: Vec::new(),
            lost: 0,
            torn: 0,
        };
        for (at, entry) in told.iter().enumerate().filter(|(_, one)| one.in_log() > 0) {
            if at < sure {
                left.writes.push((*entry, entry.bytes));
            } else if below(100) >= kept_percent {
                left.lost += 1;
            } else {
                let sectors = entry.bytes / SECTOR;
                let is_torn = sectors > 1 && below(100) < TORN_PERCENT;
                let there = if is_torn {
                    1 + below(sectors - 1)
                } else {
                    sectors
                };
                left.torn += u64::from(is_torn);
                left.writes.push((*entry, there * SECTOR));
            }
        }
        left
    }
}

impl Left<'_> {
    /// Writes it onto a disk as it was before the log began.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn onto(&self, disk: &Path) -> Result<(), Problem> {
        let path = &self.log.path;
        let from = File::open(path).map_err(at(path, "open"))?;
        let to = File::options().write(true).open(disk);
        let to = to.map_err(at(disk, "open"))?;
        let mut piece = Vec::new();
        for (entry, bytes) in &self.writes {
            piece.resize(usize::try_from(*bytes).unwrap_or(usize::MAX), 0);
            from.read_exact_at(&mut piece, entry.data)
                .map_err(at(path, "read"))?;
            to.write_all_at(&piece, entry.place)
                .map_err(at(disk, "write"))?;
        }
        Ok(())
    }
}

fn fields(head: [u8; 32]) -> [u64; 4] {
    let (numbers, _) = head.as_chunks::<8>();
    let mut found = [0; 4];
    for (field, bytes) in found.iter_mut().zip(numbers) {
        *field = u64::from_le_bytes(*bytes);
    }
    found
}

#[cfg(test)]
mod tests {
    use base::paths::{MODE_PUBLIC, write_atomic};
    use tempfile::TempDir;

    use super::*;

    /// Of sector, sectors, flags: each write with bytes of its number.
    fn log(told: &[(u64, u64, u64)]) -> (TempDir, Log) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut bytes = vec![0; 512];
        for (number, (sector, sectors, flags)) in (1..).zip(told) {
            let mut head = vec![0; 512];
            for (place, field) in [sector, sectors, flags].iter().enumerate() {
                head[place * 8..place * 8 + 8].copy_from_slice(&field.to_le_bytes());
            }
            bytes.extend(head);
            if flags & DISCARD == 0 {
                bytes.extend(vec![number; usize::try_from(sectors * SECTOR).unwrap()]);
            }
        }
        write_atomic(&path, &bytes, MODE_PUBLIC).unwrap();
        let log = Log::read(&path).unwrap();
        (dir, log)
    }

    fn disk(dir: &TempDir, left: &Left<'_>) -> Vec<u8> {
        let path = dir.path().join("disk");
        write_atomic(&path, &[0; 8 * 512], MODE_PUBLIC).unwrap();
        left.onto(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        bytes.chunks(512).map(|sector| sector[0]).collect()
    }

    const TOLD: [(u64, u64, u64); 5] = [(0, 2, 0), (1, 2, 0), (0, 0, FLUSH), (4, 4, 0), (0, 1, 0)];

    #[test]
    fn what_was_flushed_is_there_whatever_the_dice_say() {
        let (dir, log) = log(&TOLD);
        let left = log.cut(usize::MAX, 0, |_| 0);
        assert_eq!((left.lost, left.torn), (2, 0));
        assert_eq!(disk(&dir, &left), [1, 2, 2, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_disk_that_lies_forgets_what_it_said_it_had_flushed() {
        let (dir, log) = log(&TOLD);
        let log = log.lying();
        let left = log.cut(usize::MAX, 0, |_| 0);
        assert_eq!((left.lost, log.flushes(usize::MAX)), (4, 0));
        assert_eq!(disk(&dir, &left), [0; 8]);
    }

    #[test]
    fn what_came_later_is_there_in_part_or_whole() {
        let (dir, log) = log(&TOLD);
        let left = log.cut(5, 100, |most| most - 1);
        assert_eq!((left.lost, left.torn), (0, 0));
        assert_eq!(disk(&dir, &left), [5, 2, 2, 0, 4, 4, 4, 4]);
        let left = log.cut(4, 100, |most| if most == 100 { 0 } else { most - 1 });
        assert_eq!((left.lost, left.torn), (0, 1));
        assert_eq!(disk(&dir, &left), [1, 2, 2, 0, 4, 4, 4, 0]);
    }

    #[test]
    fn a_cut_knows_nothing_of_what_was_told_after_it() {
        let (dir, log) = log(&TOLD);
        // The second write lies at the end of 512 and twice 3 sectors.
        let count = log.until(7 * 512);
        assert_eq!((count, log.until(7 * 512 - 1)), (2, 1));
        assert_eq!((log.flushes(count), log.flushes(5)), (0, 1));
        assert_eq!([2, 3, 4, 5].map(|count| log.unsure(count)), [2, 0, 1, 2]);
        let left = log.cut(count, 0, |_| 0);
        assert_eq!(left.lost, 2);
        assert_eq!(disk(&dir, &left), [0; 8]);
    }

    #[test]
    fn a_log_that_ends_in_the_middle_of_a_write_ends_before_it() {
        let (dir, _) = log(&TOLD);
        let path = dir.path().join("log");
        let bytes = std::fs::read(&path).unwrap();
        write_atomic(&path, &bytes[..bytes.len() - 1], MODE_PUBLIC).unwrap();
        assert_eq!(Log::read(&path).unwrap().entries.len(), 4);
        write_atomic(&path, &[bytes, vec![0; 512]].concat(), MODE_PUBLIC).unwrap();
        assert_eq!(Log::read(&path).unwrap().entries.len(), 5);
    }

    #[test]
    fn what_is_forgotten_has_no_bytes_and_what_is_no_log_is_told() {
        let (dir, log) = log(&[(0, 2, 0), (0, 2, DISCARD), (3, 1, 0), (0, 0, FLUSH)]);
        assert_eq!(disk(&dir, &log.cut(4, 0, |_| 0)), [1, 1, 0, 3, 0, 0, 0, 0]);
        let path = dir.path().join("log");
        write_atomic(&path, &[0xff; 2048], MODE_PUBLIC).unwrap();
        let error = Log::read(&path).unwrap_err();
        assert!(matches!(error, Problem::NotUnderstood { .. }), "{error}");
    }
}
