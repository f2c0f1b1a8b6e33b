//! A person in words.

use base::clock::japan;
use base::number::postal_code_shown;
use base::secrecy::{Kana, PersonName};
use base::wareki::{Wareki, age_on};
use jiff::Timestamp;
use jiff::civil::Date;
use store::ResidentId;

use super::model::{
    Certification, Contact, Correction, ENDS_SOON_DAYS, Insurance, Member, Opened, Person,
    ShieldReason, Standing, covered_until, standing,
};
use super::timeline::{Happening, Timeline, What};
use crate::features::imports::{field_label, kind_label};

/// 昭和12年3月4日.
fn day_long(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::long)
}

/// R8.11.24.
fn day_short(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

fn day_or_empty(day: Option<Date>) -> String {
    day.map(day_short).unwrap_or_default()
}

/// R8.11.24 16:40, from a stored instant.
pub(in crate::features::residents) fn moment(stored: &str) -> String {
    let Ok(at) = stored.parse::<Timestamp>() else {
        return stored.to_owned();
    };
    let local = japan().to_datetime(at);
    let day = day_short(local.date());
    format!("{day} {:02}:{:02}", local.hour(), local.minute())
}

/// A telephone number in groups: `0484610000` becomes `048-461-0000`. What was delivered with
/// its groups, or is no number, stays as it is.
pub(in crate::features::residents) fn phone_grouped(stored: &str) -> String {
    let digits = stored.bytes().all(|byte| byte.is_ascii_digit());
    let (first, second) = match (stored.len(), stored.get(..2), stored.get(..4)) {
        (11, _, Some("0800")) => (4, 7),
        (11, ..) => (3, 7),
        (10, _, Some("0120" | "0570")) => (4, 7),
        (10, Some("03" | "06"), _) => (2, 6),
        (10, ..) => (3, 6),
        _ => return stored.to_owned(),
    };
    let parts = (
        stored.get(..first),
        stored.get(first..second),
        stored.get(second..),
    );
    match parts {
        (Some(area), Some(office), Some(line)) if digits => format!("{area}-{office}-{line}"),
        _ => stored.to_owned(),
    }
}

fn sex(code: &str) -> &'static str {
    match code {
        "1" => "男性",
        "2" => "女性",
        _ => "性別不明",
    }
}

fn age(born_on: Option<Date>, on: Date) -> String {
    born_on
        .and_then(|born| age_on(born, on))
        .map_or_else(|| "年齢不明".to_owned(), |age| format!("{age}歳"))
}

/// A choice of a list.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) label: &'static str,
    pub(super) selected: bool,
}

pub(super) fn reasons() -> Vec<Choice> {
    ShieldReason::ALL
        .iter()
        .map(|reason| Choice {
            value: reason.code(),
            label: reason.label(),
            selected: false,
        })
        .collect()
}

/// A value that staff may correct; `note` says that they did.
pub(super) struct Shown {
    pub(super) field: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) note: Option<Note>,
}

/// What the register says beside a correction, and who typed it when and why.
pub(super) struct Note {
    pub(super) register: String,
    pub(super) by: String,
    pub(super) at: String,
    pub(super) reason: String,
}

/// The top of the page.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) kana: Shown,
    pub(super) other_names: Vec<String>,
    pub(super) age: String,
    pub(super) sex: &'static str,
    pub(super) born: String,
    pub(super) area: String,
    pub(super) postal_code: String,
    pub(super) address: Shown,
    pub(super) phone: Shown,
    pub(super) centre: String,
    pub(super) centre_phone: String,
    pub(super) insured_no: String,
    pub(super) addressee_no: String,
    pub(super) household_no: String,
}

pub(super) fn head(opened: &Opened, today: Date) -> Head {
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
        insured_no: insured.map_or_else(String::new, |insured| insured.insured_no.clone()),
        addressee_no: person.addressee_no.clone(),
        household_no: person.household_no.clone(),
    }
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
pub(super) struct Warning {
    pub(super) css: &'static str,
    pub(super) text: String,
    /// Where to act on it, or nothing.
    pub(super) href: &'static str,
    pub(super) link: &'static str,
}

pub(super) fn warnings(opened: &Opened, today: Date, may_correct: bool) -> Vec<Warning> {
    let person = &opened.person;
    let one = |css, text| Warning {
        css,
        text,
        href: "",
        link: "",
    };
    let to_changes = |css, text| Warning {
        css,
        text,
        href: if may_correct { "/changes" } else { "" },
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

/// One line of the household.
pub(super) struct MemberWords {
    pub(super) id: i64,
    pub(super) is_self: bool,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) about: String,
    pub(super) relationship: String,
}

pub(super) fn member(member: &Member, whose: ResidentId, today: Date) -> MemberWords {
    let head = if member.is_head && member.relationship != "世帯主" {
        "世帯主"
    } else {
        ""
    };
    MemberWords {
        id: member.id.0,
        is_self: member.id == whose,
        name: member.name.reveal().to_owned(),
        kana: member.kana.reveal().to_owned(),
        about: format!("{}・{}", age(member.born_on, today), sex(&member.sex)),
        relationship: [head, member.relationship.as_str()]
            .join(" ")
            .trim()
            .to_owned(),
    }
}

/// One insured number.
pub(super) struct InsuranceWords {
    pub(super) insured_no: String,
    pub(super) state: &'static str,
    pub(super) css: &'static str,
    pub(super) facts: Vec<(&'static str, String)>,
}

pub(super) fn insurance(insurance: &Insurance) -> InsuranceWords {
    let (css, state) = match (insurance.lost_on, insurance.applying) {
        (Some(_), _) => ("warn", "資格喪失"),
        (None, true) => ("info", "認定申請中"),
        (None, false) => ("ok", "資格あり"),
    };
    let exception = if insurance.facility_name.is_empty() {
        "対象".to_owned()
    } else {
        format!("対象（{}）", insurance.facility_name)
    };
    let copay = match insurance.copay_percent {
        Some(percent) if percent % 10 == 0 => format!("{}割", percent / 10),
        Some(percent) => format!("{percent}%"),
        None => "未設定".to_owned(),
    };
    let facts = [
        ("被保険者区分", insurance.category.clone()),
        ("資格取得日", day_or_empty(insurance.acquired_on)),
        ("資格喪失日", day_or_empty(insurance.lost_on)),
        ("負担割合", copay),
        ("生活保護", given(insurance.on_welfare, "受けている")),
        (
            "住所地特例",
            given(insurance.domicile_exception, &exception),
        ),
        ("保険者番号", insurance.insurer_no.clone()),
    ];
    InsuranceWords {
        insured_no: insurance.insured_no.clone(),
        state,
        css,
        facts: facts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .collect(),
    }
}

fn given(is: bool, words: &str) -> String {
    if is { words } else { "なし" }.to_owned()
}

/// The certification card.
pub(super) struct CertificationWords {
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    /// Nothing when nothing was ever decided.
    pub(super) level: String,
    pub(super) facts: Vec<(&'static str, String)>,
    /// 申請中, with kind and day.
    pub(super) pending: Vec<String>,
    pub(super) former: Vec<FormerWords>,
}

/// A decision that no longer counts.
pub(super) struct FormerWords {
    pub(super) level: String,
    pub(super) period: String,
}

pub(super) fn certification(all: &[Certification], today: Date) -> CertificationWords {
    let standing = standing(all, today);
    let (css, state, at) = match standing {
        Standing::Holds(at) => ("ok", "有効", Some(at)),
        Standing::Without(at) => {
            let last = all.get(at);
            let gives = last.is_some_and(Certification::gives_care);
            let later = last.and_then(|c| c.from).is_some_and(|from| from > today);
            match (gives, later) {
                (false, _) => ("", "非該当", Some(at)),
                (true, true) => ("info", "これから", Some(at)),
                (true, false) => ("error", "期限切れ", Some(at)),
            }
        }
        Standing::Never => ("", "認定なし", None),
    };
    let current = at.and_then(|at| all.get(at));
    let decided = all
        .iter()
        .enumerate()
        .filter(|(place, c)| !c.pending && Some(*place) != at);
    CertificationWords {
        css,
        state,
        level: current.map_or_else(String::new, |c| c.level_label.clone()),
        facts: current.map_or_else(Vec::new, facts),
        pending: all
            .iter()
            .filter(|c| c.pending)
            .map(|c| format!("{} 申請日 {}", c.application, day_or_empty(c.applied_on)))
            .collect(),
        former: decided
            .map(|(_, c)| FormerWords {
                level: c.level_label.clone(),
                period: period(c.from, c.to),
            })
            .collect(),
    }
}

fn facts(c: &Certification) -> Vec<(&'static str, String)> {
    let limit = c.limit_units.map(grouped).unwrap_or_default();
    [
        ("有効期間", period(c.from, c.to)),
        ("認定日", day_or_empty(c.decided_on)),
        (
            "申請",
            [c.application.as_str(), &day_or_empty(c.applied_on)].join(" "),
        ),
        ("支給限度", limit),
        ("寝たきり度", c.bedridden.clone()),
        ("認知症", c.dementia.clone()),
    ]
    .into_iter()
    .filter(|(_, text)| !text.trim().is_empty())
    .collect()
}

/// 36,217単位.
fn grouped(units: i64) -> String {
    match (units / 1000, units % 1000) {
        (0, rest) => format!("{rest}単位"),
        (thousands, rest) => format!("{thousands},{rest:03}単位"),
    }
}

fn period(from: Option<Date>, to: Option<Date>) -> String {
    match (from, to) {
        (None, None) => String::new(),
        (from, to) => format!("{}～{}", day_or_empty(from), day_or_empty(to)),
    }
}

/// A coloured word.
pub(super) struct Tag {
    pub(super) css: &'static str,
    pub(super) label: String,
}

/// One of the last consultations.
pub(super) struct ContactWords {
    pub(super) id: i64,
    pub(super) on: String,
    pub(super) channel: String,
    pub(super) categories: String,
    pub(super) content: String,
    pub(super) by: String,
    pub(super) state: Tag,
    pub(super) next: String,
    pub(super) due: Option<Tag>,
}

pub(super) fn contact(contact: &Contact, today: Date) -> ContactWords {
    let open = !contact.followed_up;
    let due = contact.next_due_on.filter(|_| open);
    let next = contact.next_action.reveal();
    ContactWords {
        id: contact.id,
        on: day_or_empty(contact.received_on),
        channel: contact.channel.clone(),
        categories: contact.categories.clone(),
        content: contact.content.reveal().to_owned(),
        by: contact.by.clone(),
        state: state(&contact.outcome, contact.closed),
        next: match (open, next, contact.next_due_on) {
            (false, ..) | (true, "", None) => String::new(),
            (true, "", Some(_)) => "次にすること".to_owned(),
            (true, next, _) => next.to_owned(),
        },
        due: due.map(|day| due_tag(day, today)),
    }
}

fn state(outcome: &str, closed: bool) -> Tag {
    Tag {
        css: if closed { "ok" } else { "info" },
        label: if closed {
            outcome.to_owned()
        } else {
            "対応中".to_owned()
        },
    }
}

fn due_tag(day: Date, today: Date) -> Tag {
    let days = today.until(day).map_or(0, |span| span.get_days());
    let on = day_short(day);
    let (css, label) = match days {
        ..0 => ("error solid", format!("{on}（{}日超過）", -days)),
        0 => ("warn", format!("{on}（今日）")),
        _ => ("", format!("{on}（あと{days}日）")),
    };
    Tag { css, label }
}

/// One page of the timeline.
pub(super) struct TimelineWords {
    pub(super) rows: Vec<HappeningWords>,
    pub(super) total: i64,
    pub(super) page: i64,
    pub(super) last: i64,
    pub(super) newer: Option<i64>,
    pub(super) older: Option<i64>,
}

/// One thing that happened.
pub(super) struct HappeningWords {
    pub(super) on: String,
    pub(super) tag: Tag,
    pub(super) title: String,
    /// Where more of it stands, or nothing.
    pub(super) href: String,
    pub(super) text: String,
    pub(super) by: String,
}

pub(super) fn timeline(timeline: &Timeline) -> TimelineWords {
    let (page, last) = (timeline.page, timeline.last_page());
    TimelineWords {
        rows: timeline.rows.iter().map(happening).collect(),
        total: timeline.total,
        page,
        last,
        newer: (page > 1).then(|| page - 1),
        older: (page < last).then(|| page + 1),
    }
}

fn happening(happening: &Happening) -> HappeningWords {
    let (css, tag, title, href, text) = match &happening.what {
        What::Consultation {
            id,
            channel,
            content,
            outcome,
            withdrawn,
        } => {
            let outcome = if *withdrawn { "取下げ" } else { outcome };
            (
                "info",
                "相談",
                format!("{channel}（{outcome}）"),
                format!("/consultations/{id}"),
                content.reveal().to_owned(),
            )
        }
        What::Certification {
            application,
            level,
            from,
            to,
        } => {
            let title = if level.is_empty() { "申請中" } else { level };
            let text = format!("{application} {}", period(*from, *to));
            ("ok", "認定", title.to_owned(), String::new(), text)
        }
        What::Change {
            kind,
            fields,
            confirmed,
        } => (
            "warn",
            "住民記録",
            change_title(kind, *confirmed),
            String::new(),
            changed_fields(fields),
        ),
        What::Correction {
            field,
            value,
            register,
            reason,
        } => {
            let register = register.reveal();
            let register = if register.is_empty() {
                "空欄"
            } else {
                register
            };
            let words = format!(
                "{}（住民記録：{register}）\n理由：{}",
                value.reveal(),
                reason.reveal()
            );
            (
                "",
                "訂正",
                correction_label(field).to_owned(),
                String::new(),
                words,
            )
        }
        What::CorrectionEnd {
            field,
            value,
            reason,
        } => {
            let words = format!("{}\n理由：{}", value.reveal(), reason.reveal());
            let title = format!("{}の訂正を終了", correction_label(field));
            ("", "訂正", title, String::new(), words)
        }
    };
    HappeningWords {
        on: happening
            .day
            .map_or_else(|| "日付なし".to_owned(), day_short),
        tag: Tag {
            css,
            label: tag.to_owned(),
        },
        title,
        href,
        text,
        by: happening.by.clone(),
    }
}

fn change_title(kind: &str, confirmed: bool) -> String {
    match (kind, confirmed) {
        ("new", _) => "住民記録に載りました".to_owned(),
        (kind, true) => format!("{}（確認済み）", kind_label(kind)),
        (kind, false) => format!("{}（未確認）", kind_label(kind)),
    }
}

fn changed_fields(fields: &str) -> String {
    let mut labels: Vec<&str> = fields
        .split(',')
        .filter(|name| !name.is_empty())
        .map(field_label)
        .collect();
    labels.dedup();
    labels.join("、")
}

fn correction_label(field: &str) -> &'static str {
    match field {
        "kana" => "氏名カナ",
        "phone" => "電話番号",
        "address" => "住所",
        _ => "担当センター",
    }
}

#[cfg(test)]
mod tests {
    use super::{grouped, phone_grouped};

    #[test]
    fn a_telephone_number_is_read_in_groups() {
        for (stored, shown) in [
            ("0484610000", "048-461-0000"),
            ("0300001111", "03-0000-1111"),
            ("09000001111", "090-0000-1111"),
            ("0120000111", "0120-000-111"),
            ("08000001111", "0800-000-1111"),
            ("048-461-0000", "048-461-0000"),
            ("", ""),
            ("なし（携帯）", "なし（携帯）"),
            ("0484610000x", "0484610000x"),
        ] {
            assert_eq!(phone_grouped(stored), shown, "{stored}");
        }
    }

    #[test]
    fn units_are_grouped_by_thousands() {
        assert_eq!(grouped(36_217), "36,217単位");
        assert_eq!(grouped(5_032), "5,032単位");
        assert_eq!(grouped(900), "900単位");
    }
}
