//! Residents: the people of the register, found, shown on one screen, and corrected.
//!
//! Shape: [`find`] answers the one box of the header; [`person`] opens one person and leaves an
//! entry in the access log; [`corrections`] adds what staff typed. The register itself is the
//! city's and is changed by imports only.
//! Errors: staff meet 404 outside their scope, 422 with the form, 409 with both values.
//! Not here: the import of the register (`features/imports`), who may see whom (`store::scope`),
//! changes and conflicts (`features/changes`), consultations (`features/consultations`).

mod corrections;
mod delivered;
mod find;
mod person;
#[cfg(test)]
mod person_tests;

pub use corrections::FormerPerson;
pub use person::ShieldReason;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    Routes::new("住民")
        .get("/residents", Permission::ResidentFind, find::find)
        .with(person::routes())
        .with(corrections::routes())
}
