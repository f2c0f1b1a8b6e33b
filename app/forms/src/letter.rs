//! A letter or a notice on A4 paper: title, whom it goes to, facts, text, lines to sign on. For what
//! is written once and signed: sealed envelopes, reports of an incident, notices to people.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Input of [`letter`].
#[derive(Clone, Default, Serialize)]
pub struct Letter {
    /// On top, and the file's title.
    pub title: String,
    /// Above the title, at the right: number, day.
    pub corner: Vec<String>,
    /// Whom it goes to; nothing prints nothing.
    pub to: Option<String>,
    /// Who sends it.
    pub from: Option<String>,
    /// Label and value, boxed.
    pub facts: Vec<(String, String)>,
    /// Large, alone in a frame: what is sealed.
    pub secret: Option<String>,
    /// The text; each line is a paragraph.
    pub body: String,
    /// What stands before each line to sign on.
    pub signatures: Vec<String>,
    /// Identity of the record and its version, for the foot of every page.
    pub record_id: String,
    /// Stated inside the PDF as its creation date.
    #[serde(skip)]
    pub printed_at: Timestamp,
    /// Who printed when, as words.
    pub printed: String,
}

/// What it says may be secret: `Debug` shows which one it is.
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("record_id", &self.record_id)
            .finish_non_exhaustive()
    }
}

/// Draws one letter as PDF.
///
/// # Errors
/// [`FormError::TooLong`] over 300,000 characters; the others are faults of ours.
pub fn letter(fonts: &Fonts, letter: &Letter) -> Result<Pdf, FormError> {
    let Ok(data) = serde_json::to_value(letter) else {
        return Err(FormError::Input);
    };
    let job = Job {
        layout: Layout {
            source: include_str!("typst/letter.typ"),
            title: "文書",
        },
        data,
        identity: format!("letter/{}", letter.record_id),
        printed_at: letter.printed_at,
    };
    draw(fonts, job)
}
