//! Encrypted snapshots of a directory, and the way back.
//!
//! Shape: [`init`] makes a repository, [`run`] saves one snapshot, [`list`] and [`check`] look,
//! [`restore_to`] brings files back. The format is restic's: a stock `restic` reads it, which is
//! the operator's last resort when nothing of ours runs.
//! Invariant: a snapshot that [`list`] shows held, when it was made, every byte of its manifest;
//! anything less is an error and is removed again.
//! Errors: [`BackupError`], which becomes a `base::report::Report` for staff and operators.
//! Not here: how the database becomes a file (`store`), arguments (`cli`), who may restore.
//! Source: docs/decisions/0011-backup-by-rustic.md.

mod adopt;
mod before;
mod check;
mod content;
pub mod disks;
pub mod due;
mod error;
mod lineage;
mod lock;
mod machine_key;
mod manifest;
pub mod offsite;
mod place;
mod progress;
mod prune;
pub mod records;
mod repository;
mod restore;
pub mod retention;
mod run;
mod settings;
pub mod sheet;
pub mod ship;
mod snapshots;
mod source;
pub mod status;
mod turn;

pub use check::{CheckDepth, CheckSummary, Finding, check};
pub use error::BackupError;
pub use lineage::{Lineage, known as known_lineage, mark as mark_lineage};
pub use manifest::{FileRecord, MANIFEST_NAME, Manifest};
pub use place::{is_here, repository_bytes};
pub use progress::{Progress, Quiet, Step};
pub use prune::{PrunePlan, PruneRules, PruneSummary, plan_prune, prune};
pub use repository::{InitSummary, PasswordOrigin, init};
pub use restore::{
    Damage, DamageReason, Healed, RestoreSummary, Speed, measure, restore_file, restore_healing,
    restore_to, salvage_file,
};
pub use run::{Beside, SnapshotSummary, Source, run};
pub use settings::{Chunking, Location, RepositorySettings};
pub use snapshots::{Selector, SnapshotInfo, list};
pub use turn::{Doing, Turn};

#[cfg(test)]
mod tests;
