//! What was typed about an assignment → a checked one, or every problem at once.

use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{CentreId, ResidentId, StaffId};

use super::model::{Assignment, Conflict, Part, fit, looks_after};
use super::store::NewAssignment;
use crate::features::staff::rights::Holder;
use crate::web::days::day_short;
use crate::web::{Checked, FieldProblem, Fields};

/// People who are handed over at once.
pub(super) const HAND_OVER_MAX: usize = 300;
/// How far a first or last day may lie before or after today.
const YEARS_AROUND: i64 = 1;

/// What a form about one person is checked against.
pub(super) struct Against<'a> {
    pub(super) resident: ResidentId,
    pub(super) centre: CentreId,
    pub(super) known: &'a [Assignment],
    pub(super) members: &'a [Holder],
    pub(super) today: Date,
}

/// Somebody put in charge, and the rows that end on the day before.
pub(super) struct Fitted {
    pub(super) new: NewAssignment,
    pub(super) replaced: Vec<i64>,
}

/// Checks the form that puts somebody in charge.
pub(super) fn check(fields: &Fields, against: &Against<'_>) -> Result<Fitted, Vec<FieldProblem>> {
    let mut checks = Checked::new(fields);
    let staff = member(&mut checks, fields, (against.members, against.centre));
    let part = Part::from_code(fields.trimmed("part"));
    if part.is_none() {
        checks.bad("part", "主担当か副担当かを選んでください。");
    }
    let starts_on = day_near(&mut checks, ("starts_on", "始める日"), against.today);
    let reason = checks.reason("reason", "理由");
    let replaced = match (staff, part, starts_on) {
        (Some(staff), Some(part), Some(on)) => match fit(against.known, (staff, part), on) {
            Ok(rows) => Some(rows.iter().map(|row| row.id).collect()),
            Err(conflict) => {
                let field = if conflict.is_own {
                    "staff"
                } else {
                    "starts_on"
                };
                checks.bad(field, in_the_way(&conflict));
                None
            }
        },
        _ => None,
    };
    let read = staff.zip(part).zip(starts_on).zip(replaced);
    checks.ended(read.map(|(((staff, part), starts_on), replaced)| Fitted {
        new: NewAssignment {
            resident: against.resident,
            staff,
            part,
            starts_on,
            reason,
        },
        replaced,
    }))
}

fn in_the_way(conflict: &Conflict) -> String {
    let (since, part) = (day_short(conflict.since), conflict.part.label());
    if conflict.is_own {
        format!("この職員は、{since}から{part}です。変えるときは、先に終わらせてください。")
    } else {
        let name = &conflict.name;
        format!("{since}から{name}さんが{part}です。先に終わらせるか、取り消してください。")
    }
}

/// The member of staff who was chosen, if it is one of these.
pub(super) fn chosen<'m>(fields: &Fields, members: &'m [Holder]) -> Option<&'m Holder> {
    let typed = fields.trimmed("staff");
    members.iter().find(|m| m.staff.to_string() == typed)
}

/// Somebody who could look after people of this centre.
fn member(
    checks: &mut Checked<'_>,
    fields: &Fields,
    (members, centre): (&[Holder], CentreId),
) -> Option<StaffId> {
    match chosen(fields, members) {
        None => checks.bad("staff", "職員を選んでください。"),
        Some(member) if looks_after(member, centre) => return Some(member.staff),
        Some(_) => checks.bad(
            "staff",
            "この方の担当センターの職員ではありません。ほかのセンターや係の職員には、\
             「紹介・個別の指定」を使います。",
        ),
    }
    None
}

/// A day that is no slip of the pen.
pub(super) fn day_near(
    checks: &mut Checked<'_>,
    (field, label): (&'static str, &str),
    today: Date,
) -> Option<Date> {
    let day = checks.day(field, label)?;
    let first = today.checked_sub(YEARS_AROUND.years()).unwrap_or(today);
    let last = today.checked_add(YEARS_AROUND.years()).unwrap_or(today);
    if (first..=last).contains(&day) {
        return Some(day);
    }
    let text = format!("{label}は、今日の前後{YEARS_AROUND}年の間で入力してください。");
    checks.bad(field, text);
    None
}

/// How an assignment ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// Last day; the day before the first: it never counted.
    pub(super) ends_on: Date,
    pub(super) reason: String,
}

/// Checks the form that ends one.
pub(super) fn check_ending(
    fields: &Fields,
    row: &Assignment,
    today: Date,
) -> Result<Ended, Vec<FieldProblem>> {
    let mut checks = Checked::new(fields);
    let ends_on = if fields.trimmed("act") == "cancel" {
        row.starts_on.yesterday().ok()
    } else {
        let day = day_near(&mut checks, ("ends_on", "最後の日"), today);
        if day.is_some_and(|day| day < row.starts_on) {
            let text =
                "最後の日が、始める日より前です。間違えて登録したときは「取り消す」を使います。";
            checks.bad("ends_on", text);
        }
        day
    };
    let reason = checks.reason("ending_reason", "終わらせる理由");
    checks.ended(ends_on.map(|ends_on| Ended { ends_on, reason }))
}
