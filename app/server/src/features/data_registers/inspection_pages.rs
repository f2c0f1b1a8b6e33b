//! The list of checks, one of them, its print, and what was mended.

use askama::Template;
use axum::http::StatusCode;
use store::{CentreId, Event, Operation, ReadTx, RecordKind, StoreError, WriteTx};

use super::form::{FieldProblem, Form};
use super::holding_pages::late_at;
use super::inspections::{self as sql, Line, Outcome, ResultRow};
use super::model::{Item, Reach, list_of, may_change};
use super::words::{moment, stored_day};
use crate::web::{Answer, Fields, Permission, Problem, Shell, Visit, printing, redirect};

struct LineWords {
    id: i64,
    centre: String,
    checked_on: String,
    checker: String,
    next_due_on: String,
    css: &'static str,
    state: String,
    row_css: &'static str,
}

fn line(row: &Line) -> LineWords {
    let (css, state) = match (&row.withdrawal, row.bad, row.unfixed) {
        (Some(_), ..) => ("", "取下げ".to_owned()),
        (None, 0, _) => ("ok", "不備なし".to_owned()),
        (None, bad, 0) => ("ok", format!("不備{bad}件は是正済み")),
        (None, bad, unfixed) => ("warn", format!("不備{bad}件、是正待ち{unfixed}件")),
    };
    LineWords {
        id: row.id,
        centre: row.centre.clone().unwrap_or_else(|| "市".to_owned()),
        checked_on: stored_day(&row.checked_on),
        checker: row.checker.clone(),
        next_due_on: stored_day(&row.next_due_on),
        css,
        state,
        row_css: if row.withdrawal.is_some() { "off" } else { "" },
    }
}

/// One office and its next check.
struct Office {
    name: String,
    next: String,
    css: &'static str,
    state: &'static str,
}

#[derive(Template)]
#[template(path = "features/data_registers/inspections.html")]
struct ListPage {
    shell: Shell,
    offices: Vec<Office>,
    rows: Vec<LineWords>,
    may_write: bool,
}

fn offices(visit: &Visit, tx: &ReadTx<'_>) -> Result<Vec<(Option<CentreId>, String)>, StoreError> {
    let reach = Reach::of(visit);
    let today = visit.today().to_string();
    let sql = "select id, short_name from support_centres
        where valid_from <= ?1 and (valid_to is null or valid_to >= ?1) and (?2 is null or id = ?2)
        order by code";
    let mut all = tx.all(sql, store::params![today, reach.centre()], |row| {
        Ok((Some(row.get(0)?), row.get(1)?))
    })?;
    if reach == Reach::All {
        all.insert(0, (None, "市".to_owned()));
    }
    Ok(all)
}

fn office(next: Option<String>, name: String, today: &str) -> Office {
    let (css, state) = match &next {
        None => ("warn", "まだ点検していません"),
        Some(due) if due.as_str() < today => ("error solid", "期限切れ"),
        Some(_) => ("ok", "期限内"),
    };
    Office {
        name,
        next: next.as_deref().map_or_else(|| "―".to_owned(), stored_day),
        css,
        state,
    }
}

pub(super) fn list(visit: &Visit) -> Answer {
    let today = visit.today().to_string();
    let (rows, offices) = visit.app.db().read(&visit.actor, |tx| {
        let mut all = Vec::new();
        for (centre, name) in offices(visit, tx)? {
            all.push(office(sql::next_due(tx, centre)?, name, &today));
        }
        Ok::<_, StoreError>((sql::list(tx, Reach::of(visit))?, all))
    })?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "定期点検").under(&[]),
        offices,
        rows: rows.iter().map(line).collect(),
        may_write: visit.may(Permission::DataRegisterWrite),
    })
}

struct ResultWords {
    code: String,
    text: String,
    clause: String,
    css: &'static str,
    outcome: &'static str,
    remark: String,
    due: String,
    fixed: String,
    waits: bool,
}

fn result(row: &ResultRow, items: &[Item], today: &str) -> ResultWords {
    let item = items.iter().find(|item| item.code == row.item);
    let waits = row.outcome == Outcome::Bad && row.fixed.is_none();
    let late = waits && row.fix_due_on.as_deref().is_some_and(|due| due < today);
    let due = row
        .fix_due_on
        .as_deref()
        .map(stored_day)
        .unwrap_or_default();
    let fixed = row.fixed.as_ref();
    ResultWords {
        code: row.item.clone(),
        text: item.map_or_else(|| row.item.clone(), |item| item.text.clone()),
        clause: item.map(|item| item.clause.clone()).unwrap_or_default(),
        css: match row.outcome {
            Outcome::Good => "ok",
            Outcome::Bad => "error",
            Outcome::None => "",
        },
        outcome: row.outcome.label(),
        remark: row.remark.clone(),
        due: if late {
            format!("{due}（期限切れ）")
        } else {
            due
        },
        fixed: fixed.map_or_else(String::new, |(on, note, by)| {
            format!("{} {note}（{by}）", stored_day(on))
        }),
        waits,
    }
}

#[derive(Template)]
#[template(path = "features/data_registers/inspection.html")]
struct ShowPage {
    shell: Shell,
    line: LineWords,
    note: String,
    source: String,
    recorded: String,
    results: Vec<ResultWords>,
    withdrawal: Option<(String, String, String)>,
    may_write: bool,
    typed: Fields,
    problems: Vec<FieldProblem>,
}

impl ShowPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn waiting(&self) -> Vec<&ResultWords> {
        self.results.iter().filter(|row| row.waits).collect()
    }
}

fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Line, Problem> {
    let id: i64 = visit.param("id")?;
    sql::find(tx, id, Reach::of(visit))?.ok_or(Problem::NotFound)
}

fn show_page(visit: &Visit, problems: Vec<FieldProblem>) -> Result<ShowPage, Problem> {
    let today = visit.today().to_string();
    let (row, results) = visit.app.db().read(&visit.actor, |tx| {
        let row = load(visit, tx)?;
        let results = sql::results(tx, row.id)?;
        Ok::<_, Problem>((row, results))
    })?;
    let list = list_of(&row.list_from);
    let items = list.map(|list| list.items.as_slice()).unwrap_or_default();
    let mut line = line(&row);
    let title = format!("点検 {} {}", line.centre, line.checked_on);
    line.row_css = "";
    Ok(ShowPage {
        shell: Shell::new(visit, title).under(&[("定期点検", "/inspections")]),
        note: row.note.clone(),
        source: list.map(|list| list.source.clone()).unwrap_or_default(),
        recorded: format!("{} {}", moment(&row.recorded_at), row.recorded_by),
        results: results.iter().map(|r| result(r, items, &today)).collect(),
        may_write: row.withdrawal.is_none() && may_change(visit, row.centre_id),
        withdrawal: row.withdrawal.map(|(why, by, at)| (why, by, moment(&at))),
        line,
        typed: visit.form.clone(),
        problems,
    })
}

pub(super) fn show(visit: &Visit) -> Answer {
    visit.page(&show_page(visit, Vec::new())?)
}

pub(super) fn print(visit: &Visit) -> Answer {
    let page = show_page(visit, Vec::new())?;
    let cells = |row: ResultWords| {
        let ResultWords {
            code,
            text,
            clause,
            outcome,
            remark,
            due,
            fixed,
            ..
        } = row;
        vec![code, text, clause, outcome.to_owned(), remark, due, fixed]
    };
    let LineWords {
        id,
        centre,
        checked_on,
        checker,
        next_due_on,
        state,
        ..
    } = page.line;
    let mut notes = vec![format!("点検項目の出典：{}", page.source)];
    if !page.note.is_empty() {
        notes.insert(0, format!("総評：{}", page.note));
    }
    let pdf = printing::draw(
        visit,
        printing::Sheet {
            title: "個人情報の定期点検表",
            subtitle: format!(
                "{centre}／点検日 {checked_on}／点検した人 {checker}／{state}／次の期限 {next_due_on}"
            ),
            identity: format!("inspection/{id}"),
            columns: vec![
                ("番号", 2),
                ("点検項目", 12),
                ("根拠", 4),
                ("結果", 3),
                ("所見", 9),
                ("是正の期限", 4),
                ("是正", 7),
            ],
            rows: page.results.into_iter().map(cells).collect(),
            notes,
        },
    )?;
    let event = Event::done(Operation::DataRegisterPrint).on(RecordKind::Inspection, id);
    let write = |tx: &WriteTx<'_>| Ok::<_, Problem>(tx.audited(event, ()));
    visit.app.db().view(&visit.actor, write)?;
    Ok(printing::shown("inspection.pdf", pdf))
}

/// The check of this address, for whoever may change it.
fn writable(visit: &Visit, tx: &ReadTx<'_>) -> Result<Line, Problem> {
    let row = load(visit, tx)?;
    if !may_change(visit, row.centre_id) {
        return Err(Problem::Forbidden);
    }
    if row.withdrawal.is_some() {
        return Err(late_at(visit, format!("/inspections/{}", row.id)));
    }
    Ok(row)
}

fn event(id: i64) -> Event {
    Event::done(Operation::InspectionWrite).on(RecordKind::Inspection, id)
}

pub(super) fn fix(visit: &Visit) -> Answer {
    let read = |tx: &ReadTx<'_>| writable(visit, tx);
    visit.app.db().read(&visit.actor, read)?;
    let mut form = Form::new(&visit.form, visit.today());
    let item = form.must("item", "是正した項目");
    let fixed_on = form.past("fixed_on", "是正した日");
    let note = form.must("fix_note", "是正した内容");
    if !form.problems.is_empty() {
        let page = show_page(visit, form.problems)?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let id = visit.app.db().write(&visit.actor, |tx| {
        let row = writable(visit, tx)?;
        let results = sql::results(tx, row.id)?;
        let bad = results
            .iter()
            .find(|r| r.item == item && r.outcome == Outcome::Bad);
        let bad = bad.ok_or(Problem::NotFound)?;
        if bad.fixed.is_some() {
            return Err(late_at(visit, format!("/inspections/{}", row.id)));
        }
        let on = fixed_on.to_string();
        sql::insert_fix(tx, (row.id, &item), (&on, &note), (staff, &now))?;
        let detail = format!("項目{item}：是正待ち→是正済み（{on}）");
        Ok(tx.audited(event(row.id).detail(detail), row.id))
    })?;
    Ok(redirect(&format!("/inspections/{id}?done=saved")))
}

pub(super) fn withdraw(visit: &Visit) -> Answer {
    let read = |tx: &ReadTx<'_>| writable(visit, tx);
    visit.app.db().read(&visit.actor, read)?;
    let mut form = Form::new(&visit.form, visit.today());
    let reason = form.must("reason", "取り下げる理由");
    if !form.problems.is_empty() {
        let page = show_page(visit, form.problems)?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let id = visit.app.db().write(&visit.actor, |tx| {
        let row = writable(visit, tx)?;
        sql::insert_withdrawal(tx, row.id, &reason, (staff, &now))?;
        let detail = format!("状態：記録→取下げ／理由＝{reason}");
        Ok::<_, Problem>(tx.audited(event(row.id).detail(detail), row.id))
    })?;
    Ok(redirect(&format!("/inspections/{id}?done=withdrawn")))
}
