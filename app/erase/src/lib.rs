//! The end of the contract: what holds data, how each thing is erased, and the proof that it was.
//!
//! Shape: [`list`] is what the operator wrote down, [`disks`] what the machine itself sees; [`Plan`] is both, and
//! is what the city agrees to. [`Medium`] is one disk that may be erased, [`erase`] does it, [`Record`] is what is
//! left of it. Papers are drawn by the caller.
//! Invariants: nothing is written to a disk whose serial number and size are not those of the plan, or which
//! somebody uses. A record says `erased` when every byte was read back as zero, and in no other case. No personal
//! data but the names of those who did it or stood by. No database is opened: at the end there is none.
//! Errors: [`EraseError`]; the sentences for operators are made in [`EraseError::report`].
//! Source: docs/decisions/0047-erasing.md.

mod disks;
mod error;
mod list;
mod medium;
mod plan;
mod records;
mod wipe;

pub use disks::{Found, Role, disks, image};
pub use error::EraseError;
pub use list::{Listed, list};
pub use medium::Medium;
pub use plan::{Device, Item, LeftOut, Method, Plan, Sealed};
pub use records::{
    Cache, Done, Measured, Outcome, Record, Reported, Unfinished, latest, read_all, sha256_of,
};
pub use wipe::{Progress, Step, erase};
