//! Masters: centres, areas and code tables, each with 適用開始/終了, source and 未確認.
//!
//! Shape: shipped as two TOML files that are compiled in ([`Masters::shipped`]); [`load`] brings a
//! database to what they say, as often as it is run. A centre keeps its id for ever, because
//! residents and records point at it; entries of areas and code tables are closed and followed by a
//! new one, so that an old record still reads as it was written.
//! Invariant: records keep codes, never labels; an entry in use is not edited and not removed.
//! Errors: [`MastersError`], with file and line.
//! Not here: what a code means for a rule (that is the slice's), prices and units.

mod model;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

use ::store::{ReadTx, StoreError, params};
use jiff::civil::Date;

use crate::web::{Permission, Routes};

pub use model::{Loaded, Masters, MastersError, Mistake};
pub use store::{centre_id, load};

/// The source of an area's entry that the city decided here: what is shipped does not undo it.
pub const DECIDED: &str = "受持ち区域の変更（市の決定）";

/// One entry of a code table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// As stored in records.
    pub code: String,
    /// As staff read it.
    pub label: String,
}

const CODES: &str = "select code, label from codes
    where list = ?1 and valid_from <= ?2 and (valid_to is null or valid_to >= ?2)
    order by position, code";

/// The entries of a list that hold on a day. Lists: `consultation_channel`, `caller_kind`,
/// `consultation_category`, `consultation_response`, `urgency`, `consultation_outcome`,
/// `closing_reason`, `inquiry_reason`, `transfer_rule`;
/// for display also `care_level`, `sex`, `resident_kind`, `resident_state`,
/// `resident_event`, `insured_category`, `certification_state`, `application_kind`, `planner_kind`,
/// `bedridden_level`, `dementia_level`.
///
/// # Errors
/// [`StoreError`].
pub fn codes(tx: &ReadTx<'_>, list: &str, on: Date) -> Result<Vec<Code>, StoreError> {
    tx.all(CODES, params![list, on.to_string()], |row| {
        Ok(Code {
            code: row.get(0)?,
            label: row.get(1)?,
        })
    })
}

// A record may be older than the entry we know for its code: then the oldest one names it.
const LABEL: &str = "select label from codes where list = ?1 and code = ?2
    order by valid_from <= ?3 desc, abs(julianday(valid_from) - julianday(?3)) limit 1";

/// How a code reads that was stored on a day; also when the entry has ended since. `None` when the
/// list never had it.
///
/// # Errors
/// [`StoreError`].
pub fn label(
    tx: &ReadTx<'_>,
    list: &str,
    code: &str,
    on: Date,
) -> Result<Option<String>, StoreError> {
    tx.one(LABEL, params![list, code, on.to_string()], |row| row.get(0))
}

/// Routes of this slice.
pub fn routes() -> Routes {
    Routes::new("件数とマスタ").get("/overview", Permission::MasterView, pages::overview)
}
