//! A person as she was: for the time machine (`features/former_states`).
//!
//! Shape: what the register said at a moment is the row that the next import after it replaced
//! (`resident_changes.before`), else today's; what staff corrected is laid over it. Imports write the register,
//! so it is shown and not put back; the fields of [`Field`] are put back as corrections.
//! Household, insurance, certification and who was in charge stand beside it (`residents::delivered`).
//! Limits: while an import stood that was taken back later, and before one whose kept rows were disposed of,
//! nobody knows what the register said: then there is no state, and a copy is opened.

use std::collections::BTreeMap;

use base::secrecy::{Note, PersonName};
use jiff::Timestamp;
use store::{
    Event, Operation, ReadTx, RecordKind, ResidentId, StoreError, SystemReason, WriteTx, params,
};

use super::form;
use super::model::{Correction, Field, FieldState};
use super::store::{self as sql, Eyes, Stamp};
use super::view;
use crate::features::former_states::{Lens, Outcome, Part, Place, Point, Record, Said, Wanted};
use crate::features::imports::{Feed, field_label, kind_label, reindex};
use crate::features::residents::delivered::{self, forgotten, is_before};
use crate::features::residents::person::id_of;
use crate::web::{FieldProblem, Permission, Problem, Visit};

/// Columns of the register that are compared, in the order of the page.
const COLUMNS: &[&str] = &[
    "name",
    "kana",
    "alias_name",
    "former_surname",
    "born_on",
    "address",
    "building",
    "phone",
    "postal_code",
    "household_no",
    "relationship",
    "resident_state",
    "centre_id",
    "moved_to",
    "died_on",
];

/// A row of the register by column.
type Register = BTreeMap<String, Note>;

/// An import that changed her row.
#[derive(Debug)]
struct Change {
    at: String,
    kind: String,
    undone_at: Option<String>,
    /// What it replaced; nothing when she was new, or when it cannot be read.
    before: Option<Register>,
}

/// A person with everything that the register and staff ever said of her.
#[derive(Debug)]
pub struct FormerPerson {
    id: ResidentId,
    name: PersonName,
    addressee_no: String,
    register: Register,
    /// Oldest first.
    changes: Vec<Change>,
    /// Until when what the register said was disposed of.
    forgotten_until: Option<String>,
    /// When what stands beside the register changed.
    beside: Vec<Point>,
    fields: Vec<(Field, FieldState)>,
    /// Names of centres and of states, by what stands in the row.
    words: BTreeMap<(&'static str, String), String>,
}

/// What was known of her at a moment.
#[derive(Debug)]
pub struct PersonState {
    register: Register,
    corrected: Vec<(Field, Note)>,
}

fn as_json() -> String {
    let pairs: Vec<String> = COLUMNS
        .iter()
        .map(|name| format!("'{name}', r.{name}"))
        .collect();
    format!("json_object({})", pairs.join(", "))
}

/// A row as it was kept; nothing of one that cannot be read, which is then not known.
fn register(json: &str) -> Option<Register> {
    let values: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).ok()?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => value.to_string(),
    };
    let kept = values
        .into_iter()
        .filter(|(name, _)| COLUMNS.contains(&name.as_str()));
    let kept = kept.map(|(name, value)| (name, Note::from(text(value))));
    Some(kept.collect())
}

const CHANGES: &str = "
    select i.applied_at, c.kind, u.recorded_at, c.before from visible_resident_changes c
    join imports i on i.id = c.import_id left join import_undos u on u.import_id = i.id
    where c.resident_id = ?1 and c.feed = 'residents' order by c.id";

const WORDS: &str = "
    select 'centre_id', cast(id as text), name from support_centres
    union all select 'resident_state', code, label from codes where list = 'resident_state'";

fn read(tx: &ReadTx<'_>, id: ResidentId) -> Result<Option<FormerPerson>, StoreError> {
    let sql = format!(
        "select r.name, r.addressee_no, {} from visible_residents r where r.id = ?1",
        as_json()
    );
    let head: Option<(String, String, String)> = tx.one(&sql, params![id], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let Some((name, addressee_no, json)) = head else {
        return Ok(None);
    };
    let Some(now) = register(&json) else {
        return Ok(None);
    };
    let changes = tx.all(CHANGES, params![id], |row| {
        let before: Option<String> = row.get(3)?;
        Ok(Change {
            at: row.get(0)?,
            kind: row.get(1)?,
            undone_at: row.get(2)?,
            before: before.as_deref().and_then(register),
        })
    })?;
    let arrived = changes.iter().find(|change| change.kind == "new");
    let beside = delivered::points(tx, id, arrived.map(|change| change.at.as_str()))?;
    let mut fields = Vec::new();
    for field in Field::ALL {
        if let Some(state) = sql::state(tx, Eyes::Viewer, id, *field)? {
            fields.push((*field, state));
        }
    }
    let words: Vec<(String, String, String)> =
        tx.all(WORDS, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let column = |name: &str| COLUMNS.iter().find(|known| **known == name).copied();
    Ok(Some(FormerPerson {
        id,
        name: name.into(),
        addressee_no,
        register: now,
        changes,
        forgotten_until: forgotten(tx, Feed::Residents)?,
        beside,
        fields,
        words: words
            .into_iter()
            .filter_map(|(list, code, label)| Some(((column(&list)?, code), label)))
            .collect(),
    }))
}

fn is_after(stored: &str, at: Option<Timestamp>) -> bool {
    at.is_some_and(|at| stored.parse::<Timestamp>().is_ok_and(|own| own > at))
}

impl FormerPerson {
    fn first(&self) -> Option<&FieldState> {
        self.fields.first().map(|(_, state)| state)
    }

    /// What the register said; nothing when she was not in it, or when that is not known.
    fn register_at(&self, at: Option<Timestamp>) -> Option<&Register> {
        let stood = |change: &Change| {
            let undone = change.undone_at.as_deref();
            undone.is_some_and(|undone| !is_after(&change.at, at) && is_after(undone, at))
        };
        let forgotten = at.is_some_and(|at| is_before(at, self.forgotten_until.as_deref()));
        if forgotten || self.changes.iter().any(stood) {
            return None;
        }
        let next = self.changes.iter().find(|change| is_after(&change.at, at));
        next.map_or(Some(&self.register), |change| change.before.as_ref())
    }

    fn said_of(&self, column: &'static str, value: &Note) -> Note {
        let key = (column, view::stored(value).to_owned());
        match self.words.get(&key) {
            Some(label) => Note::from(label.as_str()),
            None if column == "phone" => view::phone(value),
            None => value.clone(),
        }
    }
}

/// The correction that held at a moment.
fn held(state: &FieldState, at: Option<Timestamp>) -> Option<&Correction> {
    state.all.iter().find(|known| {
        let ended = known.ending.as_ref();
        !is_after(&known.at, at) && ended.is_none_or(|ending| is_after(&ending.at, at))
    })
}

impl PersonState {
    fn value(&self, column: &str) -> Note {
        let corrected = self
            .corrected
            .iter()
            .find(|(field, _)| field.code() == column);
        let register = || self.register.get(column).cloned().unwrap_or_default();
        corrected.map_or_else(register, |(_, value)| value.clone())
    }
}

impl Record for FormerPerson {
    type State = PersonState;
    const KIND: RecordKind = RecordKind::Resident;
    const READS: Permission = Permission::ResidentView;
    const WRITES: Permission = Permission::ResidentCorrect;
    const THEIRS: &'static str = "住民記録の値";

    fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Self, Problem> {
        read(tx, id_of(visit)?)?.ok_or(Problem::NotFound)
    }

    fn same_in(&self, _live: &ReadTx<'_>, past: &ReadTx<'_>) -> Result<Option<Self>, Problem> {
        let sql = "select id from visible_residents where addressee_no = ?1";
        let id: Option<ResidentId> = past.one(sql, params![self.addressee_no], |row| row.get(0))?;
        match id {
            Some(id) => Ok(read(past, id)?),
            None => Ok(None),
        }
    }

    fn id(&self) -> i64 {
        self.id.0
    }

    fn person(&self) -> Option<ResidentId> {
        Some(self.id)
    }

    // Nothing of her is known: then she is taken for shielded and for read only.
    fn shielded(&self) -> bool {
        self.first().is_none_or(|state| state.shielded)
    }

    fn writable(&self) -> bool {
        self.first().is_some_and(|state| state.writable)
    }

    fn key(&self) -> String {
        let keys = self.fields.iter().map(|(_, state)| view::state_key(state));
        keys.collect::<Vec<_>>().join("-")
    }

    fn place(&self) -> Place {
        Place {
            href: format!("/residents/{}", self.id),
            label: "個人画面".to_owned(),
            above: ("住民をさがす", "/residents"),
            who: view::name(&self.name),
        }
    }

    fn points(&self) -> Vec<Point> {
        let mut all: Vec<Point> = self
            .changes
            .iter()
            .map(|change| Point {
                at: change.at.clone(),
                by: "取込み".to_owned(),
                what: format!("住民記録（{}）", kind_label(&change.kind)),
                reason: Note::default(),
            })
            .collect();
        for (field, state) in &self.fields {
            for known in &state.all {
                all.push(Point {
                    at: known.at.clone(),
                    by: known.by.clone(),
                    what: format!("{}の訂正", field.label()),
                    reason: known.reason.clone(),
                });
                all.extend(known.ending.as_ref().map(|ending| Point {
                    at: ending.at.clone(),
                    by: ending.by.clone(),
                    what: format!("{}の訂正の終了", field.label()),
                    reason: ending.reason.clone(),
                }));
            }
        }
        all.extend(self.beside.iter().cloned());
        all.sort_by_key(|point| point.at.parse::<Timestamp>().ok());
        all
    }

    fn state_at(&self, at: Option<Timestamp>) -> Option<PersonState> {
        let register = self.register_at(at)?.clone();
        let corrected = self.fields.iter().filter_map(|(field, state)| {
            let correction = held(state, at)?;
            Some((*field, correction.value.clone()))
        });
        Some(PersonState {
            corrected: corrected.collect(),
            register,
        })
    }

    fn said(&self, _visit: &Visit, state: &PersonState) -> Vec<Said> {
        let said = |column: &&'static str| Said {
            code: column,
            label: label(column),
            text: self.said_of(column, &state.value(column)),
            ours: Field::from_code(column).is_some(),
        };
        COLUMNS.iter().map(said).collect()
    }

    fn parts(&self, _visit: &Visit, lens: Lens<'_>) -> Result<Vec<Part>, Problem> {
        Ok(delivered::parts(lens, (self.id, &self.addressee_no))?)
    }

    fn put_back(visit: &Visit, then: &PersonState, wanted: Wanted<'_>) -> Result<Outcome, Problem> {
        let staff = visit.signed_in()?.staff_id;
        let now = format!("{:.6}", visit.app.clock().now());
        let db = visit.app.db();
        // Seen through the viewer's eyes first; the system, which renews the search keys, has none.
        let seen = db.read(&visit.actor, |tx| Self::load(visit, tx))?;
        if seen.key() != wanted.base {
            return Ok(Outcome::Late);
        }
        if !seen.writable() {
            return Err(Problem::Forbidden);
        }
        let acts = match acts(&seen, then, wanted) {
            Ok(acts) => acts,
            Err(problems) => return Ok(Outcome::Wrong(problems)),
        };
        let late = std::cell::Cell::new(false);
        let done = db.system(&visit.actor, SystemReason::Reindex, |tx| {
            if !is_as_seen(tx, &seen)? {
                late.set(true);
                return Err(Problem::NotFound);
            }
            let mut events = Vec::new();
            for act in &acts {
                events.extend(act.write(tx, seen.id, (staff, &now), wanted.reason)?);
            }
            reindex(tx, seen.id)?;
            let detail = format!("fields={} from={}", wanted.fields.join("+"), wanted.source);
            let event = Event::done(Operation::FormerStatePutBack)
                .about(seen.id)
                .on(RecordKind::Resident, seen.id.0)
                .detail(detail);
            Ok(tx.audited_all(event, events, ()))
        });
        if late.get() {
            return Ok(Outcome::Late);
        }
        done.map(|()| Outcome::Done)
    }
}

fn label(column: &'static str) -> &'static str {
    if column == "alias_name" {
        "通称"
    } else {
        field_label(column)
    }
}

/// Neither who may see her nor what is known of these fields changed since the viewer looked.
fn is_as_seen(tx: &ReadTx<'_>, seen: &FormerPerson) -> Result<bool, StoreError> {
    for (field, known) in &seen.fields {
        let state = sql::state(tx, Eyes::System, seen.id, *field)?;
        let same = state.is_some_and(|state| {
            state.centre == known.centre && view::state_key(&state) == view::state_key(known)
        });
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is done to one field.
enum Act<'s> {
    /// This correction ends: the register says what was known then.
    End(Field, &'s Correction),
    /// This value is typed again, over the correction that holds.
    Correct(Field, Note, Option<&'s Correction>),
}

fn acts<'s>(
    seen: &'s FormerPerson,
    then: &PersonState,
    wanted: Wanted<'_>,
) -> Result<Vec<Act<'s>>, Vec<FieldProblem>> {
    let (mut acts, mut problems) = (Vec::new(), Vec::new());
    for (field, state) in seen
        .fields
        .iter()
        .filter(|(field, _)| wanted.has(field.code()))
    {
        let value = then.value(field.code());
        if view::says_the_same(*field, state.shown(), &value) {
            continue;
        }
        match (
            state.holding(),
            view::says_the_same(*field, &state.register, &value),
        ) {
            (Some(holding), true) => acts.push(Act::End(*field, holding)),
            (holding, _) => {
                let typed = view::typed(&value, wanted.reason);
                match form::check(*field, &typed) {
                    Ok(typed) => acts.push(Act::Correct(*field, typed.value, holding)),
                    Err(found) => problems.extend(found.into_iter().map(|problem| FieldProblem {
                        field: field.code(),
                        text: format!("{}：{}", field.label(), problem.text),
                    })),
                }
            }
        }
    }
    if problems.is_empty() {
        Ok(acts)
    } else {
        Err(problems)
    }
}

impl Act<'_> {
    fn write(
        &self,
        tx: &WriteTx<'_>,
        id: ResidentId,
        stamp: Stamp<'_>,
        reason: &str,
    ) -> Result<Vec<Event>, StoreError> {
        let reason = format!("以前の状態に戻した：{reason}");
        match self {
            Self::End(field, holding) => {
                let ended = (holding.id, reason.as_str());
                Ok(vec![sql::end(tx, id, *field, ended, stamp)?])
            }
            Self::Correct(field, value, holding) => {
                let mut events = Vec::new();
                if let Some(holding) = holding {
                    let replaced = (holding.id, sql::REPLACED);
                    events.push(sql::end(tx, id, *field, replaced, stamp)?);
                }
                let words = (view::stored(value), reason.as_str());
                events.push(sql::insert(tx, id, *field, words, stamp)?);
                Ok(events)
            }
        }
    }
}
