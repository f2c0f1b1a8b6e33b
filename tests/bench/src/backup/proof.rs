//! What came back is what lay there, or the figure is worth nothing.

use std::path::Path;

use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OpenFlags};
use store::DataDir;

use crate::problem::Problem;

/// The access log goes as far as `floor` at least and ends with an entry that the data has too, and every
/// attachment is there byte for byte. (What a tool's own run is written down as came after its snapshot.)
pub(super) fn same(data: &DataDir, floor: i64, back: &Path) -> Result<(), Problem> {
    let back = DataDir::new(back);
    let (id, end) = end_of(&back)?;
    if id < floor || hash_of(data, id)? != end {
        return Err(Problem::Differs("the access log ends elsewhere"));
    }
    let mut compared = 0_u64;
    let mut dirs = vec![data.attachments()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).map_err(Problem::file(&dir))? {
            let path = entry.map_err(Problem::file(&dir))?.path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let below = path.strip_prefix(data.attachments());
            let other = back.attachments().join(below.unwrap_or(&path));
            if hash(&path)? != hash(&other)? {
                return Err(Problem::Differs("an attachment"));
            }
            compared += 1;
        }
    }
    if compared == 0 {
        return Err(Problem::Differs("no attachment was compared"));
    }
    Ok(())
}

/// The one file of a tree is this one.
pub(super) fn same_file(file: &Path, below: &Path) -> Result<(), Problem> {
    let mut dirs = vec![below.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).map_err(Problem::file(&dir))? {
            let path = entry.map_err(Problem::file(&dir))?.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.file_name() == file.file_name() {
                let same = hash(file)? == hash(&path)?;
                return same.then_some(()).ok_or(Problem::Differs("the one file"));
            }
        }
    }
    Err(Problem::Differs("the one file did not come back"))
}

/// The newest entry of the access log and its hash.
pub(super) fn end_of(dir: &DataDir) -> Result<(i64, Vec<u8>), Problem> {
    let sql = "select id, hash from audit_entries order by id desc limit 1";
    Ok(open(dir)?.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

fn hash_of(dir: &DataDir, id: i64) -> Result<Vec<u8>, Problem> {
    let sql = "select hash from audit_entries where id = ?1";
    Ok(open(dir)?.query_row(sql, [id], |row| row.get(0))?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a copy that no service has open is looked at from outside"
)]
fn open(dir: &DataDir) -> Result<Connection, Problem> {
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(dir.database(), read_only)?)
}

fn hash(path: &Path) -> Result<Vec<u8>, Problem> {
    let bytes = std::fs::read(path).map_err(Problem::file(path))?;
    Ok(digest(&SHA256, &bytes).as_ref().to_vec())
}
