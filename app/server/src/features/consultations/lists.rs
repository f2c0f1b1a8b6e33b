//! The list of consultations with its filters; the counts are those of the list.

use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{ReadTx, Row, RowResult, StoreError, ToSql, Value};

use super::form::read_day;
use super::model::Lists;
use super::store as sql;
use super::view::{self, Choice, Tag};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{Answer, Fields, Pages, Problem, Shell, Visit, page_asked, rows_before};

const VISIBLE: &str = "from visible_current_consultations c";

const COLUMNS: &str = "
    select c.id, c.number, c.received_on, c.resident_id,
           (select r.name from visible_residents r where r.id = c.resident_id),
           c.client_name, c.channel, c.caller_kind,
           (select group_concat(g.category, ',') from visible_consultation_categories g
            where g.version_id = c.version_id),
           c.urgency, c.outcome, c.withdrawn, c.minutes, coalesce(w.name, '旧システム'),
           c.next_due_on, c.followed_up";

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
    due: Due,
    today: String,
    open: bool,
    withdrawn: &'static str,
    text: String,
    page: usize,
}

/// Which of the actions that are still to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Done or not.
    Any,
    Left,
    Overdue,
    Today,
}

impl Due {
    const CHOICES: [(Self, &'static str, &'static str); 4] = [
        (Self::Any, "", "すべて"),
        (Self::Left, "1", "残っている"),
        (Self::Overdue, "overdue", "期限を過ぎた"),
        (Self::Today, "today", "今日が期限"),
    ];

    fn of(typed: &str) -> Self {
        let mut known = Self::CHOICES.into_iter();
        known
            .find(|(_, value, _)| *value == typed)
            .map_or(Self::Any, |(due, ..)| due)
    }
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
    fn read(
        visit: &Visit,
        query: &Fields,
        problems: &mut Vec<super::form::FieldProblem>,
    ) -> Result<Self, Problem> {
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
            due: Due::of(query.get("due")),
            today: visit.today().to_string(),
            open: query.get("open") == "1",
            withdrawn: match query.get("withdrawn") {
                "with" => "with",
                "only" => "only",
                _ => "without",
            },
            text: query.trimmed("text").to_owned(),
            page: page_asked(query),
        })
    }

    /// The one condition behind list, count and minutes: only what was asked for, so that the
    /// index of each is used. Codes in `:closed` are those the city calls 終結.
    fn conditions(&self) -> Conditions {
        let mut all = Conditions::default();
        all.text("c.received_on >= :from", ":from", &self.from);
        all.text("c.received_on <= :to", ":to", &self.to);
        all.text("c.channel = :channel", ":channel", &self.channel);
        all.text("c.urgency = :urgency", ":urgency", &self.urgency);
        all.text("c.outcome = :outcome", ":outcome", &self.outcome);
        all.number("c.resident_id = :resident", ":resident", self.resident);
        all.number("c.centre_id = :centre", ":centre", self.centre);
        all.number("c.created_by = :mine", ":mine", self.mine);
        all.text(HAS_CATEGORY, ":category", &self.category);
        all.text(HAS_TEXT, ":text", &self.text);
        if self.due != Due::Any {
            all.sql.push(DUE);
        }
        match self.due {
            Due::Any | Due::Left => {}
            Due::Overdue => all.text("c.next_due_on < :today", ":today", &self.today),
            Due::Today => all.text("c.next_due_on = :today", ":today", &self.today),
        }
        if self.open {
            all.sql.push(OPEN);
        }
        match self.withdrawn {
            "with" => {}
            "only" => all.sql.push("c.withdrawn = 1"),
            _ => all.sql.push("c.withdrawn = 0"),
        }
        all
    }

    fn totals(&self, tx: &ReadTx<'_>) -> Result<(i64, i64), StoreError> {
        let all = self.conditions();
        let sql = format!(
            "select count(*), coalesce(sum(c.minutes), 0) {VISIBLE} {}",
            all.clause()
        );
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(tx.one(&sql, all.values.as_slice(), read)?.unwrap_or((0, 0)))
    }

    fn rows(&self, tx: &ReadTx<'_>) -> Result<Vec<Found>, StoreError> {
        let mut all = self.conditions();
        let sql = format!(
            "{COLUMNS} {VISIBLE} left join staff w on w.id = c.created_by {}
             order by {} limit :limit offset :offset",
            all.clause(),
            if self.due == Due::Any {
                "c.received_on desc, c.id desc"
            } else {
                "c.next_due_on is null, c.next_due_on, c.id"
            }
        );
        for (name, rows) in [
            (":limit", ROWS_PER_PAGE),
            (":offset", rows_before(self.page)),
        ] {
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            all.values.push((name, Value::Integer(rows)));
        }
        tx.all(&sql, all.bound().as_slice(), found)
    }
}

const HAS_CATEGORY: &str = "exists (select 1 from visible_consultation_categories g
    where g.version_id = c.version_id and g.category = :category)";
const HAS_TEXT: &str = "(instr(c.content, :text) > 0 or instr(c.response, :text) > 0
    or instr(c.caller_name, :text) > 0 or instr(c.client_name, :text) > 0
    or instr(c.next_action, :text) > 0 or c.number = :text)";
// The last condition as the index says it, or it is not used.
const DUE: &str = "c.followed_up = 0 and c.withdrawn = 0
    and (c.next_due_on is not null or c.next_action <> '')";
const OPEN: &str = "c.withdrawn = 0 and c.outcome not in (
    select k.code from codes k where k.list = 'consultation_outcome' and k.label like '終結%')";

/// What was asked for, as SQL, with exactly the values that it names.
#[derive(Default)]
struct Conditions {
    sql: Vec<&'static str>,
    values: Vec<(&'static str, Value)>,
}

impl Conditions {
    fn text(&mut self, sql: &'static str, name: &'static str, value: &str) {
        if !value.is_empty() {
            self.sql.push(sql);
            self.values.push((name, Value::Text(value.to_owned())));
        }
    }

    fn number(&mut self, sql: &'static str, name: &'static str, value: Option<i64>) {
        if let Some(value) = value {
            self.sql.push(sql);
            self.values.push((name, Value::Integer(value)));
        }
    }

    fn clause(&self) -> String {
        if self.sql.is_empty() {
            String::new()
        } else {
            format!("where {}", self.sql.join(" and "))
        }
    }

    fn bound(&self) -> Vec<(&str, &dyn ToSql)> {
        let pairs = self.values.iter();
        pairs
            .map(|(name, value)| (*name, value as &dyn ToSql))
            .collect()
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
    due: Vec<Choice>,
    total: i64,
    minutes: i64,
    rows: Vec<RowWords>,
    pages: Pages,
    may_write: bool,
    is_recent: bool,
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

/// From the menu the list begins here: what is asked for is nearly always of late, and counting the
/// records of years on every click is not free.
const RECENT_MONTHS: i64 = 3;

/// The query that stands in for none at all. An emptied field is a query: it asks for all.
fn recent(visit: &Visit) -> Option<Fields> {
    visit.query.pairs().next().is_none().then(|| {
        let today = visit.today();
        let since = today.checked_sub(RECENT_MONTHS.months()).unwrap_or(today);
        let from = view::today_typed(since);
        Fields::from_pairs(std::iter::once(("from", from.as_str()))).unwrap_or_default()
    })
}

pub(super) fn list(visit: &Visit) -> Answer {
    let mut problems = Vec::new();
    let recent = recent(visit);
    let query = recent.as_ref().unwrap_or(&visit.query);
    let filter = Filter::read(visit, query, &mut problems)?;
    let (lists, centres, totals, rows) = visit.app.db().read(&visit.actor, |tx| {
        let centres = "select id, short_name from support_centres order by code";
        let centres: Vec<(i64, String)> =
            tx.all(centres, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let lists = sql::lists(tx, visit.today())?;
        Ok::<_, Problem>((lists, centres, filter.totals(tx)?, filter.rows(tx)?))
    })?;
    let (total, minutes) = totals;
    let resident = query.trimmed("resident").to_owned();
    visit.page(&ListPage {
        shell: Shell::new(visit, "相談記録").under(&[]),
        rows: rows
            .iter()
            .map(|row| view_row(row, &lists, visit.today()))
            .collect(),
        pages: Pages::new(
            "/consultations",
            query,
            filter.page,
            usize::try_from(total).unwrap_or(0),
        ),
        centres: centre_choices(&centres, filter.centre),
        withdrawn: withdrawn_choices(filter.withdrawn),
        due: due_choices(filter.due),
        is_recent: recent.is_some(),
        query: query.clone(),
        may_write: visit.may_record_anybody(),
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

fn due_choices(chosen: Due) -> Vec<Choice> {
    Due::CHOICES
        .into_iter()
        .map(|(due, value, label)| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            selected: due == chosen,
        })
        .collect()
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
