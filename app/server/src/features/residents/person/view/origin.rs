//! Why the viewer sees this person although she is not, or not for long, of her centre.

use jiff::civil::Date;
use store::CentreId;

use super::{Warning, day_or_empty};
use crate::features::residents::person::model::{Grant, Opened, Transfer};

/// What stands above everything else: she came from another centre, went to one, or was given.
pub(in crate::features::residents::person) fn origin(
    opened: &Opened,
    own: Option<CentreId>,
    today: Date,
) -> Vec<Warning> {
    let mut lines: Vec<Warning> = opened.grants.iter().map(given).collect();
    let looks_after = own.is_none() || own == Some(opened.person.centre_id);
    let newest = opened.transfers.first();
    let lasts = |transfer: &&Transfer| transfer.readable_until.is_some_and(|day| day >= today);
    if looks_after {
        lines.extend(newest.filter(lasts).map(|transfer| came(transfer, own)));
    } else {
        let mut from_us = opened.transfers.iter().filter(|t| own == Some(t.from));
        lines.extend(from_us.find(lasts).map(|transfer| went(transfer, opened)));
    }
    lines
}

fn came(transfer: &Transfer, own: Option<CentreId>) -> Warning {
    let on = day_or_empty(transfer.on);
    let waits = !transfer.received && own == Some(transfer.to);
    Warning {
        css: if waits { "warn" } else { "info" },
        text: format!(
            "{}センターから引継ぎ（{on}）。{}",
            transfer.from_name,
            if waits {
                "まだ受領していません。"
            } else {
                ""
            }
        ),
        href: format!("/transfers/{}", transfer.id),
        link: "引継ぎ書を開く",
    }
}

fn went(transfer: &Transfer, opened: &Opened) -> Warning {
    let until = day_or_empty(transfer.readable_until);
    let rest = if opened.person.writable {
        format!("この画面は {until} まで残ります。")
    } else {
        format!("{until} まで閲覧のみできます。")
    };
    Warning {
        css: "warn",
        text: format!(
            "他センターへ移りました（{}から{}）。{rest}",
            day_or_empty(transfer.on),
            transfer.to_name
        ),
        href: format!("/transfers/{}", transfer.id),
        link: "引継ぎ書を開く",
    }
}

fn given(grant: &Grant) -> Warning {
    let kind = if grant.is_referral {
        "紹介"
    } else {
        "個別の指定"
    };
    let until = match grant.to {
        Some(day) => format!("{}まで", day_or_empty(Some(day))),
        None => "終了まで".to_owned(),
    };
    let reading = if grant.may_write {
        ""
    } else {
        "、閲覧のみ"
    };
    Warning {
        css: "info",
        text: format!(
            "{kind}により表示しています（{}から{until}{reading}）。理由：{}",
            day_or_empty(grant.from),
            grant.reason.reveal()
        ),
        href: String::new(),
        link: "",
    }
}
