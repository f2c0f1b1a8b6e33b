//! Access log (アクセスログ): who did or looked at what, when and from where; to search, to take out
//! as a file, and to check that nothing was bent.
//!
//! Shape: reads `audit_entries`, which the store writes; adds nothing to them but the entries about
//! its own use. Newest first, by keyset, so that a page never shifts while the log grows.
//! Invariant: the log holds ids. Names come through the viewer's eyes at the moment of looking:
//! whoever may see nobody (system administrator) meets numbers only. What was searched for is never
//! written down, only which fields were used.
//! Limits: [`model::EXPORT_ROWS_MAX`] rows per file; above it the file is refused, not cut.
//! Not here: the chain and its verification (`store::audit`).

mod export;
mod form;
mod model;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod verification;
mod view;

use crate::web::{Permission, Routes};

pub use verification::words;

/// Routes of this slice.
pub fn routes() -> Routes {
    Routes::new("アクセスログ")
        .get("/access-log", Permission::AccessLogView, pages::list)
        .get(
            "/access-log/export",
            Permission::AccessLogExport,
            export::ask,
        )
        .post(
            "/access-log/export",
            Permission::AccessLogExport,
            export::give,
        )
        .get(
            "/access-log/verification",
            Permission::AccessLogView,
            verification::page,
        )
}
