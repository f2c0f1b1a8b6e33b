//! The register with its filters; what is out and what is overdue stands on top.

use askama::Template;
use store::{StoreError, Value};

use super::form::{FieldProblem, read_day};
use super::model::{Lists, Reach, Record};
use super::records::reading;
use super::store::{self as sql, OUT, Wanted};
use super::view::{self, Choice, Line};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{Answer, Pages, Permission, Problem, Shell, Visit, page_asked, rows_before};

const STATES: [(&str, &str); 5] = [
    ("", "取下げを除くすべて"),
    ("out", "持出し中（期限切れを含む）"),
    ("overdue", "期限切れ"),
    ("ended", "返却・廃棄済み"),
    ("all", "取下げを含むすべて"),
];

#[derive(Template)]
#[template(path = "features/carried_out/list.html")]
struct ListPage {
    shell: Shell,
    typed: crate::web::Fields,
    problems: Vec<FieldProblem>,
    states: Vec<Choice>,
    overdue: i64,
    out: i64,
    rows: Vec<Line>,
    pages: Pages,
    reach: &'static str,
    /// Address of the file and of the print, for whoever may take them.
    export: Option<String>,
    print: Option<String>,
}

impl ListPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

/// What was asked for; a day that cannot be read is told and left out.
pub(super) struct Asked {
    pub(super) wanted: Wanted,
    order: &'static str,
    pub(super) words: Vec<String>,
    pub(super) problems: Vec<FieldProblem>,
}

pub(super) fn asked(visit: &Visit) -> Asked {
    let query = &visit.query;
    let mut asked = Asked {
        wanted: Wanted::within(Reach::of(visit)),
        order: "c.taken_on desc, c.id desc",
        words: Vec::new(),
        problems: Vec::new(),
    };
    asked.state(query.trimmed("state"), &visit.today().to_string());
    asked.day(visit, "from", "c.taken_on >= ?", "から");
    asked.day(visit, "to", "c.taken_on <= ?", "まで");
    let staff = query.trimmed("staff");
    if !staff.is_empty() {
        let like = |text: &str| Value::from(text.to_owned());
        asked.wanted.push(
            "instr(c.carried_by || ' ' || coalesce(s.name, c.operator), ?) > 0",
            like(staff),
        );
        asked.words.push(format!("職員：{staff}"));
    }
    let text = query.trimmed("text");
    if !text.is_empty() {
        let condition = "instr(c.what || ' ' || c.destination || ' ' || c.medium_note || ' '
            || c.purpose_note || ' ' || c.note, ?) > 0";
        asked.wanted.push(condition, text.to_owned().into());
        asked.words.push(format!("ことば：{text}"));
    }
    asked
}

impl Asked {
    fn state(&mut self, state: &str, today: &str) {
        match state {
            "all" => {}
            "out" => self.wanted.also(OUT),
            "overdue" => {
                self.wanted.also(OUT);
                self.wanted.push("c.due_on < ?", today.to_owned().into());
            }
            "ended" => self
                .wanted
                .also("c.withdrawn = 0 and c.ending in ('returned', 'disposed')"),
            _ => self.wanted.also("c.withdrawn = 0"),
        }
        if matches!(state, "out" | "overdue") {
            self.order = "c.due_on, c.id";
        }
        let known = STATES.iter().find(|(value, _)| *value == state);
        if let Some((_, label)) = known {
            self.words.push((*label).to_owned());
        }
    }

    fn day(&mut self, visit: &Visit, field: &'static str, condition: &'static str, word: &str) {
        let typed = visit.query.trimmed(field);
        if typed.is_empty() {
            return;
        }
        match read_day(typed, visit.today()) {
            Some(day) => {
                self.wanted.push(condition, day.to_string().into());
                self.words.push(format!("{}{word}", view::day(day)));
            }
            None => self.problems.push(FieldProblem {
                field,
                text: format!(
                    "持ち出した日（{word}）の日付を読めないため、この条件を使っていません。"
                ),
            }),
        }
    }

    /// Rows of the list in its order.
    pub(super) fn rows(
        &self,
        tx: &store::ReadTx<'_>,
        window: (usize, usize),
    ) -> Result<Vec<Record>, StoreError> {
        sql::list(tx, &self.wanted, self.order, window)
    }
}

/// Whose entries the page shows, in words.
pub(super) fn reach_words(reach: Reach) -> &'static str {
    match reach {
        Reach::All => "すべてのセンターと市の持出し",
        Reach::Centre(_) => "自分のセンターの持出し",
        Reach::Own(_) => "自分が登録した持出し",
    }
}

pub(super) fn page(visit: &Visit) -> Answer {
    let asked = asked(visit);
    let reach = Reach::of(visit);
    let number = page_asked(&visit.query);
    let today = visit.today();
    let read = |tx: &store::ReadTx<'_>| {
        let window = (ROWS_PER_PAGE, rows_before(number));
        let total = sql::count(tx, &asked.wanted)?;
        let counts = (sql::overdue(tx, reach, today)?, sql::out(tx, reach)?);
        let lists = sql::lists(tx, today)?;
        Ok::<_, StoreError>((asked.rows(tx, window)?, total, counts, lists))
    };
    let (rows, total, (overdue, out), lists) = reading(visit, read)?;
    let total = usize::try_from(total).unwrap_or(0);
    let query = visit.query.query_without("page");
    let joint = if query.is_empty() { "" } else { "?" };
    let may_take = visit.may(Permission::CarriedOutView);
    let address = |name: &str| may_take.then(|| format!("/carried-out/{name}{joint}{query}"));
    let chosen = visit.query.trimmed("state");
    visit.page(&ListPage {
        shell: Shell::new(visit, "持出し台帳").under(&[]),
        typed: visit.query.clone(),
        states: STATES
            .iter()
            .map(|(value, label)| Choice {
                value: (*value).to_owned(),
                label: (*label).to_owned(),
                selected: *value == chosen,
            })
            .collect(),
        overdue,
        out,
        rows: lines(&rows, &lists, visit),
        pages: Pages::new("/carried-out", &visit.query, number, total),
        reach: reach_words(reach),
        export: address("export"),
        print: address("register.pdf"),
        problems: asked.problems,
    })
}

pub(super) fn lines(rows: &[Record], lists: &Lists, visit: &Visit) -> Vec<Line> {
    rows.iter()
        .map(|row| view::line(row, lists, visit.today()))
        .collect()
}

/// A list that is too long to leave or to print.
pub(super) fn too_many(visit: &Visit, most: usize) -> Result<(), Problem> {
    let asked = asked(visit);
    let total = reading(visit, |tx| sql::count(tx, &asked.wanted))?;
    if usize::try_from(total).unwrap_or(usize::MAX) <= most {
        return Ok(());
    }
    let page = super::pages::notice(
        visit,
        axum::http::StatusCode::UNPROCESSABLE_ENTITY,
        "一度に出せる件数を超えています",
        &format!("{total}件あります。期間や状態で絞って、{most}件までにしてください。"),
        ("持出し台帳に戻る", "/carried-out"),
    );
    Err(Problem::Page(Box::new(page?)))
}
