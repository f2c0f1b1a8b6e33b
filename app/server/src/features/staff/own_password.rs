//! Changing one's own password.

use askama::Template;
use axum::http::StatusCode;
use store::{Operation, ReadTx, StoreError};

use super::model::{Login, PasswordProblem, check_password};
use super::pages::recognise;
use super::resume::{Carried, resume};
use super::{password, store as sql};
use crate::web::{Answer, Problem, Shell, SignedIn, Visit, redirect, session};

#[derive(Template)]
#[template(path = "features/staff/password.html")]
struct PasswordPage {
    shell: Shell,
    first: bool,
    old: bool,
    hint: String,
    carried: Carried,
    problems: Vec<FieldProblem>,
}

struct FieldProblem {
    field: &'static str,
    text: String,
}

impl PasswordPage {
    fn of(&self, field: &str) -> &str {
        self.problems
            .iter()
            .find(|p| p.field == field)
            .map_or("", |p| p.text.as_str())
    }
}

pub(super) fn password_form(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    visit.page(&password_page(visit, staff, Vec::new())?)
}

fn password_page(
    visit: &Visit,
    staff: &SignedIn,
    problems: Vec<FieldProblem>,
) -> Result<PasswordPage, Problem> {
    let mut shell = Shell::new(visit, "パスワード変更").under(&[]);
    if staff.must_change_password {
        shell.menu.clear();
        shell.find = false;
    }
    let read = |tx: &ReadTx<'_>| sql::was_given_out(tx, staff.staff_id);
    let first = visit.app.db().read(&visit.actor, read)?;
    let length_min = visit.app.settings().sign_in.password.length_min;
    Ok(PasswordPage {
        shell,
        first,
        old: staff.must_change_password && !first,
        hint: format!("{length_min}文字以上。文の形にすると覚えやすくなります。"),
        carried: Carried::of(visit),
        problems,
    })
}

pub(super) fn change_password(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    match try_change(visit, staff)? {
        Ok(()) if visit.form.get("resume_path").is_empty() => Ok(redirect("/?done=password")),
        Ok(()) => resume(visit, None),
        Err(problem) => {
            let (field, text) = words(problem, visit.app.settings().sign_in.password.length_min);
            let page = password_page(visit, staff, vec![FieldProblem { field, text }])?;
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
    let rules = &visit.app.settings().sign_in.password;
    let (hashes, owner) = db.read(&visit.actor, |tx| {
        let hashes = sql::hashes(tx, staff.staff_id, rules.history)?;
        Ok::<_, StoreError>((hashes, sql::owner(tx, staff.staff_id)?))
    })?;
    let Some(owner) = owner else {
        return Err(Problem::SignInNeeded);
    };
    // As slow for guessing as at the door: a session left open must not be a way around it.
    let (login, present) = (Login::new(&owner.login), visit.form.get("password"));
    if recognise(visit, &login, present, Operation::PasswordChange)?.is_none() {
        return Ok(Err(PasswordProblem::WrongPresent));
    }
    if let Err(problem) = check_password(rules, new, again, &owner) {
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

fn words(problem: PasswordProblem, length_min: usize) -> (&'static str, String) {
    let (field, text) = match problem {
        PasswordProblem::TooShort => {
            let text = format!("新しいパスワードは{length_min}文字以上にしてください");
            return ("new_password", text);
        }
        PasswordProblem::TooLong => (
            "new_password",
            "新しいパスワードは256文字までにしてください",
        ),
        PasswordProblem::Guessable => (
            "new_password",
            "IDや氏名、推測されやすい言葉でできたものは使えません",
        ),
        PasswordProblem::Monotonous => ("new_password", "同じ文字の繰り返しは使えません"),
        PasswordProblem::Differs => ("new_password_again", "2回の入力が違います"),
        PasswordProblem::UsedBefore => {
            ("new_password", "以前に使ったものとは違うものにしてください")
        }
        PasswordProblem::WrongPresent => ("password", "今のパスワードが違います"),
    };
    (field, text.to_owned())
}
