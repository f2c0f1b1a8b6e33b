//! What a record is to the time machine: points of its history, what it said then and now. No I/O but
//! through the [`Record`] of each kind.

use base::secrecy::Note;
use jiff::Timestamp;
use store::{Event, Operation, ReadTx, RecordKind, ResidentId};

use crate::web::{FieldProblem, Permission, Problem, Visit};

/// Something that changed a record, and when: the moments that are offered.
#[derive(Debug, Clone)]
pub struct Point {
    /// As stored: UTC, ISO.
    pub at: String,
    /// Who did it.
    pub by: String,
    /// What it was: 第2版, 取下げ.
    pub what: String,
    /// Why, as far as that was asked for.
    pub reason: Note,
}

impl Point {
    /// The instant; nothing for what no clock wrote.
    pub(super) fn instant(&self) -> Option<Timestamp> {
        self.at.parse().ok()
    }
}

/// What one field said, in words.
#[derive(Debug, Clone)]
pub struct Said {
    /// As forms name it.
    pub code: &'static str,
    /// As staff read it.
    pub label: &'static str,
    /// What it said.
    pub text: Note,
    /// Can staff put it back? What only the register writes they cannot.
    pub ours: bool,
}

/// Rows that belong to a record and are no fields of it: what an import delivered about a person, the
/// course of a case. They stand beside today's and are not put back from here.
#[derive(Debug)]
pub struct Part {
    /// As anchors name it.
    pub code: &'static str,
    /// As staff call it.
    pub title: &'static str,
    /// Where they come from, and why they are not put back here.
    pub note: &'static str,
    /// The rows, or why nobody knows them.
    pub rows: Result<Vec<PartRow>, &'static str>,
}

/// One row of a [`Part`].
#[derive(Debug)]
pub struct PartRow {
    /// Then and now the same row has the same key.
    pub key: String,
    /// What it is known by.
    pub label: Note,
    /// What it said; a label that is missing said nothing.
    pub facts: Vec<(&'static str, Note)>,
}

/// Where, and of when, the rows of a [`Part`] are read.
#[derive(Debug, Clone, Copy)]
pub struct Lens<'l> {
    /// Today's database, through the viewer's eyes: who is named is decided here.
    pub live: &'l ReadTx<'l>,
    /// A copy of the past, in which nobody's eyes count.
    pub past: Option<&'l ReadTx<'l>>,
    /// A moment of the history; without one as the database stands. A copy stands at its own.
    pub at: Option<Timestamp>,
}

impl Lens<'_> {
    /// What the rows are read from.
    pub fn rows(&self) -> &ReadTx<'_> {
        self.past.unwrap_or(self.live)
    }
}

/// Where a record stands among the pages.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its page: `/consultations/12`.
    pub href: String,
    /// What it is called in the way here: 相談 R8-000012.
    pub label: String,
    /// List it belongs to, and its address.
    pub above: (&'static str, &'static str),
    /// Whose it is, as the viewer may read it; empty when nobody is known.
    pub who: Note,
}

/// How putting back ended.
#[derive(Debug)]
pub enum Outcome {
    /// Done and written down.
    Done,
    /// Somebody changed the record since the form was opened.
    Late,
    /// What stands in the way, field by field.
    Wrong(Vec<FieldProblem>),
}

/// What is to be put back, and why.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// Codes of the fields.
    pub fields: &'w [String],
    /// What the form was opened on ([`Record::key`]).
    pub base: &'w str,
    /// As typed, checked.
    pub reason: &'w str,
    /// Where the former state comes from, for the entry: `own 2026-11-24T01:00:00Z`.
    pub source: &'w str,
}

impl Wanted<'_> {
    /// Was this field chosen?
    pub fn has(&self, code: &str) -> bool {
        self.fields.iter().any(|field| field == code)
    }
}

/// What becomes of a record's withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// This withdrawal ends.
    Returns(i64),
    /// It is withdrawn again.
    Withdrawn,
}

impl Standing {
    /// `held`: the withdrawal that holds today. Nothing: as it stands.
    ///
    /// # Errors
    /// Why nothing else comes back while the record stays withdrawn; `done` is what was done to it.
    pub fn of(
        wanted: Wanted<'_>,
        held: Option<i64>,
        was_withdrawn: bool,
        done: &str,
    ) -> Result<Option<Self>, FieldProblem> {
        match (wanted.has("state"), held, was_withdrawn) {
            (true, Some(held), false) => Ok(Some(Self::Returns(held))),
            (true, None, true) => Ok(Some(Self::Withdrawn)),
            (_, None, _) => Ok(None),
            (_, Some(_), _) => Err(FieldProblem {
                field: "state",
                text: format!(
                    "いまは{done}います。ほかの項目を戻すには、「状態」が有効だった時点を選び、\
                     「状態」も一緒に戻してください。"
                ),
            }),
        }
    }
}

/// A kind of record whose former states are kept.
pub trait Record: Sized {
    /// What it said at a moment.
    type State;
    /// As the access log names it.
    const KIND: RecordKind;
    /// What it takes to read one, beside the time machine itself.
    const READS: Permission;
    /// What it takes to change one.
    const WRITES: Permission;
    /// What a look is in the access log, and a printed one.
    const LOOKS: (Operation, Operation) = (Operation::FormerStateView, Operation::FormerStatePrint);
    /// What stands beside a field that staff do not put back.
    const THEIRS: &'static str = "";

    /// The record of this address as it stands, through the viewer's eyes.
    ///
    /// # Errors
    /// [`Problem::NotFound`] outside the scope, for a wrong number, and for what was disposed of.
    fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Self, Problem>;

    /// The same record in a copy of the past, told by what it is called and not by its number alone; people
    /// in it are named as far as the viewer meets them today (`live`).
    ///
    /// # Errors
    /// Those of the copy.
    fn same_in(&self, live: &ReadTx<'_>, past: &ReadTx<'_>) -> Result<Option<Self>, Problem>;

    /// Number in the access log.
    fn id(&self) -> i64;
    /// Whom it is about.
    fn person(&self) -> Option<ResidentId>;
    /// Under 支援措置 today: a reason is asked for first.
    fn shielded(&self) -> bool;
    /// May this viewer change it?
    fn writable(&self) -> bool;
    /// What whoever does not put back is told.
    fn read_only(&self) -> &'static str {
        "この記録は、閲覧だけできます（いまの担当ではないか、書く権限がありません）。戻すのは担当センターか\
         長寿あんしん課が行います。"
    }
    /// The entry about it.
    fn entry(&self, event: Event, words: &str) -> Event {
        let event = event.about(self.person()).on(Self::KIND, self.id());
        event.detail(words)
    }
    /// Bytes belong to it, and they are missing or bent.
    fn lacks_bytes(&self, _visit: &Visit) -> bool {
        false
    }
    /// What names the state it is in: a form carries it, so that a change in between is noticed.
    fn key(&self) -> String;
    /// Where it stands.
    fn place(&self) -> Place;
    /// Everything that changed it, oldest first.
    fn points(&self) -> Vec<Point>;
    /// What it said at a moment, newest without one; nothing: it was not there yet, or that is not known.
    fn state_at(&self, at: Option<Timestamp>) -> Option<Self::State>;
    /// That in words; every field in the same order, empty ones too. `self` is today's record.
    fn said(&self, visit: &Visit, state: &Self::State) -> Vec<Said>;
    /// Rows beside the fields; `self` is today's record. The same parts in the same order, whatever the lens.
    ///
    /// # Errors
    /// Those of the store.
    fn parts(&self, _visit: &Visit, _lens: Lens<'_>) -> Result<Vec<Part>, Problem> {
        Ok(Vec::new())
    }
    /// Puts fields back, as new versions, in one transaction with its entry.
    ///
    /// # Errors
    /// As [`Record::load`], and those of the store.
    fn put_back(visit: &Visit, then: &Self::State, wanted: Wanted<'_>) -> Result<Outcome, Problem>;
}
