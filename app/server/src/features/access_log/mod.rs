//! Access log (アクセスログ): who did or looked at what, when and from where; to search, to take out
//! as a file, and to check that nothing was bent.
//!
//! Shape: reads `audit_entries`, which the store writes; adds nothing to them but the entries about
//! its own use. Newest first, by keyset, so that a page never shifts while the log grows.
//! Invariant: the log holds ids. Names come through the viewer's eyes at the moment of looking:
//! whoever may see nobody (system administrator) meets numbers only. What was searched for is never
//! written down, only which fields were used.
//! A search walks one index for [`model::WALK_MAX`] entries and then offers to go on.
//! Archived years are searched one at a time; a report for a 開示請求 goes through all of them.
//! Limits: [`model::EXPORT_ROWS_MAX`] rows per file, above it the file is refused, not cut;
//! [`model::PRINT_ROWS_MAX`] rows on paper, which say that they are the newest.
//! Not here: the chain and its verification (`store::audit`).

mod checkpoints;
mod disclosure;
mod export;
mod form;
mod model;
mod pages;
mod paper;
mod rules;
mod show;
mod store;
#[cfg(test)]
mod tests;
mod verification;
mod view;

use crate::web::{Permission, Routes};

pub use checkpoints::sign_day;
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
        .get(
            "/access-log/list.pdf",
            Permission::AccessLogView,
            paper::list,
        )
        .get(
            "/access-log/checkpoints",
            Permission::AccessLogView,
            checkpoints::list,
        )
        .post(
            "/access-log/checkpoints",
            Permission::AccessLogView,
            checkpoints::create,
        )
        .get(
            "/access-log/checkpoints.jsonl",
            Permission::AccessLogView,
            checkpoints::file,
        )
        .get(
            "/access-log/checkpoints/{number}/sheet.pdf",
            Permission::AccessLogView,
            checkpoints::sheet,
        )
        .get(
            "/access-log/disclosure",
            Permission::AccessLogDisclose,
            disclosure::page,
        )
        .get(
            "/access-log/disclosure/report.pdf",
            Permission::AccessLogDisclose,
            disclosure::pdf,
        )
        .get(
            "/access-log/disclosure/export",
            Permission::AccessLogDisclose,
            disclosure::ask,
        )
        .post(
            "/access-log/disclosure/export",
            Permission::AccessLogDisclose,
            disclosure::give,
        )
        .get("/access-log/{id}", Permission::AccessLogView, show::page)
}
