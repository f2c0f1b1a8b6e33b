//! Rows of the feeds in words.

use std::collections::BTreeMap;

use base::secrecy::Note;

use super::history::{Row, text};
use super::household::Member;
use super::{Ended, InCharge};
use crate::features::former_states::PartRow;
use crate::features::imports::Feed;
use crate::web::days::day_short;

pub(super) const UNKNOWN: &str = "その時点の内容は、この記録の履歴からは分かりません（あとで取り消した取込みの間か、\
     履歴を廃棄した時期です）。バックアップの控えを開いて確かめてください。";
pub(super) const TOO_MANY: &str =
    "同じ世帯番号の方が60人を超えるため（施設など）、世帯は比べません。";
pub(super) const ABOUT_FEEDS: &str = "市の介護保険のデータを取り込んだものです。ここからは戻しません。\
     違っているときは、次の取込みで新しくなります。";
pub(super) const ABOUT_HOUSEHOLD: &str = "市の住民記録を取り込んだものです。ここからは戻しません。違っているときは、\
     次の取込みで新しくなります。氏名はいまのものです。この方の個人画面でいまのあなたに見えない方は、\
     どちらの列にも出ません。";
pub(super) const ABOUT_IN_CHARGE: &str =
    "担当はここからは戻しません。「担当を見る」の画面で決め直してください。";

/// Labels of codes, by list and code.
pub(super) type Labels = BTreeMap<(String, String), String>;

/// What a column holds.
#[derive(Clone, Copy)]
enum Holds {
    Text,
    Day,
    /// 0 or 1.
    Whether,
    Percent,
    Units,
    /// A code of this list.
    Code(&'static str),
}

use Holds::{Code, Day, Percent, Text, Units, Whether};

type Column = (&'static str, &'static str, Holds);

const INSURED: &[Column] = &[
    ("category", "被保険者区分", Code("insured_category")),
    ("acquired_on", "資格取得日", Day),
    ("acquired_reason", "資格取得事由", Text),
    ("lost_on", "資格喪失日", Day),
    ("lost_reason", "資格喪失事由", Text),
    ("applying", "認定申請中", Whether),
    ("copay_percent", "負担割合", Percent),
    ("on_welfare", "生活保護", Whether),
    ("domicile_exception", "住所地特例", Whether),
    ("facility_name", "住所地特例の施設", Text),
    ("card_issued_on", "被保険者証の交付日", Day),
    ("insurer_no", "保険者番号", Text),
];

const CERTIFICATION: &[Column] = &[
    ("state", "認定の状態", Code("certification_state")),
    ("level", "要介護状態区分", Code("care_level")),
    ("valid_from", "有効期間の始め", Day),
    ("valid_to", "有効期間の終わり", Day),
    ("decided_on", "認定日", Day),
    ("applied_on", "申請日", Day),
    ("application_kind", "申請区分", Code("application_kind")),
    ("limit_units", "支給限度", Units),
    ("bedridden_level", "寝たきり度", Text),
    ("dementia_level", "認知症自立度", Text),
    ("planner_kind", "計画作成区分", Code("planner_kind")),
    ("planner_office_no", "計画作成事業所番号", Text),
    ("notified_on", "届出日", Day),
];

fn facts(row: &Row, columns: &[Column], labels: &Labels) -> Vec<(&'static str, Note)> {
    let said = |(column, label, holds): &Column| {
        let stored = text(row, column);
        (*label, Note::from(worded(stored, *holds, labels)))
    };
    columns.iter().map(said).collect()
}

fn worded(stored: String, holds: Holds, labels: &Labels) -> String {
    match holds {
        _ if stored.is_empty() => stored,
        Text => stored,
        Day => day(stored),
        Whether => if stored == "1" { "はい" } else { "いいえ" }.to_owned(),
        Percent => format!("{stored}%"),
        Units => format!("{stored}単位"),
        Code(list) => {
            let label = labels.get(&(list.to_owned(), stored.clone()));
            label.cloned().unwrap_or(stored)
        }
    }
}

/// A stored day as staff read it; what is none stays as it is.
fn day(stored: String) -> String {
    stored.parse().map_or(stored, day_short)
}

/// One insured number.
pub(super) fn insured(row: &Row, labels: &Labels) -> PartRow {
    let number = text(row, "insured_no");
    PartRow {
        label: Note::from(format!("被保険者番号 {number}")),
        facts: facts(row, INSURED, labels),
        key: number,
    }
}

/// One application or decision.
pub(super) fn certification(row: &Row, insured_no: &str, labels: &Labels) -> PartRow {
    let history_no = text(row, "history_no");
    PartRow {
        key: format!("{insured_no}-{history_no}"),
        label: Note::from(format!("履歴番号{history_no}（{insured_no}）")),
        facts: facts(row, CERTIFICATION, labels),
    }
}

/// Somebody of the household.
pub(super) fn member(member: &Member) -> PartRow {
    let head = if member.is_head {
        "はい"
    } else {
        "いいえ"
    };
    PartRow {
        key: member.addressee_no.clone(),
        label: Note::from(member.name.reveal()),
        facts: vec![
            ("続柄", Note::from(member.relationship.as_str())),
            ("世帯主", Note::from(head)),
        ],
    }
}

/// Somebody in charge of her, and when that ended, as far as it was known.
pub(super) fn in_charge(one: &InCharge, ended: Option<&Ended>) -> PartRow {
    let part = if one.part == "main" {
        "主担当"
    } else {
        "副担当"
    };
    let last = ended.map_or_else(String::new, |ended| day(ended.ends_on.clone()));
    PartRow {
        key: format!("{} {} {}", one.login, one.part, one.at),
        label: Note::from(format!("{part} {}", one.staff)),
        facts: vec![
            ("最初の日", Note::from(day(one.starts_on.clone()))),
            ("最後の日", Note::from(last)),
            ("理由", one.reason.clone()),
        ],
    }
}

/// What a feed is called among the moments of a person.
pub(super) fn feed(feed: Feed) -> &'static str {
    match feed {
        Feed::Residents => "住民記録",
        Feed::Households => "世帯",
        Feed::Insured => "介護保険の資格",
        Feed::Certifications => "要介護認定",
        Feed::Consultations => "相談記録",
    }
}
