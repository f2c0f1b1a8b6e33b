//! The rules with what is due, and the list of one class.

use askama::Template;
use base::wareki::{self, Wareki};
use jiff::Timestamp;
use jiff::civil::Date;
use store::{ReadTx, StoreError};

use super::kinds::{self, Kind};
use super::model::{RECORDS_MAX, Rule, rules_on};
use super::store::{self as sql, Request};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{Answer, Pages, Permission, Problem, Shell, Visit, page_asked, rows_before};

/// R8.11.24.
pub(super) fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

pub(super) fn stored_day(iso: &str) -> String {
    iso.parse().map_or_else(|_| iso.to_owned(), day)
}

/// R8.11.24 16:40, from a stored instant.
pub(super) fn moment(stored: &str) -> String {
    stored.parse::<Timestamp>().map_or_else(
        |_| stored.to_owned(),
        |at| {
            let local = base::clock::japan().to_datetime(at);
            let time = format!("{:02}:{:02}", local.hour(), local.minute());
            format!("{} {time}", day(local.date()))
        },
    )
}

/// The day asked for, today without one; a day that cannot be read is told.
pub(super) fn day_asked(visit: &Visit) -> (Date, Option<&'static str>) {
    let typed = match visit.form.trimmed("on") {
        "" => visit.query.trimmed("on"),
        typed => typed,
    };
    if typed.is_empty() {
        return (visit.today(), None);
    }
    match wareki::parse(typed).ok().and_then(|read| read.date.full()) {
        Some(day) => (day, None),
        None => (
            visit.today(),
            Some(
                "基準日を読めないため、今日の状況です。R8.4.1 や 2026-04-01 のように入力してください。",
            ),
        ),
    }
}

struct RuleWords {
    class: &'static str,
    label: &'static str,
    begins: &'static str,
    years: i64,
    ground: &'static str,
    source: &'static str,
    css: &'static str,
    state: &'static str,
    due: i64,
    href: String,
}

fn rule_words(rule: &'static Rule, due: i64, on: Date) -> RuleWords {
    let (css, state) = if rule.unconfirmed {
        ("warn", "未確認")
    } else {
        ("ok", "確認済み")
    };
    RuleWords {
        class: &rule.class,
        label: &rule.label,
        begins: &rule.begins,
        years: rule.years,
        ground: &rule.ground,
        source: &rule.source,
        css,
        state,
        due,
        href: format!("/retention/{}?on={on}", rule.class),
    }
}

pub(super) struct RequestWords {
    pub(super) id: i64,
    pub(super) label: String,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) records: i64,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
}

pub(super) fn request_words(request: &Request) -> RequestWords {
    let (css, state) = request.state().words();
    let rules = rules_on(request.due_on.parse().unwrap_or(Date::MAX));
    let rule = rules.iter().find(|rule| rule.class == request.class);
    RequestWords {
        id: request.id,
        label: rule.map_or_else(|| request.class.clone(), |rule| rule.label.clone()),
        at: moment(&request.recorded_at),
        by: request.requester.clone(),
        records: request.records,
        css,
        state,
    }
}

#[derive(Template)]
#[template(path = "features/retention/rules.html")]
struct RulesPage {
    shell: Shell,
    on: String,
    problem: Option<&'static str>,
    rules: Vec<RuleWords>,
    requests: Vec<RequestWords>,
    /// A number that was looked for; empty without one.
    number: String,
}

pub(super) fn rules(visit: &Visit) -> Answer {
    let (on, problem) = day_asked(visit);
    // Full-width letters as half-width ones, spaces gone: numbers are copied from anywhere.
    let number = base::text::kanji_key(visit.query.trimmed("number"));
    let (rules, requests) = visit.app.db().read(&visit.actor, |tx| {
        let mut rules = Vec::new();
        for rule in rules_on(on) {
            if let Some(kind) = kinds::kind(&rule.class) {
                let due = sql::count(tx, kind, rule.limit(on))?;
                rules.push(rule_words(rule, due, on));
            }
        }
        let requests = match number.as_str() {
            "" => sql::requests(tx)?,
            number => sql::of_number(tx, number)?,
        };
        Ok::<_, StoreError>((rules, requests))
    })?;
    visit.page(&RulesPage {
        shell: Shell::new(visit, "保存期間と廃棄").under(&[]),
        on: day(on),
        problem,
        rules,
        requests: requests.iter().map(request_words).collect(),
        number,
    })
}

struct DueWords {
    href: Option<String>,
    number: String,
    day: String,
}

#[derive(Template)]
#[template(path = "features/retention/due.html")]
pub(super) struct DuePage {
    shell: Shell,
    class: String,
    label: String,
    rule: String,
    goes: &'static str,
    on: String,
    iso: String,
    total: usize,
    most: usize,
    rows: Vec<DueWords>,
    pages: Pages,
    may_ask: bool,
    submission: String,
    reason: String,
    problem: String,
}

/// The rule of the address on a day, and how its records go.
pub(super) fn rule_of(visit: &Visit, on: Date) -> Result<(&'static Rule, &'static Kind), Problem> {
    let class: String = visit.param("class")?;
    let rule = rules_on(on).into_iter().find(|rule| rule.class == class);
    rule.zip(kinds::kind(&class)).ok_or(Problem::NotFound)
}

pub(super) fn due_page(visit: &Visit, problem: &str) -> Result<DuePage, Problem> {
    let (on, _) = day_asked(visit);
    let (rule, kind) = rule_of(visit, on)?;
    let number = page_asked(&visit.query);
    let read = |tx: &ReadTx<'_>| {
        let window = (ROWS_PER_PAGE, rows_before(number));
        let limit = rule.limit(on);
        let total = sql::count(tx, kind, limit)?;
        Ok::<_, StoreError>((total, sql::due(tx, (kind, limit), window)?))
    };
    let (total, rows) = visit.app.db().read(&visit.actor, read)?;
    let total = usize::try_from(total).unwrap_or(0);
    Ok(DuePage {
        shell: Shell::new(visit, format!("保存期間の過ぎた{}", rule.label))
            .under(&[("保存期間と廃棄", "/retention")]),
        class: rule.class.clone(),
        label: rule.label.clone(),
        rule: rule.words(),
        goes: kind.goes,
        on: day(on),
        iso: on.to_string(),
        total,
        most: RECORDS_MAX,
        rows: rows
            .into_iter()
            .map(|row| DueWords {
                href: kind.href.map(|page| format!("{page}{}", row.id)),
                number: row.number,
                day: stored_day(&row.day),
            })
            .collect(),
        pages: Pages::new(
            &format!("/retention/{}", rule.class),
            &visit.query,
            number,
            total,
        ),
        may_ask: visit.may(Permission::RetentionDecide) && on <= visit.today(),
        submission: visit.submission(),
        reason: visit.form.get("reason").to_owned(),
        problem: problem.to_owned(),
    })
}

pub(super) fn due(visit: &Visit) -> Answer {
    visit.page(&due_page(visit, "")?)
}
