//! Protections in words.

use base::clock::japan;
use base::wareki::Wareki;
use jiff::Timestamp;
use jiff::civil::Date;

use super::model::{Act, Colleague, Exclusion, Grant, Made, Person, Shield, State, state};
use super::store::Sealed;
use crate::features::approvals;
use crate::features::masters::Code;
pub(super) use crate::web::Choice;
use crate::web::Role;

fn choices(
    first: &str,
    known: impl Iterator<Item = (String, String)>,
    chosen: &str,
) -> Vec<Choice> {
    std::iter::once((String::new(), first.to_owned()))
        .chain(known)
        .map(|(value, label)| Choice {
            selected: value == chosen,
            value,
            label,
        })
        .collect()
}

/// Everybody at work, by centre.
pub(super) fn colleagues(known: &[Colleague], chosen: &str) -> Vec<Choice> {
    let named = known.iter().map(|staff| {
        let label = format!("{}　{}（{}）", staff.centre, staff.name, role(&staff.role));
        (staff.login.clone(), label)
    });
    choices("選んでください", named, chosen)
}

pub(super) fn relations(known: &[Code], chosen: &str) -> Vec<Choice> {
    let named = known
        .iter()
        .map(|code| (code.code.clone(), code.label.clone()));
    choices("選んでください", named, chosen)
}

pub(super) fn fixed(known: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    known
        .iter()
        .map(|(value, label)| Choice {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            selected: *value == chosen,
        })
        .collect()
}

pub(super) fn role(code: &str) -> String {
    Role::from_code(code).map_or_else(|| code.to_owned(), |role| role.label().to_owned())
}

pub(super) fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

pub(super) fn moment(stored: &str) -> String {
    stored.parse::<Timestamp>().map_or_else(
        |_| stored.to_owned(),
        |at| {
            let local = japan().to_datetime(at);
            let time = format!("{:02}:{:02}", local.hour(), local.minute());
            format!("{} {time}", day(local.date()))
        },
    )
}

/// A person on her own page.
pub(super) struct PersonWords {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) addressee_no: String,
    pub(super) insured_no: String,
    pub(super) centre: String,
    pub(super) register: String,
    pub(super) shielded: bool,
}

pub(super) fn person(person: &Person, shields: &[Shield], today: Date) -> PersonWords {
    let kept = shields.iter().any(|shield| shield.made.ending.is_none());
    PersonWords {
        id: person.id.0,
        name: person.name.reveal().to_owned(),
        kana: person.kana.reveal().to_owned(),
        addressee_no: person.addressee_no.clone(),
        insured_no: person.insured_no.clone().unwrap_or_default(),
        // Her area is part of what a shield hides.
        centre: if person.in_register || kept {
            "（支援措置のため表示しません）".to_owned()
        } else {
            person.centre.clone()
        },
        register: register(person, today),
        shielded: person.in_register || kept,
    }
}

fn register(person: &Person, today: Date) -> String {
    match (person.in_register, person.register_until) {
        (false, _) => "支援措置はありません".to_owned(),
        (true, None) => "支援措置の対象".to_owned(),
        (true, Some(until)) if until < today => {
            format!(
                "支援措置の対象（期間は {} に終了。更新か解除を確認）",
                day(until)
            )
        }
        (true, Some(until)) => format!("支援措置の対象（{} まで）", day(until)),
    }
}

/// One row of any of the three lists.
pub(super) struct Line {
    pub(super) href: String,
    pub(super) resident: i64,
    pub(super) addressee_no: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    /// Whom or what it is about.
    pub(super) what: String,
    pub(super) term: String,
    pub(super) made: String,
    pub(super) reason: String,
    /// Decision and ending, if there are.
    pub(super) acts: Vec<String>,
}

fn stamp(act: &Act, what: &str) -> String {
    format!(
        "{what}：{} {}　{}",
        moment(&act.at),
        act.by_name,
        act.reason
    )
}

fn line(made: &Made, kind: &str) -> Line {
    Line {
        href: format!("/protections/{kind}/{}", made.id),
        resident: made.resident.0,
        addressee_no: made.addressee_no.clone(),
        css: "ok",
        state: "",
        what: String::new(),
        term: String::new(),
        made: format!("{} {}", moment(&made.at), made.by_name),
        reason: made.reason.clone(),
        acts: made.ending.iter().map(|act| stamp(act, "終了")).collect(),
    }
}

pub(super) fn state_words(state: State) -> (&'static str, &'static str) {
    match state {
        State::Waiting => ("warn", "承認待ち"),
        State::Urgent => ("error", "緊急（確認待ち）"),
        State::InForce => ("ok", "許可中"),
        State::Planned => ("info", "予定"),
        State::Over => ("", "期間終了"),
        State::Refused => ("", "不承認"),
        State::Withdrawn => ("", "取下げ"),
        State::Lapsed => ("", "期限切れ"),
        State::Ended => ("", "終了"),
    }
}

pub(super) fn grant(grant: &Grant, today: Date) -> Line {
    let (css, words) = state_words(state(grant, today));
    let mut line = Line {
        css,
        state: words,
        what: format!("{}（{}）", grant.staff_name, grant.staff_login),
        term: format!("{} ～ {}", day(grant.starts_on), day(grant.ends_on)),
        ..line(&grant.made, "grants")
    };
    if let Some((decided, act)) = &grant.decision {
        let what = match decided {
            approvals::State::Approved => "承認",
            approvals::State::Refused => "不承認",
            approvals::State::Withdrawn => "取下げ",
            approvals::State::Lapsed => "期限切れ",
            approvals::State::Waiting | approvals::State::Urgent => "承認待ち",
        };
        line.acts.insert(0, stamp(act, what));
    }
    line
}

pub(super) fn shield(shield: &Shield) -> Line {
    let open = shield.made.ending.is_none();
    let (css, state) = match (open, shield.of_register) {
        (false, _) => ("", "解除済み"),
        (true, true) => ("warn", "解除の確認待ち"),
        (true, false) => ("ok", "有効"),
    };
    Line {
        css,
        state,
        what: if shield.of_register {
            "住民記録から外れた支援措置".to_owned()
        } else {
            "市が設けた支援措置".to_owned()
        },
        term: shield
            .planned_until
            .map(|until| format!("予定 {} まで", day(until)))
            .unwrap_or_default(),
        ..line(&shield.made, "shields")
    }
}

pub(super) fn exclusion(exclusion: &Exclusion) -> Line {
    let open = exclusion.made.ending.is_none();
    Line {
        css: if open { "ok" } else { "" },
        state: if open { "有効" } else { "終了" },
        what: format!(
            "{}（{}）：{}",
            exclusion.staff_name, exclusion.staff_login, exclusion.relation
        ),
        ..line(&exclusion.made, "exclusions")
    }
}

/// One of the sealed list.
pub(super) struct SealedWords {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) addressee_no: String,
    pub(super) register: String,
    pub(super) certified: String,
    pub(super) last_contact: String,
    pub(super) css: &'static str,
    pub(super) openers: String,
}

pub(super) fn sealed(sealed: &Sealed, today: Date) -> SealedWords {
    let person = &sealed.person;
    let (css, openers) = if sealed.openers == 0 {
        ("error", "開ける職員がいません".to_owned())
    } else {
        ("ok", format!("{}人", sealed.openers))
    };
    SealedWords {
        id: person.id.0,
        name: person.name.reveal().to_owned(),
        kana: person.kana.reveal().to_owned(),
        addressee_no: person.addressee_no.clone(),
        register: if person.in_register {
            register(person, today)
        } else {
            "市が設けた、または解除の確認待ち".to_owned()
        },
        certified: sealed
            .certified_until
            .map_or_else(|| "なし".to_owned(), day),
        last_contact: sealed
            .last_contact_on
            .map_or_else(|| "なし".to_owned(), day),
        css,
        openers,
    }
}
