//! The idle lock: the page stays, and only the password opens it again.
//!
//! A locked session shows and takes nothing. What was typed waits in the page (the script lays a
//! question over it), or comes along through the question (without the script).

use store::{Event, Operation, StoreError};

use super::model::Login;
use super::pages::{forgive, recognise};
use super::resume::resume;
use super::store as sql;
use crate::web::{
    Answer, Halt, Problem, Response, Visit, cookies, download, locked_again, redirect, session,
};

/// Somebody gets up from the desk.
pub(super) fn lock(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    let (db, now) = (visit.app.db(), visit.app.clock().now());
    db.write(&visit.actor, |tx| {
        session::lock(tx, staff.session, now)?;
        Ok::<_, Problem>(tx.audited(Event::done(Operation::SessionLock), ()))
    })?;
    Ok(redirect("/"))
}

/// What an open page asks now and then: `open`, `locked` or `out`.
pub(super) fn state(visit: &Visit) -> Answer {
    let locked = visit.halted_for(Halt::Locked).is_ok();
    let state = match (&visit.staff, locked) {
        (Some(_), _) => "open",
        (None, true) => "locked",
        (None, false) => "out",
    };
    Ok(said(state))
}

fn said(word: &str) -> Response {
    download("text/plain; charset=utf-8", "state.txt", true, word.into())
}

/// The password of whoever locked it, with whatever was to be saved.
pub(super) fn unlock(visit: &Visit) -> Answer {
    let by_script = visit.form.has("script");
    if visit.staff.is_some() {
        // Another page of the same session was faster.
        return if by_script {
            Ok(said("open"))
        } else {
            resume(visit, None)
        };
    }
    let staff = visit.halted_for(Halt::Locked)?;
    let db = visit.app.db();
    let login = db.read(&visit.actor, |tx| sql::login_of(tx, staff.staff_id))?;
    let login = Login::new(&login.unwrap_or_default());
    let typed = visit.form.get("password");
    if recognise(visit, &login, typed, Operation::SessionUnlock)?.is_none() {
        return locked_again(visit);
    }
    forgive(visit, &login)?;
    let now = visit.app.clock().now();
    let new = db.write(&visit.actor, |tx| {
        let new = session::let_in(tx, staff, now)?;
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SessionUnlock), new))
    })?;
    let mut response = if by_script {
        said("open")
    } else {
        resume(visit, Some(&new))?
    };
    cookies::set_session(&mut response, &new.token);
    Ok(response)
}

/// Somebody else wants to sit down, or the password is forgotten.
pub(super) fn leave(visit: &Visit) -> Answer {
    let halted = visit.halted.as_ref().ok_or(Problem::SignInNeeded)?;
    let (db, now) = (visit.app.db(), visit.app.clock().now());
    db.write(&visit.actor, |tx| {
        session::end(tx, halted.staff.session, "signed_out", now)?;
        Ok::<_, Problem>(tx.audited(Event::done(Operation::SignOut), ()))
    })?;
    let mut response = redirect("/sign-in?done=signed-out");
    cookies::clear_session(&mut response);
    Ok(response)
}
