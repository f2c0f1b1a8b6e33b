//! What an administrator does about rights, whether at a page, at the console or by an approval.
//!
//! Shape: [`preview`] shows, [`perform`] does or asks for a second person; [`applying`] writes a change,
//! [`asking`] knows when a second person is needed, [`telling`] puts a change into words.

mod applying;
mod asking;
mod telling;

use jiff::civil::Date;
use store::{Audited, Event, Operation, RecordKind, StaffId, StoreError};

pub(super) use applying::{add_exception, change_role};
pub(in crate::features::staff) use asking::ask;
pub use asking::needs_approval;
pub(super) use asking::{approved, look};
pub use telling::{stand, summary};

use self::applying::{apply_safely, refuse_own};
use self::asking::{CONSOLE, concerns_administrators};
use self::telling::{is_written, note};
use super::model::{Change, Difference, differences};
use super::store as sql;
use crate::features::approvals::ApprovalId;
use crate::features::staff::accounts::acts::Hand;
use crate::web::Problem;

/// Why a change was not made; nothing of it is written then.
#[derive(Debug)]
pub enum Refusal {
    /// There is no such row, person or list.
    Absent,
    /// It concerns the administrator's own account.
    Own,
    /// Nobody might administer staff on that day.
    LastAdministrator(Date),
    /// Somebody else changed the same since the form was opened.
    Late,
    /// The same form twice.
    Again,
    /// In words, at this field.
    Words(&'static str, String),
}

/// Refused, or the world is in the way.
#[derive(Debug)]
pub enum Undone {
    /// For a reason of ours.
    Refused(Refusal),
    /// For another.
    Failed(Problem),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Problem> for Undone {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<Refusal> for Undone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A sentence about a field, as a refusal.
pub(in crate::features::staff::rights) fn words(
    field: &'static str,
    text: impl Into<String>,
) -> Undone {
    Refusal::Words(field, text.into()).into()
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It is written.
    Saved,
    /// It waits for a second person.
    Asked(ApprovalId),
}

/// Who writes when, and with whose approval.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'s> {
    /// `None`: the console.
    pub by: Option<StaffId>,
    /// The approval that a second person gave.
    pub approval: Option<ApprovalId>,
    /// Now, as it is stored.
    pub now: &'s str,
    /// Today in Japan.
    pub today: Date,
}

impl Stamp<'_> {
    /// An entry about a change.
    pub(in crate::features::staff::rights) fn event(
        &self,
        operation: Operation,
        (kind, id): (RecordKind, i64),
        detail: String,
    ) -> Event {
        Event::done(operation).on(kind, id).detail(detail)
    }
}

/// Shows what a change would do on a day: it is made, compared and undone.
///
/// # Errors
/// As [`perform`], but for `Late` and `Again`.
pub fn preview(hand: &Hand<'_>, change: &Change, on: Date) -> Result<Vec<Difference>, Undone> {
    let now = format!("{:.6}", hand.db.clock().now());
    let stamp = stamp(hand, &now);
    let made = hand
        .db
        .write(hand.actor, |tx| -> Result<Audited<()>, Look> {
            let before = sql::holders(tx, on)?;
            apply_safely(tx, change, &stamp).map_err(Look::Undone)?;
            let after = sql::holders(tx, on)?;
            Err(Look::Seen(differences(&before, &after)))
        });
    match made {
        Err(Look::Seen(differences)) => Ok(differences),
        Err(Look::Undone(undone)) => {
            // A list is looked at again and again while it is entered: that is no try yet.
            if !matches!(change, Change::Plan { .. }) {
                note(hand, change, &undone)?;
            }
            Err(undone)
        }
        Ok(()) => Err(Problem::Fault("a preview was saved").into()),
    }
}

/// How a preview ends: never by saving.
enum Look {
    Seen(Vec<Difference>),
    Undone(Undone),
}

impl From<StoreError> for Look {
    fn from(error: StoreError) -> Self {
        Self::Undone(error.into())
    }
}

fn stamp<'s>(hand: &Hand<'s>, now: &'s str) -> Stamp<'s> {
    Stamp {
        by: hand.actor.staff_id,
        approval: None,
        now,
        today: hand.db.clock().today(),
    }
}

/// Makes a change, or asks for a second person when it concerns administrators.
///
/// # Errors
/// Any [`Refusal`], and the store's.
pub fn perform(hand: &Hand<'_>, change: &Change, seen: &str) -> Result<Done, Undone> {
    let now = format!("{:.6}", hand.db.clock().now());
    let stamp = stamp(hand, &now);
    let made = hand.db.write(hand.actor, |tx| {
        if stand(tx, change)? != seen {
            let again = is_written(tx, change, stamp.by)?;
            return Err(if again { Refusal::Again } else { Refusal::Late }.into());
        }
        if !concerns_administrators(tx, change, stamp.today)? {
            let mut events = apply_safely(tx, change, &stamp)?.into_iter();
            let first = events
                .next()
                .ok_or(Problem::Fault("a change without an entry"))?;
            return Ok(tx.audited_all(first, events.collect(), Done::Saved));
        }
        let by = stamp.by.ok_or_else(|| words("permission", CONSOLE))?;
        refuse_own(tx, change, Some(by))?;
        let (id, event) = ask(tx, change, by, hand)?;
        Ok(tx.audited(event, Done::Asked(id)))
    });
    if let Err(undone) = &made {
        note(hand, change, undone)?;
    }
    made
}
