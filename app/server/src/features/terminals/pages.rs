//! The list, the page of one terminal, and the form about it.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind, StoreError};

use super::form::{self, FieldProblem};
use super::model::{Centre, Details, Machine};
use super::view::{self, CertificateWords, Choice, Line};
use super::{form::CITY_CODE, standing, store as sql};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{
    Answer, Fields, Pages, Permission, Problem, Shell, TerminalId, TerminalKind, Typed, Visit,
    page_asked, redirect, rows_before, session, typed_words,
};

#[derive(Template)]
#[template(path = "features/terminals/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Line>,
    own: Vec<standing::Own>,
    pages: Pages,
    may_change: bool,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let (page, today) = (page_asked(&visit.query), visit.today());
    let (machines, total) = visit.app.db().read(&visit.actor, |tx| {
        let machines = sql::machines(tx, None, (ROWS_PER_PAGE, rows_before(page)))?;
        Ok::<_, StoreError>((machines, sql::count(tx)?))
    })?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "端末").under(&[]),
        rows: machines.iter().map(|m| view::line(m, today)).collect(),
        own: standing::of(&visit.app, today),
        pages: Pages::new("/terminals", &visit.query, page, total),
        may_change: visit.may(Permission::TerminalAdminister),
    })
}

/// The terminal of the address.
pub(super) fn machine(visit: &Visit) -> Result<Machine, Problem> {
    let id: TerminalId = TerminalId(visit.param("id")?);
    let found = visit
        .app
        .db()
        .read(&visit.actor, |tx| sql::machine(tx, id))?;
    found.ok_or(Problem::NotFound)
}

/// The page around something about a terminal.
pub(super) fn shell_of(visit: &Visit, machine: &Machine, title: &str) -> Shell {
    let (name, path) = (&machine.details.name, format!("/terminals/{}", machine.id));
    Shell::new(visit, format!("{name}：{title}")).under(&[("端末", "/terminals"), (name, &path)])
}

#[derive(Template)]
#[template(path = "features/terminals/show.html")]
struct ShowPage {
    shell: Shell,
    id: TerminalId,
    kind: &'static str,
    centre: String,
    notes: String,
    changed: String,
    state: &'static str,
    css: &'static str,
    open: bool,
    last_seen: String,
    certificates: Vec<CertificateWords>,
    may_change: bool,
    is_here: bool,
}

pub(super) fn show(visit: &Visit) -> Answer {
    let machine = machine(visit)?;
    let state = machine.state(visit.today());
    let (label, css) = view::state(state);
    let here = visit.terminal.as_ref();
    visit.page(&ShowPage {
        shell: Shell::new(visit, machine.details.name.clone()).under(&[("端末", "/terminals")]),
        id: machine.id,
        kind: machine.details.kind.label(),
        centre: view::centre(&machine.details),
        changed: format!(
            "{} {}",
            view::moment(&machine.changed_at),
            machine.changed_by
        ),
        state: label,
        css,
        open: state.is_open(),
        last_seen: machine
            .last_seen_at
            .as_deref()
            .map(view::moment)
            .unwrap_or_default(),
        certificates: machine.certificates.iter().map(view::certificate).collect(),
        may_change: visit.may(Permission::TerminalAdminister),
        is_here: here.is_some_and(|terminal| terminal.id == machine.id),
        notes: machine.details.notes,
    })
}

#[derive(Template)]
#[template(path = "features/terminals/form.html")]
struct FormPage {
    shell: Shell,
    action: String,
    back: String,
    seen: i64,
    submission: String,
    typed: Fields,
    problems: Vec<FieldProblem>,
    kinds: Vec<Choice>,
    centres: Vec<Choice>,
}

impl FormPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

/// The form; `about` is the terminal that is changed, with the row it was opened on.
fn form_page(
    visit: &Visit,
    about: Option<(&Machine, i64)>,
    typed: Fields,
    centres: &[Centre],
    problems: Vec<FieldProblem>,
) -> FormPage {
    let path = about.map_or_else(
        || "/terminals".to_owned(),
        |(m, _)| format!("/terminals/{}", m.id),
    );
    let known = typed.trimmed("submission");
    FormPage {
        shell: about.map_or_else(
            || Shell::new(visit, "端末を登録する").under(&[("端末", "/terminals")]),
            |(machine, _)| shell_of(visit, machine, "内容の変更"),
        ),
        action: about.map_or_else(|| path.clone(), |_| format!("{path}/details")),
        back: path,
        seen: about.map_or(0, |(_, seen)| seen),
        submission: if known.is_empty() {
            session::one_time_password().unwrap_or_default()
        } else {
            known.chars().take(64).collect()
        },
        kinds: view::kinds(match typed.trimmed("kind") {
            "" => TerminalKind::Pc.code(),
            chosen => chosen,
        }),
        centres: view::centres(centres, typed.trimmed("centre")),
        typed,
        problems,
    }
}

fn centres(visit: &Visit) -> Result<Vec<Centre>, Problem> {
    let read = |tx: &ReadTx<'_>| sql::centres(tx, visit.today());
    Ok(visit.app.db().read(&visit.actor, read)?)
}

pub(super) fn new(visit: &Visit) -> Answer {
    let page = form_page(visit, None, Fields::default(), &centres(visit)?, Vec::new());
    visit.page(&page)
}

fn taken(problems: &mut Vec<FieldProblem>) {
    problems.push(FieldProblem {
        field: "name",
        text: "同じ名前の端末があります。見分けのつく名前にしてください。".to_owned(),
    });
}

pub(super) fn create(visit: &Visit) -> Answer {
    let centres = centres(visit)?;
    let refuse = |problems| {
        let page = form_page(visit, None, visit.form.clone(), &centres, problems);
        visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let details = match form::read(&visit.form, &centres) {
        Ok(details) => details,
        Err(problems) => return refuse(problems),
    };
    let submission: String = visit.form.trimmed("submission").chars().take(64).collect();
    if submission.is_empty() {
        return refuse(Vec::new());
    }
    let (db, now) = (visit.app.db(), format!("{:.6}", visit.app.clock().now()));
    let read = |tx: &ReadTx<'_>| {
        let known = sql::by_submission(tx, &submission)?;
        Ok::<_, StoreError>((known, sql::is_taken(tx, &details.name, None)?))
    };
    match db.read(&visit.actor, read)? {
        (Some(id), _) => return Ok(redirect(&format!("/terminals/{id}?done=again"))),
        (None, true) => {
            let mut problems = Vec::new();
            taken(&mut problems);
            return refuse(problems);
        }
        (None, false) => {}
    }
    let id = db.write(&visit.actor, |tx| {
        let id = sql::insert(tx, &submission, &visit.actor, &now)?;
        sql::insert_details(tx, id, &details, &visit.actor, &now)?;
        let text = format!("前＝なし／後＝{}", view::in_log(&details));
        let event = Event::done(Operation::TerminalAdd).on(RecordKind::Terminal, id.0);
        Ok::<_, Problem>(tx.audited(event.detail(text), id))
    })?;
    Ok(redirect(&format!("/terminals/{id}?done=saved")))
}

fn fields_of(details: &Details) -> Fields {
    let centre = details.centre.as_ref();
    let pairs = [
        ("name", details.name.as_str()),
        ("kind", details.kind.code()),
        ("centre", centre.map_or(CITY_CODE, |c| c.code.as_str())),
        ("notes", details.notes.as_str()),
    ];
    Fields::from_pairs(pairs.into_iter()).unwrap_or_default()
}

pub(super) fn edit(visit: &Visit) -> Answer {
    let machine = machine(visit)?;
    let (typed, centres) = (fields_of(&machine.details), centres(visit)?);
    let about = Some((&machine, machine.seen));
    visit.page(&form_page(visit, about, typed, &centres, Vec::new()))
}

pub(super) fn change(visit: &Visit) -> Answer {
    let (machine, centres) = (machine(visit)?, centres(visit)?);
    let seen = visit.form.trimmed("seen").parse().unwrap_or(0);
    let refuse = |problems| {
        let about = Some((&machine, seen));
        let page = form_page(visit, about, visit.form.clone(), &centres, problems);
        visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let details = match form::read(&visit.form, &centres) {
        Ok(details) => details,
        Err(problems) => return refuse(problems),
    };
    let back = |done: &str| Ok(redirect(&format!("/terminals/{}?done={done}", machine.id)));
    if details == machine.details {
        return back("again");
    }
    let (db, now) = (visit.app.db(), format!("{:.6}", visit.app.clock().now()));
    if db.read(&visit.actor, |tx| {
        sql::is_taken(tx, &details.name, Some(machine.id))
    })? {
        let mut problems = Vec::new();
        taken(&mut problems);
        return refuse(problems);
    }
    db.write(&visit.actor, |tx| {
        let newest = sql::machine(tx, machine.id)?.ok_or(Problem::NotFound)?;
        if newest.seen != seen {
            return Err(late(visit, &newest));
        }
        sql::insert_details(tx, machine.id, &details, &visit.actor, &now)?;
        let (before, after) = (view::in_log(&newest.details), view::in_log(&details));
        let text = format!("前＝{before}／後＝{after}");
        let event = Event::done(Operation::TerminalChange).on(RecordKind::Terminal, machine.id.0);
        Ok(tx.audited(event.detail(text), ()))
    })?;
    back("saved")
}

#[derive(Template)]
#[template(path = "features/terminals/late.html")]
struct LatePage {
    shell: Shell,
    id: TerminalId,
    newest: String,
    typed: Vec<Typed>,
}

/// 409: another administrator was faster; what was typed stays readable.
pub(super) fn late(visit: &Visit, machine: &Machine) -> Problem {
    let words = ["name", "notes"];
    let pairs = visit.form.pairs().filter(|(name, _)| words.contains(name));
    let page = LatePage {
        shell: shell_of(visit, machine, "ほかの管理者が先に変えました"),
        id: machine.id,
        newest: format!(
            "{} に {} さんが内容を変えました。",
            view::moment(&machine.changed_at),
            machine.changed_by
        ),
        typed: typed_words(pairs),
    };
    match visit.page_as(StatusCode::CONFLICT, &page) {
        Ok(response) => Problem::Page(Box::new(response)),
        Err(problem) => problem,
    }
}

#[derive(Template)]
#[template(path = "features/terminals/help.html")]
struct HelpPage {
    shell: Shell,
    authority: bool,
}

pub(super) fn help(visit: &Visit) -> Answer {
    let shell = Shell::new(visit, "端末の設定のしかた").under(&[("端末", "/terminals")]);
    visit.page(&HelpPage {
        shell,
        authority: true,
    })
}

/// The same for whoever renews her own terminal: it trusts the authority already.
pub(super) fn own_help(visit: &Visit) -> Answer {
    let above = [("この端末の証明書", "/terminals/own")];
    let shell = Shell::new(visit, "端末の設定のしかた").under(&above);
    visit.page(&HelpPage {
        shell,
        authority: false,
    })
}
