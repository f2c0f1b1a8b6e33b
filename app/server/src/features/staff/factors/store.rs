//! SQL about factors.

use jiff::Timestamp;
use store::{ReadTx, StaffId, StoreError, WriteTx, params};

use super::model::{FactorId, Held, Kind, Proof};
use crate::factor_keys::Sealed;

const HELD: &str = "
    select f.id, f.kind, f.name, f.public_key, s.key, s.sealed, f.recorded_at, f.staff_id
    from second_factors f left join second_factor_secrets s on s.factor_id = f.id
    where f.staff_id = ?1 and f.id > (select coalesce(max(last_factor_id), 0)
                                      from second_factor_resets where staff_id = ?1)
    order by f.id";

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
        let sealed = match row.get::<_, Option<String>>(4)? {
            Some(key) => Some(Sealed {
                key,
                bytes: row.get(5)?,
            }),
            None => None,
        };
        Ok(Some(Held {
            id: row.get(0)?,
            staff_id: row.get(7)?,
            kind,
            name: row.get(2)?,
            proof: match row.get(3)? {
                Some(key) => Proof::Key(key),
                None => Proof::Code(sealed),
            },
            at: row.get(6)?,
        }))
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// One more; the secret of a telephone comes after it ([`put_secret`]), bound to its number.
pub(super) fn insert(
    tx: &WriteTx<'_>,
    id: StaffId,
    (kind, name, public_key): (Kind, &str, Option<&str>),
    now: Timestamp,
) -> Result<FactorId, StoreError> {
    let sql = "insert into second_factors (staff_id, kind, name, public_key, recorded_at)
        values (?, ?, ?, ?, ?)";
    let now = format!("{now:.6}");
    let made = tx.insert(sql, params![id, kind.code(), name, public_key, now])?;
    Ok(FactorId(made))
}

/// Keeps a sealed secret, in the place of one that an older key sealed.
pub(super) fn put_secret(
    tx: &WriteTx<'_>,
    id: FactorId,
    sealed: &Sealed,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "insert into second_factor_secrets (factor_id, key, sealed, sealed_at)
        values (?1, ?2, ?3, ?4)
        on conflict (factor_id) do update
        set key = excluded.key, sealed = excluded.sealed, sealed_at = excluded.sealed_at";
    let now = format!("{now:.6}");
    tx.execute(sql, params![id, sealed.key, sealed.bytes, now])?;
    Ok(())
}

/// Every sealed secret, with its factor and its person.
pub(super) fn sealed(tx: &ReadTx<'_>) -> Result<Vec<(FactorId, StaffId, Sealed)>, StoreError> {
    let sql = "select s.factor_id, f.staff_id, s.key, s.sealed from second_factor_secrets s
        join second_factors f on f.id = s.factor_id order by s.factor_id";
    tx.all(sql, [], |row| {
        let (key, bytes) = (row.get(2)?, row.get(3)?);
        Ok((row.get(0)?, row.get(1)?, Sealed { key, bytes }))
    })
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

/// Takes back, with the secrets, everything up to and including this one.
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
    let secrets = "delete from second_factor_secrets where factor_id in
        (select id from second_factors where staff_id = ?1 and id <= ?2)";
    tx.execute(secrets, params![id, last])?;
    Ok(())
}
