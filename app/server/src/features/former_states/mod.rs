//! Former states (以前の状態): one record as it was at a moment, beside what it says today, and put back.
//!
//! Shape: a moment is looked at in one of two places. The record's own history in this database answers
//! at once, to the instant ([`Record::state_at`]); a copy of the whole database out of a backup or of the
//! shipped log is an *opening* ([`openings`]), fetched by `hokatsu timemachine` as a process of its own and
//! kept for some minutes. Each kind of record brings its own [`Record`]; pages are the same for all.
//! Invariant: who may see the record **today** sees its past, nobody else, and each look is an entry. A past
//! is read only after today's record was found through the viewer's eyes; what was disposed of on purpose
//! is not there today and does not come back. Putting back adds versions and never edits. What belongs to a
//! record without being a field of it ([`Part`]) is shown beside today's and not put back.
//! Limits: [`openings`]. Errors: 404 outside the scope, 409 with the newest state when somebody was faster,
//! 422 with what stands in the way.
//! Not here: a whole database in its place (`hokatsu restore`).
//! Source: docs/decisions/0036-former-states.md.

mod asked;
mod bytes;
mod comparing;
mod lost;
mod model;
pub(crate) mod openings;
mod overview;
mod printing;
mod putting_back;
#[cfg(test)]
mod tests;
mod view;

pub use model::{Lens, Outcome, Part, PartRow, Place, Point, Record, Said, Standing, Wanted};
pub use openings::{FormerSource, Openings};
pub use putting_back::written;

use crate::features::abuse_cases::FormerCase;
use crate::features::attachments::FormerAttachment;
use crate::features::consultations::FormerConsultation;
use crate::features::residents::FormerPerson;
use crate::web::veil::ABUSE_MENU;
use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    let may = Permission::FormerStateUse;
    Routes::new("以前の状態")
        .get("/former-states", may, overview::page)
        .post("/former-states/openings", may, overview::open)
        .get("/former-states/openings/{opening}", may, overview::opening)
        .post(
            "/former-states/openings/{opening}/closing",
            may,
            overview::close,
        )
        .get(
            "/former-states/openings/{opening}/consultations/{number}",
            may,
            lost::page,
        )
        .post(
            "/former-states/openings/{opening}/consultations/{number}",
            may,
            lost::bring_back,
        )
        .get(
            "/residents/{id}/former-state",
            may,
            comparing::page::<FormerPerson>,
        )
        .post(
            "/residents/{id}/former-state",
            may,
            putting_back::post::<FormerPerson>,
        )
        .get(
            "/residents/{id}/former-state/comparison.pdf",
            may,
            printing::print::<FormerPerson>,
        )
        .get(
            "/consultations/{id}/former-state",
            may,
            comparing::page::<FormerConsultation>,
        )
        .post(
            "/consultations/{id}/former-state",
            may,
            putting_back::post::<FormerConsultation>,
        )
        .get(
            "/consultations/{id}/former-state/comparison.pdf",
            may,
            printing::print::<FormerConsultation>,
        )
        .get(
            "/attachments/{id}/former-state",
            may,
            comparing::page::<FormerAttachment>,
        )
        .post(
            "/attachments/{id}/former-state",
            may,
            putting_back::post::<FormerAttachment>,
        )
        .post("/attachments/{id}/former-state/bytes", may, bytes::fetch)
        .get(
            "/attachments/{id}/former-state/comparison.pdf",
            may,
            printing::print::<FormerAttachment>,
        )
        .with(of_abuse_cases())
}

/// Under the menu of abuse cases: what the access log tells of them wears the veil (`web::veil`).
fn of_abuse_cases() -> Routes {
    let may = Permission::FormerStateUse;
    Routes::new(ABUSE_MENU)
        .get(
            "/abuse-cases/{id}/former-state",
            may,
            comparing::page::<FormerCase>,
        )
        .post(
            "/abuse-cases/{id}/former-state",
            may,
            putting_back::post::<FormerCase>,
        )
        .get(
            "/abuse-cases/{id}/former-state/comparison.pdf",
            may,
            printing::print::<FormerCase>,
        )
}
