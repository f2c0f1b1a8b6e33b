//! Requests in words.

use jiff::civil::Date;

use super::eligible::kind_of;
use super::model::{Approval, State};
use crate::web::days::{day_short, moment};

/// One request in a list and on its page.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) label: &'static str,
    pub(super) summary: String,
    pub(super) reason: String,
    pub(super) asked: String,
    pub(super) until: String,
    pub(super) late: bool,
    pub(super) state: &'static str,
    pub(super) css: &'static str,
    pub(super) decided: String,
    pub(super) decided_reason: String,
}

impl Row {
    /// Old, new, day: one under the other.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.summary.split('／').collect()
    }
}

pub(super) fn row(approval: &Approval, today: Date) -> Row {
    let (state, css) = words(approval, today);
    let decision = approval.decision.as_ref();
    let decided = decision.map(|d| format!("{} {}", moment(&d.at), d.by_name));
    Row {
        id: approval.id.0,
        label: kind_of(&approval.kind).map_or("（この版にない種類）", |kind| kind.label),
        summary: approval.summary.clone(),
        reason: approval.reason.clone(),
        asked: format!("{} {}", moment(&approval.at), approval.by_name),
        until: day_short(approval.expires_on),
        late: approval.is_late(today),
        state,
        css,
        decided: decided.unwrap_or_default(),
        decided_reason: decision.map(|d| d.reason.clone()).unwrap_or_default(),
    }
}

/// What worked already was looked at, or stopped.
fn words(approval: &Approval, today: Date) -> (&'static str, &'static str) {
    let state = approval.state(today);
    if approval.urgent && state == State::Approved {
        ("確認済み", "ok")
    } else if approval.urgent && state == State::Refused {
        ("不適切・停止", "bad")
    } else {
        state.words()
    }
}
