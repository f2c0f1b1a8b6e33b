//! アクセス権限付与状況報告: who has which role where, since when, what that lets them do, and whose
//! rights differ, on a chosen day.

use askama::Template;
use axum::http::StatusCode;
use base::clock::japan;
use base::wareki;
use forms::{Column, Section, TableReport};
use jiff::civil::Date;
use store::{Event, Operation, ReadTx, StaffId, StoreError};

use super::acts::Hand;
use super::form::FieldProblem;
use super::model::State;
use super::pages::hand;
use super::store::{self as sql, Wanted};
use super::view::{self, LineWords};
use crate::features::carried_out::door::{self, Goods};
use crate::features::staff::rights;
use crate::web::{
    Answer, Permission, Problem, Rights, Role, Sheet, Shell, Visit, download, excel_csv, workbook,
};

/// Longest report, rows. The city has some thirty accounts.
const ROWS_MAX: usize = 10_000;

const TITLE: &str = "アクセス権限付与状況報告";

const HEADER: [&str; 12] = [
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
    "できること",
    "例外",
];

/// The rights of a day.
#[derive(Debug)]
pub struct Report {
    /// The day.
    pub on: Date,
    /// Who had access.
    pub people: Vec<Person>,
    /// What each role could do.
    roles: Vec<(Role, Rights)>,
    /// Whose rights differed from the role.
    exceptions: Vec<Excepted>,
}

/// One person of the report.
#[derive(Debug)]
pub struct Person {
    line: LineWords,
    may: String,
    exceptions: String,
}

#[derive(Debug)]
struct Excepted {
    name: String,
    login: String,
    what: String,
    made: String,
    reason: String,
}

fn labels(rights: &Rights) -> String {
    let held = Permission::grantable().filter(|permission| rights.has(*permission));
    held.map(Permission::label).collect::<Vec<_>>().join("、")
}

/// Who had access on a day, and to do what.
fn read(tx: &ReadTx<'_>, on: Date) -> Result<Report, StoreError> {
    let midnight = on.tomorrow().ok().and_then(|next| {
        let at = japan().to_timestamp(next.at(0, 0, 0, 0));
        at.ok().map(|at| format!("{at:.6}"))
    });
    let wanted = Wanted {
        state: "current".to_owned(),
        before: midnight.unwrap_or_default(),
        ..Wanted::default()
    };
    let lines = sql::lines(tx, &wanted, on, (ROWS_MAX, 0))?;
    let holders = rights::holders(tx, on)?;
    let all = rights::exceptions_of_all(tx)?;
    let in_force = |e: &&rights::model::Exception| e.term.state(on) == State::Current;
    let exceptions: Vec<_> = all.iter().filter(in_force).collect();
    let person = |line: &sql::Line| {
        let holder = holders.iter().find(|holder| holder.staff == line.id);
        let own = exceptions.iter().filter(|e| e.staff == line.id);
        Person {
            line: view::line(line),
            may: holder.map(|h| labels(&h.rights)).unwrap_or_default(),
            exceptions: own
                .map(|e| rights::view::exception_line(e))
                .collect::<Vec<_>>()
                .join("、"),
        }
    };
    let roles: Result<Vec<_>, StoreError> = Role::ALL
        .iter()
        .map(|role| Ok((*role, rights::view::held_by_role(tx, *role, on)?)))
        .collect();
    Ok(Report {
        on,
        people: lines.iter().map(person).collect(),
        roles: roles?,
        exceptions: exceptions
            .iter()
            .filter_map(|e| excepted(e, &lines))
            .collect(),
    })
}

fn excepted(e: &rights::model::Exception, lines: &[sql::Line]) -> Option<Excepted> {
    let of = |id: StaffId| lines.iter().find(|line| line.id == id);
    of(e.staff).map(|line| Excepted {
        name: line.name.clone(),
        login: line.login.clone(),
        what: rights::view::exception_line(e),
        made: rights::view::stamp(&e.made),
        reason: e.made.reason.clone(),
    })
}

/// Reads the report and writes down that it was made, and as what.
///
/// # Errors
/// Those of the store.
pub fn made(hand: &Hand<'_>, on: Date) -> Result<Report, Problem> {
    hand.db.view(hand.actor, |tx| {
        let report = read(tx, on)?;
        let event = event(on, report.people.len());
        Ok(tx.audited(event, report))
    })
}

fn event(on: Date, rows: usize) -> Event {
    let detail = format!("基準日＝{on}／件数＝{rows}");
    Event::done(Operation::StaffReport).detail(detail)
}

/// One person as the files write her.
fn cells(person: &Person, on: Date) -> [String; 12] {
    let line = &person.line;
    [
        on.to_string(),
        line.login.clone(),
        line.name.clone(),
        line.kana.clone(),
        line.role.clone(),
        line.job.clone(),
        line.centre_code.clone(),
        line.centre.clone(),
        term(line),
        line.last_sign_in.clone(),
        person.may.clone(),
        person.exceptions.clone(),
    ]
}

fn term(line: &LineWords) -> String {
    let term = format!("{} ～ {}", line.since, line.until);
    term.trim_end().to_owned()
}

/// The report as a file that Excel opens.
///
/// # Errors
/// [`Problem::Fault`] when it cannot be written.
pub fn file(report: &Report) -> Result<Vec<u8>, Problem> {
    excel_csv(
        HEADER,
        report.people.iter().map(|person| cells(person, report.on)),
    )
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The report as a workbook: people, roles, exceptions.
fn sheets(report: &Report) -> [Sheet; 3] {
    let roles = report.roles.iter().map(|(role, _)| role.label().to_owned());
    let line = |permission: Permission| {
        let marks = report.roles.iter().map(|(_, rights)| {
            let mark = if rights.has(permission) { "○" } else { "－" };
            mark.to_owned()
        });
        [permission.group().to_owned(), permission.label().to_owned()]
            .into_iter()
            .chain(marks)
            .collect()
    };
    [
        Sheet {
            name: "職員",
            header: owned(&HEADER),
            rows: report
                .people
                .iter()
                .map(|p| cells(p, report.on).to_vec())
                .collect(),
        },
        Sheet {
            name: "役割ごとの権限",
            header: owned(&["区分", "権限"]).into_iter().chain(roles).collect(),
            rows: Permission::grantable().map(line).collect(),
        },
        Sheet {
            name: "例外",
            header: owned(&EXCEPTION_HEADER),
            rows: report.exceptions.iter().map(Excepted::cells).collect(),
        },
    ]
}

const EXCEPTION_HEADER: [&str; 5] = ["職員ID", "氏名", "例外と期間", "記録", "理由"];

impl Excepted {
    fn cells(&self) -> Vec<String> {
        let cells = [
            &self.login,
            &self.name,
            &self.what,
            &self.made,
            &self.reason,
        ];
        cells.map(Clone::clone).to_vec()
    }
}

fn columns(named: &[(&str, u16)]) -> Vec<Column> {
    named
        .iter()
        .map(|(label, share)| Column::new(label, *share))
        .collect()
}

/// The report on paper.
fn paper(visit: &Visit, report: &Report) -> Result<TableReport, Problem> {
    let now = visit.app.clock().now();
    let people = report.people.iter().map(|person| {
        let line = &person.line;
        let name = format!("{}\n{}", line.name, line.login);
        let role = format!("{}\n{}", line.role, line.job);
        vec![
            line.centre.clone(),
            name,
            role,
            term(line),
            person.exceptions.clone(),
            line.last_sign_in.clone(),
        ]
    });
    let roles = report
        .roles
        .iter()
        .map(|(role, rights)| vec![role.label().to_owned(), labels(rights)]);
    Ok(TableReport {
        title: TITLE.to_owned(),
        record_id: format!("access-rights-{}", report.on.strftime("%Y%m%d")),
        about: format!(
            "基準日 {}　権限があった人 {}人",
            view::day(report.on),
            report.people.len()
        ),
        printed_at: now,
        printed_on: view::moment(&now.to_string()),
        printed_by: visit.signed_in()?.name.clone(),
        sections: vec![
            Section {
                heading: "職員".to_owned(),
                columns: columns(&[
                    ("所属", 3),
                    ("氏名・職員ID", 4),
                    ("役割・職種", 5),
                    ("期間", 4),
                    ("例外", 6),
                    ("最終サインイン", 4),
                ]),
                rows: people.collect(),
            },
            Section {
                heading: "役割ごとにできること".to_owned(),
                columns: columns(&[("役割", 2), ("できること", 7)]),
                rows: roles.collect(),
            },
            Section {
                heading: "個人の例外".to_owned(),
                columns: columns(&[
                    ("職員ID", 2),
                    ("氏名", 3),
                    ("例外と期間", 6),
                    ("記録", 5),
                    ("理由", 5),
                ]),
                rows: report.exceptions.iter().map(Excepted::cells).collect(),
            },
        ],
    })
}

/// Name of the file for a day.
pub fn file_name(on: Date) -> String {
    named(on, "csv")
}

fn named(on: Date, extension: &str) -> String {
    format!("access-rights-{}.{extension}", on.strftime("%Y%m%d"))
}

#[derive(Template)]
#[template(path = "features/staff/accounts/report.html")]
struct ReportPage {
    shell: Shell,
    typed: String,
    day: String,
    iso: String,
    made_at: String,
    rows: Vec<Person>,
    roles: Vec<(&'static str, String)>,
    exceptions: Vec<Excepted>,
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
        Ok(on) => visit.page(&report_page(visit, made(&hand(visit), on)?, Vec::new())),
        Err(problem) => not_yet(visit, StatusCode::UNPROCESSABLE_ENTITY, problem),
    }
}

fn not_yet(visit: &Visit, status: StatusCode, problem: FieldProblem) -> Answer {
    let empty = Report {
        on: visit.today(),
        people: Vec::new(),
        roles: Vec::new(),
        exceptions: Vec::new(),
    };
    visit.page_as(status, &report_page(visit, empty, vec![problem]))
}

fn report_page(visit: &Visit, report: Report, problems: Vec<FieldProblem>) -> ReportPage {
    let roles = report
        .roles
        .iter()
        .map(|(role, rights)| (role.label(), labels(rights)));
    ReportPage {
        shell: Shell::new(visit, TITLE).under(&[("職員", "/staff")]),
        typed: visit.query.get("on").to_owned(),
        day: view::day(report.on),
        iso: report.on.to_string(),
        made_at: view::moment(&visit.app.clock().now().to_string()),
        roles: roles.collect(),
        rows: report.people,
        exceptions: report.exceptions,
        problems,
    }
}

/// The report as the file that was asked for: a table, or with `kind=xlsx` a workbook.
fn goods(visit: &Visit) -> Result<Goods, Problem> {
    let on = match day_asked(visit) {
        Ok(on) => on,
        Err(problem) => {
            let page = not_yet(visit, StatusCode::UNPROCESSABLE_ENTITY, problem)?;
            return Err(Problem::Page(Box::new(page)));
        }
    };
    let report = visit.app.db().read(&visit.actor, |tx| read(tx, on))?;
    let count = report.people.len();
    let (file, bytes) = if visit.query.get("kind") == "xlsx" {
        ("access-rights.xlsx", workbook(&sheets(&report))?)
    } else {
        ("access-rights.csv", file(&report)?)
    };
    Ok(Goods {
        what: TITLE,
        file,
        rows: count,
        persons: count,
        bytes,
        event: event(on, count),
        back: (TITLE, format!("/staff/report?on={on}")),
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

pub(super) fn pdf(visit: &Visit) -> Answer {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let on = match day_asked(visit) {
        Ok(on) => on,
        Err(problem) => return not_yet(visit, status, problem),
    };
    let fonts = match visit.app.fonts() {
        Ok(fonts) => fonts,
        Err(missing) => {
            let text = format!(
                "印刷に使う書体がサーバにありません。CSVとExcelは書き出せます。\
                 システム管理者に次をお伝えください。{missing}"
            );
            let problem = FieldProblem { field: "on", text };
            return not_yet(visit, StatusCode::SERVICE_UNAVAILABLE, problem);
        }
    };
    let report = made(&hand(visit), on)?;
    let drawn = forms::table_report(fonts, &paper(visit, &report)?).map_err(|error| {
        log::debug!("report of rights: {error}");
        Problem::Fault("the report of rights cannot be drawn")
    })?;
    let name = named(on, "pdf");
    Ok(download("application/pdf", &name, true, drawn.bytes))
}
