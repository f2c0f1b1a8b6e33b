//! SQL about envelopes and openings.

use jiff::Timestamp;
use store::{Actor, ReadTx, StaffId, StoreError, WriteTx, params};

use super::acts::{Envelope, Opening};

pub(super) fn insert_envelope(
    tx: &WriteTx<'_>,
    envelope: &Envelope,
    hash: &str,
    actor: &Actor,
) -> Result<(), StoreError> {
    let operator = actor.operator.as_ref();
    tx.insert(
        "insert into break_glass_envelopes
           (pair, position, holder, hash, prepared_by, reason, recorded_at)
         values (?, ?, ?, ?, ?, ?, ?)",
        params![
            envelope.pair,
            envelope.position,
            envelope.holder,
            hash,
            operator.map_or("", |operator| operator.name.as_str()),
            operator.map_or("", |operator| operator.reason.as_str()),
            envelope.made_at
        ],
    )?;
    Ok(())
}

const WAITING: &str = "
    select one.pair, one.hash, two.hash from break_glass_envelopes one
    join break_glass_envelopes two on two.pair = one.pair and two.position = 2
    where one.position = 1 and one.id = (select max(id) from break_glass_envelopes where position = 1)
      and not exists (select 1 from break_glass_openings o where o.pair = one.pair)";

/// The newest pair and its hashes, while nobody has opened it.
pub(super) fn waiting(tx: &ReadTx<'_>) -> Result<Option<(String, [String; 2])>, StoreError> {
    tx.one(WAITING, [], |row| {
        Ok((row.get(0)?, [row.get(1)?, row.get(2)?]))
    })
}

pub(super) fn insert_opening(
    tx: &WriteTx<'_>,
    pair: &str,
    staff: StaffId,
    opening: &Opening,
    (valid_until, now): (&str, &str),
) -> Result<i64, StoreError> {
    let [first, second] = &opening.persons;
    tx.insert(
        "insert into break_glass_openings (pair, staff_id, password_id, valid_until, first_person,
           second_person, reason, recorded_at)
         values (?1, ?2, (select max(id) from staff_passwords where staff_id = ?2), ?3, ?4, ?5, ?6, ?7)",
        params![pair, staff, valid_until, first, second, opening.reason, now],
    )
}

const EXPIRED: &str = "select count(*) from break_glass_openings o
    where o.password_id = (select max(id) from staff_passwords where staff_id = ?1)
      and o.valid_until <= ?2";

/// Is this person's newest password one of an opening, and its time over?
pub(in crate::features::staff) fn is_expired(
    tx: &ReadTx<'_>,
    staff: StaffId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.count(EXPIRED, params![staff, format!("{now:.6}")])? > 0)
}

/// A pair that waits.
pub(super) struct Pair {
    pub(super) holders: [String; 2],
    pub(super) prepared_by: String,
    pub(super) at: String,
}

/// The pair that would open today.
pub(super) fn pair(tx: &ReadTx<'_>) -> Result<Option<Pair>, StoreError> {
    let Some((pair, _)) = waiting(tx)? else {
        return Ok(None);
    };
    let sql = "select one.holder, two.holder, one.prepared_by, one.recorded_at
        from break_glass_envelopes one
        join break_glass_envelopes two on two.pair = one.pair and two.position = 2
        where one.pair = ?1 and one.position = 1";
    tx.one(sql, params![pair], |row| {
        Ok(Pair {
            holders: [row.get(0)?, row.get(1)?],
            prepared_by: row.get(2)?,
            at: row.get(3)?,
        })
    })
}

/// One opening as a page tells it.
pub(super) struct OpenedLine {
    pub(super) id: i64,
    pub(super) login: String,
    pub(super) persons: [String; 2],
    pub(super) reason: String,
    pub(super) valid_until: String,
    pub(super) at: String,
    pub(super) seen_by: String,
    pub(super) seen: bool,
}

const OPENINGS: &str = "
    select o.id, s.login, o.first_person, o.second_person, o.reason, o.valid_until, o.recorded_at,
      coalesce((select group_concat(n.name, '、') from break_glass_acknowledgements a
                join staff n on n.id = a.staff_id where a.opening_id = o.id), ''),
      exists (select 1 from break_glass_acknowledgements a
              where a.opening_id = o.id and a.staff_id = ?1)
    from break_glass_openings o join staff s on s.id = o.staff_id
    order by o.id desc limit 50";

pub(super) fn openings(tx: &ReadTx<'_>, viewer: StaffId) -> Result<Vec<OpenedLine>, StoreError> {
    tx.all(OPENINGS, params![viewer], |row| {
        Ok(OpenedLine {
            id: row.get(0)?,
            login: row.get(1)?,
            persons: [row.get(2)?, row.get(3)?],
            reason: row.get(4)?,
            valid_until: row.get(5)?,
            at: row.get(6)?,
            seen_by: row.get(7)?,
            seen: row.get(8)?,
        })
    })
}

/// Takes note; false when that person has before. `None`: no such opening.
pub(super) fn acknowledge(
    tx: &WriteTx<'_>,
    opening: i64,
    staff: StaffId,
    now: &str,
) -> Result<Option<bool>, StoreError> {
    let known = "select count(*) from break_glass_openings where id = ?1";
    if tx.count(known, params![opening])? == 0 {
        return Ok(None);
    }
    let done = tx.execute(
        "insert into break_glass_acknowledgements (opening_id, staff_id, recorded_at)
         values (?1, ?2, ?3) on conflict do nothing",
        params![opening, staff, now],
    )?;
    Ok(Some(done > 0))
}
