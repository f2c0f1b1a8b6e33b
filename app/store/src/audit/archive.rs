//! Moves a finished year of the log into a read-only file that the stock `sqlite3` opens.
//!
//! Shape: the year is checked, copied to a file beside its place, checked there, synced and renamed;
//! then one transaction writes the signed cut and the entry about it, and small ones delete what the
//! cut names ([`sweep`]), so that nobody waits for a whole year. A file without a cut is what a kill
//! left behind and is made anew; rows behind a cut are swept by the next run, or within the day.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base::clock::japan;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

use crate::actor::Actor;
use crate::audit::chain::{Chain, Hash};
use crate::audit::cut::Cut;
use crate::audit::event::Event;
use crate::audit::seal::Head;
use crate::audit::verify::{hash_at, reader};
use crate::audit::walk::{cut_up, walk};
use crate::db::connect;
use crate::directory::{DataDir, at_once};
use crate::error::StoreError;

/// Rows deleted in one transaction: staff who save meanwhile wait for one of these.
const SWEPT_AT_ONCE: i64 = 2_000;
/// The copied year and the log of deleting it are on the disk at the same time.
const COPIES: u64 = 3;
const MODE_READ_ONLY: u32 = 0o400;
const FILE_SCHEMA: &str = include_str!("archive.sql");

/// Why a year cannot be archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveRefusal {
    /// It is not over.
    NotOver,
    /// Nothing was written in it, or it lies in its file already.
    Empty,
    /// An earlier year is still in the database.
    EarlierYear(i16),
    /// The disk would have less than the wanted space left.
    TooLittleSpace,
}

impl ArchiveRefusal {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::NotOver => {
                "まだ終わっていない年は移せません。終わった年を --year で指定してください"
            }
            Self::Empty => {
                "その年の記録はデータベースにありません。移し終えているか、記録がありません"
            }
            Self::EarlierYear(_) => "それより前の年が残っています。古い年から順に移してください",
            Self::TooLittleSpace => {
                "空き容量が足りないため移しません。空きを増やすか --free-gb を見直してください"
            }
        }
    }
}

/// What would be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivePlan {
    /// Calendar year in Japan.
    pub year: i16,
    /// Position of its first entry.
    pub first_id: i64,
    /// Position of its last.
    pub last_id: i64,
    /// Where they will lie.
    pub file: PathBuf,
    /// Bytes that the move needs for a while.
    pub bytes_needed: u64,
    /// Bytes free on the disk.
    pub bytes_free: u64,
}

impl ArchivePlan {
    /// Entries to be moved.
    pub fn entries(&self) -> i64 {
        self.last_id - self.first_id + 1
    }
}

pub(crate) fn plan(
    connection: &Connection,
    dir: &DataDir,
    (year, today): (i16, Date),
    free_bytes_min: u64,
) -> Result<ArchivePlan, StoreError> {
    let refuse = |why| Err(StoreError::Archive(why));
    if year >= today.year() {
        return refuse(ArchiveRefusal::NotOver);
    }
    let Some((first_id, first_at)) = first_behind_cuts(connection)? else {
        return refuse(ArchiveRefusal::Empty);
    };
    match year_of(&first_at) {
        Some(first) if first < year => return refuse(ArchiveRefusal::EarlierYear(first)),
        Some(first) if first == year => {}
        Some(_) | None => return refuse(ArchiveRefusal::Empty),
    }
    let last_id = last_before(connection, year + 1)?.unwrap_or(first_id);
    let file = dir.audit_archives().join(format!("audit-{year}.db"));
    let bytes_free = free_bytes(dir.path())?;
    let plan = ArchivePlan {
        year,
        first_id,
        last_id,
        file,
        bytes_needed: bytes_needed(connection, last_id - first_id + 1)?,
        bytes_free,
    };
    if bytes_free.saturating_sub(plan.bytes_needed) < free_bytes_min {
        return refuse(ArchiveRefusal::TooLittleSpace);
    }
    Ok(plan)
}

fn first_behind_cuts(connection: &Connection) -> Result<Option<(i64, String)>, StoreError> {
    let (cut, _) = Cut::end(connection)?;
    let sql = "select id, at from audit_entries where id > ?1 order by id limit 1";
    let first = connection.query_row(sql, [cut], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(first.optional()?)
}

fn year_of(at: &str) -> Option<i16> {
    let at: Timestamp = at.parse().ok()?;
    Some(base::clock::japanese_day(at).year())
}

fn last_before(connection: &Connection, year: i16) -> Result<Option<i64>, StoreError> {
    let midnight = japan().to_timestamp(date(year, 1, 1).at(0, 0, 0, 0));
    let Ok(midnight) = midnight else {
        return Ok(None);
    };
    let sql = "select id from audit_entries where at < ?1 order by at desc, id desc limit 1";
    let last = connection.query_row(sql, [format!("{midnight:.6}")], |row| row.get(0));
    Ok(last.optional()?)
}

fn free_bytes(path: &Path) -> Result<u64, StoreError> {
    let stat = rustix::fs::statvfs(path).map_err(|error| StoreError::Io {
        path: path.to_path_buf(),
        source: error.into(),
    })?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// A share of the database as large as the share of entries, with room for what is written twice.
fn bytes_needed(connection: &Connection, moved: i64) -> Result<u64, StoreError> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let (begins, _) = Cut::end(connection)?;
    let sql = "select coalesce(max(id), 0) from audit_entries";
    let last: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    let all = last.saturating_sub(begins).max(1);
    let share = i128::from(pages) * i128::from(size) * i128::from(moved) / i128::from(all);
    Ok(u64::try_from(share)
        .unwrap_or(u64::MAX)
        .saturating_mul(COPIES))
}

/// Does what was planned.
pub(crate) fn perform(
    connection: &mut Connection,
    chain: &mut Chain,
    (dir, actor, now): (&DataDir, &Actor, Timestamp),
    plan: &ArchivePlan,
    event: &Event,
) -> Result<Cut, StoreError> {
    base::paths::create_private_dir(&dir.audit_archives())?;
    // Two at once would write into the same file.
    let turn = at_once(&dir.audit_archives())?.ok_or_else(|| dir.in_use())?;
    let (before, hash_before) = Cut::end(connection)?;
    if before != plan.first_id - 1 {
        return Err(StoreError::Archive(ArchiveRefusal::Empty));
    }
    let hash = hash_at(connection, plan.last_id)?.ok_or(StoreError::AuditHead)?;
    let whole = |file: &Path| fits(file, plan, (hash_before, hash));
    if !whole(&dir.database())? {
        return Err(StoreError::AuditHead);
    }
    write_file(dir, plan, whole)?;
    let name = plan.file.file_name().unwrap_or_default();
    let cut = Cut {
        year: plan.year,
        first_id: plan.first_id,
        last_id: plan.last_id,
        hash_before,
        hash,
        file: name.to_string_lossy().into_owned(),
        archived_at: format!("{now:.6}"),
        signature: Vec::new(),
    };
    let cut = cut.signed(chain.signer());
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    chain.follow(&tx)?;
    cut.insert(&tx)?;
    let next = chain.standing();
    let next = next.append(&tx, actor, now, std::slice::from_ref(event))?;
    chain.sign(&tx, &next)?;
    tx.commit()?;
    chain.advance(next);
    sweep(connection)?;
    drop(turn);
    Ok(cut)
}

/// Deletes what lies in the file of a cut, a little at a time; how many rows there were.
pub(crate) fn sweep(connection: &mut Connection) -> Result<i64, StoreError> {
    let (cut, _) = Cut::end(connection)?;
    let sql = "select coalesce(min(id), ?1 + 1) from audit_entries";
    let first: i64 = connection.query_row(sql, [cut], |row| row.get(0))?;
    let mut next = first;
    while next <= cut {
        next = next.saturating_add(SWEPT_AT_ONCE).min(cut + 1);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute("delete from audit_entries where id < ?1", [next])?;
        tx.commit()?;
    }
    Ok(next.saturating_sub(first).max(0))
}

/// Takes away the files of years that were disposed of; how many there were.
pub(crate) fn remove_disposed(
    dir: &DataDir,
    cuts: &[Cut],
    until: Option<i16>,
) -> Result<usize, StoreError> {
    let place = dir.audit_archives();
    let files = cuts.iter().filter(|cut| Some(cut.year) <= until);
    let files: Vec<PathBuf> = files.map(|cut| place.join(&cut.file)).collect();
    let mut removed = 0;
    for file in files.iter().filter(|file| file.exists()) {
        remove(file)?;
        removed += 1;
    }
    if removed > 0 {
        base::paths::sync_dir(&place)?;
    }
    Ok(removed)
}

/// Does the year in this file continue what was before and end where it must?
fn fits(file: &Path, plan: &ArchivePlan, (before, end): (Hash, Hash)) -> Result<bool, StoreError> {
    let connection = reader(file)?;
    let begins = Head {
        entries: plan.first_id - 1,
        hash: before,
    };
    for section in cut_up(&connection, file, begins, plan.last_id)? {
        if !walk(&connection, &section, &[])?.is_empty() {
            return Ok(false);
        }
    }
    Ok(hash_at(&connection, plan.last_id)? == Some(end))
}

fn write_file(
    dir: &DataDir,
    plan: &ArchivePlan,
    whole: impl Fn(&Path) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let part = plan.file.with_extension("part");
    remove(&part)?;
    copy(&dir.database(), &part, plan)?;
    if !whole(&part)? {
        return Err(StoreError::AuditHead);
    }
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| StoreError::Io { path, source }
    };
    let file = File::open(&part).map_err(io(&part))?;
    let mode = Permissions::from_mode(MODE_READ_ONLY);
    file.set_permissions(mode).map_err(io(&part))?;
    file.sync_all().map_err(io(&part))?;
    std::fs::rename(&part, &plan.file).map_err(io(&plan.file))?;
    let parent = File::open(dir.audit_archives()).map_err(io(&plan.file))?;
    parent.sync_all().map_err(io(&plan.file))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(StoreError::Io {
            path: path.to_path_buf(),
            source,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}

const COPY: &str = "insert into main.audit_entries
    select * from live.audit_entries where id between ?1 and ?2 order by id";

fn copy(database: &Path, part: &Path, plan: &ArchivePlan) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(part, flags)?;
    // The file counts only once it is whole, synced and renamed; until then it may be lost.
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    let live = database.to_string_lossy();
    connection.execute("attach ?1 as live", [live.as_ref()])?;
    connection.execute_batch("begin")?;
    let (tables, indexes) = FILE_SCHEMA.split_once("\n\n").unwrap_or((FILE_SCHEMA, ""));
    connection.execute_batch(tables)?;
    connection.execute(COPY, params![plan.first_id, plan.last_id])?;
    connection.execute_batch(indexes)?;
    connection.execute_batch("commit; detach live")?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Puts an archived year in the place of the log on one connection: a temporary view of the name
/// is found before the table. Call before the guard is installed.
pub(crate) fn attach(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let path = file.to_string_lossy();
    connection.execute("attach ?1 as archive", [path.as_ref()])?;
    connection
        .execute_batch("create temp view audit_entries as select * from archive.audit_entries")?;
    Ok(())
}
