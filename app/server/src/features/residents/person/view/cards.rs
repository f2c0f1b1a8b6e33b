//! The cards side by side: household, insurance, certification, last consultations.

use jiff::civil::Date;
use store::ResidentId;

use super::{Tag, age, day_or_empty, day_short, period, sex};
use crate::features::residents::person::model::{
    Certification, Contact, Insurance, Member, Standing, standing,
};

/// One line of the household.
pub(in crate::features::residents::person) struct MemberWords {
    pub(in crate::features::residents::person) id: i64,
    pub(in crate::features::residents::person) is_self: bool,
    pub(in crate::features::residents::person) name: String,
    pub(in crate::features::residents::person) kana: String,
    pub(in crate::features::residents::person) about: String,
    pub(in crate::features::residents::person) relationship: String,
}

pub(in crate::features::residents::person) fn member(
    member: &Member,
    whose: ResidentId,
    today: Date,
) -> MemberWords {
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
pub(in crate::features::residents::person) struct InsuranceWords {
    pub(in crate::features::residents::person) insured_no: String,
    pub(in crate::features::residents::person) state: &'static str,
    pub(in crate::features::residents::person) css: &'static str,
    pub(in crate::features::residents::person) facts: Vec<(&'static str, String)>,
}

pub(in crate::features::residents::person) fn insurance(insurance: &Insurance) -> InsuranceWords {
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
pub(in crate::features::residents::person) struct CertificationWords {
    pub(in crate::features::residents::person) css: &'static str,
    pub(in crate::features::residents::person) state: &'static str,
    /// Nothing when nothing was ever decided.
    pub(in crate::features::residents::person) level: String,
    pub(in crate::features::residents::person) facts: Vec<(&'static str, String)>,
    /// 申請中, with kind and day.
    pub(in crate::features::residents::person) pending: Vec<String>,
    pub(in crate::features::residents::person) former: Vec<FormerWords>,
}

/// A decision that no longer counts.
pub(in crate::features::residents::person) struct FormerWords {
    pub(in crate::features::residents::person) level: String,
    pub(in crate::features::residents::person) period: String,
}

pub(in crate::features::residents::person) fn certification(
    all: &[Certification],
    today: Date,
) -> CertificationWords {
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

/// One of the last consultations.
pub(in crate::features::residents::person) struct ContactWords {
    pub(in crate::features::residents::person) id: i64,
    pub(in crate::features::residents::person) on: String,
    pub(in crate::features::residents::person) channel: String,
    pub(in crate::features::residents::person) categories: String,
    pub(in crate::features::residents::person) content: String,
    pub(in crate::features::residents::person) by: String,
    pub(in crate::features::residents::person) state: Tag,
    pub(in crate::features::residents::person) next: String,
    pub(in crate::features::residents::person) due: Option<Tag>,
}

pub(in crate::features::residents::person) fn contact(
    contact: &Contact,
    today: Date,
) -> ContactWords {
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
            (true, "", Some(_)) => "期限だけの予定".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn units_are_grouped_by_thousands() {
        assert_eq!(grouped(36_217), "36,217単位");
        assert_eq!(grouped(5_032), "5,032単位");
        assert_eq!(grouped(900), "900単位");
    }
}
