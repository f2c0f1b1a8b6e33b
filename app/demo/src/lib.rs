//! The invented town: files as the city would deliver them, and the staff who work with them.
//!
//! Shape: [`town::generate`] writes five CSV files from a seed and a day, [`dirty::generate`]
//! writes deliberately bad ones, [`staff::all`] names a login for every role and centre.
//! Invariant: nobody here is real, nobody's phone can ring, and the same seed and day give the
//! same bytes. Credentials of the demo live in this crate and nowhere else.
//! Not here: reading those files; the importer of the server does that as for the city's own.

pub mod dirty;
pub mod papers;
pub mod staff;
pub mod town;

mod dice;
pub mod masters;
mod tables;

pub use masters::{Masters, MastersError};
pub use tables::{Area, TableError};
