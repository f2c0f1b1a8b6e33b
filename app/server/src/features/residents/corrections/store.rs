//! SQL about corrections.

use store::{
    Event, Operation, ReadTx, RecordKind, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx,
    params,
};

use super::model::{Correction, Ending, Field, FieldState};

/// Through whose eyes a state is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Eyes {
    /// Through the scoped views.
    Viewer,
    /// In a transaction of the system, after the viewer was shown the person.
    System,
}

/// A field of a person who is visible.
pub(super) fn state(
    tx: &ReadTx<'_>,
    eyes: Eyes,
    id: ResidentId,
    field: Field,
) -> Result<Option<FieldState>, StoreError> {
    let (residents, corrections, writable) = match eyes {
        Eyes::Viewer => ("visible_residents", "visible_corrections", "r.writable"),
        Eyes::System => ("residents", "resident_corrections", "1"),
    };
    let head = format!(
        "select r.name, r.shielded, r.centre_id,
                case ?2 when 'kana' then r.kana when 'phone' then r.phone else r.address end,
                {writable}
         from {residents} r where r.id = ?1"
    );
    let head = tx.one(&head, params![id, field.code()], |row| {
        Ok(FieldState {
            name: row.get::<_, String>(0)?.into(),
            shielded: row.get(1)?,
            centre: row.get(2)?,
            register: row.get::<_, String>(3)?.into(),
            writable: row.get(4)?,
            all: Vec::new(),
        })
    })?;
    let Some(head) = head else { return Ok(None) };
    let all = format!(
        "select c.id, c.value, c.register_value, c.reason, c.staff_id, s.name, c.recorded_at,
                e.staff_id, coalesce(t.name, 'システム'), e.recorded_at, e.reason
         from {corrections} c join staff s on s.id = c.staff_id
         left join resident_correction_endings e on e.correction_id = c.id
         left join staff t on t.id = e.staff_id
         where c.resident_id = ?1 and c.field = ?2 order by c.id desc"
    );
    Ok(Some(FieldState {
        all: tx.all(&all, params![id, field.code()], correction)?,
        ..head
    }))
}

fn correction(row: &Row<'_>) -> RowResult<Correction> {
    let ended_at: Option<String> = row.get(9)?;
    let ending = match ended_at {
        Some(at) => Some(Ending {
            staff: row.get(7)?,
            by: row.get(8)?,
            at,
            reason: row.get::<_, String>(10)?.into(),
        }),
        None => None,
    };
    Ok(Correction {
        id: row.get(0)?,
        value: row.get::<_, String>(1)?.into(),
        register: row.get::<_, String>(2)?.into(),
        reason: row.get::<_, String>(3)?.into(),
        staff: row.get(4)?,
        by: row.get(5)?,
        at: row.get(6)?,
        ending,
    })
}

/// The field of a correction of this person.
pub(super) fn field_of(
    tx: &ReadTx<'_>,
    id: ResidentId,
    correction: i64,
) -> Result<Option<Field>, StoreError> {
    let sql = "select field from visible_corrections where id = ?1 and resident_id = ?2";
    let code = tx.one(sql, params![correction, id], |row| row.get::<_, String>(0))?;
    Ok(code.as_deref().and_then(Field::from_code))
}

// What the register says is copied inside the database, as of this moment.
const INSERT: &str = "
    insert into resident_corrections
      (resident_id, field, value, register_value, reason, staff_id, recorded_at)
    select r.id, ?2, ?3,
           case ?2 when 'kana' then r.kana when 'phone' then r.phone else r.address end, ?4, ?5, ?6
    from residents r where r.id = ?1";

/// Who did it, and when.
pub(super) type Stamp<'s> = (StaffId, &'s str);

/// Adds a correction; in a transaction of the system.
pub(super) fn insert(
    tx: &WriteTx<'_>,
    id: ResidentId,
    field: Field,
    (value, reason): (&str, &str),
    (staff, now): Stamp<'_>,
) -> Result<Event, StoreError> {
    let values = params![id, field.code(), value, reason, staff, now];
    let correction = tx.insert(INSERT, values)?;
    Ok(Event::done(Operation::ResidentCorrect)
        .about(id)
        .on(RecordKind::Correction, correction)
        .detail(field.code()))
}

/// Ends a correction; in a transaction of the system.
pub(super) fn end(
    tx: &WriteTx<'_>,
    id: ResidentId,
    field: Field,
    (correction, reason): (i64, &str),
    (staff, now): Stamp<'_>,
) -> Result<Event, StoreError> {
    let sql = "insert into resident_correction_endings
        (correction_id, reason, staff_id, recorded_at) values (?, ?, ?, ?)";
    tx.insert(sql, params![correction, reason, staff, now])?;
    Ok(Event::done(Operation::ResidentCorrectionEnd)
        .about(id)
        .on(RecordKind::Correction, correction)
        .detail(field.code()))
}

/// The words of an ending that another correction brought.
pub(super) const REPLACED: &str = "新しい訂正に置き換え";
