//! The appliance image: assembled from pinned packages, compared with itself, and started in a virtual machine.
//!
//! Shape: what is on the machine is data beside this crate (`mkosi.conf`, `mkosi.repart/`, `mkosi.extra/`,
//! `packages.lock`); here is only what turns it into a disk. [`room`] knows where things lie, [`child`] starts
//! programs, [`tree`] makes the place in which Debian 13's tools run, [`lock`] and [`store`] pin what goes in,
//! [`assemble`] makes the image, [`bill`] says what it is made of, [`vm`] runs it,
//! [`writes`] is what a power cut may leave of it.
//! Invariant: nothing comes out of the archive that a lock file does not name with its SHA-256, except in
//! [`refresh`]. No host of an archive is in a file of the repository: [`archive`] asks this machine's apt.
//! Source: docs/decisions/0042-appliance-image.md.

pub mod archive;
pub mod assemble;
pub mod bill;
pub mod boot;
pub mod child;
pub mod compare;
pub mod console;
pub mod disk_a;
pub mod lock;
pub mod partitions;
pub mod problem;
pub mod raid;
pub mod refresh;
pub mod release;
pub mod room;
pub mod say;
pub mod slots;
pub mod store;
mod tpm;
pub mod tree;
pub mod trial;
pub mod units;
pub mod update;
pub mod vm;
pub mod write;
pub mod writes;
