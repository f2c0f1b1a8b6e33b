//! Grants in words.

use jiff::civil::Date;
use store::CentreId;

use super::model::{Given, Grant, Person, meets_anyway};
use crate::features::staff::rights::Holder;
pub(super) use crate::web::Choice;
use crate::web::days::{day_short, moment};
use crate::web::{Permission, Role};

pub(super) fn person(person: &Person) -> (String, String) {
    let (name, kana) = (person.name.reveal(), person.kana.reveal());
    (name.to_owned(), kana.to_owned())
}

/// Who can be named: whoever does not meet her anyway.
pub(super) fn members(members: &[Holder], centre: CentreId, typed: &str) -> Vec<Choice> {
    let fits = |member: &&Holder| {
        member.rights.has(Permission::ResidentView) && !meets_anyway(member, centre)
    };
    let first = Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: false,
    };
    let known = members.iter().filter(fits).map(|member| Choice {
        value: member.staff.to_string(),
        label: format!(
            "{}　{}（{}）",
            member.centre.as_ref().map_or("市", |centre| &centre.name),
            member.name,
            Role::from_code(&member.role).map_or("", Role::label)
        ),
        selected: typed == member.staff.to_string(),
    });
    std::iter::once(first).chain(known).collect()
}

pub(super) fn access(typed: &str) -> Vec<Choice> {
    let one = |value: &str, label: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        selected: typed == value,
    };
    vec![one("read", "閲覧のみ"), one("write", "記録もできる")]
}

/// One grant on the page of a person.
pub(super) struct GrantWords {
    pub(super) id: i64,
    pub(super) whom: String,
    pub(super) access: &'static str,
    pub(super) period: String,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) at: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    pub(super) ending: String,
    pub(super) lasts: bool,
}

fn access_word(may_write: bool) -> &'static str {
    if may_write {
        "記録もできる"
    } else {
        "閲覧のみ"
    }
}

fn period(from: Date, to: Option<Date>) -> String {
    let until = to.map_or_else(|| "終わらせるまで".to_owned(), day_short);
    format!("{}～{until}", day_short(from))
}

pub(super) fn grant(grant: &Grant, today: Date) -> GrantWords {
    let role = grant.role.as_deref().and_then(Role::from_code);
    let (css, state) = if !grant.lasts(today) {
        ("", "終了")
    } else if grant.starts_on > today {
        ("info", "予定")
    } else {
        ("ok", "有効")
    };
    GrantWords {
        id: grant.id,
        whom: role.map_or_else(
            || format!("{}　{}", grant.staff_centre, grant.staff_name),
            |role| format!("{}（紹介）", role.label()),
        ),
        access: access_word(grant.may_write),
        period: period(grant.starts_on, grant.ends_on),
        reason: grant.reason.reveal().to_owned(),
        by: grant.by.clone(),
        at: moment(&grant.at),
        css,
        state,
        ending: grant
            .ending
            .as_ref()
            .map_or_else(String::new, |(by, at, why)| {
                format!("{} {by}：{}", moment(at), why.reveal())
            }),
        lasts: grant.lasts(today),
    }
}

/// A person who was given to the viewer.
pub(super) struct GivenWords {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) why: &'static str,
    pub(super) access: &'static str,
    pub(super) period: String,
    pub(super) reason: String,
    pub(super) centre: String,
}

pub(super) fn given(given: &Given) -> GivenWords {
    GivenWords {
        id: given.resident.0,
        name: given.name.reveal().to_owned(),
        kana: given.kana.reveal().to_owned(),
        why: if given.is_referral {
            "紹介"
        } else {
            "個別の指定"
        },
        access: access_word(given.may_write),
        period: period(given.starts_on, given.ends_on),
        reason: given.reason.reveal().to_owned(),
        centre: given.centre.clone(),
    }
}
