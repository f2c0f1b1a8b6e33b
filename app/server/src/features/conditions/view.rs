//! Conditions → words.

use base::machine::{Condition, Grade};
use jiff::Timestamp;

use crate::web::banner::moment;

/// One matter.
pub(super) struct Line {
    pub(super) matter: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    pub(super) text: String,
    pub(super) at: String,
    pub(super) runbook: &'static str,
}

/// What the kernel says is seen when the page is made.
pub(super) fn line(condition: Condition, now: Timestamp) -> Line {
    let css = match condition.grade {
        Grade::Sound => "ok",
        Grade::Unclear => "",
        Grade::Notice => "warn",
        Grade::Bad => "error",
    };
    Line {
        matter: condition.matter,
        css,
        state: condition.grade.label(),
        text: condition.text,
        at: moment(&condition.at.unwrap_or(now).to_string()),
        runbook: condition.runbook.map_or("", |page| page.stem()),
    }
}

/// The line on paper.
pub(super) fn cells(line: Line) -> Vec<String> {
    vec![
        line.matter,
        line.state.to_owned(),
        line.text,
        line.at,
        line.runbook.to_owned(),
    ]
}
