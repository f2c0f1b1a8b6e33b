//! What happens to bytes without anybody asking: sweeping, erasing with their record, the invented town.

use store::{Actor, CentreId, Shelf, StaffId, WriteTx};

use super::kinds;
use super::model::{AttachmentId, Owner};
use super::store::{self as sql, New};
use crate::app::App;
use crate::web::Problem;

/// Removes half-taken files and bytes that no row names, once they are old: at the start of the server
/// and each day.
///
/// # Errors
/// Those of the store; what was not swept is tried again.
pub fn sweep(app: &App) -> Result<(), Problem> {
    let (parts, whole) = app.db().sweep_shelf(&Actor::system("添付ファイル"))?;
    if parts + whole > 0 {
        log::info!(parts, whole; "swept {parts} half-taken and {whole} unnamed files off the shelf");
    }
    Ok(())
}

/// A file of the invented town.
#[derive(Debug)]
pub struct Invented<'i> {
    /// What it is attached to.
    pub owner: Owner,
    /// Its bytes.
    pub bytes: &'i [u8],
    /// Its name.
    pub name: &'i str,
    /// Its title.
    pub title: &'i str,
}

/// Attaches a file that nobody uploaded.
///
/// # Errors
/// [`Problem::Fault`] when its kind may not be attached; otherwise those of the store.
pub fn insert_history(
    tx: &WriteTx<'_>,
    shelf: &Shelf,
    file: &Invented<'_>,
    (centre, by, now): (Option<CentreId>, StaffId, &str),
) -> Result<AttachmentId, Problem> {
    let kind = kinds::find(file.bytes, file.name).map_err(Problem::Fault)?;
    let mut part = shelf.part(0)?;
    part.write(file.bytes)?;
    let whole = part.finish()?;
    let submission = format!("history {} {}", file.owner.path(), whole.sha256());
    let new = New {
        owner: file.owner,
        sha256: whole.sha256(),
        bytes: whole.bytes(),
        kind: &kind.code,
        file_name: file.name,
        title: file.title,
        note: "",
        submission: &submission,
        position: 0,
        clean_by: None,
    };
    let id = sql::insert(tx, &new, (centre, by, now))?;
    shelf.place(tx, &whole)?;
    Ok(id)
}
