//! 相談記録票: one consultation on A4 paper, with who corrected it and whether it was withdrawn.
//!
//! Every field is ready wording from the caller's `view.rs`. `None` prints as ―, so that a reader
//! sees that nothing was recorded; a caller nobody knows is a slip without [`Person`].

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Input of [`consultation_slip`].
#[derive(Clone, Serialize)]
pub struct ConsultationSlip {
    /// Name of the centre that keeps the record.
    pub centre: String,
    /// 記録番号, as staff say it.
    pub record_no: String,
    /// Identity of the record and its version, for the foot of every page.
    pub record_id: String,
    /// Stated inside the PDF as its creation date.
    #[serde(skip)]
    pub printed_at: Timestamp,
    /// The same instant as words: 令和8年11月24日 9:15.
    pub printed_on: String,
    /// Who printed.
    pub printed_by: String,
    /// The person the consultation is about; `None` when not identified.
    pub person: Option<Person>,
    /// When, how and by whom it was received.
    pub reception: Reception,
    /// Who asked.
    pub caller: Caller,
    /// What was said and done.
    pub consultation: Consultation,
    /// Oldest first; empty when never corrected.
    pub corrections: Vec<Correction>,
    /// Set when the record was withdrawn: every page then says so.
    pub withdrawal: Option<Withdrawal>,
}

/// The person the consultation is about.
#[derive(Clone, Default, Serialize)]
pub struct Person {
    /// 氏名.
    pub name: Option<String>,
    /// フリガナ.
    pub kana: Option<String>,
    /// 生年月日 in 和暦, with the age.
    pub born: Option<String>,
    /// 性別.
    pub sex: Option<String>,
    /// 住所.
    pub address: Option<String>,
    /// 電話.
    pub phone: Option<String>,
    /// 被保険者番号.
    pub insured_no: Option<String>,
    /// 要介護度 and its period.
    pub certification: Option<Certification>,
}

/// The certification in force.
#[derive(Clone, Serialize)]
pub struct Certification {
    /// 要支援1 and so on.
    pub level: String,
    /// 認定有効期間.
    pub period: Option<String>,
}

/// How the consultation reached the centre.
#[derive(Clone, Serialize)]
pub struct Reception {
    /// Day with start and end.
    pub held: String,
    /// 所要時間, with its unit.
    pub minutes: Option<String>,
    /// 相談方法.
    pub channel: String,
    /// 受付者 and occupation.
    pub received_by: String,
}

/// 相談者.
#[derive(Clone, Default, Serialize)]
pub struct Caller {
    /// 区分.
    pub kind: Option<String>,
    /// 氏名.
    pub name: Option<String>,
    /// 続柄.
    pub relation: Option<String>,
    /// 連絡先.
    pub contact: Option<String>,
}

/// What was said and done.
#[derive(Clone, Default, Serialize)]
pub struct Consultation {
    /// 相談種別, several.
    pub topics: Vec<String>,
    /// 緊急度.
    pub urgency: Option<String>,
    /// 相談内容.
    pub content: String,
    /// 対応内容.
    pub response: String,
    /// 対応区分, several.
    pub response_kinds: Vec<String>,
    /// 紹介先.
    pub referred_to: Option<String>,
    /// 帰結.
    pub outcome: Option<String>,
    /// 次回予定.
    pub next: Option<NextContact>,
}

/// 次回予定.
#[derive(Clone, Serialize)]
pub struct NextContact {
    /// The day.
    pub on: String,
    /// What is to be done.
    pub what: Option<String>,
}

/// One line of 訂正履歴.
#[derive(Clone, Serialize)]
pub struct Correction {
    /// 版.
    pub version: String,
    /// Who corrected.
    pub by: String,
    /// When.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// 取下げ.
#[derive(Clone, Serialize)]
pub struct Withdrawal {
    /// Who withdrew.
    pub by: String,
    /// When.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// The slip is a resident's record: `Debug` shows which one, not what it says.
impl fmt::Debug for ConsultationSlip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsultationSlip")
            .field("record_id", &self.record_id)
            .finish_non_exhaustive()
    }
}

/// Draws one 相談記録票 as PDF.
///
/// # Errors
/// [`FormError::TooLong`] over 300,000 characters; the others are faults of ours.
pub fn consultation_slip(fonts: &Fonts, slip: &ConsultationSlip) -> Result<Pdf, FormError> {
    draw(fonts, job(slip)?)
}

pub(crate) fn job(slip: &ConsultationSlip) -> Result<Job, FormError> {
    // The cause would quote the value it stumbled over, which is personal.
    let Ok(data) = serde_json::to_value(slip) else {
        return Err(FormError::Input);
    };
    Ok(Job {
        layout: Layout {
            source: include_str!("typst/consultation_slip.typ"),
            title: "相談記録票",
        },
        data,
        identity: format!("consultation-slip/{}", slip.record_id),
        printed_at: slip.printed_at,
    })
}
