//! A register (台帳) on A4 across: a titled table whose head stands on every page.
//!
//! Every cell is ready wording from the caller. An empty cell prints as ―, so that a reader sees that
//! nothing was recorded.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::column::Column;
use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Input of [`register`].
#[derive(Clone, Serialize)]
pub struct Register {
    /// What it is called.
    pub title: &'static str,
    /// What it shows: period, filters, number of rows.
    pub subtitle: String,
    /// Whose it is.
    pub owner: String,
    /// Identity of the paper, for the foot of every page.
    pub record_id: String,
    /// Stated inside the PDF as its creation date.
    #[serde(skip)]
    pub printed_at: Timestamp,
    /// The same instant as words: 令和8年11月24日 9:15.
    pub printed_on: String,
    /// Who printed.
    pub printed_by: String,
    /// Head of the table.
    pub columns: Vec<Column>,
    /// Cells in the order of the columns; a row that is short gets empty cells.
    pub rows: Vec<Vec<String>>,
    /// Sentences under the table.
    pub notes: Vec<String>,
}

/// Which register, not what it says.
impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register")
            .field("record_id", &self.record_id)
            .finish_non_exhaustive()
    }
}

/// Draws one register as PDF.
///
/// # Errors
/// [`FormError::TooLong`] over 300,000 characters; the others are faults of ours.
pub fn register(fonts: &Fonts, register: &Register) -> Result<Pdf, FormError> {
    draw(fonts, job(register)?)
}

pub(crate) fn job(register: &Register) -> Result<Job, FormError> {
    let mut whole = register.clone();
    for row in &mut whole.rows {
        row.resize(register.columns.len(), String::new());
    }
    // The cause would quote the value it stumbled over.
    let Ok(data) = serde_json::to_value(&whole) else {
        return Err(FormError::Input);
    };
    Ok(Job {
        layout: Layout {
            source: include_str!("typst/register.typ"),
            title: register.title,
        },
        data,
        identity: format!("register/{}", register.record_id),
        printed_at: register.printed_at,
    })
}
