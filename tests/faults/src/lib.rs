//! Disks that fail when they are told to: a file system in memory, mounted through `/dev/fuse`.
//!
//! Shape: [`Disk`] is mounted at a directory; [`Fault`]s are switched on and off while processes use it;
//! [`Disk::power_cut`] drops everything that was not flushed, [`Disk::pull`] leaves an empty mount point.
//! Invariant: what survives a power cut is exactly what `fsync` promised: the bytes of a file when that file
//! was flushed, the names in a directory when that directory was. Some file systems keep more.
//! Limit: `syncfs` never reaches a file system of this kind; whoever relies on it is tested on a real one.
//! Needs root, and `/dev/fuse`. Source: docs/decisions/0037-disks-that-fail-when-told.md.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a suite that cannot set itself up must stop at once and say where"
)]

mod dice;
mod disk;
mod fault;
pub mod house;
mod layer;
mod numbers;
mod tree;

pub use dice::Dice;
pub use disk::{Disk, Lost};
pub use fault::{Fault, Op, What, Where};
pub use fuser::Errno;
pub use numbers::{Progress, out_dir};
