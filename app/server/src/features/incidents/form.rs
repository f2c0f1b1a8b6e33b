//! What was typed about an incident → checked values.

use jiff::civil::Date;

use super::model::{Criterion, Kind, Known, StepKind};
use crate::web::{Checked, FieldProblem, Fields};

const TITLE_CHARS_MAX: usize = 100;
const LINE_CHARS_MAX: usize = 200;
const TEXT_CHARS_MAX: usize = 4_000;
/// A worded report, characters.
const BODY_CHARS_MAX: usize = 20_000;
/// More people than the city has is a mistyped number.
const PERSONS_MAX: i64 = 1_000_000;

/// What is known.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn known(fields: &Fields, today: Date) -> Result<Known, Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let known = read(&mut form, fields, today);
    form.ended(known)
}

/// As [`known`], with the reason of a correction.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn correction(
    fields: &Fields,
    today: Date,
) -> Result<(Known, String), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let known = read(&mut form, fields, today);
    let reason = form.line("correction_reason", "訂正の理由", LINE_CHARS_MAX);
    form.ended(known.map(|known| (known, reason)))
}

fn read(form: &mut Checked<'_>, fields: &Fields, today: Date) -> Option<Known> {
    let title = form.line("title", "件名", TITLE_CHARS_MAX);
    let kind = Kind::from_code(fields.trimmed("kind"));
    if kind.is_none() {
        form.bad("kind", "何が起きたかを選んでください。");
    }
    let known_on = past(form, "known_on", "知った日", today);
    let happened = form.optional_text("happened", "起きた日時", LINE_CHARS_MAX);
    let summary = form.text("summary", "概要", TEXT_CHARS_MAX);
    let items = form.optional_text("items", "個人情報の項目", TEXT_CHARS_MAX);
    let persons = persons(form, fields);
    let mut text = |field, label| form.optional_text(field, label, TEXT_CHARS_MAX);
    let cause = text("cause", "原因");
    let secondary = text("secondary", "二次被害");
    let response = text("response", "本人への対応");
    let publication = text("publication", "公表");
    let prevention = text("prevention", "再発防止");
    let other = text("other", "その他");
    let criteria = fields
        .all("criteria")
        .filter_map(Criterion::from_code)
        .collect::<Vec<_>>();
    if fields.has("assessed") && !criteria.is_empty() {
        let text =
            "当たるものと「どれにも当たらない」の両方に印があります。どちらかにしてください。";
        form.bad("criteria", text);
    }
    let assessed = fields.has("assessed") || !criteria.is_empty();
    if persons.is_some_and(|count| count > 100) && assessed && !criteria.contains(&Criterion::Many)
    {
        let text =
            "本人の数が100人を超えています。「本人の数が100人を超える」にも印を付けてください。";
        form.bad("criteria", text);
    }
    Some(Known {
        title,
        kind: kind?,
        known_on: known_on?,
        happened,
        summary,
        items,
        persons,
        cause,
        secondary,
        response,
        publication,
        prevention,
        other,
        criteria,
        assessed,
    })
}

fn past(form: &mut Checked<'_>, field: &'static str, label: &str, today: Date) -> Option<Date> {
    let day = form.day(field, label)?;
    if day > today {
        form.bad(field, format!("{label}が今日より後です。"));
    }
    Some(day)
}

fn persons(form: &mut Checked<'_>, fields: &Fields) -> Option<i64> {
    let typed = fields.trimmed("persons");
    if typed.is_empty() {
        return None;
    }
    let count: Option<i64> = base::text::digits(typed).parse().ok();
    let count = count.filter(|count| *count <= PERSONS_MAX);
    if count.is_none() {
        let text = "本人の数は、数字で入力してください。まだ分からないときは空にしてください。";
        form.bad("persons", text);
    }
    count
}

/// Something that was done.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn step(
    fields: &Fields,
    today: Date,
) -> Result<(StepKind, Date, String), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let kind = StepKind::from_code(fields.trimmed("step_kind"));
    if kind.is_none() {
        form.bad("step_kind", "対応の種類を選んでください。");
    }
    let day = past(&mut form, "held_on", "行った日", today);
    let note = form.text("note", "内容", TEXT_CHARS_MAX);
    form.ended(kind.zip(day).map(|(kind, day)| (kind, day, note)))
}

/// Why it is closed or reopened.
///
/// # Errors
/// The problem.
pub(super) fn closing(fields: &Fields) -> Result<String, Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let reason = form.line("closing_reason", "理由", LINE_CHARS_MAX);
    form.ended(Some(reason))
}

/// A worded text.
///
/// # Errors
/// The problem.
pub(super) fn body(fields: &Fields) -> Result<String, Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let body = form.text("body", "本文", BODY_CHARS_MAX);
    form.ended(Some(body))
}

/// Which days of the log; both ends count.
///
/// # Errors
/// Every problem.
pub(super) fn span(fields: &Fields, days_max: i32) -> Result<(Date, Date), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let (first, last) = days(&mut form, days_max);
    form.ended(first.zip(last))
}

fn days(form: &mut Checked<'_>, days_max: i32) -> (Option<Date>, Option<Date>) {
    let first = form.day("first_on", "ログの最初の日");
    let last = form.day("last_on", "ログの最後の日");
    if let (Some(first), Some(last)) = (first, last) {
        let days = first.until(last).map_or(i32::MAX, |span| span.get_days());
        if days < 0 {
            form.bad("last_on", "最後の日が、最初の日より前です。");
        } else if days >= days_max {
            let text = format!("一度に見られるのは{days_max}日分までです。期間を分けてください。");
            form.bad("last_on", text);
        }
    }
    (first, last)
}

/// What to put aside, and why.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn evidence(
    fields: &Fields,
    days_max: i32,
) -> Result<(String, Date, Date), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let reason = form.line("evidence_reason", "保全の理由", LINE_CHARS_MAX);
    let (first, last) = days(&mut form, days_max);
    let whole = first.zip(last);
    form.ended(whole.map(|(first, last)| (reason, first, last)))
}
