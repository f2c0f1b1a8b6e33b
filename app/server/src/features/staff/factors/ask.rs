//! The question at the door: a code, or a key.

use askama::Template;
use axum::http::StatusCode;
use jiff::Timestamp;
use store::{Event, Operation, ReadTx, StaffId, StoreError};

use super::model::{Held, Kind, period_of};
use super::{keys, store as sql};
use crate::features::staff::model::may_try;
use crate::features::staff::resume::{Carried, resume};
use crate::features::staff::store as staff_sql;
use crate::web::{Answer, Halt, Problem, Shell, SignedIn, Visit, cookies, redirect, session};

#[derive(Template)]
#[template(path = "features/staff/factors/ask.html")]
struct AskPage {
    shell: Shell,
    name: String,
    wrong: bool,
    code: bool,
    closed: bool,
    key_options: Option<String>,
    carried: Carried,
}

/// What this person holds and this role accepts.
pub(super) fn offered(visit: &Visit, staff: &SignedIn) -> Result<Vec<Held>, Problem> {
    let accepted = visit.app.settings().sign_in.factors(staff.role);
    let read = |tx: &ReadTx<'_>| sql::held(tx, staff.staff_id);
    let mut held = visit.app.db().read(&visit.actor, read)?;
    held.retain(|held| accepted.contains(&held.kind.factor()));
    Ok(held)
}

/// The question, or the way to what is missing for it.
pub(super) fn page(visit: &Visit) -> Answer {
    if visit.staff.is_some() {
        return Ok(redirect("/"));
    }
    let staff = visit.halted_for(Halt::Factor)?;
    let carried = Carried::of(visit);
    question(visit, staff, (carried, visit.csrf()), StatusCode::OK)
}

/// Draws the question for somebody whose password was right, under this token.
pub(in crate::features::staff) fn question(
    visit: &Visit,
    staff: &SignedIn,
    (carried, csrf): (Carried, String),
    status: StatusCode,
) -> Answer {
    let held = offered(visit, staff)?;
    let shell = Shell {
        csrf,
        ..Shell::new(visit, "本人の再確認")
    };
    if held.is_empty() {
        return super::enrol::lead(visit, staff, shell, carried);
    }
    let (code, closed) = telephones(visit, &held);
    let asked = keys::ask_known(visit, &held)?;
    let state = asked.as_ref().map(|asked| asked.state.as_str());
    visit.app.db().housekeep(&visit.actor, |tx| {
        session::set_challenge(tx, staff.session, state)
    })?;
    let page = AskPage {
        shell,
        name: staff.name.clone(),
        wrong: status == StatusCode::UNPROCESSABLE_ENTITY,
        code,
        closed,
        key_options: asked.map(|asked| asked.options),
        carried,
    };
    visit.page_as(status, &page)
}

/// Is there a telephone whose code can be checked, and one whose code cannot for want of the key?
fn telephones(visit: &Visit, held: &[Held]) -> (bool, bool) {
    let keys = &visit.app.settings().factor_keys;
    let telephones = held.iter().filter(|held| held.kind == Kind::Totp);
    let (mut open, mut closed) = (false, false);
    for held in telephones {
        match held.secret(keys) {
            Ok(_) => open = true,
            Err(why) => {
                closed = true;
                log::error!("factor.id":% = held.id; "second factor {} is closed: {why}", held.id);
            }
        }
    }
    (open, closed)
}

fn again(visit: &Visit, staff: &SignedIn) -> Answer {
    again_as(visit, staff, StatusCode::UNPROCESSABLE_ENTITY)
}

fn again_as(visit: &Visit, staff: &SignedIn, status: StatusCode) -> Answer {
    question(visit, staff, (Carried::of(visit), visit.csrf()), status)
}

fn subject(id: StaffId) -> String {
    format!("factor {id}")
}

/// May this person's factor be guessed at now?
pub(super) fn is_free(visit: &Visit, id: StaffId) -> Result<bool, Problem> {
    let read = |tx: &ReadTx<'_>| staff_sql::failures(tx, &subject(id));
    let (failures, last) = visit.app.db().read(&visit.actor, read)?;
    let rules = visit.app.settings().sign_in.guessing;
    Ok(may_try(rules, failures, last, visit.app.clock().now()))
}

/// One more failure, in the count and in the access log.
pub(super) fn refuse(visit: &Visit, id: StaffId, kind: Kind) -> Result<(), Problem> {
    let (db, now) = (visit.app.db(), visit.app.clock().now());
    db.housekeep(&visit.actor, |tx| staff_sql::fail(tx, &subject(id), now))?;
    db.write(&visit.actor, |tx| {
        let event = Event::refused(Operation::SecondFactor).detail(kind.label());
        Ok::<_, Problem>(tx.audited(event, ()))
    })
}

/// Lets somebody in; what was typed before comes along.
pub(super) fn admit(visit: &Visit, staff: &SignedIn, event: Event) -> Answer {
    let (db, now) = (visit.app.db(), visit.app.clock().now());
    db.housekeep(&visit.actor, |tx| {
        staff_sql::forgive(tx, &subject(staff.staff_id))
    })?;
    let new = db.write(&visit.actor, |tx| {
        let new = session::let_in(tx, staff, now)?;
        Ok::<_, StoreError>(tx.audited(event, new))
    })?;
    let mut response = resume(visit, Some(&new))?;
    cookies::set_session(&mut response, &new.token);
    Ok(response)
}

/// Seconds since 1970; before that nobody has a telephone.
pub(super) fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0)
}

pub(super) fn code(visit: &Visit) -> Answer {
    let staff = visit.halted_for(Halt::Factor)?;
    let held = offered(visit, staff)?;
    let (db, now) = (visit.app.db(), visit.app.clock().now());
    let keys = &visit.app.settings().factor_keys;
    let open = |held: &Held| Some((held.id, held.secret(keys).ok()?));
    let open: Vec<_> = held.iter().filter_map(open).collect();
    if open.is_empty() && telephones(visit, &held).1 {
        // Nothing was guessed: there is nothing to check it with.
        return again_as(visit, staff, StatusCode::SERVICE_UNAVAILABLE);
    }
    let mut taken = false;
    if is_free(visit, staff.staff_id)? {
        for (id, secret) in open {
            let typed = visit.form.get("code");
            if let Some(period) = period_of(&secret, typed, seconds(now))? {
                taken |= db.housekeep(&visit.actor, |tx| sql::use_once(tx, id, period, now))?;
            }
        }
    }
    if taken {
        let event = Event::done(Operation::SecondFactor).detail(Kind::Totp.label());
        return admit(visit, staff, event);
    }
    refuse(visit, staff.staff_id, Kind::Totp)?;
    again(visit, staff)
}

pub(super) fn key(visit: &Visit) -> Answer {
    let staff = visit.halted_for(Halt::Factor)?;
    let held = offered(visit, staff)?;
    let (db, now) = (visit.app.db(), visit.app.clock().now());
    // Taken once, whatever comes of it.
    let state = db.housekeep(&visit.actor, |tx| {
        let state = session::challenge(tx, staff.session)?;
        session::set_challenge(tx, staff.session, None)?;
        Ok::<_, StoreError>(state.unwrap_or_default())
    })?;
    let answer = visit.form.get("credential");
    let free = is_free(visit, staff.staff_id)?;
    let found = keys::read_known(visit, &state, answer, &held)?;
    let taken = match found.filter(|_| free) {
        // A key that counts must count on: a copy would fall behind. Some never count.
        Some((held, counter)) if counter > 0 => {
            db.housekeep(&visit.actor, |tx| sql::use_once(tx, held.id, counter, now))?
        }
        Some(_) => true,
        None => false,
    };
    if taken {
        let event = Event::done(Operation::SecondFactor).detail(Kind::Webauthn.label());
        return admit(visit, staff, event);
    }
    refuse(visit, staff.staff_id, Kind::Webauthn)?;
    again(visit, staff)
}
