//! What was typed about a window → checked values.

use base::clock::japan;
use jiff::{Timestamp, ToSpan as _};

use super::model::{AHEAD_DAYS, NewGrant, Person};
use crate::web::{Checked, FieldProblem, Fields, submission};

/// Longest purpose or reason, characters.
const LINE_CHARS_MAX: usize = 200;

/// A window to be opened.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn grant(
    fields: &Fields,
    people: &[Person],
    hours_max: i64,
    now: Timestamp,
) -> Result<NewGrant, Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let chosen = fields.trimmed("staff");
    let staff = people.iter().find(|person| person.login == chosen);
    if staff.is_none() {
        form.bad("staff", "作業する人を選んでください。");
    }
    let purpose = form.line("purpose", "目的", LINE_CHARS_MAX);
    let starts_at = starts_at(&mut form, fields, now);
    let hours = hours(&mut form, fields, hours_max);
    let whole = staff.zip(starts_at.zip(hours));
    let new = whole.and_then(|(person, (starts_at, hours))| {
        Some(NewGrant {
            staff: person.id,
            purpose,
            starts_at,
            ends_at: starts_at.checked_add(hours.hours()).ok()?,
            submission: submission(fields),
        })
    });
    form.ended(new)
}

/// Nothing typed: at once.
fn starts_at(form: &mut Checked<'_>, fields: &Fields, now: Timestamp) -> Option<Timestamp> {
    if fields.trimmed("starts_on").is_empty() && fields.trimmed("starts_time").is_empty() {
        return Some(now);
    }
    let day = form.day("starts_on", "開始の日");
    let time = form.time("starts_time", "開始の時刻");
    let at = japan().to_timestamp(day?.to_datetime(time?)).ok()?;
    let today = japan().to_datetime(now).date();
    let late = day.is_some_and(|day| day > today.saturating_add(AHEAD_DAYS.days()));
    if at < now {
        let text = "開始がもう過ぎています。すぐに始めるときは、日と時刻を空にしてください。";
        form.bad("starts_on", text);
    } else if late {
        let text = format!("開始の日は、今日から{AHEAD_DAYS}日以内にしてください。");
        form.bad("starts_on", text);
    }
    Some(at)
}

fn hours(form: &mut Checked<'_>, fields: &Fields, hours_max: i64) -> Option<i64> {
    let hours: Option<i64> = base::text::digits(fields.trimmed("hours")).parse().ok();
    let hours = hours.filter(|hours| (1..=hours_max).contains(hours));
    if hours.is_none() {
        let text = format!("時間は1から{hours_max}までの数で入力してください。");
        form.bad("hours", text);
    }
    hours
}

/// Why a window is ended.
///
/// # Errors
/// The problem.
pub(super) fn ending(fields: &Fields, label: &str) -> Result<String, Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let reason = form.line("reason", label, LINE_CHARS_MAX);
    form.ended(Some(reason))
}
