//! 消去・廃棄証明書: one medium, what was done to it and what was measured, with lines to sign on, on A4.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    fonts::Fonts,
    world::{FormError, Job, Layout, Pdf, draw},
};

/// Input of [`disposal_certificate`].
#[derive(Debug, Clone, Serialize)]
pub struct DisposalCertificate {
    /// For the foot of every page.
    pub record_id: String,
    /// On top: says whether it was measured or reported.
    pub title: String,
    /// Number of the certificate.
    pub number: String,
    /// The day it is made.
    pub issued_on: String,
    /// To whom it goes.
    pub addressee: String,
    /// Who vouches for it.
    pub contractor: String,
    /// What is certified, in a sentence.
    pub statement: String,
    /// Boxes of facts.
    pub sections: Vec<CertificateSection>,
    /// What it does not say.
    pub notes: Vec<String>,
    /// What stands before each line to sign on.
    pub signatures: Vec<String>,
    /// Nobody stood by, and why if that was planned otherwise; nothing when somebody did.
    pub unattended: Option<String>,
    /// Stated inside the PDF as its creation date.
    #[serde(skip)]
    pub printed_at: Timestamp,
}

/// One box.
#[derive(Debug, Clone, Serialize)]
pub struct CertificateSection {
    /// What stands above it.
    pub heading: String,
    /// Label and value.
    pub facts: Vec<(String, String)>,
}

/// Draws the certificate as PDF.
///
/// # Errors
/// [`FormError::TooLong`] over 300,000 characters; the others are faults of ours.
pub fn disposal_certificate(
    fonts: &Fonts,
    certificate: &DisposalCertificate,
) -> Result<Pdf, FormError> {
    draw(fonts, job(certificate)?)
}

pub(crate) fn job(certificate: &DisposalCertificate) -> Result<Job, FormError> {
    let Ok(data) = serde_json::to_value(certificate) else {
        return Err(FormError::Input);
    };
    Ok(Job {
        layout: Layout {
            source: include_str!("typst/disposal_certificate.typ"),
            title: "消去・廃棄証明書",
        },
        data,
        identity: format!("disposal-certificate/{}", certificate.record_id),
        printed_at: certificate.printed_at,
    })
}
