//! Writing entries: for the door, for the form, and for the console.

use jiff::civil::Date;
use store::{Actor, Db, Event, Operation, ReadTx, RecordKind, StaffId, StoreError, WriteTx};

use super::form::{FieldProblem, Form};
use super::model::{CarriedOutId, Entry, Lists, Origin, Protection, Reach};
use super::store::{self as sql, Head};
use crate::web::{Fields, Problem};

/// Entries still out after their day: for the day's page.
///
/// # Errors
/// [`StoreError`].
pub fn overdue(tx: &ReadTx<'_>, reach: Reach, today: Date) -> Result<i64, StoreError> {
    sql::overdue(tx, reach, today)
}

/// Whoever sits at the console.
#[derive(Debug, Clone, Copy)]
pub struct Console<'c> {
    /// The database.
    pub db: &'c Db,
    /// The verb.
    pub actor: &'c Actor,
    /// Their name.
    pub operator: &'c str,
    /// One per run: the same words given twice are two entries, the same run is one.
    pub submission: &'c str,
}

/// Adds an entry for something that left without the product making a file: a backup disk, a stick.
/// `fields` are those of the form: `taken_on`, `what`, `persons`, `purpose`, `purpose_note`,
/// `medium`, `medium_note`, `destination`, `carried_by`, `encrypted` (`yes`, `no`), `protection`,
/// `due_on` or `stays=1`, `note`.
///
/// # Errors
/// The problems of the fields, or why nothing could be saved.
pub fn register(
    console: Console<'_>,
    fields: &Fields,
) -> Result<Result<CarriedOutId, Vec<FieldProblem>>, Problem> {
    let today = console.db.clock().today();
    let lists = console.db.read(console.actor, |tx| sql::lists(tx, today))?;
    let entry = match Form::new(fields, &lists, today).entry() {
        Ok(entry) => entry,
        Err(problems) => return Ok(Err(problems)),
    };
    let now = format!("{:.6}", console.db.clock().now());
    let id = console.db.write(console.actor, |tx| {
        let head = Head {
            centre_id: None,
            origin: Origin::Command,
            submission: console.submission,
            created_by: None,
            operator: console.operator,
            now: &now,
        };
        let id = sql::insert(tx, &head, &entry)?;
        let event = created(id, &entry, &lists);
        Ok::<_, StoreError>(tx.audited(event, id))
    })?;
    Ok(Ok(id))
}

/// Adds an entry of somebody signed in, or finds the one that this form made before.
pub(super) fn add(tx: &WriteTx<'_>, head: &Head<'_>, entry: &Entry) -> Result<Added, StoreError> {
    match sql::by_submission(tx, head.submission)? {
        Some((id, by, at)) => Ok(Added::Before { id, by, at }),
        None => sql::insert(tx, head, entry).map(Added::New),
    }
}

/// What [`add`] did.
#[derive(Debug)]
pub(super) enum Added {
    New(CarriedOutId),
    /// The same form came a second time.
    Before {
        id: CarriedOutId,
        by: Option<StaffId>,
        at: String,
    },
}

/// What the access log says about a new entry.
pub(super) fn created(id: CarriedOutId, entry: &Entry, lists: &Lists) -> Event {
    let due = entry
        .due_on
        .map_or_else(|| "渡したまま".to_owned(), |day| day.to_string());
    let locked = match entry.protection {
        Protection::Encrypted => "あり",
        Protection::Instead(_) => "なし",
    };
    let detail = format!(
        "{}／人数＝{}／目的＝{}／媒体＝{}／持出し先＝{}／暗号化＝{locked}／期限＝{due}",
        entry.what,
        entry.persons,
        lists.purpose(&entry.purpose),
        lists.medium(&entry.medium),
        entry.destination,
    );
    event(Operation::CarryOut, id).detail(detail)
}

pub(super) fn event(operation: Operation, id: CarriedOutId) -> Event {
    Event::done(operation).on(RecordKind::CarriedOut, id.0)
}
