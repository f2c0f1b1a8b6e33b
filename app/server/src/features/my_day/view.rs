//! What waits → words.

use base::wareki::Wareki;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::model::{Change, Day, Draft, Waiting};
use crate::features::approvals;
use crate::features::case_grants::Given;
use crate::web::days::moment;

/// So much of a record's content tells what it was about.
const CONTENT_CHARS: usize = 40;

/// One number on top.
pub(super) struct Counter {
    pub(super) css: &'static str,
    pub(super) number: i64,
    pub(super) label: String,
    pub(super) href: &'static str,
}

/// The counters; what is zero is left out.
pub(super) fn counters(day: &Day, may_correct: bool, may_receive: bool) -> Vec<Counter> {
    let one = |css, number, label: &str, href| Counter {
        css,
        number,
        label: label.to_owned(),
        href,
    };
    let [to_decide, own] = approvals(&day.approvals);
    let changes = if may_correct { "/changes" } else { "" };
    [
        one("error", day.incidents, "対応中の事故", "/incidents"),
        to_decide,
        one(
            "error",
            day.abuse_due,
            "虐待対応の確認・評価",
            "/abuse-cases",
        ),
        one(
            "error",
            day.overdue,
            "期限を過ぎた予定",
            "/consultations?due=overdue",
        ),
        one(
            "warn",
            day.due_today,
            "今日が期限",
            "/consultations?due=today",
        ),
        one(
            "info",
            day.open,
            "自分の対応中の相談",
            "/consultations?mine=1&open=1",
        ),
        one("info", day.assigned, "担当の方", "/assignments"),
        one(
            "warn",
            if may_receive { day.transfers } else { 0 },
            "引継ぎの受領",
            "/transfers",
        ),
        one("warn", day.changes, "住民の異動の確認", changes),
        one("warn", day.conflicts, "食い違いの判断", changes),
        one(
            "error",
            day.carried_out_overdue,
            "期限を過ぎた持出し",
            "/carried-out?state=overdue",
        ),
        one(
            "error",
            day.inspections_overdue,
            "個人情報の点検・是正の期限切れ",
            "/inspections",
        ),
        one(
            "warn",
            day.ending_30,
            "認定の終わりまで30日以内",
            "/residents?ending=30",
        ),
        one(
            "info",
            day.ending_60,
            "認定の終わりまで60日以内",
            "/residents?ending=60",
        ),
        own,
    ]
    .into_iter()
    .filter(|counter| counter.number > 0)
    .collect()
}

/// What a second person is asked for, with the day of the oldest request; and what others have not
/// decided yet.
pub(super) fn approvals(waiting: &approvals::Waiting) -> [Counter; 2] {
    let oldest = waiting.oldest.as_deref().map(moment);
    let since = oldest.and_then(|at| at.split(' ').next().map(str::to_owned));
    let since = since.map_or_else(String::new, |day| format!("（最も古い依頼 {day}）"));
    [
        Counter {
            css: "warn",
            number: waiting.count,
            label: format!("承認待ち{since}"),
            href: "/approvals",
        },
        Counter {
            css: "info",
            number: waiting.own,
            label: "自分の依頼の決定待ち".to_owned(),
            href: "/approvals/own",
        },
    ]
}

/// A consultation in a list of the day.
pub(super) struct WaitingWords {
    pub(super) id: i64,
    pub(super) received_on: String,
    pub(super) who: String,
    pub(super) urgency_css: &'static str,
    pub(super) urgency: String,
    pub(super) what: String,
    pub(super) due_css: &'static str,
    pub(super) due: String,
    pub(super) due_on: String,
    pub(super) mine: &'static str,
}

pub(super) fn waiting(row: &Waiting, today: Date) -> WaitingWords {
    let (due_css, due) = row
        .due_on
        .map_or(("", String::new()), |day| due(day, today));
    WaitingWords {
        id: row.id,
        received_on: row
            .received_on
            .parse()
            .map_or_else(|_| row.received_on.clone(), short),
        who: who(row),
        urgency_css: match row.urgency.as_str() {
            "A" => "error solid",
            "B" => "warn",
            _ => "",
        },
        urgency: row.urgency_label.clone(),
        what: what(row),
        due_css,
        due,
        due_on: row.due_on.map(short).unwrap_or_default(),
        mine: match (row.is_mine, row.in_charge) {
            (true, _) => "自分",
            (false, true) => "担当の方",
            (false, false) => "センター",
        },
    }
}

fn who(row: &Waiting) -> String {
    match (&row.name, row.identified, row.told.reveal()) {
        (Some(name), ..) => name.reveal().to_owned(),
        (None, true, _) => "担当の範囲外の方".to_owned(),
        (None, false, "") => "不明".to_owned(),
        (None, false, told) => format!("{told}（未特定）"),
    }
}

/// The old system delivers a day and no action: then what the talk was about says more than nothing.
fn what(row: &Waiting) -> String {
    if !row.what.is_empty() {
        return row.what.clone();
    }
    let first = row.content.reveal().lines().next().unwrap_or_default();
    let short: String = first.chars().take(CONTENT_CHARS).collect();
    let more = if short.len() < first.len() { "…" } else { "" };
    format!("（相談の内容）{short}{more}")
}

fn due(day: Date, today: Date) -> (&'static str, String) {
    let days = today
        .until(day)
        .map(|span| span.get_days())
        .unwrap_or_default();
    match days {
        ..0 => ("error solid", format!("{}日超過", -days)),
        0 => ("warn", "今日".to_owned()),
        _ => ("", format!("あと{days}日")),
    }
}

fn short(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

/// A change of the register.
pub(super) struct ChangeWords {
    pub(super) resident_id: i64,
    pub(super) name: String,
    pub(super) kind: &'static str,
}

pub(super) fn change(change: &Change) -> ChangeWords {
    ChangeWords {
        resident_id: change.resident_id,
        name: change.name.reveal().to_owned(),
        kind: match change.kind.as_str() {
            "moved" => "転居",
            "died" => "死亡",
            "left" => "転出など",
            _ => "変更",
        },
    }
}

/// A draft to go on with.
pub(super) struct DraftWords {
    pub(super) saved_at: String,
    pub(super) what: &'static str,
    pub(super) href: String,
}

pub(super) fn draft(draft: &Draft) -> DraftWords {
    let saved_at = draft.saved_at.parse::<Timestamp>().map_or_else(
        |_| String::new(),
        |at| {
            let local = base::clock::japan().to_datetime(at);
            format!(
                "{} {:02}:{:02}",
                short(local.date()),
                local.hour(),
                local.minute()
            )
        },
    );
    DraftWords {
        saved_at,
        what: if draft.form.starts_with("/transfers/") {
            "引継ぎ内容"
        } else if draft.form.ends_with("/edit") {
            "相談の訂正"
        } else {
            "新しい相談"
        },
        href: draft.form.clone(),
    }
}

/// So many days a referral counts as new.
const NEW_DAYS: i64 = 7;

/// A person who was referred or named to the viewer.
pub(super) struct GivenWords {
    pub(super) resident_id: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) centre: String,
    pub(super) since: String,
    pub(super) why: String,
    pub(super) is_new: bool,
}

pub(super) fn given(given: &Given, today: Date) -> GivenWords {
    let new_since = today.checked_sub(NEW_DAYS.days()).unwrap_or(today);
    let kind = if given.is_referral {
        "紹介"
    } else {
        "個別の指定"
    };
    GivenWords {
        resident_id: given.resident.0,
        name: given.name.reveal().to_owned(),
        kana: given.kana.reveal().to_owned(),
        centre: given.centre.clone(),
        since: short(given.starts_on),
        why: format!("{kind}：{}", given.reason.reveal()),
        is_new: given.starts_on > new_since,
    }
}
