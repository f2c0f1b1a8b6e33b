//! Which moment somebody asks for, and where to look: read from an address or a form.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::openings::OpeningId;
use crate::features::residents::ShieldReason;
use crate::web::{Checked, FieldProblem, Fields};

/// What stands in the address of a comparison, and goes on in its forms.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// The instant; nothing: the newest former state.
    pub(super) at: Option<Timestamp>,
    /// In a copy of the past instead of in the record's own history.
    pub(super) opening: Option<OpeningId>,
    /// Why a shielded person's record is opened.
    pub(super) reason: Option<ShieldReason>,
    /// As typed, for the form.
    pub(super) on: String,
    pub(super) time: String,
    pub(super) problems: Vec<FieldProblem>,
}

impl Asked {
    /// What cannot be read is a problem of the form, and shows the newest former state meanwhile.
    pub(super) fn read(fields: &Fields, now: Timestamp) -> Self {
        let mut asked = Self {
            at: fields.trimmed("at").parse().ok(),
            opening: fields.trimmed("opening").parse().ok(),
            reason: ShieldReason::from_code(fields.trimmed("shield_reason")),
            on: fields.trimmed("on").to_owned(),
            time: fields.trimmed("time").to_owned(),
            problems: Vec::new(),
        };
        if asked.on.is_empty() && asked.time.is_empty() {
            return asked;
        }
        match typed(fields, now) {
            Ok(at) => asked.at = Some(at),
            Err(problems) => asked.problems = problems,
        }
        asked
    }

    /// As an address carries it on.
    pub(super) fn query(&self) -> String {
        let at = self.at.map(|at| format!("at={at:.6}"));
        let opening = self.opening.map(|id| format!("opening={id}"));
        let parts: Vec<String> = at.into_iter().chain(opening).collect();
        parts.join("&")
    }
}

/// A day and a time of the clock on the wall, as an instant that has come.
pub(super) fn typed(fields: &Fields, now: Timestamp) -> Result<Timestamp, Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let day = form.day("on", "日付");
    let time = form.time("time", "時刻");
    let at = day.zip(time).and_then(|(day, time)| instant(day, time));
    if at.is_some_and(|at| at > now) {
        form.bad("on", "これから先の時点は見られません。");
    }
    form.ended(at)
}

fn instant(day: Date, time: Time) -> Option<Timestamp> {
    base::clock::japan()
        .to_timestamp(day.to_datetime(time))
        .ok()
}
