//! The ground everything else stands on: dates, letters, bytes, time, files, children, errors.
//!
//! Shape: pure functions and small types; the only effects are reading the clock ([`clock`]),
//! writing whole files ([`paths`]), running a child with a time limit ([`command`]) and reading
//! the settings once at start ([`settings`]).
//! Invariant: knows no SQL, no HTTP and no HTML, and no noun of the domain beyond its numbers.
//! Not here: what a resident, a plan or a backup is.
#![deny(missing_docs)]

pub mod antivirus;
pub mod charset;
pub mod clock;
pub mod command;
pub mod disks;
pub mod machine;
pub mod number;
pub mod paths;
pub mod report;
pub mod runbooks;
pub mod secrecy;
pub mod settings;
pub mod shipping;
pub mod site_files;
pub mod small_file;
pub mod text;
pub mod update;
pub mod ups;
pub mod wareki;
