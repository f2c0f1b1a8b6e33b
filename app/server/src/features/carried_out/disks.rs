//! A backup disk that is carried away has its entry from the run that wrote to it.
//!
//! Shape: one entry a stay of the disk in the machine. The next run during that stay brings it up to
//! date with a new version; a run after the disk was away says that it came back, and begins the
//! next entry. Its return is recorded on its page, too, as of anything else.
//! Invariant: a disk that the product wrote to is in the register, also when nobody was at the console.
//! Source: 個人情報取扱特記事項 第9条(5), (7).

use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{Operation, ReadTx, StoreError, WriteTx, params};

use super::form::{Ending, FieldProblem, Form};
use super::model::{CarriedOutId, Entry, Lists, Origin, Reach, Record};
use super::registering::{Console, created, event};
use super::store::{self as sql, Head};
use super::view;
use crate::web::{Fields, Problem};

/// A disk that was written to so many days ago did not leave in between: nightly runs, and a
/// week-end without one.
const STAY_DAYS_MAX: i64 = 4;

/// What the settings say about a repository that leaves the house, and what a run put on it.
#[derive(Debug, Clone, Copy)]
pub struct Disk<'d> {
    /// Name of the repository.
    pub repository: &'d str,
    /// Code of `carried_out_medium`.
    pub medium: &'d str,
    /// The words on its label.
    pub label: &'d str,
    /// Where it is kept.
    pub destination: &'d str,
    /// Who takes it there.
    pub carried_by: &'d str,
    /// Back after so many days.
    pub days_out: u16,
    /// Persons in the backup.
    pub persons: i64,
}

/// What became of the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// A new entry.
    New(CarriedOutId),
    /// The entry of this stay, brought up to date or as it was.
    Same(CarriedOutId),
}

impl Kept {
    /// The number of the entry.
    pub const fn id(self) -> CarriedOutId {
        match self {
            Self::New(id) | Self::Same(id) => id,
        }
    }
}

/// Why nothing was written.
enum Not {
    /// The entry says already what it would say.
    Needed(CarriedOutId),
    Failed(StoreError),
}

impl From<StoreError> for Not {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// Enters a disk after a run, or brings its entry up to date.
///
/// # Errors
/// The problems of the settings' words, as the form has them; or why nothing could be saved.
pub fn keep_disk(
    console: Console<'_>,
    disk: &Disk<'_>,
) -> Result<Result<Kept, Vec<FieldProblem>>, Problem> {
    let today = console.db.clock().today();
    let lists = console.db.read(console.actor, |tx| sql::lists(tx, today))?;
    let fields = fields(disk, today).ok_or(Problem::Fault("fields of a disk"))?;
    let entry = match Form::new(&fields, &lists, today).entry() {
        Ok(entry) => entry,
        Err(problems) => return Ok(Err(problems)),
    };
    let now = format!("{:.6}", console.db.clock().now());
    let prefix = prefix(disk.repository);
    let submission = format!("{prefix}{now}");
    let kept = console.db.write(console.actor, |tx| {
        let open = open(tx, &prefix)?;
        let (same, away) = match open {
            Some(known) if stays(&known, today) => (Some(known), None),
            other => (None, other),
        };
        if let Some(known) = same {
            return renewed(tx, &known, &entry, (&lists, &now));
        }
        let back = away.map(|known| came_back(tx, &known, (console.operator, today), &now));
        let head = Head {
            centre_id: None,
            origin: Origin::Command,
            submission: &submission,
            created_by: None,
            operator: console.operator,
            now: &now,
        };
        let id = sql::insert(tx, &head, &entry)?;
        let others = back.transpose()?.into_iter().collect();
        Ok(tx.audited_all(created(id, &entry, &lists), others, Kept::New(id)))
    });
    match kept {
        Ok(kept) => Ok(Ok(kept)),
        Err(Not::Needed(id)) => Ok(Ok(Kept::Same(id))),
        Err(Not::Failed(error)) => Err(error.into()),
    }
}

/// Where the register says that a disk is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Out {
    /// The number of its entry.
    pub id: CarriedOutId,
    /// Where it is kept.
    pub destination: String,
    /// Who took it there.
    pub carried_by: String,
    /// Back on that day.
    pub due_on: Option<Date>,
}

/// The entry of a disk that nobody has ended.
///
/// # Errors
/// [`StoreError`].
pub fn disk_out(tx: &ReadTx<'_>, repository: &str) -> Result<Option<Out>, StoreError> {
    let found = open(tx, &prefix(repository))?;
    Ok(found.map(|record| Out {
        id: record.id,
        destination: record.entry.destination,
        carried_by: record.entry.carried_by,
        due_on: record.entry.due_on,
    }))
}

/// Ends the entry of a disk that was plugged in again; whether there was one.
///
/// # Errors
/// Why nothing could be saved.
pub fn disk_returned(console: Console<'_>, repository: &str) -> Result<bool, Problem> {
    let today = console.db.clock().today();
    let now = format!("{:.6}", console.db.clock().now());
    let done = console.db.write(console.actor, |tx| {
        let Some(known) = open(tx, &prefix(repository))? else {
            return Err(Nothing::ToEnd);
        };
        let event = came_back(tx, &known, (console.operator, today), &now)?;
        Ok(tx.audited(event, ()))
    });
    match done {
        Ok(()) => Ok(true),
        Err(Nothing::ToEnd) => Ok(false),
        Err(Nothing::Saved(error)) => Err(error.into()),
    }
}

/// Why no entry was ended.
enum Nothing {
    ToEnd,
    Saved(StoreError),
}

impl From<StoreError> for Nothing {
    fn from(error: StoreError) -> Self {
        Self::Saved(error)
    }
}

/// How the submissions of a disk's entries begin.
fn prefix(repository: &str) -> String {
    format!("disk {repository} ")
}

/// As somebody would type it into the form.
fn fields(disk: &Disk<'_>, today: Date) -> Option<Fields> {
    let what = format!("バックアップのディスク「{}」", disk.repository);
    let (taken_on, persons) = (today.to_string(), disk.persons.to_string());
    let due_on = today.saturating_add(i64::from(disk.days_out).days());
    let due_on = due_on.to_string();
    let pairs = [
        ("taken_on", taken_on.as_str()),
        ("what", &what),
        ("persons", &persons),
        ("purpose", "07"),
        ("medium", disk.medium),
        ("medium_note", disk.label),
        ("destination", disk.destination),
        ("carried_by", disk.carried_by),
        ("encrypted", "yes"),
        ("due_on", &due_on),
    ];
    Fields::from_pairs(pairs.into_iter())
}

/// The entry of this disk that nobody has ended.
fn open(tx: &ReadTx<'_>, prefix: &str) -> Result<Option<Record>, StoreError> {
    let sql = "select c.id from carried_out_states s join carried_out c on c.id = s.id
        where substr(c.submission, 1, length(?1)) = ?1 and s.withdrawn = 0
          and coalesce(s.ending, 'open') = 'open'
        order by c.id desc limit 1";
    let id: Option<i64> = tx.one(sql, params![prefix], |row| row.get(0))?;
    match id {
        Some(id) => sql::find(tx, CarriedOutId(id), Reach::All),
        None => Ok(None),
    }
}

fn stays(known: &Record, today: Date) -> bool {
    let last = known.entry.taken_on.saturating_add(STAY_DAYS_MAX.days());
    last >= today
}

fn renewed(
    tx: &WriteTx<'_>,
    known: &Record,
    entry: &Entry,
    (lists, now): (&Lists, &str),
) -> Result<store::Audited<Kept>, Not> {
    let id = known.id;
    // What somebody added by hand stays.
    let entry = Entry {
        note: known.entry.note.clone(),
        ..entry.clone()
    };
    if entry == known.entry {
        return Err(Not::Needed(id));
    }
    let reason = "同じディスクに控えを取り直した";
    let version = known.version.saturating_add(1);
    sql::insert_version(tx, id, version, &entry, (None, now, reason))?;
    let changed = view::differences(&known.entry, &entry, lists);
    let event = event(Operation::CarryOutCorrect, id);
    let event = event.detail(format!("{changed}／理由＝{reason}"));
    Ok(tx.audited(event, Kept::Same(id)))
}

/// It is here: something was written to it.
fn came_back(
    tx: &WriteTx<'_>,
    known: &Record,
    (by, today): (&str, Date),
    now: &str,
) -> Result<store::Event, StoreError> {
    let ending = Ending {
        kind: "returned",
        ended_on: today,
        handled_by: by.to_owned(),
        method: String::new(),
        certificate: String::new(),
        note: "このディスクがつながれたため、戻っていることが分かった".to_owned(),
    };
    sql::insert_ending(tx, known.id, &ending, (None, now))?;
    let detail = format!("状態：持出し中→返却／日＝{today}／した人＝{by}／ディスクの接続による");
    Ok(event(Operation::CarryOutEnd, known.id).detail(detail))
}
