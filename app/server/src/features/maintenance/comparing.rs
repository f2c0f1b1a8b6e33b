//! Is the protocol of a window what was written? The access log holds a checksum of each record.
//!
//! The log itself is vouched for by its chain and its checkpoints (`access_log`).

use jiff::Timestamp;
use store::StoreError;

use super::model::{Comparison, Grant, Request};
use super::store as sql;
use crate::web::{Problem, Visit};

/// Most requests of one window; 8 hours of one click a second are fewer.
pub(super) const ROWS_MAX: usize = 50_000;

/// The whole protocol with what the access log says about it, at one moment; the years that lie in
/// files of their own are asked too.
pub(super) fn compare(visit: &Visit, grant: &Grant) -> Result<(Vec<Request>, Comparison), Problem> {
    let (db, id) = (visit.app.db(), grant.id);
    let (requests, live) = db.read(&visit.actor, |tx| {
        let requests = sql::requests(tx, id, ROWS_MAX, 0)?;
        Ok::<_, StoreError>((requests, sql::marks(tx, id)?))
    })?;
    let mut marks: std::collections::BTreeMap<i64, String> = live.into_iter().collect();
    let mut unread = false;
    for cut in db.audit_cuts()? {
        if !spans(grant).contains(&cut.year) {
            continue;
        }
        match db.read_archive(&visit.actor, cut.year, |tx| sql::marks(tx, id)) {
            Ok(archived) => marks.extend(archived),
            Err(StoreError::Absent { .. }) => unread = true,
            Err(error) => return Err(error.into()),
        }
    }
    let comparison = Comparison::new(id, &requests, &marks, unread);
    Ok((requests, comparison))
}

/// The calendar years in Japan that a window touches.
fn spans(grant: &Grant) -> std::ops::RangeInclusive<i16> {
    let year = |at: &str| {
        let at: Option<Timestamp> = at.parse().ok();
        at.map(|at| base::clock::japanese_day(at).year())
    };
    year(&grant.starts_at).unwrap_or(i16::MIN)..=year(&grant.ends_at).unwrap_or(i16::MAX)
}
