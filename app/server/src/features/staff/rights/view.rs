//! Rights in words: for pages, approvals, the access log and the console.

use jiff::civil::Date;
use store::{ReadTx, Scope, StaffId, StoreError, params};

use super::acts::Refusal;
use super::model::{Difference, Exception, Holder, NewException, RoleChange, RoleRow, Step};
use crate::features::staff::accounts::model::{Centre, Term, Written};
use crate::features::staff::accounts::view::{self as words, CITY};
use crate::web::{Permission, Rights, Role, rights};

/// What a role may do on a day, exceptions aside.
pub(in crate::features::staff) fn held_by_role(
    tx: &ReadTx<'_>,
    role: Role,
    on: Date,
) -> Result<Rights, StoreError> {
    Ok(Rights::of(&rights::grounds(tx, None, role.code(), on)?))
}

/// Somebody's name.
pub(super) fn name_of(tx: &ReadTx<'_>, staff: StaffId) -> Result<Option<String>, StoreError> {
    let sql = "select name from staff where id = ?1";
    tx.one(sql, params![staff], |row| row.get(0))
}

/// できる or できない.
pub const fn may(granted: bool) -> &'static str {
    if granted { "できる" } else { "できない" }
}

/// A permission with what it says.
pub fn step(step: Step) -> String {
    format!("{}：{}", step.permission.label(), may(step.granted))
}

fn steps(steps: &[Step], of: impl Fn(&Step) -> bool) -> String {
    let one = |s: &Step| format!("{}：{}", s.permission.label(), may(of(s)));
    steps.iter().map(one).collect::<Vec<_>>().join("、")
}

pub(super) fn role_change_in_log(change: &RoleChange, held: &Rights) -> String {
    format!(
        "役割＝{}／前＝{}／後＝{}／適用＝{}",
        change.role.label(),
        steps(&change.steps, |step| held.has(step.permission)),
        steps(&change.steps, |step| step.granted),
        change.starts_on
    )
}

pub(super) fn withdrawal_in_log(row: &RoleRow) -> String {
    let (role, from) = (row.role.label(), row.starts_on);
    format!(
        "役割＝{role}／前＝{}（{from}から）／後＝予定なし",
        step(row.step)
    )
}

fn days(from: Date, to: Option<Date>) -> String {
    let to = to.map(|day| day.to_string()).unwrap_or_default();
    format!("{from}～{to}")
}

pub(super) fn exception_in_log(name: &str, new: &NewException, before: Option<&Holder>) -> String {
    let held = before.is_some_and(|holder| holder.rights.has(new.step.permission));
    format!(
        "職員＝{name}／前＝{}：{}／後＝{}（{}）",
        new.step.permission.label(),
        may(held),
        step(new.step),
        days(new.starts_on, new.ends_on)
    )
}

pub(super) fn exception_end_in_log(name: &str, known: &Exception, ends_on: Date) -> String {
    let (line, term) = (step(known.step), known.term);
    let after = if ends_on < term.starts_on {
        "取りやめ".to_owned()
    } else {
        days(term.starts_on, Some(ends_on))
    };
    format!(
        "職員＝{name}／前＝{line}（{}）／後＝{after}",
        days(term.starts_on, term.ends_on)
    )
}

/// An exception in one line.
pub fn exception_line(known: &Exception) -> String {
    format!("{}（{}）", step(known.step), words::term(known.term))
}

/// Why a change was not made.
pub fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Words(_, text) => text.clone(),
        Refusal::Absent => "対象の記録がありません。".to_owned(),
        Refusal::Own => {
            "自分のアカウントの権限は変えられません。ほかのシステム管理者に依頼してください。"
                .to_owned()
        }
        Refusal::LastAdministrator(day) => format!(
            "{} に「{}」を持つ人がいなくなります。先に、ほかの人がこの権限を持つようにしてください。",
            words::day(*day),
            Permission::StaffAdminister.label()
        ),
        Refusal::Late => "ほかの管理者が先に変えました。".to_owned(),
        Refusal::Again => "同じ内容はすでに保存されています。".to_owned(),
    }
}

/// Where a refusal belongs in a form.
pub(super) fn field_of(refusal: &Refusal, fallback: &'static str) -> &'static str {
    match refusal {
        Refusal::Words(field, _) => field,
        Refusal::Absent
        | Refusal::Own
        | Refusal::LastAdministrator(_)
        | Refusal::Late
        | Refusal::Again => fallback,
    }
}

/// Who wrote something, when.
pub(in crate::features::staff) fn stamp(written: &Written) -> String {
    format!("{} {}", words::moment(&written.at), words::by(written))
}

pub(super) fn centre_name(centre: Option<&Centre>) -> String {
    centre.map_or_else(|| CITY.to_owned(), |centre| centre.name.clone())
}

/// Whom a scope shows.
pub(super) fn scope(scope: Scope, role: &str, centre: Option<&Centre>) -> String {
    match scope {
        Scope::City => "市の住民すべて。支援措置の方は、理由を選んでから開きます。".to_owned(),
        Scope::Assigned(_) => format!(
            "{}の住民のうち、自分が担当する方と、自分が書いた相談だけ。支援措置の方は出ません。",
            centre_name(centre)
        ),
        Scope::Centre(_) => format!(
            "{}が担当する住民と、このセンターが書いた相談。支援措置の方は出ません。",
            centre_name(centre)
        ),
        Scope::Nothing if role == Role::CityWelfare.code() => {
            "紹介された住民だけ。ほかの住民は出ません。".to_owned()
        }
        Scope::Nothing => "住民はだれも出ません。".to_owned(),
    }
}

/// What a change does to one person, in words.
#[derive(Debug, Clone)]
pub(super) struct DifferenceWords {
    pub(super) name: String,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) moved: bool,
    pub(super) gained: Vec<&'static str>,
    pub(super) lost: Vec<&'static str>,
}

pub(super) fn difference(difference: &Difference) -> DifferenceWords {
    let place = |side: Option<&Holder>| {
        side.map_or_else(
            || "所属なし（サインインできません）".to_owned(),
            |h| {
                format!(
                    "{} {}",
                    centre_name(h.centre.as_ref()),
                    words::role(&h.role)
                )
            },
        )
    };
    let (before, after) = (
        place(difference.before.as_ref()),
        place(difference.after.as_ref()),
    );
    let labels = |all: &[Permission]| all.iter().map(|p| p.label()).collect();
    DifferenceWords {
        name: difference.name.clone(),
        moved: before != after,
        before,
        after,
        gained: labels(&difference.gained),
        lost: labels(&difference.lost),
    }
}

pub(super) fn differences(all: &[Difference]) -> Vec<DifferenceWords> {
    all.iter().map(difference).collect()
}

/// From when to when.
pub(super) fn term(term: Term) -> String {
    words::term(term)
}
