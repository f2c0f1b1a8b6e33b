//! Consultations that a copy of the past has and today's database has not: for the time machine.
//!
//! Who sees one is decided today: whoever meets the person it was about, or, about nobody known, works at
//! the centre that wrote it. What belonged to an abuse case is left to its keepers and is not shown here.
//! Invariant: a number that is here is not lost (disposal leaves the number), and what an import delivered
//! comes back with the import. It comes back under its own number and with a new id.

use std::collections::HashSet;

use base::secrecy::{Note, PersonName};
use store::{
    CentreId, Event, Operation, ReadTx, RecordKind, ResidentId, Scope, StaffId, StoreError,
    SystemReason, WriteTx, params,
};

use super::model::{ConsultationId, Person, Record, Version};
use super::{store as sql, view};
use crate::web::{Problem, Visit};

/// A lost consultation as its copy tells it, and how it stands to the viewer.
#[derive(Debug)]
pub struct Lost {
    record: Record,
    submission: String,
    created_at: String,
    centre: Option<CentreId>,
    /// Whom it was about, as the viewer meets her today.
    person: Option<Person>,
    writable: bool,
    /// Members of staff of then, by the id of then, with that of today.
    staff: Vec<(i64, StaffId)>,
    /// Who wrote the head and each version, by the id of then.
    created_by: Option<i64>,
    versions_by: Vec<(i64, Option<i64>)>,
    follow_ups: Vec<FollowUp>,
}

#[derive(Debug)]
struct FollowUp {
    version: i64,
    note: Note,
    by: i64,
    at: String,
}

/// Number and place of one in the copy.
struct Candidate {
    id: ConsultationId,
    number: String,
}

// Delivered records come back with their import; withdrawn ones were not wanted any more.
const CANDIDATES: &str = "
    select c.id, c.number from visible_current_consultations c
    where c.withdrawn = 0 and c.created_by is not null and (?1 = '' or c.number = ?1)
      and not exists (select 1 from abuse_takings t where t.consultation_id = c.id
          and not exists (select 1 from abuse_taking_endings e where e.taking_id = t.id))
    order by c.id desc";

/// Everything in the copy that is not here any more and that this viewer may see.
///
/// # Errors
/// Those of both databases.
pub fn lost_in(visit: &Visit, past: &ReadTx<'_>) -> Result<Vec<Lost>, Problem> {
    let numbers: Vec<String> = visit
        .app
        .db()
        .system_read(SystemReason::FormerState, |tx| {
            tx.all("select number from consultations", [], |row| row.get(0))
                .map_err(Problem::from)
        })?;
    let here: HashSet<String> = numbers.into_iter().collect();
    let mut found = Vec::new();
    for one in candidates(past, "")? {
        if !here.contains(&one.number) {
            found.extend(read(visit, past, &one)?);
        }
    }
    Ok(found)
}

/// The lost one of this number.
///
/// # Errors
/// As [`lost_in`].
pub fn lost_of(visit: &Visit, past: &ReadTx<'_>, number: &str) -> Result<Option<Lost>, Problem> {
    if is_here(visit, number)? {
        return Ok(None);
    }
    match candidates(past, number)?.first() {
        Some(one) if !number.is_empty() => read(visit, past, one),
        Some(_) | None => Ok(None),
    }
}

fn is_here(visit: &Visit, number: &str) -> Result<bool, Problem> {
    visit.app.db().system_read(SystemReason::FormerState, |tx| {
        let sql = "select count(*) from consultations where number = ?1";
        Ok(tx.count(sql, params![number])? > 0)
    })
}

fn candidates(past: &ReadTx<'_>, number: &str) -> Result<Vec<Candidate>, StoreError> {
    past.all(CANDIDATES, params![number], |row| {
        Ok(Candidate {
            id: row.get(0)?,
            number: row.get(1)?,
        })
    })
}

const HEAD: &str = "
    select c.submission, c.created_at, s.code, c.created_by,
           (select r.addressee_no from visible_residents r where r.id = c.resident_id),
           c.resident_id is not null
    from visible_consultations c left join support_centres s on s.id = c.centre_id where c.id = ?1";

/// The record, when this viewer may see it today.
fn read(visit: &Visit, past: &ReadTx<'_>, one: &Candidate) -> Result<Option<Lost>, Problem> {
    type Head = (
        String,
        String,
        Option<String>,
        Option<i64>,
        Option<String>,
        bool,
    );
    let head: Option<Head> = past.one(HEAD, params![one.id], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
        ))
    })?;
    let (Some(head), Some(record)) = (head, sql::record(past, one.id)?) else {
        return Ok(None);
    };
    let (submission, created_at, centre, created_by, addressee_no, identified) = head;
    let met = visit.app.db().read(&visit.actor, |live| {
        met(live, centre.as_deref(), addressee_no.as_deref())
    })?;
    let (centre, person) = met;
    let (seen, writable) = match (&person, identified, visit.actor.scope) {
        (Some(person), _, _) => (true, person.writable),
        // Somebody whom this viewer does not meet, or who is no more.
        (None, true, _) => (false, false),
        (None, false, Scope::City) => (true, true),
        (None, false, Scope::Centre(own)) => (centre == Some(own), centre == Some(own)),
        (None, false, Scope::Nothing | Scope::Assigned(_)) => (false, false),
    };
    if !seen {
        return Ok(None);
    }
    let sql =
        "select id, recorded_by from visible_consultation_versions where consultation_id = ?1";
    let versions_by = past.all(sql, params![one.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = "select version, note, staff_id, recorded_at from visible_consultation_follow_ups
        where consultation_id = ?1 order by id";
    let follow_ups = past.all(sql, params![one.id], |row| {
        Ok(FollowUp {
            version: row.get(0)?,
            note: row.get::<_, String>(1)?.into(),
            by: row.get(2)?,
            at: row.get(3)?,
        })
    })?;
    let logins: Vec<(i64, String)> = past.all("select id, login from staff", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let staff = visit
        .app
        .db()
        .read(&visit.actor, |live| same_staff(live, &logins))?;
    Ok(Some(Lost {
        record,
        submission,
        created_at,
        centre,
        person,
        writable,
        staff,
        created_by,
        versions_by,
        follow_ups,
    }))
}

/// Centre and person by what they are called.
fn met(
    live: &ReadTx<'_>,
    centre: Option<&str>,
    addressee_no: Option<&str>,
) -> Result<(Option<CentreId>, Option<Person>), StoreError> {
    let by_code = "select id from support_centres where code = ?1";
    let centre = match centre {
        Some(code) => live.one(by_code, params![code], |row| row.get(0))?,
        None => None,
    };
    let by_number = "select id from visible_residents where addressee_no = ?1";
    let id: Option<ResidentId> = match addressee_no {
        Some(number) => live.one(by_number, params![number], |row| row.get(0))?,
        None => None,
    };
    let person = match id {
        Some(id) => sql::person(live, id)?,
        None => None,
    };
    Ok((centre, person))
}

fn same_staff(
    live: &ReadTx<'_>,
    logins: &[(i64, String)],
) -> Result<Vec<(i64, StaffId)>, StoreError> {
    let mut same = Vec::new();
    for (then, login) in logins {
        let sql = "select id from staff where login = ?1";
        let now: Option<StaffId> = live.one(sql, params![login], |row| row.get(0))?;
        same.extend(now.map(|now| (*then, now)));
    }
    Ok(same)
}

impl Lost {
    /// Its number.
    pub fn number(&self) -> &str {
        &self.record.number
    }

    /// Day of the consultation, in words.
    pub fn received_on(&self) -> String {
        view::day_short(self.record.current.entry.received_on)
    }

    /// Whom it was about, as far as the viewer meets her.
    pub fn who(&self) -> Note {
        let told = PersonName::from(self.record.current.entry.client_name.as_str());
        match &self.person {
            Some(person) => view::name_of(person),
            None => view::client(true, Some(&told)),
        }
    }

    /// Her id today.
    pub fn person(&self) -> Option<ResidentId> {
        self.person.as_ref().map(|person| person.id)
    }

    /// Under 支援措置 today.
    pub fn shielded(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.shielded)
    }

    /// May this viewer write about her?
    pub fn writable(&self) -> bool {
        self.writable
    }

    /// What it said last, in words; empty fields are left out.
    pub fn facts(&self, visit: &Visit) -> Vec<(&'static str, String)> {
        let typed = view::typed(&self.record.current.entry);
        let facts = view::facts(&typed, &self.record.lists, visit.today());
        let some = facts.into_iter().filter(|fact| !fact.text.is_empty());
        some.map(|fact| (fact.label, fact.text)).collect()
    }

    fn now(&self, then: Option<i64>) -> Option<StaffId> {
        let mut all = self.staff.iter();
        all.find(|(known, _)| Some(*known) == then)
            .map(|(_, now)| *now)
    }

    /// Writes it again, with all its versions and an entry; its id today.
    ///
    /// # Errors
    /// [`Problem::NotFound`] when she is not met any more; a page when somebody was faster.
    pub fn bring_back(
        &self,
        visit: &Visit,
        (reason, source): (&str, &str),
    ) -> Result<ConsultationId, Problem> {
        let by = visit.signed_in()?.staff_id;
        let now = format!("{:.6}", visit.app.clock().now());
        if is_here(visit, self.number())? {
            return Err(Problem::NotFound);
        }
        visit.app.db().write(&visit.actor, |tx| {
            // Asked again: in between she may have moved out of the scope.
            if let Some(person) = self.person() {
                let met = sql::person(tx, person)?.filter(|person| person.writable);
                met.ok_or(Problem::NotFound)?;
            }
            let id = self.write_head(tx)?;
            for version in self
                .record
                .former
                .iter()
                .rev()
                .chain([&self.record.current])
            {
                self.write_version(tx, id, version)?;
            }
            if let Some(person) = self.person() {
                sql::insert_client(tx, id, person, by, &now)?;
            }
            for one in &self.follow_ups {
                if let Some(staff) = self.now(Some(one.by)) {
                    let note = view::words_of(&one.note);
                    sql::insert_follow_up(tx, id, one.version, note, (staff, &one.at))?;
                }
            }
            let detail = format!("lost={} from={source}／理由＝{reason}", self.number());
            let event = Event::done(Operation::FormerStatePutBack)
                .about(self.person())
                .on(RecordKind::Consultation, id.0)
                .detail(detail);
            Ok(tx.audited(event, id))
        })
    }

    fn write_head(&self, tx: &WriteTx<'_>) -> Result<ConsultationId, StoreError> {
        let id = sql::next_id(tx)?;
        let created_by = self.now(self.created_by);
        let values = params![
            id,
            self.record.number,
            self.centre,
            self.submission,
            created_by,
            self.created_at
        ];
        tx.insert(sql::INSERT_CONSULTATION, values)
            .map(ConsultationId)
    }

    /// As it was: whoever wrote it, when, and why.
    fn write_version(
        &self,
        tx: &WriteTx<'_>,
        id: ConsultationId,
        version: &Version,
    ) -> Result<(), StoreError> {
        let then = self
            .versions_by
            .iter()
            .find(|(known, _)| *known == version.id);
        let by = self.now(then.and_then(|(_, by)| *by));
        let stamp = (by, version.recorded_at.as_str(), version.reason.as_str());
        sql::insert_version_by(tx, id, version.version, &version.entry, stamp)
    }
}
