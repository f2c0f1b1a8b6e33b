//! SQLite's write-ahead log, read as bytes and judged as SQLite itself would.
//!
//! Shape: a [`Header`], then frames whose checksums go on from each other; a [`Position`] is a place
//! between two transactions. [`Wal::commit_after`] finds the end of the next transaction,
//! [`Wal::frames`] reads its pages.
//! Invariant: a frame is taken only when its salts are the header's and its checksum continues the one
//! before: whatever was left by an earlier life of the file, or is being written, is not.
//! Source: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>; `walIndexRecover`.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

pub(super) const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;
/// Pages that SQLite allows: 512 bytes to 64 KiB.
const PAGE_BYTES: std::ops::RangeInclusive<u32> = 512..=65_536;
/// Read at once; a commit of the service is about 60 KB.
const READ_BYTES: usize = 256 * 1024;

/// The two halves of the running checksum.
pub(super) type Sums = (u32, u32);

/// What stands at the beginning of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) page_bytes: u32,
    pub(super) salts: [u8; 8],
    sums: Sums,
    big_endian: bool,
}

/// A place in a write-ahead log, after a whole transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(super) salts: [u8; 8],
    /// Frames before it.
    pub(super) frames: u32,
    pub(super) sums: Sums,
}

impl Position {
    /// There is no write-ahead log: everything is in the database file.
    pub(super) const NONE: Self = Self {
        salts: [0; 8],
        frames: 0,
        sums: (0, 0),
    };

    /// Before the first frame of a log.
    pub(super) fn start_of(header: &Header) -> Self {
        Self {
            salts: header.salts,
            frames: 0,
            sums: header.sums,
        }
    }

    pub(super) fn is_in(&self, header: &Header) -> bool {
        self.salts == header.salts
    }

    /// Was the log that this is in begun anew exactly once to become that one? The first salt grows by
    /// one each time. (The number of checkpoints beside it is each connection's own, and is no proof.)
    pub(super) fn precedes(&self, header: &Header) -> bool {
        let first = |salts: &[u8; 8]| word(salts, 0).unwrap_or_default();
        first(&header.salts) == first(&self.salts).wrapping_add(1)
    }
}

/// The end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) end: Position,
    /// Pages of the database after it.
    pub(super) db_pages: u32,
}

/// One page as a transaction left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) page: u32,
    /// Pages of the database when this frame ends a transaction, else 0.
    pub(super) db_pages: u32,
    pub(super) data: Vec<u8>,
}

/// What lies behind a position that the log had before it was begun anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remains {
    /// No transaction: nothing was missed.
    Nothing,
    /// A transaction that was not seen in time.
    Transaction,
    /// It was written over.
    Unknown,
    /// What was shipped was never in this log.
    Other,
}

impl Header {
    /// Nothing when it is not one: the file is new, or this is being written.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEADER_BYTES)?;
        let magic = word(bytes, 0)?;
        let page_bytes = word(bytes, 8)?;
        let is_one = magic & !1 == MAGIC
            && word(bytes, 4)? == VERSION
            && PAGE_BYTES.contains(&page_bytes)
            && page_bytes.is_power_of_two();
        let header = Self {
            page_bytes,
            salts: bytes.get(16..24)?.try_into().ok()?,
            sums: (word(bytes, 24)?, word(bytes, 28)?),
            big_endian: magic & 1 == 1,
        };
        let whole = sums((0, 0), bytes.get(..24)?, header.big_endian) == header.sums;
        (is_one && whole).then_some(header)
    }

    fn frame_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + usize::try_from(self.page_bytes).unwrap_or(usize::MAX / 2)
    }

    /// Where the frame after so many others begins.
    pub(super) fn offset(&self, frames: u32) -> u64 {
        let one = u64::try_from(self.frame_bytes()).unwrap_or(u64::MAX);
        let before = u64::from(frames).saturating_mul(one);
        before.saturating_add(u64::try_from(HEADER_BYTES).unwrap_or_default())
    }

    /// The frame in these bytes if it goes on from `before`; with the checksum after it.
    fn frame(&self, bytes: &[u8], before: Sums) -> Option<(Frame, Sums)> {
        let (head, data) = bytes.split_at_checked(FRAME_HEADER_BYTES)?;
        let page = word(head, 0)?;
        if page == 0 || head.get(8..16)? != self.salts {
            return None;
        }
        let after = sums(before, head.get(..8)?, self.big_endian);
        let after = sums(after, data, self.big_endian);
        if after != (word(head, 16)?, word(head, 20)?) {
            return None;
        }
        let frame = Frame {
            page,
            db_pages: word(head, 4)?,
            data: data.to_vec(),
        };
        Some((frame, after))
    }
}

/// An open write-ahead log. Never in a process that holds the database open with SQLite.
#[derive(Debug)]
pub(super) struct Wal {
    file: File,
    inode: u64,
}

impl Wal {
    /// The log at `path`, if there is one.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => {
                let inode = file.metadata()?.ino();
                Ok(Some(Self { file, inode }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Is this the file that has the name?
    pub(super) fn is_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|found| found.ino() == self.inode)
    }

    pub(super) fn header(&self) -> io::Result<Option<Header>> {
        let mut bytes = [0; HEADER_BYTES];
        let read = read_up_to(&self.file, &mut bytes, 0)?;
        Ok(bytes.get(..read).and_then(Header::parse))
    }

    /// Is what stands before this position still what was there?
    pub(super) fn still_holds(&self, header: &Header, position: &Position) -> io::Result<bool> {
        if position.frames == 0 {
            return Ok(position.sums == header.sums);
        }
        let mut head = [0; FRAME_HEADER_BYTES];
        let at = header.offset(position.frames - 1);
        let whole = read_up_to(&self.file, &mut head, at)? == head.len();
        let found = (word(&head, 16), word(&head, 20));
        let wanted = (Some(position.sums.0), Some(position.sums.1));
        Ok(whole && head.get(8..16) == Some(&position.salts) && found == wanted)
    }

    /// The frames from a position on, as far as they are whole.
    pub(super) fn frames(&self, header: &Header, from: Position) -> Frames<'_> {
        Frames {
            wal: self,
            header: *header,
            at: from,
            buffer: Vec::new(),
            used: 0,
        }
    }

    /// The end of the first whole transaction after a position, if there is one.
    pub(super) fn commit_after(
        &self,
        header: &Header,
        from: Position,
    ) -> io::Result<Option<Commit>> {
        let mut frames = self.frames(header, from);
        while let Some(frame) = frames.next()? {
            if frame.db_pages != 0 {
                return Ok(Some(Commit {
                    end: frames.at,
                    db_pages: frame.db_pages,
                }));
            }
        }
        Ok(None)
    }

    /// The log was begun anew as `header` says: did its old life end at `end`? Frames are written over from
    /// the front, so what lies behind the new ones is what the old life left.
    pub(super) fn remains_after(&self, header: &Header, end: &Position) -> io::Result<Remains> {
        let old = Header {
            salts: end.salts,
            ..*header
        };
        let salts_at = |frames: u32| -> io::Result<Option<[u8; 8]>> {
            let mut head = [0; FRAME_HEADER_BYTES];
            let whole = read_up_to(&self.file, &mut head, header.offset(frames))? == head.len();
            Ok(head
                .get(8..16)
                .filter(|_| whole)
                .and_then(|s| s.try_into().ok()))
        };
        let Some(last) = end.frames.checked_sub(1) else {
            return Ok(Remains::Unknown);
        };
        let new = Some(header.salts);
        if salts_at(last)? == new {
            return Ok(Remains::Unknown);
        }
        // The last frame that was shipped must be there: or this was never the log that it was read from.
        if !self.still_holds(&old, end)? {
            let overtaken = salts_at(last)? == new;
            return Ok(if overtaken {
                Remains::Unknown
            } else {
                Remains::Other
            });
        }
        let found = salts_at(end.frames)?;
        if found == new {
            return Ok(Remains::Unknown);
        }
        if found != Some(end.salts) {
            return Ok(Remains::Nothing);
        }
        // Left by a transaction, or by one that was given up: only the first has a whole end.
        let mut frames = self.frames(&old, *end);
        while let Some(frame) = frames.next()? {
            if frame.db_pages != 0 {
                return Ok(Remains::Transaction);
            }
        }
        let overtaken = salts_at(frames.at.frames)? == Some(header.salts);
        Ok(if overtaken {
            Remains::Unknown
        } else {
            Remains::Nothing
        })
    }
}

/// Whole frames one after another.
#[derive(Debug)]
pub(super) struct Frames<'w> {
    wal: &'w Wal,
    header: Header,
    /// After the last frame that was given out.
    pub(super) at: Position,
    buffer: Vec<u8>,
    used: usize,
}

impl Frames<'_> {
    /// The next one; nothing where the log ends.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        let one = self.header.frame_bytes();
        if self.buffer.len().saturating_sub(self.used) < one {
            let many = (READ_BYTES / one).max(1).saturating_mul(one);
            self.buffer.resize(many, 0);
            let from = self.header.offset(self.at.frames);
            let read = read_up_to(&self.wal.file, &mut self.buffer, from)?;
            self.buffer.truncate(read);
            self.used = 0;
        }
        let bytes = self.buffer.get(self.used..self.used.saturating_add(one));
        let Some((frame, sums)) = bytes.and_then(|b| self.header.frame(b, self.at.sums)) else {
            return Ok(None);
        };
        self.used += one;
        self.at.frames = self.at.frames.saturating_add(1);
        self.at.sums = sums;
        Ok(Some(frame))
    }
}

/// Reads until the buffer is full or the file ends.
pub(super) fn read_up_to(file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let at = from.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
        match file.read_at(rest, at) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// The big-endian number at a place.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let found = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*found))
}

/// SQLite's running checksum over pairs of words.
fn sums((mut first, mut second): Sums, bytes: &[u8], big_endian: bool) -> Sums {
    let (pairs, _) = bytes.as_chunks::<8>();
    for [a, b, c, d, e, f, g, h] in pairs {
        let (left, right) = if big_endian {
            (
                u32::from_be_bytes([*a, *b, *c, *d]),
                u32::from_be_bytes([*e, *f, *g, *h]),
            )
        } else {
            (
                u32::from_le_bytes([*a, *b, *c, *d]),
                u32::from_le_bytes([*e, *f, *g, *h]),
            )
        };
        first = first.wrapping_add(left).wrapping_add(second);
        second = second.wrapping_add(right).wrapping_add(first);
    }
    (first, second)
}
