//! Viruses (ウイルス対策): whether files are looked into, by signatures of which day, and what was found.
//!
//! Shape: one page for administrators; it shows numbers of attachments and opens none. Signatures come by stick at the
//! machine (`hokatsu antivirus update`).
//! Not here: looking into files (`web/upload.rs`, `attachments`), the sentences above each page (`web/viruses.rs`).
//! Source: docs/decisions/0052-viruses.md.

mod pages;
#[cfg(test)]
mod tests;

use crate::web::{Permission, Routes};

/// The page.
pub fn routes() -> Routes {
    Routes::new("ウイルス対策").get("/viruses", Permission::StaffAdminister, pages::show)
}
