//! SQL about changes and conflicts.

use store::{
    Audited, Event, Operation, ReadTx, RecordKind, ResidentId, StaffId, StoreError, WriteTx, params,
};

use super::model::{Change, ChangeId, Conflict, ConflictId, Decision, Earlier};

/// Waiting changes. The first delivery is only new people: its import is passed over by its counts,
/// so that its many rows are not walked through on every page.
const WAITING: &str = "from visible_resident_changes c
    join visible_residents r on r.id = c.resident_id
    join imports i on i.id = c.import_id
    where c.import_id in (select n.id from imports n
        where n.count_changed + n.count_moved + n.count_died > 0
          and not exists (select 1 from import_undos u where u.import_id = n.id))
      and c.kind <> 'new' and (?1 = '' or c.kind = ?1) and r.writable
      and not exists (select 1 from resident_change_confirmations k where k.change_id = c.id)";

pub(super) fn changes(
    tx: &ReadTx<'_>,
    kind: &str,
    limit: i64,
    offset: i64,
) -> Result<Vec<Change>, StoreError> {
    let sql = format!(
        "select c.id, c.kind, c.fields, c.resident_id, r.name, r.kana, r.born_on, i.applied_at
         {WAITING} order by c.id limit ?2 offset ?3"
    );
    tx.all(&sql, params![kind, limit, offset], |row| {
        Ok(Change {
            id: row.get(0)?,
            kind: row.get(1)?,
            fields: row.get(2)?,
            resident: row.get(3)?,
            name: row.get::<_, String>(4)?.into(),
            kana: row.get::<_, String>(5)?.into(),
            born_on: row.get(6)?,
            applied_at: row.get(7)?,
        })
    })
}

/// How many wait, by kind.
pub(super) fn counts(tx: &ReadTx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = format!("select c.kind, count(*) {WAITING} group by c.kind");
    tx.all(&sql, params![""], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// What staff see of a centre is its name, however it was noted.
const CONFLICTS: &str = "select f.id, f.resident_id, r.name, c.field,
      case c.field when 'centre' then coalesce((select s.name from support_centres s
        where s.code = c.value or cast(s.id as text) = c.value limit 1), c.value) else c.value end,
      case c.field when 'centre' then coalesce((select s.name from support_centres s
        where s.code = f.register_value or cast(s.id as text) = f.register_value limit 1),
        f.register_value) else f.register_value end,
      c.reason, p.name, c.recorded_at
    from visible_conflicts f
    join visible_corrections c on c.id = f.correction_id
    join visible_residents r on r.id = f.resident_id
    join staff p on p.id = c.staff_id
    where c.ended_at is null and r.writable
      and not exists (select 1 from import_conflict_decisions d where d.conflict_id = f.id)
      and not exists (select 1 from import_undos u where u.import_id = f.import_id)
      and not exists (select 1 from visible_conflicts g
          where g.correction_id = f.correction_id and g.id > f.id)
    order by f.id limit ?1";

/// Open conflicts; of several about one correction the newest.
pub(super) fn conflicts(tx: &ReadTx<'_>, limit: i64) -> Result<Vec<Conflict>, StoreError> {
    tx.all(CONFLICTS, params![limit], |row| {
        Ok(Conflict {
            id: row.get(0)?,
            resident: row.get(1)?,
            name: row.get::<_, String>(2)?.into(),
            field: row.get(3)?,
            typed: row.get::<_, String>(4)?.into(),
            register: row.get::<_, String>(5)?.into(),
            reason: row.get::<_, String>(6)?.into(),
            by: row.get(7)?,
            at: row.get(8)?,
        })
    })
}

/// Whose change it is, when it is visible and can be confirmed; false: only read.
pub(super) fn resident_of(
    tx: &ReadTx<'_>,
    id: ChangeId,
) -> Result<Option<(ResidentId, bool)>, StoreError> {
    let sql = "select r.id, r.writable from visible_resident_changes c
        join visible_residents r on r.id = c.resident_id where c.id = ?1 and c.kind <> 'new'";
    tx.one(sql, params![id], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn confirmed(tx: &ReadTx<'_>, id: ChangeId) -> Result<Option<Earlier>, StoreError> {
    let sql = "select p.name, k.recorded_at, '' from resident_change_confirmations k
        join staff p on p.id = k.staff_id where k.change_id = ?1";
    tx.one(sql, params![id], earlier)
}

fn earlier(row: &store::Row<'_>) -> store::RowResult<Earlier> {
    Ok(Earlier {
        by: row.get(0)?,
        at: row.get(1)?,
        decision: row.get(2)?,
    })
}

pub(super) fn confirm(
    tx: &WriteTx<'_>,
    id: ChangeId,
    resident: ResidentId,
    by: StaffId,
    now: &str,
) -> Result<Event, StoreError> {
    tx.insert(
        "insert into resident_change_confirmations (change_id, staff_id, recorded_at)
         values (?, ?, ?)",
        params![id, by, now],
    )?;
    Ok(Event::done(Operation::ChangeConfirm)
        .about(resident)
        .on(RecordKind::Change, id.0))
}

/// Whose conflict it is, and about which correction.
type About = (ResidentId, i64);

/// What a conflict is about, when it is visible; false: only read.
pub(super) fn conflict(
    tx: &ReadTx<'_>,
    id: ConflictId,
) -> Result<Option<(About, bool)>, StoreError> {
    let sql = "select r.id, f.correction_id, r.writable from visible_conflicts f
        join visible_residents r on r.id = f.resident_id where f.id = ?1";
    tx.one(sql, params![id], |row| {
        Ok(((row.get(0)?, row.get(1)?), row.get(2)?))
    })
}

pub(super) fn decided(tx: &ReadTx<'_>, id: ConflictId) -> Result<Option<Earlier>, StoreError> {
    let sql = "select p.name, d.recorded_at, d.decision from import_conflict_decisions d
        join staff p on p.id = d.staff_id where d.conflict_id = ?1";
    tx.one(sql, params![id], earlier)
}

/// Writes a decision; for the register it ends the correction and renews the search keys, which
/// only the system may, so the caller has looked through the viewer's eyes before.
pub(super) fn decide(
    tx: &WriteTx<'_>,
    id: ConflictId,
    (resident, correction): (ResidentId, i64),
    decision: Decision,
    by: StaffId,
    now: &str,
) -> Result<Audited<()>, StoreError> {
    tx.insert(
        "insert into import_conflict_decisions (conflict_id, decision, staff_id, recorded_at)
         values (?, ?, ?, ?)",
        params![id, decision.code(), by, now],
    )?;
    let first = Event::done(Operation::ConflictDecide)
        .about(resident)
        .on(RecordKind::Conflict, id.0)
        .detail(decision.code());
    if decision == Decision::Keep {
        return Ok(tx.audited(first, ()));
    }
    let ended = tx.execute(
        "insert into resident_correction_endings (correction_id, reason, staff_id, recorded_at)
         select ?1, '取込みの値を採用', ?2, ?3
         where not exists (select 1 from resident_correction_endings where correction_id = ?1)",
        params![correction, by, now],
    )?;
    crate::features::imports::reindex(tx, resident)?;
    let end = Event::done(Operation::ResidentCorrectionEnd)
        .about(resident)
        .on(RecordKind::Correction, correction);
    Ok(tx.audited_all(first, if ended > 0 { vec![end] } else { Vec::new() }, ()))
}
