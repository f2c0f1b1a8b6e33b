//! Registering somebody, and the page of one person.

use askama::Template;
use axum::http::StatusCode;
use jiff::Timestamp;
use store::{ReadTx, StaffId, StoreError};

use super::acts::{self, Given, Hand, Refusal, Undone};
use super::form::{FieldProblem, Form};
use super::model::{Account, Centre, State};
use super::store as sql;
use super::view::{self, Choice, PostWords};
use crate::features::staff::model::{may_try, wait_after};
use crate::features::staff::{factors, store as staff_sql};
use crate::web::{Answer, Fields, Permission, Problem, Shell, Visit, redirect};

/// The hand of whoever is signed in.
pub(super) fn hand(visit: &Visit) -> Hand<'_> {
    Hand {
        db: visit.app.db(),
        actor: &visit.actor,
    }
}

/// The person of the address.
pub(super) fn account(visit: &Visit) -> Result<Account, Problem> {
    let id = StaffId(visit.param("id")?);
    let found = visit
        .app
        .db()
        .read(&visit.actor, |tx| sql::account(tx, id))?;
    found.ok_or(Problem::NotFound)
}

/// The page around a form about a person.
pub(super) fn shell_of(visit: &Visit, account: &Account, title: &str) -> Shell {
    let person = format!("/staff/{}", account.id);
    Shell::new(visit, format!("{}：{title}", account.name))
        .under(&[("職員", "/staff"), (&account.name, &person)])
}

/// To the person's page, saying what was done.
pub(super) fn back(id: StaffId, done: &str) -> crate::web::Response {
    redirect(&format!("/staff/{id}?done={done}"))
}

#[derive(Template)]
#[template(path = "features/staff/accounts/own.html")]
struct OwnPage {
    shell: Shell,
}

/// 403: nobody does this to her own account.
pub(super) fn own(visit: &Visit) -> Answer {
    let shell = Shell::new(visit, "自分のアカウントは変えられません");
    let shell = shell.under(&[("職員", "/staff")]);
    visit.page_as(StatusCode::FORBIDDEN, &OwnPage { shell })
}

#[derive(Template)]
#[template(path = "features/staff/accounts/late.html")]
struct LatePage {
    shell: Shell,
    id: i64,
    newest: String,
    typed: Vec<crate::web::Typed>,
}

/// 409: another administrator was faster; what was typed stays readable.
pub(super) fn late(visit: &Visit, account: &Account, newest: String) -> Answer {
    let words = ["job", "starts_on", "ends_on", "reason"];
    let pairs = visit.form.pairs().filter(|(name, _)| words.contains(name));
    let page = LatePage {
        shell: shell_of(visit, account, "ほかの管理者が先に変えました"),
        id: account.id.0,
        newest,
        typed: crate::web::typed_words(pairs),
    };
    visit.page_as(StatusCode::CONFLICT, &page)
}

/// The refusal, if it is the form's own to show; those that look the same everywhere are a page.
pub(super) fn for_form(visit: &Visit, undone: Undone) -> Result<Refusal, Problem> {
    let page = |answer: Answer| match answer {
        Ok(response) => Problem::Page(Box::new(response)),
        Err(problem) => problem,
    };
    match undone {
        Undone::Failed(problem) => Err(problem),
        Undone::Refused(Refusal::Absent) => Err(Problem::NotFound),
        Undone::Refused(Refusal::Own) => Err(page(own(visit))),
        Undone::Refused(Refusal::Again(id)) => Err(page(Ok(back(id, "again")))),
        Undone::Refused(Refusal::Asked(id)) => {
            let place = format!("/approvals/{id}?done=approval-asked");
            Err(page(Ok(redirect(&place))))
        }
        Undone::Refused(Refusal::Late(account)) => {
            Err(page(late(visit, &account, view::newest(&account))))
        }
        Undone::Refused(refusal) => Ok(refusal),
    }
}

#[derive(Template)]
#[template(path = "features/staff/accounts/new.html")]
struct NewPage {
    shell: Shell,
    typed: Fields,
    problems: Vec<FieldProblem>,
    roles: Vec<Choice>,
    centres: Vec<Choice>,
}

impl NewPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

/// Centres for a form.
pub(super) fn centres(visit: &Visit) -> Result<Vec<Centre>, Problem> {
    let read = |tx: &ReadTx<'_>| sql::centres(tx, visit.today());
    Ok(visit.app.db().read(&visit.actor, read)?)
}

fn new_page(visit: &Visit, centres: &[Centre], problems: Vec<FieldProblem>) -> NewPage {
    let typed = &visit.form;
    NewPage {
        shell: Shell::new(visit, "職員を登録する").under(&[("職員", "/staff")]),
        roles: view::roles(typed.trimmed("role"), "選んでください"),
        centres: view::centres(centres, typed.trimmed("centre"), &[("", view::CITY)]),
        typed: typed.clone(),
        problems,
    }
}

pub(super) fn new(visit: &Visit) -> Answer {
    visit.page(&new_page(visit, &centres(visit)?, Vec::new()))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let centres = centres(visit)?;
    let refuse = |problems| {
        let page = new_page(visit, &centres, problems);
        visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let checked = Form::new(&visit.form, &centres, visit.today()).account();
    let new = match checked {
        Ok(new) => new,
        Err(problems) => return refuse(problems),
    };
    let undone = match acts::register(&hand(visit), new) {
        Ok(given) => return tell(visit, &given, "職員を登録しました"),
        Err(Undone::Refused(Refusal::Again(id))) => return Ok(back(id, "registered")),
        Err(undone) => undone,
    };
    let refusal = for_form(visit, undone)?;
    if let Refusal::Field(problem) = refusal {
        refuse(vec![problem])
    } else {
        Err(unexpected(&refusal))
    }
}

/// A refusal that this act does not know.
pub(super) fn unexpected(refusal: &Refusal) -> Problem {
    log::debug!("unexpected refusal: {refusal:?}");
    Problem::Fault("an act met a refusal of another")
}

#[derive(Template)]
#[template(path = "features/staff/accounts/given.html")]
struct GivenPage {
    shell: Shell,
    id: i64,
    name: String,
    login: String,
    password: String,
    waits: bool,
}

/// The only page that ever shows a password; it is not kept anywhere to be shown again.
pub(super) fn tell(visit: &Visit, given: &Given, title: &str) -> Answer {
    let read = |tx: &ReadTx<'_>| sql::account(tx, given.id);
    let account = visit.app.db().read(&visit.actor, read)?;
    let account = account.ok_or(Problem::NotFound)?;
    visit.page(&GivenPage {
        shell: Shell::new(visit, title).under(&[("職員", "/staff")]),
        id: account.id.0,
        name: account.name,
        login: account.login,
        password: given.password.clone(),
        waits: given.asked.is_some(),
    })
}

#[derive(Template)]
#[template(path = "features/staff/accounts/show.html")]
struct ShowPage {
    shell: Shell,
    id: i64,
    login: String,
    kana: String,
    made_at: String,
    state: &'static str,
    css: &'static str,
    posts: Vec<PostWords>,
    sign_in: SignInWords,
    sessions: Vec<SessionWords>,
    may_change: bool,
    is_own: bool,
    works_here: bool,
}

struct SessionWords {
    terminal: String,
    since: String,
    seen: String,
    locked: bool,
}

struct SignInWords {
    failures: i64,
    waits_until: Option<String>,
    password: String,
    given_out: bool,
    factors: String,
}

pub(super) fn show(visit: &Visit) -> Answer {
    let account = account(visit)?;
    let now = visit.app.clock().now();
    let (sign_in, sessions) = visit.app.db().read(&visit.actor, |tx| {
        let sign_in = sign_in(visit, tx, &account, now)?;
        Ok::<_, StoreError>((sign_in, sessions(visit, tx, account.id, now)?))
    })?;
    let today = visit.today();
    let state = account.state(today);
    let (label, css) = view::state(state);
    let is_own = visit.signed_in()?.staff_id == account.id;
    visit.page(&ShowPage {
        shell: Shell::new(visit, account.name.clone()).under(&[("職員", "/staff")]),
        id: account.id.0,
        made_at: view::moment(&account.made_at),
        state: label,
        css,
        posts: account
            .posts
            .iter()
            .rev()
            .map(|post| view::post(post, today))
            .collect(),
        sign_in,
        sessions,
        may_change: visit.may(Permission::StaffAdminister) && !is_own,
        is_own: is_own && visit.may(Permission::StaffAdminister),
        works_here: matches!(state, State::Current | State::Planned),
        login: account.login,
        kana: account.kana,
    })
}

fn sign_in(
    visit: &Visit,
    tx: &ReadTx<'_>,
    account: &Account,
    now: Timestamp,
) -> Result<SignInWords, StoreError> {
    let rules = visit.app.settings().sign_in.guessing;
    let subject = staff_sql::login_subject(&account.login);
    let (failures, last) = staff_sql::failures(tx, &subject)?;
    let until = last
        .filter(|_| !may_try(rules, failures, last, now))
        .and_then(|last| last.checked_add(wait_after(rules, failures)).ok());
    let password = sql::password(tx, account.id)?;
    let by_another = |p: &sql::PasswordState| match &p.by_name {
        Some(name) if p.by != Some(account.id) => format!("（{name} さんが発行）"),
        Some(_) => "（本人）".to_owned(),
        None => "（コマンドで発行）".to_owned(),
    };
    Ok(SignInWords {
        failures,
        waits_until: until.map(|until| view::moment(&until.to_string())),
        password: password
            .as_ref()
            .map(|p| format!("{}{}", view::moment(&p.at), by_another(p)))
            .unwrap_or_default(),
        given_out: password.is_some_and(|p| p.given_out),
        factors: factors::words(&factors::store::held(tx, account.id)?),
    })
}

fn sessions(
    visit: &Visit,
    tx: &ReadTx<'_>,
    id: StaffId,
    now: Timestamp,
) -> Result<Vec<SessionWords>, StoreError> {
    let limits = &visit.app.settings().session;
    let ago = |span| {
        now.checked_sub(span)
            .map_or_else(|_| String::new(), |at| format!("{at:.6}"))
    };
    let (started, seen) = (ago(limits.absolute), ago(limits.idle));
    let rows = sql::sessions(tx, id, (&started, &seen))?;
    let words = |session: sql::Session| SessionWords {
        terminal: session.terminal,
        since: view::moment(&session.since),
        seen: view::moment(&session.seen),
        locked: session.locked,
    };
    Ok(rows.into_iter().map(words).collect())
}
