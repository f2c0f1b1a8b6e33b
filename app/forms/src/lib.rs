//! Printed forms: plain structs in, PDF bytes out, drawn by Typst inside the process.
//!
//! Shape: one module per form with its input struct; the layout lies beside it in `typst/`.
//! Invariants: forms reads no database, no clock and no network, and decides nothing: every word
//! arrives formatted. Text is data (a JSON file in Typst's virtual world), never Typst source, so
//! `#`, `$` and `[` print as themselves. The same input gives the same bytes.
//! A character without a glyph is never an empty box: it prints as 〓, is listed at the foot of the
//! form and is returned in [`Pdf::missing`].
//! Source: docs/decisions/0010-forms-by-typst.md.

mod checkpoint_sheet;
mod column;
mod consultation_slip;
mod disposal_application;
mod disposal_certificate;
mod fonts;
mod hand_over_sheet;
mod letter;
mod log_report;
mod recovery_sheet;
mod register;
mod table_report;
mod text;
mod world;

#[cfg(test)]
mod tests;

pub use checkpoint_sheet::{CheckpointLine, CheckpointSheet, checkpoint_sheet};
pub use column::Column;
pub use consultation_slip::{
    Caller, Certification, Consultation, ConsultationSlip, Correction, NextContact, Person,
    Reception, Withdrawal, consultation_slip,
};
pub use disposal_application::{DisposalApplication, DisposalRow, disposal_application};
pub use disposal_certificate::{CertificateSection, DisposalCertificate, disposal_certificate};
pub use fonts::{FontPackage, Fonts, FontsMissing};
pub use hand_over_sheet::{HandOverSheet, hand_over_sheet};
pub use letter::{Letter, letter};
pub use log_report::{LogReport, log_report};
pub use recovery_sheet::{RecoverySheet, SheetRepository, recovery_sheet};
pub use register::{Register, register};
pub use table_report::{Section, TableReport, table_report};
pub use world::{FormError, Pdf};
