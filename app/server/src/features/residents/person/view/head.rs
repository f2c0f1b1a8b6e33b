//! The top of the page: who she is, and what must be read first.

use base::number::postal_code_shown;
use base::secrecy::{Kana, PersonName};
use jiff::civil::Date;

use super::{age, day_long, day_short, moment, phone_grouped, sex};
use crate::features::imports::kind_label;
use crate::features::residents::person::model::{
    Certification, Correction, ENDS_SOON_DAYS, Opened, Person, covered_until,
};

/// A value that staff may correct; `note` says that they did.
pub(in crate::features::residents::person) struct Shown {
    pub(in crate::features::residents::person) field: &'static str,
    pub(in crate::features::residents::person) label: &'static str,
    pub(in crate::features::residents::person) value: String,
    pub(in crate::features::residents::person) note: Option<Note>,
}

/// What the register says beside a correction, and who typed it when and why.
pub(in crate::features::residents::person) struct Note {
    pub(in crate::features::residents::person) register: String,
    pub(in crate::features::residents::person) by: String,
    pub(in crate::features::residents::person) at: String,
    pub(in crate::features::residents::person) reason: String,
}

/// The top of the page.
pub(in crate::features::residents::person) struct Head {
    pub(in crate::features::residents::person) name: String,
    pub(in crate::features::residents::person) kana: Shown,
    pub(in crate::features::residents::person) other_names: Vec<String>,
    pub(in crate::features::residents::person) age: String,
    pub(in crate::features::residents::person) sex: &'static str,
    pub(in crate::features::residents::person) born: String,
    pub(in crate::features::residents::person) area: String,
    pub(in crate::features::residents::person) postal_code: String,
    pub(in crate::features::residents::person) address: Shown,
    pub(in crate::features::residents::person) phone: Shown,
    pub(in crate::features::residents::person) centre: String,
    pub(in crate::features::residents::person) centre_phone: String,
    pub(in crate::features::residents::person) in_charge: String,
    pub(in crate::features::residents::person) insured_no: String,
    pub(in crate::features::residents::person) addressee_no: String,
    pub(in crate::features::residents::person) household_no: String,
}

pub(in crate::features::residents::person) fn head(opened: &Opened, today: Date) -> Head {
    let person = &opened.person;
    let address = format!("{} {}", person.address.reveal(), person.building.reveal());
    let kana = person.kana.reveal().to_owned();
    let phone = phone_grouped(person.phone.reveal());
    let insured = opened.insurance.first();
    Head {
        name: person.name.reveal().to_owned(),
        kana: shown(opened, "kana", "カナ", kana),
        other_names: other_names(person),
        age: match person.died_on {
            Some(died) => format!("死亡時 {}", age(person.born_on, died)),
            None => age(person.born_on, today),
        },
        sex: sex(&person.sex),
        born: born(person),
        area: person.area.clone(),
        postal_code: postal_code_shown(&person.postal_code),
        address: shown(opened, "address", "住所", address.trim().to_owned()),
        phone: shown(opened, "phone", "電話", phone),
        centre: person.centre.clone(),
        centre_phone: person.centre_phone.clone(),
        in_charge: in_charge(&opened.in_charge),
        insured_no: insured.map_or_else(String::new, |insured| insured.insured_no.clone()),
        addressee_no: person.addressee_no.clone(),
        household_no: person.household_no.clone(),
    }
}

fn in_charge(staff: &[(String, bool)]) -> String {
    let words = staff.iter().map(|(name, is_main)| {
        let part = if *is_main { "" } else { "（副）" };
        format!("{name}{part}")
    });
    words.collect::<Vec<_>>().join("、")
}

fn shown(opened: &Opened, field: &'static str, label: &'static str, register: String) -> Shown {
    let Some(correction) = opened.correction(field) else {
        return Shown {
            field,
            label,
            value: register,
            note: None,
        };
    };
    let value = correction.value.reveal();
    Shown {
        field,
        label,
        value: if field == "phone" {
            phone_grouped(value)
        } else {
            value.to_owned()
        },
        note: Some(note(correction, register)),
    }
}

fn note(correction: &Correction, register: String) -> Note {
    Note {
        register: if register.is_empty() {
            "（空欄）".to_owned()
        } else {
            register
        },
        by: correction.by.clone(),
        at: moment(&correction.at),
        reason: correction.reason.reveal().to_owned(),
    }
}

fn other_names(person: &Person) -> Vec<String> {
    let alias = |name: &PersonName, kana: &Kana| {
        let kana = kana.reveal();
        let kana = if kana.is_empty() {
            String::new()
        } else {
            format!("（{kana}）")
        };
        format!("通称 {}{kana}", name.reveal())
    };
    let has_alias = !person.alias_name.is_empty() || !person.alias_kana.is_empty();
    let latin = &person.latin_name;
    let former = &person.former_surname;
    [
        has_alias.then(|| alias(&person.alias_name, &person.alias_kana)),
        (!latin.is_empty()).then(|| latin.reveal().to_owned()),
        (!former.is_empty()).then(|| format!("旧氏 {}", former.reveal())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// 昭和12年3月4日（1937年）; a partial date as delivered.
fn born(person: &Person) -> String {
    match (person.born_on, person.born_text.as_str()) {
        (Some(born), "") => format!(
            "{}（{}年{}月{}日）",
            day_long(born),
            born.year(),
            born.month(),
            born.day()
        ),
        (None, "") => "不明".to_owned(),
        (_, text) => format!("{text}（日付の一部が不明）"),
    }
}

/// One sentence that must be read first.
pub(in crate::features::residents::person) struct Warning {
    pub(in crate::features::residents::person) css: &'static str,
    pub(in crate::features::residents::person) text: String,
    /// Where to act on it, or nothing.
    pub(in crate::features::residents::person) href: String,
    pub(in crate::features::residents::person) link: &'static str,
}

pub(in crate::features::residents::person) fn warnings(
    opened: &Opened,
    today: Date,
    may_correct: bool,
) -> Vec<Warning> {
    let person = &opened.person;
    let one = |css, text| Warning {
        css,
        text,
        href: String::new(),
        link: "",
    };
    let to_changes = |css, text| Warning {
        css,
        text,
        href: if may_correct { "/changes" } else { "" }.to_owned(),
        link: "異動と食い違いを開く",
    };
    let waiting = &opened.waiting;
    let kinds: Vec<&str> = waiting
        .changes
        .iter()
        .map(|kind| kind_label(kind))
        .collect();
    let changed = format!(
        "確認していない住民の異動があります（{}）。",
        kinds.join("、")
    );
    let conflicts = waiting.conflicts;
    let conflicting = format!("職員の訂正と住民記録が食い違っています（{conflicts}件）。");
    [
        person
            .shielded
            .then(|| one("error", shielded(person, today))),
        gone(person).map(|text| one("error", text)),
        person
            .is_here()
            .then(|| ending(&opened.certifications, today))
            .flatten()
            .map(|(css, text)| one(css, text)),
        (conflicts > 0).then(|| to_changes("warn", conflicting)),
        (!kinds.is_empty()).then(|| to_changes("warn", changed)),
        person.has_gaiji.then(|| one("warn", GAIJI.to_owned())),
        (person.state == "9").then(|| one("info", "住民登録のない方（住登外）です。".to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const GAIJI: &str =
    "氏名か住所に、この画面で正しく出せない外字があります。正しい字は住民票で確かめてください。";

fn shielded(person: &Person, today: Date) -> String {
    let until = match person.shielded_until {
        Some(until) if until < today => format!(
            "期間は {} に終わっていますが、市が解除を確かめるまで続きます。",
            day_short(until)
        ),
        Some(until) => format!("期間は {} までです。", day_short(until)),
        None => String::new(),
    };
    format!(
        "支援措置の方です。住所・電話・世帯・担当センターを、だれにも教えないでください。{until}"
    )
}

fn gone(person: &Person) -> Option<String> {
    let on = |day: Option<Date>| day.map_or_else(|| "日付不明".to_owned(), day_long);
    match person.state.as_str() {
        "3" => Some(format!(
            "亡くなっています（{}）。",
            on(person.died_on.or(person.event_on))
        )),
        "2" => {
            let to = person.moved_to.reveal();
            let to = if to.is_empty() {
                String::new()
            } else {
                format!("転出先：{to}")
            };
            Some(format!("転出しています（{}）。{to}", on(person.event_on)))
        }
        "4" => Some(format!(
            "住民票が消除されています（{} {}）。",
            on(person.event_on),
            person.event
        )),
        _ => None,
    }
}

/// The sentence about a certification that ended or ends soon.
fn ending(all: &[Certification], today: Date) -> Option<(&'static str, String)> {
    let until = covered_until(all)?;
    let days = today.until(until).map(|span| span.get_days()).ok()?;
    let applying = if all.iter().any(|c| c.pending) {
        "申請中です。"
    } else {
        "更新の申請はまだありません。"
    };
    let on = day_short(until);
    match days {
        ..0 => Some((
            "error",
            format!("認定の有効期間が {on} に終わっています。{applying}"),
        )),
        0..=ENDS_SOON_DAYS => Some((
            "warn",
            format!("認定の有効期間は {on} までです（あと{days}日）。{applying}"),
        )),
        _ => None,
    }
}
