//! What happened, in words.

use base::secrecy::Note;

use super::{Tag, day_short, period, phone_grouped};
use crate::features::imports::{field_label, kind_label};
use crate::features::residents::person::timeline::{Happening, Timeline, What};

/// One page of the timeline.
pub(in crate::features::residents::person) struct TimelineWords {
    pub(in crate::features::residents::person) rows: Vec<HappeningWords>,
    pub(in crate::features::residents::person) total: i64,
    pub(in crate::features::residents::person) page: i64,
    pub(in crate::features::residents::person) last: i64,
    pub(in crate::features::residents::person) newer: Option<i64>,
    pub(in crate::features::residents::person) older: Option<i64>,
}

/// One thing that happened.
pub(in crate::features::residents::person) struct HappeningWords {
    pub(in crate::features::residents::person) on: String,
    pub(in crate::features::residents::person) tag: Tag,
    pub(in crate::features::residents::person) title: String,
    /// Where more of it stands, or nothing.
    pub(in crate::features::residents::person) href: String,
    pub(in crate::features::residents::person) text: String,
    pub(in crate::features::residents::person) by: String,
}

pub(in crate::features::residents::person) fn timeline(timeline: &Timeline) -> TimelineWords {
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
    let (tag, title, text) = match &happening.what {
        What::Consultation {
            channel,
            content,
            outcome,
            withdrawn,
            ..
        } => {
            let outcome = if *withdrawn { "取下げ" } else { outcome };
            let title = format!("{channel}（{outcome}）");
            (("info", "相談"), title, content.reveal().to_owned())
        }
        What::Certification {
            application,
            level,
            from,
            to,
        } => {
            let title = if level.is_empty() { "申請中" } else { level };
            let text = format!("{application} {}", period(*from, *to));
            (("ok", "認定"), title.to_owned(), text)
        }
        What::Change {
            kind,
            fields,
            confirmed,
        } => {
            let waits = !confirmed && kind != "new";
            let css = if waits { "warn" } else { "" };
            let title = change_title(kind, *confirmed);
            ((css, "住民記録"), title, changed_fields(fields))
        }
        What::Correction {
            field,
            value,
            register,
            reason,
        } => {
            let (value, register) = (value_shown(field, value), value_shown(field, register));
            let text = format!("{value}（住民記録：{register}）\n理由：{}", reason.reveal());
            (("", "訂正"), correction_label(field).to_owned(), text)
        }
        What::CorrectionEnd {
            field,
            value,
            reason,
        } => {
            let text = format!("{}\n理由：{}", value_shown(field, value), reason.reveal());
            let title = format!("{}の訂正を終了", correction_label(field));
            (("", "訂正"), title, text)
        }
    };
    let (css, label) = tag;
    HappeningWords {
        on: happening
            .day
            .map_or_else(|| "日付なし".to_owned(), day_short),
        tag: Tag {
            css,
            label: label.to_owned(),
        },
        title,
        href: match happening.what {
            What::Consultation { id, .. } => format!("/consultations/{id}"),
            What::Certification { .. }
            | What::Change { .. }
            | What::Correction { .. }
            | What::CorrectionEnd { .. } => String::new(),
        },
        text,
        by: happening.by.clone(),
    }
}

fn value_shown(field: &str, value: &Note) -> String {
    match (field, value.reveal()) {
        (_, "") => "空欄".to_owned(),
        ("phone", value) => phone_grouped(value),
        (_, value) => value.to_owned(),
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
