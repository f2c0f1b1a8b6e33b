//! Terminals: which machines staff work at, and the certificates by which they are recognised.
//!
//! Shape: `terminals` is the machine, `terminal_details` what it is called (the newest row counts),
//! `terminal_certificates` what it shows (the newest counts), `terminal_revocations` that nobody
//! gets in with one any more. The engine asks them with every request (`web::terminal`).
//! Invariant: a key is made for one file, shown once and kept nowhere; each act leaves an entry
//! with the old and the new state; a lost terminal's sessions end in the same transaction.
//! [`own`] renews a terminal from itself; [`standing`] is about the appliance's own certificates.
//! Limits: [`form`]; days before an end: `data/terminals.toml`.
//! Not here: for which role a terminal is required (`sign_in.second_factor` of the settings).
//! Source: docs/decisions/0016-terminals-by-certificate.md.

mod certificates;
pub mod form;
mod model;
mod own;
mod pages;
mod standing;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use standing::renew_due;

use crate::web::{Permission, Routes};

/// The register, its forms, and what a terminal takes along.
pub fn routes() -> Routes {
    let (see, change) = (Permission::TerminalView, Permission::TerminalAdminister);
    Routes::new("端末")
        .get("/terminals", see, pages::list)
        .post("/terminals", change, pages::create)
        .get("/terminals/new", change, pages::new)
        .get("/terminals/help", see, pages::help)
        .get("/terminals/own", Permission::SignedIn, own::page)
        .get("/terminals/own/help", Permission::SignedIn, pages::own_help)
        .post("/terminals/own/renewal", Permission::SignedIn, own::renew)
        .get("/terminals/ca.crt", see, certificates::authority)
        .get("/terminals/{id}", see, pages::show)
        .get("/terminals/{id}/edit", change, pages::edit)
        .post("/terminals/{id}/details", change, pages::change)
        .get("/terminals/{id}/certificate", change, certificates::ask)
        .post("/terminals/{id}/certificate", change, certificates::issue)
        .post("/terminals/{id}/loss", change, certificates::lose)
        .post("/terminals/{id}/retirement", change, certificates::retire)
}
