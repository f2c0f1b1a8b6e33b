//! The one file that holds everything: connections, scope, audit chain, migrations, snapshots.
//!
//! Shape: [`Db`] owns one writing connection and a few reading ones. `read` answers lists, `view`
//! opens a person's record and `write` changes something; the last two must return [`Audited`],
//! which only the transaction can make, so that no look and no change goes unrecorded.
//! Invariant: no other crate names `rusqlite`; no statement reads a person table except through the
//! scoped views of `scope.sql` (SQLite's authorizer refuses it, in production as in the suites).
//! Errors: [`StoreError`]; everything the world can do to a file is in there.
//! Not here: SQL about a noun (that is the slice's), thresholds, words that staff read.
//! Source: `../shared/design/style.md` §§1, 4; docs/decisions/0005-one-file-one-writer.md.

#![deny(missing_docs)]

mod actor;
pub mod audit;
mod days;
mod db;
mod directory;
mod error;
pub mod evidence;
mod former;
mod frozen;
mod ids;
mod migrations;
mod notes;
mod pool;
mod reach;
mod scope;
mod sealed_report;
mod shelf;
mod shipping;
mod snapshot;
pub mod statements;
mod turn;
mod tx;

pub use actor::{AbuseSight, Actor, Operator, Scope};
pub use audit::{Audited, Event, Operation, Outcome, RecordKind};
pub use days::{day, optional_day, time};
pub use db::{Db, SystemReason};
pub use directory::{DataDir, Hold};
pub use error::StoreError;
pub use former::{Former, damaged_tables};
pub use frozen::{Frozen, frozen_anew, frozen_of};
pub use ids::{CentreId, ResidentId, StaffId};
pub use migrations::{SCHEMA_VERSION, released_schema};
pub use notes::Note;
pub use rusqlite::types::{
    FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef,
};
pub use rusqlite::{Params, Row, named_params, params, params_from_iter};
pub use scope::PERSON_TABLES;
pub use sealed_report::{SealedReport, is_sealed, public_key_pem, seal_report};
pub use shelf::{Part, Shelf, ShelfCheck, Whole, check_shelf, copy_shelf};
pub use shipping::{ShippingPolicy, switch_shipping};
pub use snapshot::{Facts, facts_of, quick_facts_of};
pub use tx::{ReadTx, WriteTx};

/// What a row-mapping closure returns.
pub type RowResult<T> = rusqlite::Result<T>;
