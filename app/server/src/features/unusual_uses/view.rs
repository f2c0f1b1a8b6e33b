//! Findings in words.

use base::clock::japan;
use base::wareki::Wareki;
use jiff::Timestamp;
use jiff::civil::Date;
use store::{Operation, StaffId};

use super::model::{Finding, Kind, Person, Review, Thresholds, Use, User, is_reviewed};

pub(super) const fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Shielded => "支援措置の方の閲覧",
        Kind::ManyPersons => "短い時間に多くの方を閲覧",
        Kind::SameSurname => "同じ名字の方の閲覧",
        Kind::OutsideHours => "時間外の利用",
        Kind::OtherCentres => "ほかのセンターの方の照会",
        Kind::MassOutput => "大量の印刷・書き出し",
        Kind::Refusals => "断られた操作の繰り返し",
    }
}

/// One line of the list.
pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) login: String,
    pub(super) centre: String,
    pub(super) what: String,
    pub(super) href: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
}

pub(super) fn row(day: Date, finding: &Finding, users: &[User], reviews: &[Review]) -> Row {
    let user = users.iter().find(|user| user.id == finding.staff);
    let (css, state) = if is_reviewed(finding, reviews) {
        ("ok", "確認済み")
    } else {
        ("warn", "確認待ち")
    };
    Row {
        kind: label(finding.kind),
        name: name(user, finding.staff),
        login: user.map(|user| user.login.clone()).unwrap_or_default(),
        centre: centre(user),
        what: what(finding),
        href: href(day, finding),
        css,
        state,
    }
}

pub(super) fn href(day: Date, finding: &Finding) -> String {
    let (kind, staff) = (finding.kind.code(), finding.staff);
    format!("/unusual-uses/{day}/{kind}/{staff}")
}

pub(super) fn name(user: Option<&User>, id: StaffId) -> String {
    user.map_or_else(|| format!("職員番号 {id}"), |user| user.name.clone())
}

pub(super) fn centre(user: Option<&User>) -> String {
    let centre = user.and_then(|user| user.centre.clone());
    centre.unwrap_or_else(|| "市".to_owned())
}

fn what(finding: &Finding) -> String {
    let (entries, persons) = (finding.entries.len(), finding.persons);
    match finding.kind {
        Kind::ManyPersons => format!("最も多いときで{persons}人（この日の閲覧{entries}件）"),
        Kind::Shielded | Kind::SameSurname => format!("{persons}人、{entries}件"),
        Kind::OutsideHours | Kind::OtherCentres | Kind::MassOutput | Kind::Refusals => {
            format!("{entries}件")
        }
    }
}

/// From when on something counts, in one sentence.
pub(super) fn rule(limits: &Thresholds) -> String {
    let time = |time: jiff::civil::Time| format!("{}:{:02}", time.hour(), time.minute());
    let open = if limits.unconfirmed {
        "（未確認）"
    } else {
        ""
    };
    format!(
        "目安：{}分に{}人以上、{}から{}の外、照会1日{}件以上、印刷・書き出し1日{}件以上、断り1日{}件以上。{}{open}",
        limits.minutes,
        limits.persons,
        time(limits.opens_at),
        time(limits.closes_at),
        limits.inquiries,
        limits.outputs,
        limits.refusals,
        limits.source,
    )
}

/// One entry of a finding.
pub(super) struct EntryLine {
    pub(super) at: String,
    pub(super) operation: String,
    pub(super) person: String,
    pub(super) href: Option<String>,
    pub(super) outcome: &'static str,
}

pub(super) fn entry(one: &Use, persons: &[Person]) -> EntryLine {
    let named = persons.iter().find(|p| Some(p.id) == one.resident);
    let person = match (one.resident, named) {
        (_, Some(person)) => name_of(person),
        (Some(id), None) => format!("対象者番号 {id}"),
        (None, None) => "―".to_owned(),
    };
    let operation = Operation::from_code(&one.operation);
    EntryLine {
        at: moment(one.at),
        operation: operation.map_or_else(|| one.operation.clone(), |o| o.label().to_owned()),
        person,
        href: named.map(|person| format!("/residents/{}", person.id)),
        outcome: if one.refused { "断り" } else { "済み" },
    }
}

/// The name of somebody whom the viewer may see.
pub(super) fn name_of(person: &Person) -> String {
    person.name.reveal().to_owned()
}

/// A review as it is told.
pub(super) struct ReviewLine {
    pub(super) at: String,
    pub(super) by: String,
    pub(super) note: String,
}

pub(super) fn review(review: &Review) -> ReviewLine {
    let at = review.at.parse::<Timestamp>();
    ReviewLine {
        at: at.map_or_else(|_unread| review.at.clone(), moment),
        by: review.by.clone(),
        note: review.note.clone(),
    }
}

pub(super) fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_no_era| day.to_string(), Wareki::short)
}

fn moment(at: Timestamp) -> String {
    let local = japan().to_datetime(at);
    let day = day(local.date());
    format!("{day} {:02}:{:02}", local.hour(), local.minute())
}
