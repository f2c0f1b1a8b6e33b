//! The last day of a post: somebody leaves, a planned move is taken back, an end was a mistake.

use askama::Template;
use axum::http::StatusCode;
use store::Operation;

use super::acts::{self, Refusal, Undone};
use super::form::{FieldProblem, Form};
use super::model::{Account, NewEnd, Post, PostId, State};
use super::pages::{account, back, for_form, hand, own, shell_of};
use super::posts::{is_own, last_administrator, refused_own};
use super::view::{self, Choice};
use crate::web::{Answer, Fields, Problem, Shell, Visit};

#[derive(Template)]
#[template(path = "features/staff/accounts/ending.html")]
struct EndingPage {
    shell: Shell,
    id: i64,
    post: i64,
    line: String,
    seen: String,
    kinds: Vec<Choice>,
    typed: Fields,
    problems: Vec<FieldProblem>,
}

impl EndingPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

fn page(visit: &Visit, account: &Account, post: &Post, problems: Vec<FieldProblem>) -> EndingPage {
    let typed = &visit.form;
    let seen = if typed.has("seen") {
        typed.get("seen")
    } else {
        &account.seen
    };
    EndingPage {
        shell: shell_of(visit, account, "在職期間を変える"),
        id: account.id.0,
        post: post.id.0,
        line: view::post_line(post),
        seen: seen.to_owned(),
        kinds: kinds(visit, account, post),
        typed: typed.clone(),
        problems,
    }
}

/// What can be done with this post today. With a later post in sight nothing is chosen before: a
/// leaver must not come back on the day of a move that was planned for her.
fn kinds(visit: &Visit, account: &Account, post: &Post) -> Vec<Choice> {
    let today = visit.today();
    let later = account.posts.iter().any(|other| {
        other.id != post.id
            && other.term.starts_on > post.term.starts_on
            && other.term.state(today) == State::Planned
    });
    let known = [
        ("leave", "退職（予定も中止）", later),
        ("end", "最後の日を決める", true),
        ("reopen", "最後の日を取り消す", post.term.ends_on.is_some()),
        ("cancel", "予定を取りやめる", post.term.starts_on > today),
    ];
    let offered = known.into_iter().filter(|(.., offered)| *offered);
    let chosen = match visit.form.trimmed("kind") {
        "" if !later => "end",
        chosen => chosen,
    };
    view::choices(offered.map(|(value, label, _)| (value, label)), chosen)
}

/// The post that the address or the form names; without a name the one that is most likely meant.
fn post_asked<'a>(
    visit: &Visit,
    account: &'a Account,
    fields: &Fields,
) -> Result<&'a Post, Problem> {
    let asked = match fields.trimmed("post") {
        "" => account.post_at_hand(visit.today()),
        text => text.parse().ok().and_then(|id| account.post(PostId(id))),
    };
    asked.ok_or(Problem::NotFound)
}

pub(super) fn form(visit: &Visit) -> Answer {
    let account = account(visit)?;
    if is_own(visit, account.id)? {
        return own(visit);
    }
    let post = post_asked(visit, &account, &visit.query)?;
    visit.page(&page(visit, &account, post, Vec::new()))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let account = account(visit)?;
    if is_own(visit, account.id)? {
        return refused_own(visit, Operation::StaffPostEnd, account.id);
    }
    let post = post_asked(visit, &account, &visit.form)?;
    let refuse = |problems| {
        let page = page(visit, &account, post, problems);
        visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let form = Form::new(&visit.form, &[], visit.today());
    let done = match perform(visit, &account, post, form) {
        Ok(done) => done,
        Err(problems) => return refuse(problems),
    };
    let Err(undone) = done else {
        return Ok(back(account.id, "post-ended"));
    };
    let refusal = for_form(visit, undone)?;
    refuse(vec![in_the_way(refusal, post)])
}

/// Checks the form and does what it asks for.
fn perform(
    visit: &Visit,
    account: &Account,
    post: &Post,
    form: Form<'_>,
) -> Result<Result<(), Undone>, Vec<FieldProblem>> {
    let (hand, seen) = (hand(visit), visit.form.get("seen"));
    if visit.form.trimmed("kind") == "leave" {
        let (last, reason) = form.leaving()?;
        return Ok(acts::leave(&hand, account, (last, &reason), seen));
    }
    let (ends_on, reason) = form.ending(post)?;
    let end = NewEnd {
        post: post.id,
        ends_on,
    };
    Ok(acts::end_posts(&hand, account.id, (&[end], &reason), seen))
}

fn in_the_way(refusal: Refusal, post: &Post) -> FieldProblem {
    if let Refusal::Field(problem) = refusal {
        return problem;
    }
    let Refusal::Overlap(wanted, other) = refusal else {
        return last_administrator("ends_on");
    };
    let mut changed = post.clone();
    changed.term = wanted;
    FieldProblem {
        field: "ends_on",
        text: format!(
            "「{}」は、すでにある「{}」と期間が重なります。",
            view::post_line(&changed),
            view::post_line(&other)
        ),
    }
}
