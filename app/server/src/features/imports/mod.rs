//! Imports: the city's files are read, compared, shown, applied as one step, and can be taken back.
//!
//! Shape: [`plan`] reads files and compares them with what is stored; it writes nothing but the
//! lists of refused and doubtful rows. [`apply`] writes a plan in one transaction, [`undo`] takes
//! the last one back. How a file's columns become ours is data: `data/import/*.toml`.
//! Invariant: a row is loaded, loaded with a warning, or refused with a reason; loading the same
//! file twice changes nothing; what staff corrected is not overwritten but listed as a conflict.
//! Errors: [`ImportError`]; it speaks to the operator through `ImportError::report`.
//! Not here: confirming changes and deciding conflicts (`features/changes`).
//! Source: domain.md §2.0 (detectors D01–D24; D25, a マイナンバー in a text, is ours), items 9, 10, 12, 18, 21.

mod apply;
mod areas;
mod assemble;
mod compare;
mod convert;
mod detectors;
mod error;
mod history;
mod index;
mod mapping;
mod model;
mod pack;
mod pages;
mod plan;
mod reader;
mod rejects;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod undo;
mod view;
mod world;

pub use apply::apply;
pub use areas::{AreaBook, Placed};
pub use error::{FileProblem, ImportError};
pub use index::reindex;
pub use model::{
    Applied, ChangeKind, Counts, EncodingChoice, Example, Feed, FileSummary, ImportOptions, Plan,
    Progress, Summary, Undone,
};
pub use plan::plan;
pub use undo::undo;
pub use view::{field as field_label, kind as kind_label};

use crate::web::{Permission, Routes};

/// The list of imports and one of them.
pub fn routes() -> Routes {
    Routes::new("取込み")
        .get("/imports", Permission::ImportView, pages::list)
        .get("/imports/{id}", Permission::ImportView, pages::show)
}
