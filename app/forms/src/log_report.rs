//! A list of what was done, on A4: the access log, or the report for a 開示請求.
//!
//! Every cell is ready wording; columns bring their widths, so that one layout serves both.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::column::Column;
use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Input of [`log_report`].
#[derive(Clone, Serialize)]
pub struct LogReport {
    /// Heading of the first page.
    pub title: String,
    /// For the foot of every page.
    pub record_id: String,
    /// Label and value, above the list.
    pub facts: Vec<(String, String)>,
    /// Sentences below the facts.
    pub notes: Vec<String>,
    /// Left to right.
    pub columns: Vec<Column>,
    /// As many cells as columns.
    pub rows: Vec<Vec<String>>,
    /// Stated inside the PDF as its creation date.
    #[serde(skip)]
    pub printed_at: Timestamp,
    /// The same instant as words.
    pub printed_on: String,
    /// Who printed.
    pub printed_by: String,
}

/// The list is about people: `Debug` shows which one, not what it says.
impl fmt::Debug for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogReport")
            .field("record_id", &self.record_id)
            .finish_non_exhaustive()
    }
}

/// Draws the list as PDF; an empty one says so.
///
/// # Errors
/// [`FormError::TooLong`] over 300,000 characters; the others are faults of ours.
pub fn log_report(fonts: &Fonts, report: &LogReport) -> Result<Pdf, FormError> {
    draw(fonts, job(report)?)
}

pub(crate) fn job(report: &LogReport) -> Result<Job, FormError> {
    // The cause would quote the value it stumbled over, which is personal.
    let Ok(data) = serde_json::to_value(report) else {
        return Err(FormError::Input);
    };
    Ok(Job {
        layout: Layout {
            source: include_str!("typst/log_report.typ"),
            title: "アクセスログ",
        },
        data,
        identity: format!("log-report/{}", report.record_id),
        printed_at: report.printed_at,
    })
}
