//! The page for what went wrong. Whatever was typed comes back with it: nothing is lost because a
//! session ended, the disk was full or somebody was faster.

use askama::Template;
use axum::http::StatusCode;

use crate::web::answer::{Answer, Response, html};
use crate::web::dress;
use crate::web::problem::Problem;
use crate::web::shell::Shell;
use crate::web::typed::{Typed, typed_words};
use crate::web::visit::{Halt, Visit};

#[derive(Template)]
#[template(path = "web/error.html")]
struct ErrorPage {
    shell: Shell,
    saved: String,
    next: &'static str,
    sign_in: bool,
    factor: bool,
    password: bool,
    resend: bool,
    resume_path: String,
    resume_body: String,
    hidden: Vec<(String, String)>,
    texts: Vec<Typed>,
}

/// Draws it; `posted` says that something was to be saved.
pub(crate) fn of(visit: &Visit, problem: Problem, posted: bool) -> Response {
    if let Problem::Page(response) = problem {
        return *response;
    }
    if matches!(problem, Problem::SignInNeeded) && visit.halted_for(Halt::Locked).is_ok() {
        let (path, body) = carried(visit, posted);
        let page = ask_password(visit, (&path, &body), StatusCode::UNAUTHORIZED);
        return page.unwrap_or_else(|problem| dress::plain(&problem, &visit.number));
    }
    problem.log(&visit.number);
    let words = problem.words();
    let needed = matches!(problem, Problem::SignInNeeded);
    let factor = needed && visit.halted_for(Halt::Factor).is_ok();
    let sign_in = needed && !factor;
    // Only what the world refused may be sent again by one click; a foreign form never.
    let resend = posted
        && matches!(
            problem,
            Problem::Busy | Problem::TooMany | Problem::Reported(_) | Problem::Fault(_)
        );
    let typed = if posted { typed(visit) } else { Vec::new() };
    let (resume_path, resume_body) = carried(visit, posted);
    let page = ErrorPage {
        shell: Shell {
            find: false,
            ..Shell::new(visit, words.title)
        },
        saved: words.saved,
        next: words.next,
        sign_in,
        factor,
        password: matches!(problem, Problem::PasswordNeeded),
        resend,
        resume_path,
        resume_body,
        texts: typed_words(typed.iter().map(|(name, value)| (&**name, &**value))),
        hidden: typed,
    };
    match page.render() {
        Ok(body) => html(words.status, body),
        Err(_) => dress::plain(&Problem::Fault("error page cannot be drawn"), &visit.number),
    }
}

/// Where to go on after the door, and what was to be saved there.
///
/// Without passwords: what somebody typed there must not stand in a page.
fn carried(visit: &Visit, posted: bool) -> (String, String) {
    if !posted {
        return (address(visit), String::new());
    }
    let (path, body) = (visit.form.get("resume_path"), visit.form.get("resume_body"));
    if !path.is_empty() {
        // A page of the door was halted itself: what it carried is what was typed.
        return (path.to_owned(), body.to_owned());
    }
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(typed(visit))
        .finish();
    (visit.path.clone(), body)
}

#[derive(Template)]
#[template(path = "web/locked.html")]
struct LockedPage {
    shell: Shell,
    name: String,
    wrong: bool,
    typed: bool,
    resume_path: String,
    resume_body: String,
}

/// Asks whoever locked the screen for the password, once more with what was typed.
pub(crate) fn locked_again(visit: &Visit) -> Answer {
    let form = &visit.form;
    let carried = (form.get("resume_path"), form.get("resume_body"));
    ask_password(visit, carried, StatusCode::UNPROCESSABLE_ENTITY)
}

fn ask_password(visit: &Visit, (path, body): (&str, &str), status: StatusCode) -> Answer {
    let staff = visit.halted_for(Halt::Locked)?;
    let page = LockedPage {
        name: staff.name.clone(),
        shell: Shell::new(visit, "画面をロックしています"),
        wrong: status == StatusCode::UNPROCESSABLE_ENTITY,
        typed: !body.is_empty(),
        resume_path: path.to_owned(),
        resume_body: body.to_owned(),
    };
    visit.page_as(status, &page)
}

/// What was typed, without tokens and passwords.
fn typed(visit: &Visit) -> Vec<(String, String)> {
    let secret =
        |name: &str| name == "csrf" || name.contains("password") || name.starts_with("resume");
    let kept = visit
        .form
        .pairs()
        .filter(|(name, value)| !secret(name) && !value.is_empty());
    kept.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn address(visit: &Visit) -> String {
    let query = visit.query.query_without("done");
    if query.is_empty() {
        visit.path.clone()
    } else {
        format!("{}?{query}", visit.path)
    }
}
