//! SQL about factors.

use jiff::Timestamp;
use store::{ReadTx, StaffId, StoreError, WriteTx, params};

use super::model::{FactorId, Held, Kind};

const HELD: &str = "
    select id, kind, name, secret, recorded_at from second_factors
    where staff_id = ?1 and id > (select coalesce(max(last_factor_id), 0)
                                  from second_factor_resets where staff_id = ?1)
    order by id";

/// What somebody holds and nobody took back, oldest first.
pub(in crate::features::staff) fn held(
    tx: &ReadTx<'_>,
    id: StaffId,
) -> Result<Vec<Held>, StoreError> {
    let found = tx.all(HELD, params![id], |row| {
        let kind: String = row.get(1)?;
        let Some(kind) = Kind::from_code(&kind) else {
            return Ok(None);
        };
        Ok(Some(Held {
            id: row.get(0)?,
            kind,
            name: row.get(2)?,
            secret: row.get(3)?,
            at: row.get(4)?,
        }))
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// One more.
pub(super) fn insert(
    tx: &WriteTx<'_>,
    id: StaffId,
    (kind, name, secret): (Kind, &str, &str),
    now: Timestamp,
) -> Result<FactorId, StoreError> {
    let sql = "insert into second_factors (staff_id, kind, name, secret, recorded_at)
        values (?, ?, ?, ?, ?)";
    let now = format!("{now:.6}");
    let made = tx.insert(sql, params![id, kind.code(), name, secret, now])?;
    Ok(FactorId(made))
}

/// Marks a code (or a key's counter) as used; false when that one or a later one was before.
pub(super) fn use_once(
    tx: &WriteTx<'_>,
    id: FactorId,
    step: u64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "insert into second_factor_uses (factor_id, step, used_at) values (?1, ?2, ?3)
        on conflict (factor_id) do update set step = excluded.step, used_at = excluded.used_at
        where excluded.step > step";
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let changed = tx.execute(sql, params![id, step, format!("{now:.6}")])?;
    Ok(changed == 1)
}

/// Takes back everything up to and including this one.
pub(in crate::features::staff) fn reset(
    tx: &WriteTx<'_>,
    id: StaffId,
    last: FactorId,
    (reason, by): (&str, Option<StaffId>),
    now: &str,
) -> Result<(), StoreError> {
    let sql = "insert into second_factor_resets
          (staff_id, last_factor_id, reason, recorded_by, recorded_at)
        values (?, ?, ?, ?, ?)";
    tx.insert(sql, params![id, last, reason, by, now])?;
    Ok(())
}
