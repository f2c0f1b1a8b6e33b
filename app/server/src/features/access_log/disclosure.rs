//! 開示請求: what was done with one person's data between two days, for that person.
//!
//! Staff appear by organisation and profession; by name only where the city has decided so
//! (`data/access_log.toml`). Terminals and what staff typed as reasons stay out: they are the
//! office's own. Archived years are part of it.
//! Source: 個人情報の保護に関する法律 第76条, 第78条第1項第2号.

use askama::Template;
use axum::http::StatusCode;
use jiff::civil::Date;
use store::{Event, Operation, ReadTx, RecordKind, ResidentId, StoreError};

use super::form::{self, FieldProblem};
use super::model::{Entry, Filter, Named, Sought, Who};
use super::{pages, paper, rules, store as sql, view};
use crate::features::carried_out::door::{self, Goods};
use crate::web::{Answer, Problem, Shell, Visit, excel_csv};

/// Most entries of one report; a person looked at ten times a day for a year has fewer.
const ROWS_MAX: usize = 5_000;
/// Of them on the page; paper and file have all.
const SHOWN_MAX: usize = 200;
const RECEIPT_CHARS_MAX: usize = 40;
const HEADER: [&str; 5] = ["日時", "所属", "職員", "操作", "結果"];
/// By whom the report is asked for, as stored and as read.
const REASONS: [(&str, &str); 3] = [
    ("self", "本人からの開示請求"),
    ("agent", "代理人からの開示請求"),
    ("other", "その他（問い合わせなど）"),
];

struct Asked {
    from: Option<Date>,
    to: Option<Date>,
    receipt: String,
    reason: &'static str,
}

struct Report {
    person: Named,
    entries: Vec<Entry>,
    rule: rules::Disclosure,
    asked: Asked,
}

struct Line {
    at: String,
    centre: String,
    staff: String,
    operation: String,
    css: &'static str,
    outcome: &'static str,
}

#[derive(Template)]
#[template(path = "features/access_log/disclosure.html")]
struct DisclosurePage {
    shell: Shell,
    problems: Vec<FieldProblem>,
    person: String,
    from: String,
    to: String,
    receipt: String,
    reasons: Vec<view::Choice>,
    shown: Option<Shown>,
}

impl DisclosurePage {
    fn of(&self, field: &str) -> &'static str {
        let problem = self.problems.iter().find(|problem| problem.field == field);
        problem.map_or("", |problem| problem.text)
    }
}

struct Shown {
    name: String,
    all: usize,
    lines: Vec<Line>,
    query: String,
    rule: String,
}

pub(super) fn page(visit: &Visit) -> Answer {
    if !visit.query.has("person") {
        return visit.page(&form_page(visit, Vec::new(), None));
    }
    match report(visit)? {
        Err(problems) => refused(visit, problems),
        Ok(report) => {
            note(visit, &report, Operation::AccessLogDisclose)?;
            let shown = Shown {
                name: view::name(&report.person),
                all: report.entries.len(),
                lines: report.lines().into_iter().take(SHOWN_MAX).collect(),
                query: visit.query.query_without("csrf"),
                rule: report.rule_words(),
            };
            visit.page(&form_page(visit, Vec::new(), Some(shown)))
        }
    }
}

fn refused(visit: &Visit, problems: Vec<FieldProblem>) -> Answer {
    let page = form_page(visit, problems, None);
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn form_page(visit: &Visit, problems: Vec<FieldProblem>, shown: Option<Shown>) -> DisclosurePage {
    let text = |name: &str| visit.query.get(name).to_owned();
    let chosen = visit.query.trimmed("reason");
    let reasons = REASONS.into_iter().map(|(value, label)| view::Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        selected: value == chosen,
    });
    DisclosurePage {
        shell: Shell::new(visit, "開示請求の報告").under(&[("アクセスログ", "/access-log")]),
        problems,
        person: text("person"),
        from: text("from"),
        to: text("to"),
        receipt: text("receipt"),
        reasons: reasons.collect(),
        shown,
    }
}

fn goods(visit: &Visit) -> Result<Goods, Problem> {
    let report = match report(visit)? {
        Ok(report) => report,
        Err(problems) => return Err(Problem::Page(Box::new(refused(visit, problems)?))),
    };
    let cells = |line: Line| {
        [
            line.at,
            line.centre,
            line.staff,
            line.operation,
            line.outcome.to_owned(),
        ]
    };
    Ok(Goods {
        what: "開示請求の報告",
        file: "disclosure.csv",
        rows: report.entries.len(),
        persons: 1,
        bytes: excel_csv(HEADER, report.lines().into_iter().map(cells))?,
        event: event(&report, Operation::AccessLogExport),
        back: (
            "開示請求の報告",
            format!(
                "/access-log/disclosure?{}",
                visit.query.query_without("csrf")
            ),
        ),
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
    let fonts = match visit.app.fonts() {
        Ok(fonts) => fonts,
        Err(missing) => return Err(paper::without_fonts(visit, missing)),
    };
    let report = match report(visit)? {
        Ok(report) => report,
        Err(problems) => return refused(visit, problems),
    };
    note(visit, &report, Operation::AccessLogPrint)?;
    let drawn = report.on_paper(visit)?;
    paper::answer(forms::log_report(fonts, &drawn), "disclosure.pdf")
}

/// Writes down that the report was made, before anybody sees it.
fn note(visit: &Visit, report: &Report, operation: Operation) -> Result<(), Problem> {
    let event = event(report, operation);
    let db = visit.app.db();
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))
}

fn event(report: &Report, operation: Operation) -> Event {
    let rows = report.entries.len();
    let Asked {
        reason, receipt, ..
    } = &report.asked;
    Event::done(operation)
        .about(report.person.id)
        .on(
            RecordKind::AccessLog,
            i64::try_from(rows).unwrap_or(i64::MAX),
        )
        .detail(format!("disclosure={reason} receipt={receipt} rows={rows}"))
}

/// What was asked for, or what is wrong with it.
fn asked(visit: &Visit) -> Result<Asked, Vec<FieldProblem>> {
    let mut problems = Vec::new();
    let query = &visit.query;
    let (from, to) = (
        form::day(query, "from", &mut problems),
        form::day(query, "to", &mut problems),
    );
    let mut wrong = |field, text| problems.push(FieldProblem { field, text });
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        wrong("to", "「まで」は「から」と同じ日か後の日にしてください");
    }
    if query.trimmed("person").is_empty() {
        wrong("person", "対象者の被保険者番号か宛名番号を入力してください");
    }
    let receipt: String = query.trimmed("receipt").split_whitespace().collect();
    if receipt.is_empty() || receipt.chars().count() > RECEIPT_CHARS_MAX {
        wrong("receipt", "受付番号を40文字までで入力してください");
    }
    let chosen = query.trimmed("reason");
    let reason = REASONS.iter().find(|(code, _)| *code == chosen);
    if reason.is_none() {
        wrong("reason", "だれからの請求かを選んでください");
    }
    match reason {
        Some((reason, _)) if problems.is_empty() => Ok(Asked {
            from,
            to,
            receipt,
            reason,
        }),
        Some(_) | None => Err(problems),
    }
}

fn report(visit: &Visit) -> Result<Result<Report, Vec<FieldProblem>>, Problem> {
    let asked = match asked(visit) {
        Ok(asked) => asked,
        Err(problems) => return Ok(Err(problems)),
    };
    let one = |field, text| Ok(Err(vec![FieldProblem { field, text }]));
    let person = pages::read(visit, None, |tx| person(visit, tx))?;
    let Some(person) = person else {
        return one(
            "person",
            "この番号の人は見つかりません。番号を確かめてください",
        );
    };
    let who = Who {
        resident: Sought::These(vec![person.id]),
        ..Who::default()
    };
    let filter = Filter {
        from: asked.from,
        to: asked.to,
        who,
        ..Filter::default()
    };
    let entries = everywhere(visit, &filter)?;
    if entries.len() > ROWS_MAX {
        return one("from", "5,000件を超えます。日付で分けてください");
    }
    let rule = rules::disclosure(visit.today())?;
    Ok(Ok(Report {
        person,
        entries,
        rule,
        asked,
    }))
}

/// The one person with this number whom the asker may see.
fn person(visit: &Visit, tx: &ReadTx<'_>) -> Result<Option<Named>, StoreError> {
    let who = pages::who(visit, tx)?;
    let id: Option<ResidentId> = pages::only(&who);
    let names = id.map(|id| sql::names(tx, &[id])).transpose()?;
    Ok(names.and_then(|mut names| names.pop()))
}

/// Entries of the database and of every archived year, oldest first.
fn everywhere(visit: &Visit, filter: &Filter) -> Result<Vec<Entry>, Problem> {
    let years = visit.app.db().audit_cuts()?;
    let mut all = Vec::new();
    let places = years.iter().map(|cut| Some(cut.year)).chain([None]);
    for year in places {
        let limit = ROWS_MAX.saturating_add(1).saturating_sub(all.len());
        let mut entries = pages::read(visit, year, |tx| sql::all_entries(tx, filter, limit))?;
        entries.reverse();
        all.extend(entries);
    }
    Ok(all)
}

impl Report {
    fn lines(&self) -> Vec<Line> {
        let line = |entry: &Entry| {
            let (css, outcome) = view::outcome_words(&entry.outcome);
            let job = view::job(entry);
            Line {
                at: view::wareki_moment(&entry.at),
                centre: view::centre(entry),
                staff: if self.rule.staff_names && entry.staff_id.is_some() {
                    format!("{job} {}", view::staff(entry))
                } else {
                    job
                },
                operation: view::operation(&entry.operation),
                css,
                outcome,
            }
        };
        self.entries.iter().map(line).collect()
    }

    fn rule_words(&self) -> String {
        let names = if self.rule.staff_names {
            "職員は所属・職・氏名で示します。"
        } else {
            "職員は所属と職で示し、氏名は示しません。"
        };
        let open = if self.rule.unconfirmed {
            "（未確認）"
        } else {
            ""
        };
        format!("{names}{}{open}", self.rule.source)
    }

    fn period(&self) -> String {
        let day = |day: Option<Date>, open: &str| match day {
            Some(day) => view::wareki_day(day),
            None => open.to_owned(),
        };
        format!(
            "{} から {} まで",
            day(self.asked.from, "はじめ"),
            day(self.asked.to, "作成日")
        )
    }

    fn on_paper(&self, visit: &Visit) -> Result<forms::LogReport, Problem> {
        let columns = [
            ("日時", 32),
            ("所属", 44),
            ("職員", 40),
            ("操作", 46),
            ("結果", 16),
        ];
        let cells = |line: Line| {
            vec![
                line.at,
                line.centre,
                line.staff,
                line.operation,
                line.outcome.to_owned(),
            ]
        };
        let receipt = self.asked.receipt.clone();
        Ok(forms::LogReport {
            title: "個人情報の利用記録".to_owned(),
            record_id: format!("disclosure/{}", self.person.id),
            facts: vec![
                ("対象者".to_owned(), view::name(&self.person)),
                ("受付番号".to_owned(), receipt),
                ("期間".to_owned(), self.period()),
                (
                    "件数".to_owned(),
                    format!("{}件（すべて）", self.entries.len()),
                ),
            ],
            notes: vec![
                "あなたの情報を、いつ、どこの職員が、どのように取り扱ったかの記録です。".to_owned(),
                self.rule_words(),
            ],
            columns: columns
                .into_iter()
                .map(|(label, width)| forms::Column::new(label, width))
                .collect(),
            rows: self.lines().into_iter().map(cells).collect(),
            printed_at: visit.app.clock().now(),
            printed_on: view::now(visit),
            printed_by: visit.signed_in()?.name.clone(),
        })
    }
}
