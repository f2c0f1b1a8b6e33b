//! 引継ぎ書: what one centre hands over to the next about a person, on A4 paper.
//!
//! Every field is ready wording from the caller's `view.rs`; `None` prints as ―.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Input of [`hand_over_sheet`].
#[derive(Clone, Serialize)]
pub struct HandOverSheet {
    /// Identity of the hand-over, for the foot of every page.
    pub sheet_id: String,
    /// Stated inside the PDF as its creation date.
    #[serde(skip)]
    pub printed_at: Timestamp,
    /// The same instant as words.
    pub printed_on: String,
    /// Who printed.
    pub printed_by: String,
    /// 前の担当センター.
    pub from: String,
    /// 新しい担当センター.
    pub to: String,
    /// 担当が変わった日.
    pub effective_on: String,
    /// Why it changed.
    pub cause: String,
    /// 氏名.
    pub name: String,
    /// フリガナ.
    pub kana: Option<String>,
    /// 生年月日, age and sex.
    pub born: Option<String>,
    /// 住所; `None` too when it may stand on her own page only.
    pub address: Option<String>,
    /// 電話.
    pub phone: Option<String>,
    /// 被保険者番号.
    pub insured_no: Option<String>,
    /// 要介護度 with its last day.
    pub level: Option<String>,
    /// 引継ぎ内容.
    pub note: Option<String>,
    /// When and by whom it was written.
    pub noted: Option<String>,
    /// What is still to be done: day and words.
    pub waiting: Vec<(String, String)>,
    /// Records: day, channel, who wrote it, what it says.
    pub contacts: Vec<[String; 4]>,
    /// When and by whom it was received; `None` leaves a line to sign.
    pub received: Option<String>,
}

/// The sheet is about a resident: `Debug` shows which one, not what it says.
impl fmt::Debug for HandOverSheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandOverSheet")
            .field("sheet_id", &self.sheet_id)
            .finish_non_exhaustive()
    }
}

/// Draws one 引継ぎ書 as PDF.
///
/// # Errors
/// As [`crate::consultation_slip`].
pub fn hand_over_sheet(fonts: &Fonts, sheet: &HandOverSheet) -> Result<Pdf, FormError> {
    draw(fonts, job(sheet)?)
}

pub(crate) fn job(sheet: &HandOverSheet) -> Result<Job, FormError> {
    // The cause would quote the value it stumbled over, which is personal.
    let Ok(data) = serde_json::to_value(sheet) else {
        return Err(FormError::Input);
    };
    Ok(Job {
        layout: Layout {
            source: include_str!("typst/hand_over_sheet.typ"),
            title: "引継ぎ書",
        },
        data,
        identity: format!("hand-over-sheet/{}", sheet.sheet_id),
        printed_at: sheet.printed_at,
    })
}
