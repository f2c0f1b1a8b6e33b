//! アクセス権限付与状況報告: who has which role where, since when, on a chosen day.

use askama::Template;
use axum::http::StatusCode;
use base::clock::japan;
use base::wareki;
use jiff::civil::Date;
use store::{Event, Operation, ReadTx, StoreError};

use super::acts::Hand;
use super::form::FieldProblem;
use super::pages::hand;
use super::store::{self as sql, Wanted};
use super::view::{self, LineWords};
use crate::features::carried_out::door::{self, Goods};
use crate::web::{Answer, Problem, Shell, Visit, excel_csv};

/// Longest report, rows. The city has some thirty accounts.
const ROWS_MAX: usize = 10_000;

const HEADER: [&str; 10] = [
    "基準日",
    "職員ID",
    "氏名",
    "氏名カナ",
    "役割",
    "職種・担当",
    "センター番号",
    "所属",
    "権限の期間",
    "最終サインイン",
];

/// Who had access on a day.
fn lines(tx: &ReadTx<'_>, on: Date) -> Result<Vec<LineWords>, StoreError> {
    let midnight = on.tomorrow().ok().and_then(|next| {
        let at = japan().to_timestamp(next.at(0, 0, 0, 0));
        at.ok().map(|at| format!("{at:.6}"))
    });
    let wanted = Wanted {
        state: "current".to_owned(),
        before: midnight.unwrap_or_default(),
        ..Wanted::default()
    };
    let found = sql::lines(tx, &wanted, on, (ROWS_MAX, 0))?;
    Ok(found.iter().map(view::line).collect())
}

/// Reads the report and writes down that it was made.
///
/// # Errors
/// Those of the store.
pub fn made(hand: &Hand<'_>, on: Date) -> Result<Vec<LineWords>, Problem> {
    hand.db.view(hand.actor, |tx| {
        let lines = lines(tx, on)?;
        let event = event(on, lines.len());
        Ok(tx.audited(event, lines))
    })
}

fn event(on: Date, rows: usize) -> Event {
    let detail = format!("基準日＝{on}／件数＝{rows}");
    Event::done(Operation::StaffReport).detail(detail)
}

/// The report as a file that Excel opens.
///
/// # Errors
/// [`Problem::Fault`] when it cannot be written.
pub fn file(lines: Vec<LineWords>, on: Date) -> Result<Vec<u8>, Problem> {
    let rows = lines.into_iter().map(|line| {
        [
            on.to_string(),
            line.login,
            line.name,
            line.kana,
            line.role,
            line.job,
            line.centre_code,
            line.centre,
            format!("{} ～ {}", line.since, line.until)
                .trim_end()
                .to_owned(),
            line.last_sign_in,
        ]
    });
    excel_csv(HEADER, rows)
}

/// Name of the file for a day.
pub fn file_name(on: Date) -> String {
    format!("access-rights-{}.csv", on.strftime("%Y%m%d"))
}

#[derive(Template)]
#[template(path = "features/staff/accounts/report.html")]
struct ReportPage {
    shell: Shell,
    typed: String,
    day: String,
    iso: String,
    made_at: String,
    rows: Vec<LineWords>,
    problems: Vec<FieldProblem>,
}

/// The day asked for; without one, today.
fn day_asked(visit: &Visit) -> Result<Date, FieldProblem> {
    let typed = visit.query.trimmed("on");
    if typed.is_empty() {
        return Ok(visit.today());
    }
    let parsed = wareki::parse(typed).ok();
    parsed
        .and_then(|p| p.date.full())
        .ok_or_else(|| FieldProblem {
            field: "on",
            text: "基準日は R8.11.24 や 2026-11-24 のように入力してください。".to_owned(),
        })
}

pub(super) fn page(visit: &Visit) -> Answer {
    match day_asked(visit) {
        Ok(on) => {
            let rows = made(&hand(visit), on)?;
            visit.page(&report_page(visit, on, rows, Vec::new()))
        }
        Err(problem) => not_yet(visit, problem),
    }
}

fn not_yet(visit: &Visit, problem: FieldProblem) -> Answer {
    let page = report_page(visit, visit.today(), Vec::new(), vec![problem]);
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn report_page(
    visit: &Visit,
    on: Date,
    rows: Vec<LineWords>,
    problems: Vec<FieldProblem>,
) -> ReportPage {
    let shell = Shell::new(visit, "アクセス権限付与状況報告");
    ReportPage {
        shell: shell.under(&[("職員", "/staff")]),
        typed: visit.query.get("on").to_owned(),
        day: view::day(on),
        iso: on.to_string(),
        made_at: view::moment(&visit.app.clock().now().to_string()),
        rows,
        problems,
    }
}

fn goods(visit: &Visit) -> Result<Goods, Problem> {
    let on = match day_asked(visit) {
        Ok(on) => on,
        Err(problem) => {
            let page = not_yet(visit, problem)?;
            return Err(Problem::Page(Box::new(page)));
        }
    };
    let lines = visit.app.db().read(&visit.actor, |tx| lines(tx, on))?;
    let count = lines.len();
    Ok(Goods {
        what: "アクセス権限付与状況報告",
        file: "access-rights.csv",
        rows: count,
        persons: count,
        bytes: file(lines, on)?,
        event: event(on, count),
        back: ("アクセス権限付与状況報告", format!("/staff/report?on={on}")),
    })
}

/// What would leave; nothing leaves yet.
pub(super) fn ask(visit: &Visit) -> Answer {
    door::ask(visit, &goods(visit)?)
}

/// The file, with its entry in the register of what was carried out.
pub(super) fn give(visit: &Visit) -> Answer {
    door::hand_over(visit, goods(visit)?)
}
