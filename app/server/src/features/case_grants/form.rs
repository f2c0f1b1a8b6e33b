//! What was typed about a grant → a checked one, or every problem at once.

use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{CentreId, ResidentId};

use super::model::{Grant, NewGrant, SECTION, Whom, meets_anyway};
use crate::features::staff::rights::Holder;
use crate::web::days::day_short;
use crate::web::{Checked, FieldProblem, Fields, Permission};

/// One member of staff is named for this long at most, months.
pub(super) const MONTHS_MAX: i64 = 12;

/// What a form is checked against.
pub(super) struct Against<'a> {
    pub(super) resident: ResidentId,
    pub(super) centre: CentreId,
    pub(super) grants: &'a [Grant],
    pub(super) members: &'a [Holder],
    pub(super) today: Date,
}

/// Checks the form that says `kind`.
pub(super) fn check(fields: &Fields, against: &Against<'_>) -> Result<NewGrant, Vec<FieldProblem>> {
    let checks = Checked::new(fields);
    if fields.trimmed("kind") == "section" {
        section(checks, against)
    } else {
        member(checks, fields, against)
    }
}

fn section(mut checks: Checked<'_>, against: &Against<'_>) -> Result<NewGrant, Vec<FieldProblem>> {
    let whom = Whom::Section(SECTION);
    if let Some(known) = lasting(against, whom) {
        let since = day_short(known.starts_on);
        let text = format!("{}へは、{since}からすでに紹介しています。", SECTION.label());
        checks.bad("section_reason", text);
    }
    let reason = checks.reason("section_reason", "紹介する理由");
    checks.ended(Some(NewGrant {
        resident: against.resident,
        whom,
        may_write: true,
        starts_on: against.today,
        ends_on: None,
        reason,
    }))
}

fn lasting<'a>(against: &Against<'a>, whom: Whom) -> Option<&'a Grant> {
    let mut known = against.grants.iter();
    known.find(|grant| grant.lasts(against.today) && grant.is_to(whom))
}

/// Does somebody meet her anyway, or never, whatever is given?
fn useless(member: &Holder, against: &Against<'_>) -> Option<&'static str> {
    if !member.rights.has(Permission::ResidentView) {
        return Some("この職員の役割では、住民の画面を開けません。");
    }
    meets_anyway(member, against.centre)
        .then_some("この職員は、もともとこの方を見られます。指定はいりません。")
}

fn member(
    mut checks: Checked<'_>,
    fields: &Fields,
    against: &Against<'_>,
) -> Result<NewGrant, Vec<FieldProblem>> {
    let typed = fields.trimmed("staff");
    let mut known = against.members.iter();
    let member = known.find(|member| member.staff.to_string() == typed);
    match member {
        None => checks.bad("staff", "職員を選んでください。"),
        Some(member) => {
            if let Some(text) = useless(member, against) {
                checks.bad("staff", text);
            } else if let Some(known) = lasting(against, Whom::Staff(member.staff)) {
                let since = day_short(known.starts_on);
                let text = format!(
                    "この職員は、{since}からすでに指定しています。先に終わらせてください。"
                );
                checks.bad("staff", text);
            }
        }
    }
    let starts_on = checks.day("starts_on", "始める日");
    let ends_on = checks.day("ends_on", "最後の日");
    if starts_on.is_some_and(|day| day < against.today) {
        checks.bad("starts_on", "始める日は、今日より前にはできません。");
    }
    let last = starts_on.and_then(|day| day.checked_add(MONTHS_MAX.months()).ok());
    match (starts_on, ends_on) {
        (Some(from), Some(to)) if to < from => {
            checks.bad("ends_on", "最後の日が、始める日より前です。");
        }
        (_, Some(to)) if last.is_some_and(|last| to > last) => {
            checks.bad(
                "ends_on",
                format!("最後の日は、始める日から{MONTHS_MAX}か月までです。"),
            );
        }
        _ => {}
    }
    let may_write = match fields.trimmed("access") {
        "read" => Some(false),
        "write" => Some(true),
        _ => {
            checks.bad("access", "閲覧のみか、記録もできるかを選んでください。");
            None
        }
    };
    let reason = checks.reason("reason", "指定する理由");
    let read = member.zip(starts_on).zip(ends_on).zip(may_write);
    checks.ended(
        read.map(|(((member, starts_on), ends_on), may_write)| NewGrant {
            resident: against.resident,
            whom: Whom::Staff(member.staff),
            may_write,
            starts_on,
            ends_on: Some(ends_on),
            reason,
        }),
    )
}
