//! Residents: the people of the register, found, shown and corrected.
//!
//! Shape: `find` answers the one box of the header.
//! Not here: the import of the register (`features/imports`), who may see whom (`store::scope`).

mod find;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    Routes::new("住民").get("/residents", Permission::ResidentFind, find::find)
}
