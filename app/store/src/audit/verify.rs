//! Is the access log whole? Walks the chain and names what does not fit.
//!
//! Shape: every entry is judged by the hash stored before it, so that sections of the chain are
//! walked at the same time by a few threads, each on a connection of its own and row by row: memory
//! does not grow with the log. Archived years are sections like any other.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::audit::chain::{EntryRow, GENESIS, Hash};
use crate::audit::cut::Cut;
use crate::audit::paper;
use crate::audit::seal::{Checkpoint, Head, PublicKey};
use crate::audit::walk::{Section, cut_up, walk};
use crate::db::connect;
use crate::directory::DataDir;
use crate::error::StoreError;

/// Findings listed before the walk stops: a broken log is broken, and a page has an end.
const FINDINGS_MAX: usize = 100;
/// Threads that walk; more than this wait for the disk.
const WALKERS_MAX: usize = 4;

/// Where the log begins.
const START: Head = Head {
    entries: 0,
    hash: GENESIS,
};

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The entry's content or hash was altered (or what stood before it was taken away unseen).
    Changed {
        /// Position.
        id: i64,
    },
    /// Entries are missing.
    Missing {
        /// First missing position.
        from: i64,
        /// Last missing position.
        to: i64,
    },
    /// What stands at one position belongs at the other.
    Swapped {
        /// Where it stands.
        id: i64,
        /// What belongs there stands here.
        with: i64,
    },
    /// The tail was cut: the signed head knows of more entries.
    Truncated {
        /// Entries found.
        found: i64,
        /// Entries that the head knows of.
        signed: i64,
    },
    /// Entries were added behind the signed head.
    Unsigned {
        /// Entries found.
        found: i64,
        /// Entries that the head knows of.
        signed: i64,
    },
    /// The head is missing or its signature is not of this machine's key.
    HeadForged,
    /// A checkpoint says something else than the log does now.
    CheckpointDiffers {
        /// Time of the checkpoint; only the day when it was typed from paper.
        at: String,
        /// Number of entries it signed.
        entries: i64,
    },
    /// A checkpoint is not signed by this machine's key.
    CheckpointForged {
        /// Time it claims.
        at: String,
    },
    /// The file of an archived year is not there.
    ArchiveMissing {
        /// Which year.
        year: i16,
    },
    /// The file of an archived year is no longer what was cut off.
    ArchiveBent {
        /// Which year.
        year: i16,
    },
    /// The cut is not signed by this machine's key, or does not continue the one before.
    CutForged {
        /// Which year.
        year: i16,
    },
}

/// How much is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// The database and every archived year.
    #[default]
    Everything,
    /// The database alone, from the last cut on.
    LiveOnly,
}

/// What the walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Position of the last entry: as many were ever written.
    pub entries: i64,
    /// How many of them were read.
    pub walked: i64,
    /// Years that lie in files of their own.
    pub archives: usize,
    /// Years of them whose file was disposed of: what vouches for them is the cut, and the entry
    /// about the disposal.
    pub disposed: usize,
    /// Hash of the last, hexadecimal; equal after a faithful restore.
    pub head: String,
    /// Checkpoints compared.
    pub checkpoints: usize,
    /// Empty when the log is whole.
    pub findings: Vec<Finding>,
}

/// A number of entries and the hash that the last of them must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: String,
    pub(crate) head: Head,
}

impl Mark {
    pub(crate) fn differs(&self) -> Finding {
        Finding::CheckpointDiffers {
            at: self.at.clone(),
            entries: self.head.entries,
        }
    }
}

/// Walks the access log of a data directory (also of a restored copy), without needing the lock.
///
/// `against` is a file of checkpoints kept elsewhere, or of lines typed from printed ones; without
/// it the checkpoints beside the database are used when they are there.
///
/// # Errors
/// [`StoreError`] when the files cannot be read, [`StoreError::TypedLine`] for a typing mistake. A
/// log that is not whole is no error but findings.
pub fn verify(dir: &DataDir, against: Option<&Path>) -> Result<Verdict, StoreError> {
    verify_extent(dir, against, Extent::Everything)
}

/// As [`verify`], with or without the archived years.
///
/// # Errors
/// As [`verify`].
pub fn verify_extent(
    dir: &DataDir,
    against: Option<&Path>,
    extent: Extent,
) -> Result<Verdict, StoreError> {
    let key = PublicKey::load(&dir.audit_public_key())?;
    let mut findings = Vec::new();
    let marks = marks(dir, against, &key, &mut findings)?;
    let connection = reader(&dir.database())?;
    // One look at one moment: a log that grows between entries and head must not seem cut.
    connection.execute_batch("begin")?;
    let cuts = Cut::all(&connection)?;
    let disposed = disposed_until(dir, &connection, &cuts)?;
    let mut plan = Plan {
        dir,
        key: &key,
        disposed,
        sections: Vec::new(),
        findings,
    };
    let begins = plan.archives(&cuts, extent);
    let end = last_entry(&connection, begins)?;
    plan.sections
        .extend(cut_up(&connection, &dir.database(), begins, end.entries)?);
    let Plan {
        sections,
        mut findings,
        ..
    } = plan;
    let walked = sections.iter().map(|section| section.last - section.after);
    let walked = walked.sum();
    let seen = judge_marks(&marks, &cuts, extent, end, &mut findings);
    walk_all(&sections, &marks, &mut findings)?;
    judge_head(&connection, &key, end, &mut findings)?;
    Ok(Verdict {
        entries: end.entries,
        walked,
        archives: cuts.len(),
        disposed: cuts.iter().filter(|cut| Some(cut.year) <= disposed).count(),
        head: data_encoding::HEXLOWER.encode(&end.hash),
        checkpoints: seen,
        findings,
    })
}

/// One archived year against its cut: in its place, whole, and continuing what was before; nothing
/// when that year was not archived. Reads the year's file alone.
///
/// # Errors
/// As [`verify`].
pub fn verify_year(dir: &DataDir, year: i16) -> Result<Option<Verdict>, StoreError> {
    let key = PublicKey::load(&dir.audit_public_key())?;
    let connection = reader(&dir.database())?;
    let cuts = Cut::all(&connection)?;
    let Some((cut, before)) = cuts
        .iter()
        .position(|cut| cut.year == year)
        .and_then(|at| Some((cuts.get(at)?, cuts.get(..at)?.last())))
    else {
        return Ok(None);
    };
    let begins = before.map_or(START, Cut::head);
    let inside = |mark: &Mark| (cut.first_id..=cut.last_id).contains(&mark.head.entries);
    let mut marks = marks(dir, None, &key, &mut Vec::new())?;
    marks.retain(inside);
    let disposed = disposed_until(dir, &connection, &cuts)?;
    let mut plan = Plan {
        dir,
        key: &key,
        disposed,
        sections: Vec::new(),
        findings: Vec::new(),
    };
    plan.year(cut, begins, Extent::Everything);
    let Plan {
        sections,
        mut findings,
        ..
    } = plan;
    let walked = sections.iter().map(|section| section.last - section.after);
    let walked = walked.sum();
    walk_all(&sections, &marks, &mut findings)?;
    Ok(Some(Verdict {
        entries: cut.last_id,
        walked,
        archives: 1,
        disposed: usize::from(Some(cut.year) <= disposed),
        head: data_encoding::HEXLOWER.encode(&cut.hash),
        checkpoints: marks.len(),
        findings,
    }))
}

pub(crate) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// The checkpoints to compare with; one that is not signed by this machine's key is a finding.
fn marks(
    dir: &DataDir,
    against: Option<&Path>,
    key: &PublicKey,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Mark>, StoreError> {
    let beside = dir.checkpoints();
    let path = match against {
        Some(path) => path.to_path_buf(),
        None if beside.exists() => beside,
        None => return Ok(Vec::new()),
    };
    let text = std::fs::read_to_string(&path).map_err(|source| StoreError::Io {
        path: path.clone(),
        source,
    })?;
    let typed = against.is_some() && !text.trim_start().starts_with('{');
    let mut marks = if typed {
        let sheets = paper::read(&text)?.into_iter();
        let mark = |sheet: paper::Sheet| Mark {
            at: sheet.day,
            head: sheet.head,
        };
        sheets.map(mark).collect()
    } else {
        signed(Checkpoint::lines(&text, &path)?, key, findings)
    };
    marks.sort_by_key(|mark| mark.head.entries);
    Ok(marks)
}

fn signed(all: Vec<Checkpoint>, key: &PublicKey, findings: &mut Vec<Finding>) -> Vec<Mark> {
    let mut marks = Vec::new();
    for checkpoint in all {
        let at = checkpoint.at.clone();
        match checkpoint.head() {
            Some(head) if checkpoint.is_signed_by(key) => marks.push(Mark { at, head }),
            Some(_) | None => findings.push(Finding::CheckpointForged { at }),
        }
    }
    marks
}

/// What is to be walked, and what is wrong before a row is read.
struct Plan<'p> {
    dir: &'p DataDir,
    key: &'p PublicKey,
    /// The last year whose file may be gone.
    disposed: Option<i16>,
    sections: Vec<Section>,
    findings: Vec<Finding>,
}

impl Plan<'_> {
    /// Adds the archived years; gives where the database begins.
    fn archives(&mut self, cuts: &[Cut], extent: Extent) -> Head {
        let mut end = START;
        for cut in cuts {
            self.year(cut, end, extent);
            end = cut.head();
        }
        end
    }

    /// Judges one cut, which must continue at `end`, and its file.
    fn year(&mut self, cut: &Cut, end: Head, extent: Extent) {
        let year = cut.year;
        let continues = cut.first_id == end.entries + 1 && cut.hash_before == end.hash;
        if !continues || !cut.is_signed_by(self.key) {
            self.findings.push(Finding::CutForged { year });
        }
        if extent == Extent::Everything {
            let file = self.dir.audit_archives().join(&cut.file);
            if !file.exists() {
                if Some(year) > self.disposed {
                    self.findings.push(Finding::ArchiveMissing { year });
                }
            } else if self.archive(&file, cut).is_err() {
                self.findings.push(Finding::ArchiveBent { year });
            }
        }
    }

    fn archive(&mut self, file: &Path, cut: &Cut) -> Result<(), StoreError> {
        let connection = reader(file)?;
        let begins = Head {
            entries: cut.first_id - 1,
            hash: cut.hash_before,
        };
        let end = last_entry(&connection, begins)?;
        if (end.entries, end.hash) != (cut.last_id, cut.hash) {
            let year = cut.year;
            self.findings.push(Finding::ArchiveBent { year });
        }
        self.sections
            .extend(cut_up(&connection, file, begins, end.entries)?);
        Ok(())
    }
}

const DISPOSED: &str = "select max(record_id) from audit_entries
    where record_kind = 'access_log' and operation = 'disposal'";

/// The last archived year that was disposed of, as the log itself says: in the database, or in the
/// newest archived year that knows of one. Years go in their order, so that all before it are gone.
pub(crate) fn disposed_until(
    dir: &DataDir,
    connection: &Connection,
    cuts: &[Cut],
) -> Result<Option<i16>, StoreError> {
    let of = |connection: &Connection| -> Result<Option<i16>, StoreError> {
        let year: Option<i64> = connection.query_row(DISPOSED, [], |row| row.get(0))?;
        Ok(year.and_then(|year| i16::try_from(year).ok()))
    };
    if let Some(year) = of(connection)? {
        return Ok(Some(year));
    }
    for cut in cuts.iter().rev() {
        let file = dir.audit_archives().join(&cut.file);
        // A file that cannot be read is told of by whoever walks it.
        if let Ok(Some(year)) = reader(&file).and_then(|connection| of(&connection)) {
            return Ok(Some(year));
        }
    }
    Ok(None)
}

fn last_entry(connection: &Connection, begins: Head) -> Result<Head, StoreError> {
    let sql = "select id, hash from audit_entries order by id desc limit 1";
    let head = |row: &rusqlite::Row<'_>| {
        Ok(Head {
            entries: row.get(0)?,
            hash: row.get::<_, Vec<u8>>(1)?.try_into().unwrap_or(GENESIS),
        })
    };
    let last = connection.query_row(sql, [], head).optional()?;
    Ok(last.unwrap_or(begins))
}

/// Judges the checkpoints that no row will meet; how many can be compared.
fn judge_marks(
    marks: &[Mark],
    cuts: &[Cut],
    extent: Extent,
    end: Head,
    findings: &mut Vec<Finding>,
) -> usize {
    let (mut compared, last_cut) = (0, cuts.last());
    for mark in marks {
        let entries = mark.head.entries;
        let archived = last_cut.is_some_and(|cut| entries < cut.last_id);
        if entries > end.entries {
            findings.push(mark.differs());
        } else if extent == Extent::LiveOnly {
            let at_cut = cuts.iter().find(|cut| cut.last_id == entries);
            if at_cut.is_some_and(|cut| cut.hash != mark.head.hash) {
                findings.push(mark.differs());
            }
            if archived && at_cut.is_none() {
                continue;
            }
        }
        compared += 1;
    }
    compared
}

/// Walks the sections by several threads; findings come in the order of the chain.
fn walk_all(
    sections: &[Section],
    marks: &[Mark],
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let next = Mutex::new(sections.iter().enumerate());
    let found: Mutex<Vec<(usize, Vec<Finding>)>> = Mutex::new(Vec::new());
    let work = || -> Result<(), StoreError> {
        let mut open: Option<(PathBuf, Connection)> = None;
        loop {
            let taken = next.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((number, section)) = taken else {
                return Ok(());
            };
            if open.as_ref().is_none_or(|(path, _)| *path != section.file) {
                open = Some((section.file.clone(), reader(&section.file)?));
            }
            let Some((_, connection)) = &open else {
                return Ok(());
            };
            let some = walk(connection, section, marks)?;
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            if !some.is_empty() {
                found.push((number, some));
            }
            if found.iter().map(|(_, some)| some.len()).sum::<usize>() >= FINDINGS_MAX {
                return Ok(());
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let walkers = cores.min(WALKERS_MAX).min(sections.len().max(1));
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..walkers).map(|_| scope.spawn(work)).collect();
        let own = work();
        let fault = || Err(StoreError::AuditHead);
        others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|_panicked| fault()))
            .fold(own, Result::and)
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(number, _)| *number);
    findings.extend(found.into_iter().flat_map(|(_, some)| some));
    findings.truncate(FINDINGS_MAX);
    Ok(())
}

fn judge_head(
    connection: &Connection,
    key: &PublicKey,
    end: Head,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let Some((head, signature)) = Head::stored(connection)? else {
        if end.entries > 0 {
            findings.push(Finding::HeadForged);
        }
        return Ok(());
    };
    if !key.verifies(&head, &signature) {
        findings.push(Finding::HeadForged);
    }
    let (found, signed) = (end.entries, head.entries);
    if found < signed {
        findings.push(Finding::Truncated { found, signed });
    } else if found > signed {
        findings.push(Finding::Unsigned { found, signed });
    } else if end.hash != head.hash && findings.is_empty() {
        findings.push(Finding::Changed { id: found });
    }
    Ok(())
}

/// The entry of a position as it stands, for what wants to look at one.
pub(crate) fn entry_at(
    connection: &Connection,
    id: i64,
) -> Result<Option<(EntryRow, Vec<u8>)>, StoreError> {
    let sql = "select * from audit_entries where id = ?1";
    Ok(connection.query_row(sql, [id], EntryRow::read).optional()?)
}

/// The hash before a position that may begin a section.
pub(crate) fn hash_at(connection: &Connection, id: i64) -> Result<Option<Hash>, StoreError> {
    let entry = entry_at(connection, id)?;
    Ok(entry.map(|(_, hash)| hash.try_into().unwrap_or(GENESIS)))
}
