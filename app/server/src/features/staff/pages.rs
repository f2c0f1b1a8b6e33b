//! Sign-in, sign-out, password: parse, call, answer.

use askama::Template;
use axum::http::StatusCode;
use store::{Actor, Event, Operation, RecordKind, StoreError};

use super::accounts::view;
use super::break_glass::is_expired;
use super::factors::model::Wanted;
use super::model::{Login, may_try};
use super::resume::{Carried, resume};
use super::store::Known;
use super::{factors, password, store as sql};
use crate::web::session::{Holder, Touch};
use crate::web::{
    Answer, Problem, Shell, Terminal, Typed, Visit, cookies, redirect, session, terminal, window,
};

/// Failures of one terminal weigh less than those of one ID: a centre shares an address.
const TERMINAL_FACTOR: i64 = 6;

#[derive(Template)]
#[template(path = "features/staff/sign_in.html")]
struct SignInPage {
    shell: Shell,
    login: String,
    refused: bool,
    shut_out: bool,
    carried: Carried,
}

pub(super) fn form(visit: &Visit) -> Answer {
    if visit.staff.is_some() {
        return Ok(redirect("/"));
    }
    visit.page(&sign_in_page(visit, "", false))
}

fn sign_in_page(visit: &Visit, login: &str, refused: bool) -> SignInPage {
    SignInPage {
        shell: Shell {
            report: None,
            ..Shell::new(visit, "サインイン")
        },
        login: login.to_owned(),
        refused,
        shut_out: false,
        carried: Carried::of(visit),
    }
}

pub(super) fn sign_in(visit: &Visit) -> Answer {
    let login = Login::new(visit.form.get("login"));
    let typed = visit.form.get("password");
    match recognise(visit, &login, typed, Operation::SignIn)? {
        Some(known) if window::is_shut_out(visit, known.staff_id)? => {
            shut_out(visit, &known, &login)
        }
        Some(known) => welcome(visit, &known, &login),
        None => {
            let page = sign_in_page(visit, login.as_str(), true);
            visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// The vendor outside a window: the password was right, so the reason may be told.
fn shut_out(visit: &Visit, known: &Known, login: &Login) -> Answer {
    visit.app.db().write(&claimed(visit, Some(known)), |tx| {
        let event = Event::refused(Operation::SignIn).detail("保守作業の許可がない");
        Ok::<_, Problem>(tx.audited(event, ()))
    })?;
    let page = SignInPage {
        shut_out: true,
        ..sign_in_page(visit, login.as_str(), false)
    };
    visit.page_as(StatusCode::FORBIDDEN, &page)
}

/// Whose ID and password these are. Every way takes one hash's time, and every "no" looks the same.
pub(super) fn recognise(
    visit: &Visit,
    login: &Login,
    typed: &str,
    operation: Operation,
) -> Result<Option<Known>, Problem> {
    let rules = visit.app.settings().sign_in.guessing;
    let db = visit.app.db();
    let now = db.clock().now();
    let today = visit.today().to_string();
    let (by_login, by_terminal) = subjects(visit, login);
    let (known, free) = db.read(&visit.actor, |tx| {
        let (failures, last) = sql::failures(tx, &by_login)?;
        let (at_terminal, last_there) = sql::failures(tx, &by_terminal)?;
        let free = may_try(rules, failures, last, now)
            && may_try(rules, at_terminal / TERMINAL_FACTOR, last_there, now);
        let known = sql::find_login(tx, login, &today)?;
        // A password that an opened envelope gave out fits nobody after its hours.
        let expired = match &known {
            Some(known) => is_expired(tx, known.staff_id, now)?,
            None => false,
        };
        Ok::<_, StoreError>((known, free && !expired))
    })?;
    let fits = match &known {
        Some(known) => password::fits(typed, &known.hash)?,
        None => {
            password::pretend(typed)?;
            false
        }
    };
    match known {
        Some(known) if fits && free => Ok(Some(known)),
        known => {
            refuse(visit, login, &claimed(visit, known.as_ref()), operation)?;
            Ok(None)
        }
    }
}

fn subjects(visit: &Visit, login: &Login) -> (String, String) {
    (
        sql::login_subject(login.as_str()),
        format!("terminal {}", visit.actor.terminal),
    )
}

/// Who somebody says they are, for the log: the person and the centre, or nobody.
fn claimed(visit: &Visit, known: Option<&Known>) -> Actor {
    Actor {
        staff_id: known.map(|known| known.staff_id),
        centre_id: known.and_then(|known| known.centre_id),
        ..visit.actor.clone()
    }
}

/// One more failure, in the count and in the access log.
pub(super) fn refuse(
    visit: &Visit,
    login: &Login,
    actor: &Actor,
    operation: Operation,
) -> Result<(), Problem> {
    let db = visit.app.db();
    let (by_login, by_terminal) = subjects(visit, login);
    let now = db.clock().now();
    db.housekeep(&visit.actor, |tx| {
        sql::fail(tx, &by_login, now)?;
        sql::fail(tx, &by_terminal, now)
    })?;
    db.write(actor, |tx| Ok(tx.audited(Event::refused(operation), ())))
}

/// A success wipes the failures.
pub(super) fn forgive(visit: &Visit, login: &Login) -> Result<(), Problem> {
    let (by_login, by_terminal) = subjects(visit, login);
    let forgiven = visit.app.db().housekeep(&visit.actor, |tx| {
        sql::forgive(tx, &by_login)?;
        sql::forgive(tx, &by_terminal)
    });
    Ok(forgiven?)
}

fn welcome(visit: &Visit, known: &Known, login: &Login) -> Answer {
    let db = visit.app.db();
    let actor = claimed(visit, Some(known));
    let here = visit.terminal.as_ref();
    let accepted = known
        .role
        .map_or(&[][..], |role| visit.app.settings().sign_in.factors(role));
    let wanted = factors::model::wanted(accepted, here.is_some_and(Terminal::counts));
    if here.is_some_and(|here| here.revoked) || wanted == Wanted::Terminal {
        return turned_away(visit, &actor);
    }
    forgive(visit, login)?;
    let half = wanted == Wanted::Second;
    let event = Event::done(Operation::SignIn);
    let event = event.detail(if half { "本人の再確認へ" } else { "" });
    let now = visit.app.clock().now();
    db.write(&actor, |tx| {
        let settled = match here {
            Some(here) => terminal::retire_older(tx, here, known.staff_id, now)?,
            None => None,
        };
        let settled = here.zip(settled).map(|(here, ended)| {
            let text =
                format!("前＝更新の前の証明書／後＝新しい証明書の発行／終えたセッション＝{ended}");
            let event = Event::done(Operation::TerminalRevoke);
            event.on(RecordKind::Terminal, here.id.0).detail(text)
        });
        Ok::<_, Problem>(tx.audited_all(event, settled.into_iter().collect(), ()))
    })?;
    let at = session::Start {
        place: &visit.actor.terminal,
        certificate: visit.terminal.as_ref().map(|here| here.certificate),
        factor_open: half,
    };
    let new = session::start_at(db, known.staff_id, &at)?;
    let mut response = if half {
        ask_on(visit, &new)?
    } else {
        resume(visit, Some(&new))?
    };
    cookies::set_session(&mut response, &new.token);
    Ok(response)
}

/// The question for the second factor, at once: what was typed before goes along in the page.
fn ask_on(visit: &Visit, new: &session::NewSession) -> Answer {
    let limits = &visit.app.settings().session;
    let here = visit.terminal.as_ref();
    let holder = session::find(visit.app.db(), &new.token, limits, here, Touch::Look)?;
    let Holder::Halted(halted) = holder else {
        return Ok(redirect("/second-factor"));
    };
    let carried = (Carried::of(visit), new.csrf_token());
    factors::question(visit, &halted.staff, carried, StatusCode::OK)
}

#[derive(Template)]
#[template(path = "features/staff/wrong_terminal.html")]
struct WrongTerminalPage {
    shell: Shell,
    revoked: bool,
    expired: Option<String>,
    texts: Vec<Typed>,
}

/// ID and password are right, but nobody gets in from here.
fn turned_away(visit: &Visit, actor: &Actor) -> Answer {
    let here = visit.terminal.as_ref();
    let revoked = here.is_some_and(|here| here.revoked);
    let expired = here.filter(|here| here.expired && !here.revoked);
    let why = match (revoked, expired) {
        (true, _) => "止めた端末",
        (false, Some(_)) => "端末の証明書の期限切れ",
        (false, None) => "端末の証明書なし",
    };
    visit.app.db().write(actor, |tx| {
        let event = Event::refused(Operation::SignIn).detail(why);
        Ok::<_, Problem>(tx.audited(event, ()))
    })?;
    let shell = Shell::new(visit, "この端末からは入れません");
    let page = WrongTerminalPage {
        shell,
        revoked,
        expired: expired.map(|here| view::day(here.expires_on)),
        texts: Carried::of(visit).texts(),
    };
    visit.page_as(StatusCode::FORBIDDEN, &page)
}

pub(super) fn sign_out(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    let db = visit.app.db();
    let now = db.clock().now();
    db.write(&visit.actor, |tx| {
        session::end(tx, staff.session, "signed_out", now)?;
        Ok::<_, Problem>(tx.audited(Event::done(Operation::SignOut), ()))
    })?;
    Ok(goodbye())
}

pub(super) fn sign_out_everywhere(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    let db = visit.app.db();
    let now = db.clock().now();
    db.write(&visit.actor, |tx| {
        let ended = session::end_all(tx, staff.staff_id, None, "everywhere", now)?;
        let event = Event::done(Operation::SignOutEverywhere).detail(format!("sessions={ended}"));
        Ok::<_, Problem>(tx.audited(event, ()))
    })?;
    Ok(goodbye())
}

fn goodbye() -> crate::web::Response {
    let mut response = redirect("/sign-in?done=signed-out");
    cookies::clear_session(&mut response);
    response
}
