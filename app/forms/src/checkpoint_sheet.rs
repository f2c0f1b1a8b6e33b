//! 署名つき記録: one checkpoint of the access log on A4, to be kept away from the machine and, one
//! day, typed back.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Input of [`checkpoint_sheet`].
#[derive(Debug, Clone, Serialize)]
pub struct CheckpointSheet {
    /// For the foot of the page.
    pub record_id: String,
    /// When it was signed.
    pub signed_on: String,
    /// Number of entries, with its unit.
    pub entries: String,
    /// The lines to be typed.
    pub lines: Vec<CheckpointLine>,
    /// Of the signing key, in groups.
    pub fingerprint: String,
    /// Stated inside the PDF as its creation date.
    #[serde(skip)]
    pub printed_at: Timestamp,
    /// The same instant as words.
    pub printed_on: String,
    /// Who printed.
    pub printed_by: String,
}

/// One line: number, groups of four characters, and the group that checks them.
#[derive(Debug, Clone, Serialize)]
pub struct CheckpointLine {
    /// From 1.
    pub number: String,
    /// Four characters each.
    pub groups: Vec<String>,
    /// Tells a typing mistake.
    pub check: String,
}

/// Draws the sheet as PDF.
///
/// # Errors
/// Faults of ours.
pub fn checkpoint_sheet(fonts: &Fonts, sheet: &CheckpointSheet) -> Result<Pdf, FormError> {
    draw(fonts, job(sheet)?)
}

pub(crate) fn job(sheet: &CheckpointSheet) -> Result<Job, FormError> {
    let Ok(data) = serde_json::to_value(sheet) else {
        return Err(FormError::Input);
    };
    Ok(Job {
        layout: Layout {
            source: include_str!("typst/checkpoint_sheet.typ"),
            title: "アクセスログ 署名つき記録",
        },
        data,
        identity: format!("checkpoint-sheet/{}", sheet.record_id),
        printed_at: sheet.printed_at,
    })
}
