//! Disks that are carried away: recognised, opened, compared before anything is written, read back after.
//!
//! Shape: an [`Opener`] does what needs root, by a program that the settings name; a [`Mark`] on the disk
//! says whose it is; [`compare`] looks at what lies there and changes nothing; [`Written`] reads back from
//! the device what a visit added. The order of a visit is the caller's (`hokatsu backup disk run`).
//! Invariant: a disk that is not enrolled is neither opened nor mounted; one whose mark is not ours is
//! mounted in a way that writes nothing, not even a journal.
//! Errors: [`DiskError`].
//! Source: docs/decisions/0038-rotated-disks.md.

mod compare;
mod error;
mod mark;
mod opener;
mod written;

pub use compare::{Counts, Doubt, compare};
pub use error::DiskError;
pub use mark::{Found, MARK_NAME, Mark, SIGNATURE_NAME};
pub use opener::{Identity, Mode, Opener, Place};
pub use written::{ReadBack, Written};
