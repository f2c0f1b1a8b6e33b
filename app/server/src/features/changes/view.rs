//! Words for changes and conflicts.

use base::clock::japan;
use base::wareki::Wareki;
use jiff::Timestamp;
use jiff::civil::Date;

use super::model::{Change, Conflict, Earlier};
use crate::features::imports::{field_label, kind_label};

pub(super) struct ChangeLine {
    pub(super) id: i64,
    pub(super) resident: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) born: String,
    pub(super) kind: &'static str,
    pub(super) css: &'static str,
    pub(super) fields: String,
    pub(super) at: String,
}

pub(super) fn change(change: &Change) -> ChangeLine {
    let mut fields: Vec<&str> = change
        .fields
        .split(',')
        .filter(|name| !name.is_empty())
        .map(field_label)
        .collect();
    fields.dedup();
    ChangeLine {
        id: change.id.0,
        resident: change.resident.0,
        name: change.name.reveal().to_owned(),
        kana: change.kana.reveal().to_owned(),
        born: day(&change.born_on),
        kind: kind_label(&change.kind),
        css: match change.kind.as_str() {
            "died" => "error",
            "moved" | "left" => "warn",
            _ => "info",
        },
        fields: fields.join("、"),
        at: time(&change.applied_at),
    }
}

pub(super) struct ConflictLine {
    pub(super) id: i64,
    pub(super) resident: i64,
    pub(super) name: String,
    pub(super) field: &'static str,
    pub(super) typed: String,
    pub(super) register: String,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) at: String,
}

pub(super) fn conflict(conflict: &Conflict) -> ConflictLine {
    ConflictLine {
        id: conflict.id.0,
        resident: conflict.resident.0,
        name: conflict.name.reveal().to_owned(),
        field: match conflict.field.as_str() {
            "kana" => "氏名カナ",
            "phone" => "電話番号",
            "address" => "住所",
            _ => "担当センター",
        },
        typed: conflict.typed.reveal().to_owned(),
        register: conflict.register.reveal().to_owned(),
        reason: conflict.reason.reveal().to_owned(),
        by: conflict.by.clone(),
        at: time(&conflict.at),
    }
}

/// What somebody else did first, as a sentence.
pub(super) fn earlier(earlier: &Earlier) -> String {
    let what = match earlier.decision.as_str() {
        "keep" => "「職員の値を残す」と判断しました",
        "register" => "「住民記録の値にする」と判断しました",
        _ => "確認しました",
    };
    format!("{}さんが {} に{what}。", earlier.by, time(&earlier.at))
}

fn day(iso: &str) -> String {
    let day: Option<Date> = iso.parse().ok();
    day.and_then(|day| Wareki::from_date(day).ok())
        .map_or_else(|| iso.to_owned(), Wareki::short)
}

fn time(at: &str) -> String {
    let Ok(at) = at.parse::<Timestamp>() else {
        return at.to_owned();
    };
    let local = japan().to_datetime(at);
    format!(
        "{} {:02}:{:02}",
        day(&local.date().to_string()),
        local.hour(),
        local.minute()
    )
}
