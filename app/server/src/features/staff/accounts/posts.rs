//! 異動: a new post. What it ends is shown before anything is saved.

use askama::Template;
use axum::http::StatusCode;
use store::{Operation, StaffId};

use super::acts::{self, Opened, Refusal};
use super::form::{FieldProblem, Form};
use super::model::{Account, Centre, NewPost};
use super::pages::{account, back, centres, for_form, hand, own, shell_of};
use super::view::{self, Choice};
use crate::web::{Answer, Fields, Problem, Shell, Visit};

#[derive(Template)]
#[template(path = "features/staff/accounts/post.html")]
struct PostPage {
    shell: Shell,
    id: i64,
    seen: String,
    shown: String,
    typed: Fields,
    problems: Vec<FieldProblem>,
    roles: Vec<Choice>,
    centres: Vec<Choice>,
    posts: Vec<view::PostWords>,
    confirm: Option<(String, String)>,
}

impl PostPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

fn page(
    visit: &Visit,
    account: &Account,
    centres: &[Centre],
    problems: Vec<FieldProblem>,
) -> PostPage {
    let (typed, today) = (&visit.form, visit.today());
    let seen = if typed.has("seen") {
        typed.get("seen")
    } else {
        &account.seen
    };
    PostPage {
        shell: shell_of(visit, account, "異動"),
        id: account.id.0,
        seen: seen.to_owned(),
        shown: typed.get("shown").to_owned(),
        roles: view::roles(typed.trimmed("role"), "選んでください"),
        centres: view::centres(centres, typed.trimmed("centre"), &[("", view::CITY)]),
        typed: typed.clone(),
        problems,
        posts: account
            .posts
            .iter()
            .rev()
            .map(|post| view::post(post, today))
            .collect(),
        confirm: None,
    }
}

pub(super) fn new(visit: &Visit) -> Answer {
    let account = account(visit)?;
    if is_own(visit, account.id)? {
        return own(visit);
    }
    visit.page(&page(visit, &account, &centres(visit)?, Vec::new()))
}

/// Is it the administrator's own account?
pub(super) fn is_own(visit: &Visit, id: StaffId) -> Result<bool, Problem> {
    Ok(visit.signed_in()?.staff_id == id)
}

pub(super) fn create(visit: &Visit) -> Answer {
    let account = account(visit)?;
    if is_own(visit, account.id)? {
        return refused_own(visit, Operation::StaffPostAdd, account.id);
    }
    let centres = centres(visit)?;
    let refuse = |problems| {
        let page = page(visit, &account, &centres, problems);
        visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let new = match Form::new(&visit.form, &centres, visit.today()).post() {
        Ok(new) => new,
        Err(problems) => return refuse(problems),
    };
    let opened = Opened {
        seen: visit.form.get("seen"),
        shown: visit.form.get("shown"),
    };
    let Err(undone) = acts::add_post(&hand(visit), account.id, &new, opened) else {
        return Ok(back(account.id, "posted"));
    };
    let refusal = for_form(visit, undone)?;
    let Refusal::Ends(post, last) = refusal else {
        return refuse(vec![in_the_way(&refusal, &new)]);
    };
    let ended = account.post(post).map(|post| {
        let mut ended = post.clone();
        ended.term.ends_on = Some(last);
        view::post_line(&ended)
    });
    visit.page(&PostPage {
        shown: acts::shown_key(post, last),
        confirm: ended.map(|ended| (ended, view::new_post_line(&new))),
        ..page(visit, &account, &centres, Vec::new())
    })
}

fn in_the_way(refusal: &Refusal, new: &NewPost) -> FieldProblem {
    let Refusal::Overlap(_, other) = refusal else {
        return last_administrator("role");
    };
    FieldProblem {
        field: "starts_on",
        text: format!(
            "「{}」は、すでにある「{}」と期間が重なります。先にその期間を直してください。",
            view::new_post_line(new),
            view::post_line(other)
        ),
    }
}

/// The sentence about the last system administrator, at this field.
pub(super) fn last_administrator(field: &'static str) -> FieldProblem {
    let text = "システム管理者がいない日ができるため、保存していません。\
        先に、ほかの人をシステム管理者にしてください。";
    FieldProblem {
        field,
        text: text.to_owned(),
    }
}

/// Writes the try down, whatever was typed; then says why not.
pub(super) fn refused_own(visit: &Visit, operation: Operation, id: StaffId) -> Answer {
    acts::note_own(&hand(visit), operation, id)?;
    own(visit)
}
