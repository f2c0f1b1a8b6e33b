//! What was typed about a plan → a checked one, or every problem at once.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::model::{Area, Centre, Plan};
use crate::web::days::day_short;
use crate::web::{Checked, FieldProblem, Fields};

/// A plan lies at most this many years ahead; more is a mistyped year.
pub(super) const PLAN_YEARS: i64 = 3;

/// Checked a plan against the areas and centres of today.
pub(super) fn check(
    fields: &Fields,
    areas: &[Area],
    centres: &[Centre],
    today: Date,
) -> Result<Plan, Vec<FieldProblem>> {
    let mut checks = Checked::new(fields);
    let mut codes: Vec<String> = fields.all("area").map(str::to_owned).collect();
    codes.sort_unstable();
    codes.dedup();
    let chosen: Vec<&Area> = areas.iter().filter(|a| codes.contains(&a.code)).collect();
    if codes.is_empty() || chosen.len() != codes.len() {
        checks.bad("area", "切り替える町丁を選んでください。");
    }
    if let Some((id, on)) = chosen.iter().find_map(|area| area.planned) {
        let text = format!(
            "選んだ町丁に、すでに予定（番号{id}、{}から）のあるものがあります。先にその予定を取りやめてください。",
            day_short(on)
        );
        checks.bad("area", text);
    }
    let asked = fields.trimmed("to").parse().ok();
    let to = centres.iter().find(|centre| Some(centre.id) == asked);
    let Some(to) = to else {
        checks.bad("to", "新しい担当センターを選んでください。");
        checks.day("effective_on", "切り替える日");
        checks.reason("reason", "理由");
        return checks.ended(None);
    };
    if let Some(same) = chosen.iter().find(|area| area.centre == to.id) {
        let text = format!("{}は、いまも{}の担当です。", same.name, to.short_name);
        checks.bad("to", text);
    }
    let on = day(&mut checks, &chosen, to, today);
    let reason = checks.reason("reason", "理由");
    checks.ended(on.map(|on| Plan {
        areas: codes,
        to: to.id,
        on,
        reason,
    }))
}

fn day(checks: &mut Checked<'_>, chosen: &[&Area], to: &Centre, today: Date) -> Option<Date> {
    let field = "effective_on";
    let on = checks.day(field, "切り替える日")?;
    let last = today.checked_add(PLAN_YEARS.years()).unwrap_or(today);
    if on <= today {
        checks.bad(
            field,
            "切り替える日は、明日より後にしてください。0時に切り替わります。",
        );
    } else if on > last {
        let text = format!("切り替える日は{PLAN_YEARS}年先までです。年を確かめてください。");
        checks.bad(field, text);
    } else if to.valid_to.is_some_and(|end| end < on) {
        checks.bad(field, "新しい担当センターは、その日にはもうありません。");
    } else if chosen.iter().any(|area| area.newest_from >= on.to_string()) {
        checks.bad(
            field,
            "選んだ町丁に、その日より後に始まる登録があります。日を確かめてください。",
        );
    }
    Some(on)
}
