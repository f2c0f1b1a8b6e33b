//! 一覧表: a report of ruled tables with a title, its day and who printed it.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::column::Column;
use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Everything a report prints, in words.
#[derive(Clone, Serialize)]
pub struct TableReport {
    /// What it is called.
    pub title: String,
    /// Names the document at the foot and for good.
    pub record_id: String,
    /// One line under the title, e.g. the day it speaks about.
    pub about: String,
    /// When it was printed, for the file.
    #[serde(skip)]
    pub printed_at: Timestamp,
    /// When it was printed, in words.
    pub printed_on: String,
    /// Who printed it.
    pub printed_by: String,
    /// The tables.
    pub sections: Vec<Section>,
}

/// One table.
#[derive(Clone, Serialize)]
pub struct Section {
    /// What stands above it.
    pub heading: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Rows of as many cells; none prints 該当なし.
    pub rows: Vec<Vec<String>>,
}

/// Rows name people: `Debug` shows which report, not what it says.
impl fmt::Debug for TableReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableReport")
            .field("record_id", &self.record_id)
            .finish_non_exhaustive()
    }
}

/// Draws a report as PDF.
///
/// # Errors
/// [`FormError::TooLong`] over 300,000 characters; the others are faults of ours.
pub fn table_report(fonts: &Fonts, report: &TableReport) -> Result<Pdf, FormError> {
    draw(fonts, job(report)?)
}

pub(crate) fn job(report: &TableReport) -> Result<Job, FormError> {
    // The cause would quote the value it stumbled over.
    let Ok(data) = serde_json::to_value(report) else {
        return Err(FormError::Input);
    };
    Ok(Job {
        layout: Layout {
            source: include_str!("typst/table_report.typ"),
            title: "一覧表",
        },
        data,
        identity: format!("table-report/{}", report.record_id),
        printed_at: report.printed_at,
    })
}
