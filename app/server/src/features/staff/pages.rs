//! Sign-in, sign-out, password: parse, call, answer.

use askama::Template;
use axum::http::StatusCode;
use store::{Actor, Event, Operation, StoreError};

use super::break_glass::is_expired;
use super::model::{Login, PasswordProblem, check_password, may_try};
use super::store::Known;
use super::{password, store as sql};
use crate::web::{
    Answer, Problem, Shell, SignedIn, Typed, Visit, cookies, redirect, session, typed_words, window,
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
    resume_path: String,
    resume_body: String,
}

pub(super) fn form(visit: &Visit) -> Answer {
    if visit.staff.is_some() {
        return Ok(redirect("/"));
    }
    let path = visit.query.get("to");
    visit.page(&sign_in_page(visit, "", false, path, ""))
}

fn sign_in_page(
    visit: &Visit,
    login: &str,
    refused: bool,
    resume_path: &str,
    resume_body: &str,
) -> SignInPage {
    SignInPage {
        shell: Shell {
            report: None,
            ..Shell::new(visit, "サインイン")
        },
        login: login.to_owned(),
        refused,
        shut_out: false,
        resume_path: resume_path.to_owned(),
        resume_body: resume_body.to_owned(),
    }
}

pub(super) fn sign_in(visit: &Visit) -> Answer {
    let login = Login::new(visit.form.get("login"));
    let typed = visit.form.get("password");
    match recognise(visit, &login, typed)? {
        Some(known) if window::is_shut_out(visit, known.staff_id)? => {
            shut_out(visit, &known, &login)
        }
        Some(known) => welcome(visit, &known, &login),
        None => {
            let form = &visit.form;
            let (path, body) = (form.get("resume_path"), form.get("resume_body"));
            let page = sign_in_page(visit, login.as_str(), true, path, body);
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
        ..sign_in_page(visit, login.as_str(), false, "", "")
    };
    visit.page_as(StatusCode::FORBIDDEN, &page)
}

/// Whose ID and password these are. Every way takes one hash's time, and every "no" looks the same.
fn recognise(visit: &Visit, login: &Login, typed: &str) -> Result<Option<Known>, Problem> {
    let db = visit.app.db();
    let now = db.clock().now();
    let today = visit.today().to_string();
    let (by_login, by_terminal) = subjects(visit, login);
    let (known, free) = db.read(&visit.actor, |tx| {
        let (failures, last) = sql::failures(tx, &by_login)?;
        let (at_terminal, last_there) = sql::failures(tx, &by_terminal)?;
        let free =
            may_try(failures, last, now) && may_try(at_terminal / TERMINAL_FACTOR, last_there, now);
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
            refuse(visit, login, &claimed(visit, known.as_ref()))?;
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

fn refuse(visit: &Visit, login: &Login, actor: &Actor) -> Result<(), Problem> {
    let db = visit.app.db();
    let (by_login, by_terminal) = subjects(visit, login);
    let now = db.clock().now();
    db.housekeep(&visit.actor, |tx| {
        sql::fail(tx, &by_login, now)?;
        sql::fail(tx, &by_terminal, now)
    })?;
    db.write(actor, |tx| {
        Ok(tx.audited(Event::refused(Operation::SignIn), ()))
    })
}

fn welcome(visit: &Visit, known: &Known, login: &Login) -> Answer {
    let db = visit.app.db();
    let (by_login, by_terminal) = subjects(visit, login);
    db.housekeep(&visit.actor, |tx| {
        sql::forgive(tx, &by_login)?;
        sql::forgive(tx, &by_terminal)
    })?;
    let actor = claimed(visit, Some(known));
    db.write(&actor, |tx| {
        Ok::<_, Problem>(tx.audited(Event::done(Operation::SignIn), ()))
    })?;
    let new = session::start(db, known.staff_id, &visit.actor.terminal)?;
    let mut response = resume(visit, &new)?;
    cookies::set_session(&mut response, &new.token);
    Ok(response)
}

#[derive(Template)]
#[template(path = "features/staff/resume.html")]
struct ResumePage {
    shell: Shell,
    path: String,
    hidden: Vec<(String, String)>,
    texts: Vec<Typed>,
}

/// What was being typed when the session ended is shown once more and saved by one click; without
/// that, on to the page that was asked for.
fn resume(visit: &Visit, new: &session::NewSession) -> Answer {
    let path = visit.form.get("resume_path");
    let ours = path.starts_with('/') && !path.starts_with("//");
    let fields = crate::web::Fields::parse(visit.form.get("resume_body").as_bytes());
    let hidden: Vec<(String, String)> = fields
        .iter()
        .flat_map(|fields| fields.pairs())
        .filter(|(name, _)| *name != "csrf")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if hidden.is_empty() || !ours {
        return Ok(redirect(if path.is_empty() { "/" } else { path }));
    }
    let page = ResumePage {
        shell: Shell {
            csrf: new.csrf_token(),
            ..Shell::new(visit, "入力の続き")
        },
        path: path.to_owned(),
        texts: typed_words(hidden.iter().map(|(name, value)| (&**name, &**value))),
        hidden,
    };
    visit.page(&page)
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

#[derive(Template)]
#[template(path = "features/staff/password.html")]
struct PasswordPage {
    shell: Shell,
    first: bool,
    problems: Vec<FieldProblem>,
}

struct FieldProblem {
    field: &'static str,
    text: &'static str,
}

impl PasswordPage {
    fn of(&self, field: &str) -> &'static str {
        self.problems
            .iter()
            .find(|p| p.field == field)
            .map_or("", |p| p.text)
    }
}

pub(super) fn password_form(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    visit.page(&password_page(visit, staff, Vec::new()))
}

fn password_page(visit: &Visit, staff: &SignedIn, problems: Vec<FieldProblem>) -> PasswordPage {
    let mut shell = Shell::new(visit, "パスワード変更").under(&[]);
    if staff.must_change_password {
        shell.menu.clear();
        shell.find = false;
    }
    PasswordPage {
        shell,
        first: staff.must_change_password,
        problems,
    }
}

pub(super) fn change_password(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    match try_change(visit, staff)? {
        Ok(()) => Ok(redirect("/?done=password")),
        Err(problem) => {
            let (field, text) = words(problem);
            let page = password_page(visit, staff, vec![FieldProblem { field, text }]);
            visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

fn try_change(visit: &Visit, staff: &SignedIn) -> Result<Result<(), PasswordProblem>, Problem> {
    let db = visit.app.db();
    let (new, again) = (
        visit.form.get("new_password"),
        visit.form.get("new_password_again"),
    );
    let (hashes, login) = db.read(&visit.actor, |tx| {
        let login = sql::login_of(tx, staff.staff_id)?.unwrap_or_default();
        Ok::<_, StoreError>((sql::hashes(tx, staff.staff_id)?, Login::new(&login)))
    })?;
    let present = hashes.first().map_or("", String::as_str);
    if !password::fits(visit.form.get("password"), present)? {
        refuse(visit, &login, &visit.actor)?;
        return Ok(Err(PasswordProblem::WrongPresent));
    }
    if let Err(problem) = check_password(new, again, &login) {
        return Ok(Err(problem));
    }
    for former in &hashes {
        if password::fits(new, former)? {
            return Ok(Err(PasswordProblem::UsedBefore));
        }
    }
    let hash = password::hash(new)?;
    let now = db.clock().now();
    db.write(&visit.actor, |tx| {
        session::end_all(tx, staff.staff_id, Some(staff.session), "password", now)?;
        Ok::<_, Problem>(sql::replace_password(tx, staff.staff_id, &hash, now)?)
    })?;
    Ok(Ok(()))
}

fn words(problem: PasswordProblem) -> (&'static str, &'static str) {
    match problem {
        PasswordProblem::TooShort => ("new_password", "新しいパスワードは12文字以上にしてください"),
        PasswordProblem::TooLong => (
            "new_password",
            "新しいパスワードは256文字までにしてください",
        ),
        PasswordProblem::Guessable => (
            "new_password",
            "推測されやすい言葉やIDを含まないものにしてください",
        ),
        PasswordProblem::Monotonous => ("new_password", "同じ文字の繰り返しは使えません"),
        PasswordProblem::Differs => ("new_password_again", "2回の入力が違います"),
        PasswordProblem::UsedBefore => {
            ("new_password", "以前に使ったものとは違うものにしてください")
        }
        PasswordProblem::WrongPresent => ("password", "今のパスワードが違います"),
    }
}
