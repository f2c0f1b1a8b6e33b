//! 担当替え: many people go from one member of staff to another on a day, all or none of them.
//!
//! Shape: the page lists everybody of one list with a box each; what is ticked is checked person by
//! person with the rule of the single form. One that does not fit stops all of it, and is named.

use askama::Template;
use axum::http::StatusCode;
use jiff::civil::Date;
use store::{Audited, Event, ReadTx, StaffId, StoreError, WriteTx};

use super::form::{self, Fitted, HAND_OVER_MAX};
use super::list::ORPHANED;
use super::model::{Line, Part, fit, looks_after};
use super::pages::saved;
use super::store::{self as sql, NewAssignment, Whose};
use super::view::{self, Choice, LineWords};
use crate::features::staff::rights::Holder;
use crate::web::days::day_short;
use crate::web::{Answer, Checked, FieldProblem, Problem, Shell, Visit, problem_of, redirect};

/// Everybody of one list, as far as one page takes them.
struct Desk {
    whose: Whose,
    from: String,
    lines: Vec<Line>,
    total: usize,
    members: Vec<Holder>,
}

impl Desk {
    fn read(visit: &Visit, tx: &ReadTx<'_>, typed: &str) -> Result<Self, Problem> {
        let today = visit.today();
        let (whose, from) = if typed == ORPHANED {
            (Whose::Orphaned, "担当者がいなくなった方".to_owned())
        } else {
            let staff = typed
                .parse()
                .map(StaffId)
                .map_err(|_no_id| Problem::NotFound)?;
            let name = sql::staff_name(tx, staff)?.ok_or(Problem::NotFound)?;
            (Whose::Of(staff), name)
        };
        let (lines, total) = sql::list(tx, whose, today, (HAND_OVER_MAX, 0))?;
        Ok(Self {
            whose,
            from,
            lines,
            total,
            members: sql::members(tx, today)?,
        })
    }

    /// What the page was opened on: the rows that it lists.
    fn mark(&self) -> String {
        let newest = self.lines.iter().map(|line| line.assignment).max();
        format!("{}-{}", self.total, newest.unwrap_or(0))
    }
}

#[derive(Template)]
#[template(path = "features/assignments/hand_over.html")]
struct HandOverPage {
    shell: Shell,
    staff: String,
    from: String,
    rows: Vec<LineWords>,
    total: usize,
    max: usize,
    members: Vec<Choice>,
    starts_on: String,
    reason: String,
    mark: String,
    is_late: bool,
    problems: Vec<FieldProblem>,
}

impl HandOverPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

fn drawn(visit: &Visit, desk: &Desk, problems: Vec<FieldProblem>) -> HandOverPage {
    let (typed, today) = (&visit.form, visit.today());
    let staff = if typed.has("from") {
        typed.trimmed("from")
    } else {
        visit.query.trimmed("staff")
    };
    let list = format!("/assignments?staff={staff}");
    let mut rows: Vec<LineWords> = desk.lines.iter().map(|l| view::line(l, today)).collect();
    if typed.has("seen") {
        let ticked: Vec<&str> = typed.all("assignment").collect();
        for row in &mut rows {
            row.selected = ticked.iter().any(|id| *id == row.assignment.to_string());
        }
    }
    HandOverPage {
        shell: Shell::new(visit, "担当替え").under(&[("担当", &list)]),
        staff: staff.to_owned(),
        from: desk.from.clone(),
        rows,
        total: desk.total,
        max: HAND_OVER_MAX,
        members: view::members(&desk.members, visit.actor.centre_id, typed.trimmed("staff")),
        starts_on: if typed.has("starts_on") {
            typed.get("starts_on").to_owned()
        } else {
            day_short(today)
        },
        reason: typed.get("reason").to_owned(),
        mark: desk.mark(),
        is_late: false,
        problems,
    }
}

pub(super) fn page(visit: &Visit) -> Answer {
    let desk = visit.app.db().view(&visit.actor, |tx| {
        let typed = visit.query.trimmed("staff");
        let desk = Desk::read(visit, tx, typed)?;
        let event = Event::done(store::Operation::AssignmentList);
        Ok::<_, Problem>(tx.audited(event.detail(format!("hand-over staff={typed}")), desk))
    })?;
    visit.page(&drawn(visit, &desk, Vec::new()))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let typed = visit.form.trimmed("from").to_owned();
    visit.app.db().write(&visit.actor, |tx| {
        let desk = Desk::read(visit, tx, &typed)?;
        let shown = |status, page: HandOverPage| {
            let page = visit.page_as(status, &page)?;
            Ok::<_, Problem>(Problem::Page(Box::new(page)))
        };
        if visit.form.trimmed("seen") != desk.mark() {
            let mut page = drawn(visit, &desk, Vec::new());
            page.is_late = true;
            return Err(shown(StatusCode::CONFLICT, page)?);
        }
        match check(visit, tx, &desk)? {
            Ok(all) => save(visit, tx, &all),
            Err(problems) => Err(shown(
                StatusCode::UNPROCESSABLE_ENTITY,
                drawn(visit, &desk, problems),
            )?),
        }
    })?;
    let to = visit.form.trimmed("staff");
    Ok(redirect(&format!("/assignments?staff={to}&done=saved")))
}

type Checks = Result<Vec<Fitted>, Vec<FieldProblem>>;

fn check(visit: &Visit, tx: &ReadTx<'_>, desk: &Desk) -> Result<Checks, StoreError> {
    let (fields, today) = (&visit.form, visit.today());
    let mut checks = Checked::new(fields);
    let to = form::chosen(fields, &desk.members);
    match to {
        None => checks.bad("staff", "新しい担当者を選んでください。"),
        Some(to) if desk.whose == Whose::Of(to.staff) => {
            checks.bad("staff", "いまの担当者と同じ職員です。");
        }
        Some(_) => {}
    }
    let starts_on = form::day_near(&mut checks, ("starts_on", "替わる日"), today);
    let reason = checks.reason("reason", "理由");
    let ticked: Vec<&str> = fields.all("assignment").collect();
    let chosen = |line: &&Line| ticked.iter().any(|id| *id == line.assignment.to_string());
    let chosen: Vec<&Line> = desk.lines.iter().filter(chosen).collect();
    if chosen.is_empty() {
        checks.bad("people", "替える方を選んでください。");
    }
    let mut all = Vec::new();
    if let Some((to, on)) = to.zip(starts_on) {
        for line in chosen {
            match one(tx, line, (to, on), &reason)? {
                Ok(fitted) => all.push(fitted),
                Err(why) => checks.bad("people", why),
            }
        }
    }
    Ok(checks.ended(Some(all)))
}

/// One person: the row of the list ends, whatever its part, and the new one takes that part.
fn one(
    tx: &ReadTx<'_>,
    line: &Line,
    (to, on): (&Holder, Date),
    reason: &str,
) -> Result<Result<Fitted, String>, StoreError> {
    let name = view::name_of(line);
    if !looks_after(to, line.centre) {
        let centre = &line.centre_name;
        return Ok(Err(format!(
            "{name}さんの担当は{centre}です。選んだ職員はそのセンターの職員ではありません。"
        )));
    }
    let known = sql::of_person(tx, line.resident)?;
    let mut replaced = match fit(&known, (to.staff, line.part), on) {
        Ok(rows) => rows.iter().map(|row| row.id).collect::<Vec<_>>(),
        // Which of the two it is stands on her own page.
        Err(_conflict) => {
            return Ok(Err(format!(
                "{name}さんは、別の担当が決まっているか、選んだ職員がすでに担当です。\
                 この方を外すか、個人の「担当」で直してください。"
            )));
        }
    };
    let begins_no_earlier = line.starts_on >= on;
    if begins_no_earlier || line.ends_on.is_some() {
        return Ok(Err(format!(
            "{name}さんの担当は、替わる日より前に始まっていないか、終わる日が決まって\
             います。個人の「担当」で直してください。"
        )));
    }
    if line.part == Part::Beside {
        replaced.push(line.assignment);
    }
    replaced.sort_unstable();
    replaced.dedup();
    Ok(Ok(Fitted {
        new: NewAssignment {
            resident: line.resident,
            staff: to.staff,
            part: line.part,
            starts_on: on,
            reason: reason.to_owned(),
        },
        replaced,
    }))
}

fn save(visit: &Visit, tx: &WriteTx<'_>, all: &[Fitted]) -> Result<Audited<()>, Problem> {
    let mut events = Vec::new();
    for fitted in all {
        let (event, others) = saved(visit, tx, fitted)?;
        events.push(event);
        events.extend(others);
    }
    let mut events = events.into_iter();
    let first = events.next().ok_or(Problem::Unreadable)?;
    Ok(tx.audited_all(first, events.collect(), ()))
}
