//! 復旧シート: the words that open the backups when nothing else does, on A4.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Input of [`recovery_sheet`].
#[derive(Clone, Serialize)]
pub struct RecoverySheet {
    /// For the foot of the page.
    pub record_id: String,
    /// `1枚で開きます` or `3枚のうち2枚で開きます（これは1枚目）`.
    pub kind: String,
    /// Who keeps it.
    pub holders: Vec<String>,
    /// The words, in their order.
    pub words: Vec<String>,
    /// The same as a QR code: rows of modules, true for dark. No text: that gets places to break.
    pub picture: Vec<Vec<bool>>,
    /// What it opens.
    pub repositories: Vec<SheetRepository>,
    /// Whether disks are encrypted, and opened by the same words.
    pub opens_disks: bool,
    /// Where the first is that lies on a disk.
    pub command_path: Option<String>,
    /// Where a stock tool finds those that lie off-site.
    pub elsewhere: Vec<String>,
    /// Whether the words open by themselves, as a stock tool asks for them.
    pub is_whole: bool,
    /// Stated inside the PDF as its creation date.
    #[serde(skip)]
    pub printed_at: Timestamp,
    /// The same instant as words.
    pub printed_on: String,
    /// Who printed.
    pub printed_by: String,
}

impl std::fmt::Debug for RecoverySheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoverySheet")
            .field("record_id", &self.record_id)
            .finish_non_exhaustive()
    }
}

/// One repository on the sheet.
#[derive(Debug, Clone, Serialize)]
pub struct SheetRepository {
    /// As on the disk's label.
    pub name: String,
    /// Beginning of its id.
    pub id: String,
    /// Where it was when the sheet was printed.
    pub path: String,
}

/// Draws the sheet as PDF.
///
/// # Errors
/// Faults of ours.
pub fn recovery_sheet(fonts: &Fonts, sheet: &RecoverySheet) -> Result<Pdf, FormError> {
    draw(fonts, job(sheet)?)
}

pub(crate) fn job(sheet: &RecoverySheet) -> Result<Job, FormError> {
    let Ok(data) = serde_json::to_value(sheet) else {
        return Err(FormError::Input);
    };
    Ok(Job {
        layout: Layout {
            source: include_str!("typst/recovery_sheet.typ"),
            title: "復旧シート",
        },
        data,
        identity: format!("recovery-sheet/{}", sheet.record_id),
        printed_at: sheet.printed_at,
    })
}
