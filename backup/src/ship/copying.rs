//! The database file, copied while it is in use: the beginning of a generation.
//!
//! Shape: [`Copying::step`] copies the file piece by piece, whatever is written to it meanwhile; at the end
//! [`Copying::finish`] lays over it every page of SQLite's log up to its last transaction.
//! Invariant: what a checkpoint can have written into the file while it was copied stands in the log as
//! well, as long as the log was not begun anew. So file and log together are exactly the state after the
//! log's last transaction, without any lock. When the log was begun anew, the copy is given up.
//! Source: `walCheckpoint`: a checkpoint writes pages of frames and nothing else.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use jiff::Timestamp;

use super::error::ShipError;
use super::format::{Holds, pages_per_record, put_page};
use super::wal::{Commit, Header, Position, Wal, read_up_to, word};
use super::writing::Writer;

/// Copied without a flush in between.
const FLUSH_PAGES: u32 = 4_096;

/// What a database file says about itself in its first page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) page_bytes: u32,
    pub(super) pages: u32,
}

pub(super) fn facts(file: &File, path: &Path) -> Result<Facts, ShipError> {
    let none = || ShipError::NoDatabase(path.to_owned());
    let mut head = [0; 100];
    let read = read_up_to(file, &mut head, 0);
    if read.map_err(|e| ShipError::io("read", path, e))? != head.len() {
        return Err(none());
    }
    let size = word(&head, 14).unwrap_or_default() & 0xffff;
    let page_bytes = if size == 1 { 65_536 } else { size };
    // The two bytes that say: read and written by way of a write-ahead log.
    let by_log = head.get(18..20) == Some(&[2, 2]);
    let valid = head.starts_with(b"SQLite format 3\0") && page_bytes.is_power_of_two();
    if !valid || !by_log || page_bytes < 512 {
        return Err(none());
    }
    let bytes = file
        .metadata()
        .map_err(|e| ShipError::io("look at", path, e))?
        .len();
    let pages = u32::try_from(bytes / u64::from(page_bytes)).map_err(|_range| none())?;
    Ok(Facts { page_bytes, pages })
}

/// A copy that is being made.
#[derive(Debug)]
pub(super) struct Copying {
    file: File,
    facts: Facts,
    /// The log as it was when it was begun.
    header: Header,
    next: u32,
    unflushed: u32,
    pub(super) writer: Writer,
}

/// How a copy came out.
#[derive(Debug)]
pub(super) enum Finished {
    /// It is whole; the writer goes on with transactions.
    Whole(Writer),
    /// The log was begun anew in the meantime.
    Stale(Writer),
}

impl Copying {
    pub(super) fn begin(file: File, facts: Facts, header: Header, writer: Writer) -> Self {
        Self {
            file,
            facts,
            header,
            next: 1,
            unflushed: 0,
            writer,
        }
    }

    /// Bytes copied and to copy.
    pub(super) fn progress(&self) -> (u64, u64) {
        let one = u64::from(self.facts.page_bytes);
        let done = u64::from(self.next.saturating_sub(1)).saturating_mul(one);
        (done, u64::from(self.facts.pages).saturating_mul(one))
    }

    /// Copies so many records' worth of pages; false once there are no more.
    pub(super) fn step(&mut self, records: u32, now: Timestamp) -> Result<bool, ShipError> {
        let many = u32::try_from(pages_per_record(self.facts.page_bytes)).unwrap_or(1);
        for _ in 0..records {
            let count = many.min(self.facts.pages.saturating_add(1).saturating_sub(self.next));
            if count == 0 {
                return Ok(false);
            }
            self.copy(count)?;
            self.unflushed = self.unflushed.saturating_add(count);
            if self.unflushed >= FLUSH_PAGES {
                self.unflushed = 0;
                self.writer.flush()?;
                self.writer.turn_page(Holds::Base, now)?;
            }
        }
        Ok(true)
    }

    fn copy(&mut self, count: u32) -> Result<(), ShipError> {
        let page_bytes = usize::try_from(self.facts.page_bytes).unwrap_or_default();
        let pages = usize::try_from(count).unwrap_or_default();
        let mut read = vec![0; page_bytes.saturating_mul(pages)];
        let from = u64::from(self.next - 1).saturating_mul(u64::from(self.facts.page_bytes));
        // A file that a checkpoint made shorter meanwhile ends early: those pages are no longer in use.
        let done = read_up_to(&self.file, &mut read, from);
        let done = done.map_err(|_gone| ShipError::LogChanged)?;
        let read_until = from.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
        let length = self
            .file
            .metadata()
            .map_err(|_gone| ShipError::LogChanged)?;
        if done < read.len() && read_until < length.len() {
            // Not shorter: its disk fails, and zeros would be taken for its pages.
            return Err(ShipError::LogChanged);
        }
        let mut body = Vec::with_capacity(read.len().saturating_add(pages.saturating_mul(4)));
        for (page, data) in (self.next..).zip(read.chunks_exact(page_bytes)) {
            put_page(&mut body, page, data);
        }
        self.next = self.next.saturating_add(count);
        self.writer.part(&body)
    }

    /// What is to be laid over the copy; nothing when the log was begun anew since it was begun.
    pub(super) fn survey(&self, database: &Path, wal: &Wal) -> Result<Option<Overlay>, ShipError> {
        let at = |error| ShipError::io("read SQLite's log of", database, error);
        if wal.header().map_err(at)? != Some(self.header) {
            return Ok(None);
        }
        let mut overlay = Overlay {
            newest: BTreeMap::new(),
            commit: Commit {
                end: Position::start_of(&self.header),
                db_pages: self.facts.pages,
            },
        };
        overlay.take(wal, &self.header).map_err(at)?;
        Ok(Some(overlay))
    }

    /// Lays the log over the copy.
    pub(super) fn finish(
        mut self,
        (database, wal): (&Path, &Wal),
        overlay: Overlay,
        after: u64,
        now: Timestamp,
    ) -> Result<Finished, ShipError> {
        let at = |error| ShipError::io("read SQLite's log of", database, error);
        self.writer.flush()?;
        self.writer.number_after(after);
        self.writer.turn_page(Holds::Commits, now)?;
        let page_bytes = usize::try_from(self.facts.page_bytes).unwrap_or_default();
        let many = pages_per_record(self.facts.page_bytes);
        let mut body = Vec::new();
        let mut gathered = 0;
        for (page, frame) in &overlay.newest {
            if gathered == many {
                self.writer.part(&body)?;
                body.clear();
                gathered = 0;
            }
            let mut data = vec![0; page_bytes];
            wal.page_of(&self.header, *frame, &mut data).map_err(at)?;
            put_page(&mut body, *page, &data);
            gathered += 1;
        }
        // The header is written before the first frame is written over: the same one, so the same
        // frames. Asked before the record that makes the copy count, whatever happens after that.
        if wal.header().map_err(at)? != Some(self.header) {
            return Ok(Finished::Stale(self.writer));
        }
        self.writer.commit(&body, now, overlay.commit)?;
        self.writer.flush()?;
        Ok(Finished::Whole(self.writer))
    }
}

/// The pages of SQLite's log, each as its last transaction left it.
#[derive(Debug)]
pub(super) struct Overlay {
    /// For each page the frame that holds it, counted from 1.
    newest: BTreeMap<u32, u32>,
    pub(super) commit: Commit,
}

impl Overlay {
    fn take(&mut self, wal: &Wal, header: &Header) -> std::io::Result<()> {
        let mut open = Vec::new();
        let mut frames = wal.frames(header, Position::start_of(header));
        while let Some(frame) = frames.next()? {
            open.push((frame.page, frames.at.frames));
            if frame.db_pages != 0 {
                self.newest.extend(open.drain(..));
                self.commit = Commit {
                    end: frames.at,
                    db_pages: frame.db_pages,
                };
            }
        }
        Ok(())
    }
}

impl Wal {
    /// The page in a frame, counted from 1, that was proven before.
    fn page_of(&self, header: &Header, frame: u32, data: &mut [u8]) -> std::io::Result<()> {
        let from = header.offset(frame.saturating_sub(1)).saturating_add(24);
        self.file().read_exact_at(data, from)
    }
}
