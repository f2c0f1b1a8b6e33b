//! SQL about abuse cases, through the views that show a case to whom it names.

mod cases;
mod reporter;
mod steps;
mod team;

pub(super) use cases::{
    Filter, Listed, Sealed, by_number, by_submission, find, insert_version, insert_withdrawal,
    list, origin, resident, sealed, versions,
};
pub use cases::{NewCase, due, of_person, receive};
pub(super) use reporter::{insert_look, looks, newest_reporter, save_reporter};
pub use steps::insert_step;
pub(super) use steps::{insert_step_withdrawal, step_of};
pub(super) use team::{
    NewMember, add_bar, add_member, bars, centre_managers, consultation_of, end_bar, end_member,
    end_taking, excluded, has_member, insert_member, members, take, takings,
};

use store::{Row, RowResult, StaffId};

use super::model::Note;

/// Who writes, when.
pub type Hand<'h> = (StaffId, &'h str);

/// Who, when and why, from three columns; nothing when the first is empty.
fn note(row: &Row<'_>, first: usize) -> RowResult<Option<Note>> {
    let by: Option<String> = row.get(first)?;
    let Some(by) = by else { return Ok(None) };
    Ok(Some(Note {
        by,
        at: row.get(first + 1)?,
        reason: row.get(first + 2)?,
    }))
}

fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
