//! The list of consultations with its filters; the counts are those of the list.

use askama::Template;
use jiff::civil::Date;
use store::{ReadTx, Row, RowResult, StoreError, named_params};

use super::form::read_day;
use super::model::Lists;
use super::store as sql;
use super::view::{self, Choice, Tag};
use crate::web::limits;
use crate::web::{Answer, Fields, Permission, Problem, Shell, Visit};

/// The one condition behind list, count and minutes. `:closed` codes are those the city calls 終結.
const MATCHES: &str = "
    from visible_current_consultations c
    where (:from = '' or c.received_on >= :from) and (:to = '' or c.received_on <= :to)
      and (:channel = '' or c.channel = :channel)
      and (:urgency = '' or c.urgency = :urgency)
      and (:outcome = '' or c.outcome = :outcome)
      and (:resident is null or c.resident_id = :resident)
      and (:centre is null or c.centre_id = :centre)
      and (:mine is null or c.created_by = :mine)
      and (:due = 0 or (c.followed_up = 0 and c.withdrawn = 0
                        and (c.next_action <> '' or c.next_due_on is not null)))
      and (:open = 0 or (c.withdrawn = 0 and c.outcome not in (
             select k.code from codes k where k.list = 'consultation_outcome' and k.label like '終結%')))
      and (:withdrawn = 'with' or c.withdrawn = (:withdrawn = 'only'))
      and (:category = '' or exists (select 1 from visible_consultation_categories g
             where g.version_id = c.version_id and g.category = :category))
      and (:text = '' or instr(c.content, :text) > 0 or instr(c.response, :text) > 0
           or instr(c.caller_name, :text) > 0 or instr(c.client_name, :text) > 0
           or instr(c.next_action, :text) > 0 or c.number = :text)";

const COLUMNS: &str = "
    select c.id, c.number, c.received_on, c.resident_id,
           (select r.name from visible_residents r where r.id = c.resident_id),
           c.client_name, c.channel, c.caller_kind,
           (select group_concat(g.category, ',') from visible_consultation_categories g
            where g.version_id = c.version_id),
           c.urgency, c.outcome, c.withdrawn, c.minutes, coalesce(w.name, '旧システム'),
           c.next_due_on, c.followed_up";

/// As the database counts.
const ROWS_PER_PAGE: i64 = limits::ROWS_PER_PAGE as i64;

struct Filter {
    from: String,
    to: String,
    channel: String,
    category: String,
    urgency: String,
    outcome: String,
    resident: Option<i64>,
    centre: Option<i64>,
    mine: Option<i64>,
    due: bool,
    open: bool,
    withdrawn: &'static str,
    text: String,
    page: i64,
}

struct Found {
    id: i64,
    number: String,
    received_on: String,
    resident_id: Option<i64>,
    name: Option<base::secrecy::PersonName>,
    told: base::secrecy::PersonName,
    channel: String,
    caller_kind: String,
    categories: String,
    urgency: String,
    outcome: String,
    withdrawn: bool,
    minutes: Option<i64>,
    written_by: String,
    next_due_on: Option<String>,
    followed_up: bool,
}

impl Filter {
    fn read(visit: &Visit, problems: &mut Vec<super::form::FieldProblem>) -> Result<Self, Problem> {
        let query = &visit.query;
        let mut day = |field: &'static str, label: &str| match query.trimmed(field) {
            "" => String::new(),
            typed => read_day(typed, visit.today()).map_or_else(
                || {
                    let text = format!("{label}の日付を読めないため、この条件を使っていません。");
                    problems.push(super::form::FieldProblem { field, text });
                    String::new()
                },
                |day: Date| day.to_string(),
            ),
        };
        let id = |field: &str| match query.trimmed(field) {
            "" => Ok(None),
            text => text.parse().map(Some).or(Err(Problem::NotFound)),
        };
        let staff = visit.signed_in()?.staff_id.0;
        Ok(Self {
            from: day("from", "受付日（から）"),
            to: day("to", "受付日（まで）"),
            channel: query.trimmed("channel").to_owned(),
            category: query.trimmed("categories").to_owned(),
            urgency: query.trimmed("urgency").to_owned(),
            outcome: query.trimmed("outcome").to_owned(),
            resident: id("resident")?,
            centre: id("centre")?,
            mine: (query.get("mine") == "1").then_some(staff),
            due: query.get("due") == "1",
            open: query.get("open") == "1",
            withdrawn: match query.get("withdrawn") {
                "with" => "with",
                "only" => "only",
                _ => "without",
            },
            text: query.trimmed("text").to_owned(),
            page: query.trimmed("page").parse().unwrap_or(1).clamp(1, 100_000),
        })
    }

    fn totals(&self, tx: &ReadTx<'_>) -> Result<(i64, i64), StoreError> {
        let sql = format!("select count(*), coalesce(sum(c.minutes), 0) {MATCHES}");
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(self.ask(tx, &sql, (1, 0), read)?.pop().unwrap_or((0, 0)))
    }

    fn rows(&self, tx: &ReadTx<'_>) -> Result<Vec<Found>, StoreError> {
        let matches = MATCHES.replacen(
            "visible_current_consultations c",
            "visible_current_consultations c left join staff w on w.id = c.created_by",
            1,
        );
        let order = "order by c.received_on desc, c.id desc";
        let sql = format!("{COLUMNS} {matches} {order}");
        self.ask(
            tx,
            &sql,
            (ROWS_PER_PAGE, (self.page - 1) * ROWS_PER_PAGE),
            found,
        )
    }

    fn ask<T>(
        &self,
        tx: &ReadTx<'_>,
        sql: &str,
        (limit, offset): (i64, i64),
        read: impl FnMut(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<T>, StoreError> {
        let values = named_params! {
            ":from": self.from, ":to": self.to, ":channel": self.channel,
            ":urgency": self.urgency, ":outcome": self.outcome, ":resident": self.resident,
            ":centre": self.centre, ":mine": self.mine, ":due": self.due, ":open": self.open,
            ":withdrawn": self.withdrawn, ":category": self.category, ":text": self.text,
            ":limit": limit, ":offset": offset,
        };
        tx.all(&format!("{sql} limit :limit offset :offset"), values, read)
    }
}

fn found(row: &Row<'_>) -> RowResult<Found> {
    Ok(Found {
        id: row.get(0)?,
        number: row.get(1)?,
        received_on: row.get(2)?,
        resident_id: row.get(3)?,
        name: row.get::<_, Option<String>>(4)?.map(Into::into),
        told: row.get::<_, String>(5)?.into(),
        channel: row.get(6)?,
        caller_kind: row.get(7)?,
        categories: row.get::<_, Option<String>>(8)?.unwrap_or_default(),
        urgency: row.get(9)?,
        outcome: row.get(10)?,
        withdrawn: row.get(11)?,
        minutes: row.get(12)?,
        written_by: row.get(13)?,
        next_due_on: row.get(14)?,
        followed_up: row.get(15)?,
    })
}

#[derive(Template)]
#[template(path = "features/consultations/list.html")]
struct ListPage {
    shell: Shell,
    query: Fields,
    lists: Lists,
    problems: Vec<super::form::FieldProblem>,
    centres: Vec<Choice>,
    withdrawn: Vec<Choice>,
    total: i64,
    minutes: i64,
    rows: Vec<RowWords>,
    pages: Pages,
    may_write: bool,
    resident: String,
}

impl ListPage {
    fn value(&self, field: &str) -> &str {
        self.query.get(field)
    }

    fn ticked(&self, field: &str) -> bool {
        self.query.get(field) == "1"
    }

    fn options(&self, field: &str) -> Vec<Choice> {
        view::choices(&self.lists, field, &self.query, "すべて")
    }
}

struct RowWords {
    id: i64,
    css: &'static str,
    number: String,
    received_on: String,
    who: String,
    known: bool,
    channel: String,
    caller: String,
    categories: String,
    urgency: Tag,
    state: Tag,
    due: Option<Tag>,
    minutes: String,
    written_by: String,
}

struct Pages {
    total: i64,
    from: i64,
    to: i64,
    previous: Option<String>,
    next: Option<String>,
    links: Vec<PageLink>,
}

struct PageLink {
    label: String,
    href: Option<String>,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let mut problems = Vec::new();
    let filter = Filter::read(visit, &mut problems)?;
    let (lists, centres, totals, rows) = visit.app.db().read(&visit.actor, |tx| {
        let centres = "select id, short_name from support_centres order by code";
        let centres: Vec<(i64, String)> =
            tx.all(centres, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let lists = sql::lists(tx, visit.today())?;
        Ok::<_, Problem>((lists, centres, filter.totals(tx)?, filter.rows(tx)?))
    })?;
    let (total, minutes) = totals;
    let resident = visit.query.trimmed("resident").to_owned();
    visit.page(&ListPage {
        shell: Shell::new(visit, "相談記録").under(&[]),
        rows: rows
            .iter()
            .map(|row| view_row(row, &lists, visit.today()))
            .collect(),
        pages: pages(&visit.query, filter.page, total),
        centres: centre_choices(&centres, filter.centre),
        withdrawn: withdrawn_choices(filter.withdrawn),
        query: visit.query.clone(),
        may_write: visit.may(Permission::ConsultationWrite),
        lists,
        problems,
        total,
        minutes,
        resident,
    })
}

fn view_row(row: &Found, lists: &Lists, today: Date) -> RowWords {
    let closed = lists.closes(&row.outcome);
    let due = row
        .next_due_on
        .as_deref()
        .filter(|_| !row.followed_up && !row.withdrawn);
    let categories = row.categories.split(',').filter(|code| !code.is_empty());
    let categories: Vec<String> = categories
        .map(|code| lists.label("categories", code))
        .collect();
    RowWords {
        id: row.id,
        css: if row.withdrawn { "off" } else { "" },
        number: row.number.clone(),
        received_on: view::iso_short(&row.received_on),
        who: view::who(row.name.as_ref(), row.resident_id.is_some(), &row.told),
        known: row.name.is_some(),
        channel: lists.label("channel", &row.channel),
        caller: lists.label("caller_kind", &row.caller_kind),
        categories: categories.join("、"),
        urgency: view::urgency(&row.urgency, lists.label("urgency", &row.urgency)),
        state: view::state(row.withdrawn, closed),
        due: due
            .and_then(|day| day.parse().ok())
            .map(|day| view::due(day, today)),
        minutes: row
            .minutes
            .map(|minutes| minutes.to_string())
            .unwrap_or_default(),
        written_by: row.written_by.clone(),
    }
}

fn centre_choices(centres: &[(i64, String)], chosen: Option<i64>) -> Vec<Choice> {
    let all = Choice {
        value: String::new(),
        label: "すべて".to_owned(),
        selected: chosen.is_none(),
    };
    let known = centres.iter().map(|(id, name)| Choice {
        value: id.to_string(),
        label: name.clone(),
        selected: chosen == Some(*id),
    });
    std::iter::once(all).chain(known).collect()
}

fn withdrawn_choices(chosen: &str) -> Vec<Choice> {
    [
        ("without", "含めない"),
        ("with", "含める"),
        ("only", "取下げだけ"),
    ]
    .into_iter()
    .map(|(value, label)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        selected: value == chosen,
    })
    .collect()
}

fn pages(query: &Fields, page: i64, total: i64) -> Pages {
    let last = ((total + ROWS_PER_PAGE - 1) / ROWS_PER_PAGE).max(1);
    let rest = query.query_without("page");
    let href = |number: i64| format!("/consultations?{rest}&page={number}");
    let near = ((page - 3).max(1)..=(page + 3).min(last)).map(|number| PageLink {
        label: number.to_string(),
        href: (number != page).then(|| href(number)),
    });
    let shown_before = (page - 1) * ROWS_PER_PAGE;
    Pages {
        total,
        from: if total == 0 {
            0
        } else {
            (shown_before + 1).min(total)
        },
        to: (shown_before + ROWS_PER_PAGE).min(total),
        previous: (page > 1).then(|| href(page - 1)),
        next: (page < last).then(|| href(page + 1)),
        links: if last > 1 { near.collect() } else { Vec::new() },
    }
}
