//! Decisions and ends: check, look again inside the transaction, write the row with its entry.

use axum::http::StatusCode;
use store::{Event, Operation, RecordKind, ResidentId, WriteTx};

use super::asking;
use super::form::Form;
use super::model::{Grant, State, state};
use super::pages::{self, File, file};
use super::store::{self as sql, Ends, Stamp, Wanted};
use crate::web::{Answer, FieldProblem, Problem, Visit, redirect};

/// Why a checked form is not saved after all.
enum Undone {
    /// Sentences for the form.
    Form(Vec<FieldProblem>),
    Problem(Problem),
}

impl From<Problem> for Undone {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<store::StoreError> for Undone {
    fn from(error: store::StoreError) -> Self {
        Self::Problem(error.into())
    }
}

fn bad(field: &'static str, text: &str) -> Undone {
    let text = text.to_owned();
    Undone::Form(vec![FieldProblem { field, text }])
}

fn now(visit: &Visit) -> String {
    format!("{:.6}", visit.app.clock().now())
}

fn person_id(visit: &Visit) -> Result<ResidentId, Problem> {
    visit.param("id").map(ResidentId)
}

fn to_person(id: ResidentId, done: &str) -> Answer {
    Ok(redirect(&format!(
        "/protections/residents/{id}?done={done}"
    )))
}

/// Reads the file of the person, checks the form against it and writes; all in one transaction.
fn on_person(
    visit: &Visit,
    act: impl FnOnce(
        &WriteTx<'_>,
        &File,
        Stamp<'_>,
    ) -> Result<(Event, Vec<Event>, &'static str), Undone>,
) -> Answer {
    let (id, by, at) = (person_id(visit)?, visit.signed_in()?.staff_id, now(visit));
    let written = visit.app.db().write(&visit.actor, |tx| {
        let file = file(visit, tx, id)?;
        let (event, others, done) = act(tx, &file, Stamp { by, at: &at })?;
        Ok::<_, Undone>(tx.audited_all(event.about(id), others, done))
    });
    match written {
        Ok(done) => to_person(id, done),
        Err(Undone::Form(problems)) => {
            pages::person_page(visit, StatusCode::UNPROCESSABLE_ENTITY, problems)
        }
        Err(Undone::Problem(problem)) => Err(problem),
    }
}

fn again(id: ResidentId) -> Undone {
    match to_person(id, "again") {
        Ok(response) => Undone::Problem(Problem::Page(Box::new(response))),
        Err(problem) => Undone::Problem(problem),
    }
}

pub(super) fn ask_grant(visit: &Visit) -> Answer {
    let today = visit.today();
    on_person(visit, |tx, file, stamp| {
        let form = Form::new(&visit.form, today);
        let new = form.grant(&file.colleagues).map_err(Undone::Form)?;
        let same = |grant: &&Grant| {
            state(grant, today).is_open()
                && (grant.staff, grant.starts_on, grant.ends_on)
                    == (new.staff, new.starts_on, new.ends_on)
        };
        if file.grants.iter().any(|grant| same(&grant)) {
            return Err(again(file.person.id));
        }
        let person = file.person.id;
        let (approval, asked) = asking::ask(visit, tx, (person, &new), stamp.by)?;
        let id = sql::insert_grant(tx, person, (&new, approval), stamp)?;
        let (state, done) = if new.urgent {
            ("urgent", "grant-urgent")
        } else {
            ("waiting", "grant-asked")
        };
        let event = Event::done(Operation::ShieldGrantAsk)
            .on(RecordKind::Protection, id)
            .detail(format!(
                "staff={} from={} to={} old=none new={state}",
                new.staff, new.starts_on, new.ends_on
            ));
        Ok((event, vec![asked], done))
    })
}

pub(super) fn set_shield(visit: &Visit) -> Answer {
    on_person(visit, |tx, file, stamp| {
        let (until, reason) = Form::new(&visit.form, visit.today())
            .shield()
            .map_err(Undone::Form)?;
        let open =
            |shield: &super::model::Shield| !shield.of_register && shield.made.ending.is_none();
        if file.shields.iter().any(open) {
            return Err(again(file.person.id));
        }
        let id = sql::insert_shield(tx, file.person.id, until, &reason, stamp)?;
        let event = Event::done(Operation::ShieldSet)
            .on(RecordKind::Protection, id)
            .detail("old=open new=shielded");
        Ok((event, Vec::new(), "saved"))
    })
}

pub(super) fn exclude(visit: &Visit) -> Answer {
    on_person(visit, |tx, file, stamp| {
        let (staff, relation, reason) = Form::new(&visit.form, visit.today())
            .exclusion(&file.colleagues, &file.relations)
            .map_err(Undone::Form)?;
        if staff == stamp.by {
            // She would not meet the person any more, and could not take it back.
            let text = "自分の除外は、閲覧制限を管理する別の担当者が登録します。";
            return Err(bad("exclusion_staff", text));
        }
        let mut open = file.exclusions.iter().filter(|x| x.made.ending.is_none());
        if open.any(|exclusion| exclusion.staff == staff) {
            return Err(again(file.person.id));
        }
        let id = sql::insert_exclusion(tx, file.person.id, (staff, &relation), &reason, stamp)?;
        let event = Event::done(Operation::ExclusionSet)
            .on(RecordKind::Protection, id)
            .detail(format!(
                "staff={staff} relation={relation} old=none new=excluded"
            ));
        Ok((event, Vec::new(), "saved"))
    })
}

/// Ends a row once; a second end finds it ended and says so.
fn end(
    visit: &Visit,
    ends: Ends,
    operation: Operation,
    page: fn(&Visit, Vec<FieldProblem>) -> Answer,
) -> Answer {
    let (id, by, at) = (visit.param("id")?, visit.signed_in()?.staff_id, now(visit));
    let reason = match Form::new(&visit.form, visit.today()).ending() {
        Ok(reason) => reason,
        Err(problems) => return page(visit, problems),
    };
    let person = visit.app.db().write(&visit.actor, |tx| {
        let (resident, old) = open_row(visit, tx, ends, id)?;
        sql::insert_ending(tx, ends, id, &reason, Stamp { by, at: &at })?;
        let event = Event::done(operation)
            .about(resident)
            .on(RecordKind::Protection, id)
            .detail(format!("old={old} new=ended"));
        Ok::<_, Problem>(tx.audited(event, resident))
    })?;
    to_person(person, "ended-protection")
}

/// Whom an open row is about, and its state.
fn open_row(
    visit: &Visit,
    tx: &WriteTx<'_>,
    ends: Ends,
    id: i64,
) -> Result<(ResidentId, &'static str), Problem> {
    let (made, old, open) = match ends {
        Ends::Grant => {
            let grant = sql::grants(tx, Wanted::Id(id))?.pop();
            let grant = grant.ok_or(Problem::NotFound)?;
            let state = state(&grant, visit.today());
            if state == State::Waiting {
                let request = redirect(&format!("/approvals/{}", grant.approval));
                return Err(Problem::Page(Box::new(request)));
            }
            (grant.made, state.code(), state.can_end())
        }
        Ends::Shield => {
            let shield = sql::shields(tx, Wanted::Id(id))?.pop();
            let made = shield.ok_or(Problem::NotFound)?.made;
            let open = made.ending.is_none();
            (made, "shielded", open)
        }
        Ends::Exclusion => {
            let exclusion = sql::exclusions(tx, Wanted::Id(id))?.pop();
            let made = exclusion.ok_or(Problem::NotFound)?.made;
            let open = made.ending.is_none();
            (made, "excluded", open)
        }
    };
    if open {
        return Ok((made.resident, old));
    }
    let again = to_person(made.resident, "again")?;
    Err(Problem::Page(Box::new(again)))
}

pub(super) fn end_grant(visit: &Visit) -> Answer {
    end(
        visit,
        Ends::Grant,
        Operation::ShieldGrantEnd,
        pages::grant_page,
    )
}

pub(super) fn lift_shield(visit: &Visit) -> Answer {
    end(
        visit,
        Ends::Shield,
        Operation::ShieldLift,
        pages::shield_page,
    )
}

pub(super) fn end_exclusion(visit: &Visit) -> Answer {
    end(
        visit,
        Ends::Exclusion,
        Operation::ExclusionEnd,
        pages::exclusion_page,
    )
}
