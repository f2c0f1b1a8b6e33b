//! 消去・廃棄申請書: what is to be erased or disposed of, for the city to agree to, on A4 across.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Input of [`disposal_application`].
#[derive(Debug, Clone, Serialize)]
pub struct DisposalApplication {
    /// For the foot of every page.
    pub record_id: String,
    /// The day it is made.
    pub applied_on: String,
    /// To whom it goes.
    pub addressee: String,
    /// Who applies.
    pub contractor: String,
    /// Who made it.
    pub person: String,
    /// What is disposed of.
    pub rows: Vec<DisposalRow>,
    /// What was seen and stays, and why.
    pub left_out: Vec<(String, String)>,
    /// Names the plan.
    pub plan_id: String,
    /// Hash of the plan, in groups that lines may break between.
    pub sha256: Vec<String>,
    /// Stated inside the PDF as its creation date.
    #[serde(skip)]
    pub printed_at: Timestamp,
}

/// One line of the application.
#[derive(Debug, Clone, Serialize)]
pub struct DisposalRow {
    /// From 1.
    pub number: String,
    /// 媒体名.
    pub medium: String,
    /// Numbers on it.
    pub serials: Vec<String>,
    /// 項目.
    pub contents: String,
    /// 数量.
    pub amount: String,
    /// 方法.
    pub method: String,
    /// 処理予定日.
    pub planned_on: String,
    /// 立会人; empty prints a dash.
    pub attendants: String,
    /// Anything else.
    pub note: String,
}

/// Draws the application as PDF.
///
/// # Errors
/// [`FormError::TooLong`] over 300,000 characters; the others are faults of ours.
pub fn disposal_application(
    fonts: &Fonts,
    application: &DisposalApplication,
) -> Result<Pdf, FormError> {
    draw(fonts, job(application)?)
}

pub(crate) fn job(application: &DisposalApplication) -> Result<Job, FormError> {
    let Ok(data) = serde_json::to_value(application) else {
        return Err(FormError::Input);
    };
    Ok(Job {
        layout: Layout {
            source: include_str!("typst/disposal_application.typ"),
            title: "個人情報 消去・廃棄申請書",
        },
        data,
        identity: format!("disposal-application/{}", application.record_id),
        printed_at: application.printed_at,
    })
}
