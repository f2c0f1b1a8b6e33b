//! The pages of 個人情報管理台帳.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind, WriteTx};

use super::form::{FieldProblem, Form};
use super::holdings::{self as sql, Hand, Holding, Version};
use super::model::{FIELDS, HoldingKey, Reach, Words, may_change, shipped};
use super::words::{change, moment, stored_day};
use crate::web::{Answer, Fields, Permission, Problem, Shell, Visit, printing, redirect};
use crate::web::{Typed, typed_words};

struct Line {
    key: String,
    words: Words,
    centre: String,
    css: &'static str,
    state: &'static str,
    row_css: &'static str,
}

fn line(holding: &Holding) -> Line {
    let (css, state) = match (&holding.ended, holding.unconfirmed) {
        (Some(_), _) => ("", "廃止"),
        (None, true) => ("warn", "未確認"),
        (None, false) => ("ok", "保有中"),
    };
    Line {
        key: holding.key(),
        words: holding.words.clone(),
        centre: holding.centre.clone().unwrap_or_else(|| "市".to_owned()),
        css,
        state,
        row_css: if holding.ended.is_some() { "off" } else { "" },
    }
}

#[derive(Template)]
#[template(path = "features/data_registers/holdings.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Line>,
    unconfirmed: usize,
    may_write: bool,
}

fn held(visit: &Visit) -> Result<Vec<Holding>, Problem> {
    let read = |tx: &ReadTx<'_>| sql::list(tx, Reach::of(visit));
    Ok(visit.app.db().read(&visit.actor, read)?)
}

pub(super) fn list(visit: &Visit) -> Answer {
    let held = held(visit)?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "個人情報管理台帳").under(&[]),
        unconfirmed: held.iter().filter(|h| h.unconfirmed).count(),
        rows: held.iter().map(line).collect(),
        may_write: visit.may(Permission::DataRegisterWrite),
    })
}

pub(super) fn print(visit: &Visit) -> Answer {
    let held = held(visit)?;
    let cells = |holding: &Holding| {
        let line = line(holding);
        let mut cells = line.words.to_vec();
        cells.extend([line.centre, line.state.to_owned()]);
        cells
    };
    let shares = [4, 5, 7, 4, 5, 4, 4, 4, 4, 4, 4];
    let mut columns: Vec<(&str, u16)> = FIELDS
        .iter()
        .zip(shares)
        .map(|(field, share)| (field.label, share))
        .collect();
    columns.extend([("所属", 3), ("状態", 3)]);
    let count = held.len();
    let pdf = printing::draw(
        visit,
        printing::Sheet {
            title: "個人情報管理台帳",
            subtitle: format!("{count}件"),
            identity: "data-holdings".to_owned(),
            columns,
            rows: held.iter().map(cells).collect(),
            notes: vec!["個人情報取扱特記事項 第9条第1項(7)にもとづく台帳です。".to_owned()],
        },
    )?;
    let event = Event::done(Operation::DataRegisterPrint).detail(format!("rows={count}"));
    let write = |tx: &WriteTx<'_>| Ok::<_, Problem>(tx.audited(event, ()));
    visit.app.db().view(&visit.actor, write)?;
    Ok(printing::shown("data-holdings.pdf", pdf))
}

struct Fact {
    label: &'static str,
    value: String,
}

fn facts(words: &Words) -> Vec<Fact> {
    let pairs = FIELDS.iter().zip(words);
    pairs
        .map(|(field, value)| Fact {
            label: field.label,
            value: value.clone(),
        })
        .collect()
}

struct VersionWords {
    version: i64,
    at: String,
    by: String,
    reason: String,
    facts: Vec<Fact>,
}

fn version(row: &Version) -> VersionWords {
    VersionWords {
        version: row.version,
        at: moment(&row.at),
        by: row.by.clone().unwrap_or_else(|| "初期値".to_owned()),
        reason: row.reason.clone(),
        facts: facts(&row.words),
    }
}

#[derive(Template)]
#[template(path = "features/data_registers/holding.html")]
struct ShowPage {
    shell: Shell,
    line: Line,
    facts: Vec<Fact>,
    based_on: String,
    ended: Option<(String, String)>,
    versions: Vec<VersionWords>,
    may_write: bool,
    typed: Fields,
    problems: Vec<FieldProblem>,
}

impl ShowPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

fn problem_of<'p>(problems: &'p [FieldProblem], field: &str) -> &'p str {
    let problem = problems.iter().find(|p| p.field == field);
    problem.map_or("", |p| p.text.as_str())
}

fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Holding, Problem> {
    let key: HoldingKey = visit.param("id")?;
    sql::find(tx, &key, Reach::of(visit))?.ok_or(Problem::NotFound)
}

fn show_page(visit: &Visit, problems: Vec<FieldProblem>) -> Result<ShowPage, Problem> {
    let (holding, versions) = visit.app.db().read(&visit.actor, |tx| {
        let holding = load(visit, tx)?;
        let versions = match holding.id {
            Some(id) => sql::versions(tx, id)?,
            None => Vec::new(),
        };
        Ok::<_, Problem>((holding, versions))
    })?;
    let key = holding.shipped_key.as_deref();
    let source = shipped().iter().find(|row| Some(row.key.as_str()) == key);
    let writable = holding.ended.is_none() && may_change(visit, holding.centre_id);
    Ok(ShowPage {
        shell: Shell::new(visit, holding.name().to_owned())
            .under(&[("個人情報管理台帳", "/data-holdings")]),
        line: line(&holding),
        facts: facts(&holding.words),
        based_on: source.map(|row| row.based_on.clone()).unwrap_or_default(),
        ended: holding.ended.map(|(on, reason)| (stored_day(&on), reason)),
        versions: versions.iter().skip(1).map(version).collect(),
        may_write: writable,
        typed: visit.form.clone(),
        problems,
    })
}

pub(super) fn show(visit: &Visit) -> Answer {
    visit.page(&show_page(visit, Vec::new())?)
}

struct Input {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    must: bool,
    value: String,
    problem: String,
}

#[derive(Template)]
#[template(path = "features/data_registers/holding_form.html")]
struct FormPage {
    shell: Shell,
    action: String,
    back: String,
    submission: String,
    base_version: Option<i64>,
    inputs: Vec<Input>,
    reason: String,
    reason_problem: String,
    problems: Vec<FieldProblem>,
}

fn form_page(
    visit: &Visit,
    (title, action, back): (String, String, String),
    base_version: Option<i64>,
    value: impl Fn(usize, &str) -> String,
    problems: Vec<FieldProblem>,
) -> FormPage {
    let inputs = FIELDS.iter().enumerate().map(|(place, field)| Input {
        name: field.name,
        label: field.label,
        hint: field.hint,
        must: field.must,
        value: value(place, field.name),
        problem: problem_of(&problems, field.name).to_owned(),
    });
    FormPage {
        shell: Shell::new(visit, title).under(&[("個人情報管理台帳", "/data-holdings")]),
        action,
        back,
        submission: visit.submission(),
        base_version,
        inputs: inputs.collect(),
        reason: visit.form.get("reason").to_owned(),
        reason_problem: problem_of(&problems, "reason").to_owned(),
        problems,
    }
}

fn new_words() -> (String, String, String) {
    let list = "/data-holdings".to_owned();
    ("台帳に載せる".to_owned(), list.clone(), list)
}

pub(super) fn new(visit: &Visit) -> Answer {
    let nothing = |_, _: &str| String::new();
    visit.page(&form_page(visit, new_words(), None, nothing, Vec::new()))
}

fn typed(visit: &Visit) -> impl Fn(usize, &str) -> String {
    |_, name| visit.form.get(name).to_owned()
}

pub(super) fn create(visit: &Visit) -> Answer {
    let mut form = Form::new(&visit.form, visit.today());
    let words = form.words();
    if !form.problems.is_empty() {
        let page = form_page(visit, new_words(), None, typed(visit), form.problems);
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let submission = visit.submission();
    let hand = Hand {
        staff,
        now: &now,
        submission: &submission,
    };
    let id = visit.app.db().write(&visit.actor, |tx| {
        if let Some(id) = sql::by_submission(tx, &submission)? {
            let again = redirect(&format!("/data-holdings/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        let id = sql::insert(tx, visit.actor.centre_id, None, &hand)?;
        sql::insert_version(tx, id, 1, &words, (Some(staff), &now, ""))?;
        let [name, ..] = &words;
        let event = event(id).detail(format!("登録：{name}"));
        Ok(tx.audited(event, id))
    })?;
    Ok(redirect(&format!("/data-holdings/{id}?done=saved")))
}

fn event(id: i64) -> Event {
    Event::done(Operation::DataHoldingWrite).on(RecordKind::DataHolding, id)
}

/// The holding of this address, for whoever may change it.
fn writable(visit: &Visit, tx: &ReadTx<'_>) -> Result<Holding, Problem> {
    let holding = load(visit, tx)?;
    if !may_change(visit, holding.centre_id) {
        return Err(Problem::Forbidden);
    }
    if holding.ended.is_some() {
        return Err(late(visit, &holding.key()));
    }
    Ok(holding)
}

#[derive(Template)]
#[template(path = "features/data_registers/late.html")]
struct LatePage {
    shell: Shell,
    href: String,
    typed: Vec<Typed>,
}

/// 409: somebody else was faster; what was typed stays readable.
pub(super) fn late_at(visit: &Visit, href: String) -> Problem {
    let page = LatePage {
        shell: Shell::new(visit, "ほかの人が先に変えました").under(&[]),
        href,
        typed: typed_words(visit.form.pairs()),
    };
    match visit.page_as(StatusCode::CONFLICT, &page) {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

fn late(visit: &Visit, key: &str) -> Problem {
    late_at(visit, format!("/data-holdings/{key}"))
}

fn edit_words(holding: &Holding) -> (String, String, String) {
    let here = format!("/data-holdings/{}", holding.key());
    (
        format!("{}の記載を変える", holding.name()),
        format!("{here}/versions"),
        here,
    )
}

pub(super) fn edit(visit: &Visit) -> Answer {
    let read = |tx: &ReadTx<'_>| writable(visit, tx);
    let holding = visit.app.db().read(&visit.actor, read)?;
    let value = |place: usize, _: &str| holding.words.get(place).cloned().unwrap_or_default();
    let version = Some(holding.version);
    visit.page(&form_page(
        visit,
        edit_words(&holding),
        version,
        value,
        Vec::new(),
    ))
}

pub(super) fn correct(visit: &Visit) -> Answer {
    let read = |tx: &ReadTx<'_>| writable(visit, tx);
    let holding = visit.app.db().read(&visit.actor, read)?;
    let base: i64 = visit.form.trimmed("base_version").parse().unwrap_or(0);
    let mut form = Form::new(&visit.form, visit.today());
    let (words, reason) = (form.words(), form.must("reason", "変える理由"));
    if !form.problems.is_empty() {
        let (around, problems) = (edit_words(&holding), form.problems);
        let page = form_page(visit, around, Some(base), typed(visit), problems);
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let submission = visit.submission();
    let hand = Hand {
        staff,
        now: &now,
        submission: &submission,
    };
    let id = visit.app.db().write(&visit.actor, |tx| {
        let holding = writable(visit, tx)?;
        if holding.words == words {
            let again = redirect(&format!("/data-holdings/{}?done=again", holding.key()));
            return Err(Problem::Page(Box::new(again)));
        }
        if holding.version != base {
            return Err(late(visit, &holding.key()));
        }
        let id = stored(tx, &holding, &hand)?;
        let by = (Some(staff), now.as_str(), reason.as_str());
        sql::insert_version(tx, id, base.saturating_add(1), &words, by)?;
        let detail = format!("{}／理由＝{reason}", differences(&holding.words, &words));
        Ok(tx.audited(event(id).detail(detail), id))
    })?;
    Ok(redirect(&format!("/data-holdings/{id}?done=corrected")))
}

/// Its row; a shipped one gets it now, with the shipped words as the first version.
fn stored(tx: &WriteTx<'_>, holding: &Holding, hand: &Hand<'_>) -> Result<i64, Problem> {
    if let Some(id) = holding.id {
        return Ok(id);
    }
    let key = holding.shipped_key.as_deref();
    let id = sql::insert(tx, None, key, hand)?;
    sql::insert_version(tx, id, 1, &holding.words, (None, hand.now, ""))?;
    Ok(id)
}

fn differences(old: &Words, new: &Words) -> String {
    let pairs = FIELDS.iter().zip(old.iter().zip(new));
    let changed: Vec<String> = pairs
        .filter(|(_, (old, new))| old != new)
        .map(|(field, (old, new))| change(field.label, old, new))
        .collect();
    changed.join("／")
}

pub(super) fn end(visit: &Visit) -> Answer {
    let read = |tx: &ReadTx<'_>| writable(visit, tx);
    visit.app.db().read(&visit.actor, read)?;
    let mut form = Form::new(&visit.form, visit.today());
    let ended_on = form.past("ended_on", "廃止した日");
    let reason = form.must("reason", "廃止の理由");
    if !form.problems.is_empty() {
        let page = show_page(visit, form.problems)?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let submission = visit.submission();
    let hand = Hand {
        staff,
        now: &now,
        submission: &submission,
    };
    let id = visit.app.db().write(&visit.actor, |tx| {
        let holding = writable(visit, tx)?;
        let id = stored(tx, &holding, &hand)?;
        let on = ended_on.to_string();
        sql::insert_ending(tx, id, (&on, &reason), (staff, &now))?;
        let detail = format!("状態：保有中→廃止（{on}）／理由＝{reason}");
        Ok::<_, Problem>(tx.audited(event(id).detail(detail), id))
    })?;
    Ok(redirect(&format!("/data-holdings/{id}?done=saved")))
}
