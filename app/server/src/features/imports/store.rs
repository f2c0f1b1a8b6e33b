//! SQL about imports themselves.

use store::{ReadTx, StaffId, StoreError, WriteTx, params};

use super::model::{FilePlan, Stamp};

pub(super) fn stamp(tx: &ReadTx<'_>) -> Result<Stamp, StoreError> {
    Ok(Stamp {
        last_import: tx.count("select coalesce(max(id), 0) from imports", [])?,
        undos: tx.count("select count(*) from import_undos", [])?,
    })
}

const INSERT: &str = "insert into imports (feed, file_sha256, file_bytes, encoding, rows_read,
    rows_loaded, rows_warned, rows_rejected, count_new, count_changed, count_moved, count_died,
    count_unchanged, count_absent, applied_by, applied_at)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

pub(super) fn insert_import(
    tx: &WriteTx<'_>,
    file: &FilePlan,
    by: Option<StaffId>,
    at: &str,
) -> Result<i64, StoreError> {
    let c = &file.summary.counts;
    let n = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    tx.insert(
        INSERT,
        params![
            file.summary.feed.code(),
            file.sha256,
            n(file.bytes),
            file.summary.encoding,
            n(c.read),
            n(c.loaded),
            n(c.warned),
            n(c.rejected),
            n(c.new),
            n(c.changed),
            // The table has one column for those who moved: within the city and out of it.
            n(c.moved + c.left),
            n(c.died),
            n(c.unchanged),
            n(c.absent),
            by,
            at
        ],
    )
}

/// One applied file.
#[derive(Debug, Clone)]
pub(super) struct Import {
    pub(super) id: i64,
    pub(super) feed: String,
    pub(super) encoding: String,
    pub(super) bytes: i64,
    /// read, loaded, warned, rejected, new, changed, moved, died, unchanged, absent.
    pub(super) counts: [i64; 10],
    pub(super) by: Option<String>,
    pub(super) at: String,
    pub(super) undone_at: Option<String>,
}

const SELECT: &str = "select i.id, i.feed, i.encoding, i.file_bytes, s.name, i.applied_at,
    u.recorded_at, i.rows_read, i.rows_loaded, i.rows_warned, i.rows_rejected, i.count_new,
    i.count_changed, i.count_moved, i.count_died, i.count_unchanged, i.count_absent
  from imports i left join staff s on s.id = i.applied_by
  left join import_undos u on u.import_id = i.id";

fn import(row: &store::Row<'_>) -> store::RowResult<Import> {
    let mut counts = [0; 10];
    for (at, count) in counts.iter_mut().enumerate() {
        *count = row.get(at + 7)?;
    }
    Ok(Import {
        id: row.get(0)?,
        feed: row.get(1)?,
        encoding: row.get(2)?,
        bytes: row.get(3)?,
        by: row.get(4)?,
        at: row.get(5)?,
        undone_at: row.get(6)?,
        counts,
    })
}

pub(super) fn list(tx: &ReadTx<'_>, limit: i64, offset: i64) -> Result<Vec<Import>, StoreError> {
    tx.all(
        &format!("{SELECT} order by i.id desc limit ?1 offset ?2"),
        params![limit, offset],
        import,
    )
}

pub(super) fn total(tx: &ReadTx<'_>) -> Result<i64, StoreError> {
    tx.count("select count(*) from imports", [])
}

pub(super) fn find(tx: &ReadTx<'_>, id: i64) -> Result<Option<Import>, StoreError> {
    tx.one(&format!("{SELECT} where i.id = ?1"), params![id], import)
}

/// Changed columns of an import with how often, as far as the viewer may see the people.
pub(super) fn fields(tx: &ReadTx<'_>, id: i64) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = "select fields, count(*) from visible_resident_changes
        where import_id = ?1 and kind <> 'new' group by fields";
    tx.all(sql, params![id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Residents whom an import changed, as far as they are visible: id and kind of change.
pub(super) fn changed(
    tx: &ReadTx<'_>,
    id: i64,
    limit: i64,
) -> Result<Vec<(i64, String)>, StoreError> {
    let sql = "select resident_id, kind from visible_resident_changes
        where import_id = ?1 and kind <> 'new' order by id limit ?2";
    tx.all(sql, params![id, limit], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}
