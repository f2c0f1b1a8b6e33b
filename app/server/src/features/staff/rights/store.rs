//! SQL about rights: rows of roles, exceptions, who holds what.

use jiff::civil::Date;
use store::{
    ReadTx, Row, RowResult, Scope, StaffId, StoreError, WriteTx, day, optional_day, params,
};

use super::acts::Stamp;
use super::model::{
    Exception, ExceptionId, Holder, NewException, RoleChange, RoleRightId, RoleRow, Step,
};
use crate::features::staff::accounts::model::{Centre, Term, Written};
use crate::web::{Permission, Role, rights};

const HOLDERS: &str = "
    select s.id, s.login, s.name, t.role, c.id, c.code, c.short_name
    from staff s join staff_terms t on t.staff_id = s.id
    left join support_centres c on c.id = t.centre_id
    where t.starts_on <= ?1 and (t.ends_on is null or t.ends_on >= ?1) and (?2 = 0 or s.id = ?2)
    order by coalesce(c.code, ''), s.kana, s.id";

/// Everybody who has a post on a day: role, centre, whom they see and what they may do. What
/// "who can see this resident, and why" starts from: those with `ResidentView` whose scope shows her.
///
/// # Errors
/// [`StoreError`].
pub fn holders(tx: &ReadTx<'_>, on: Date) -> Result<Vec<Holder>, StoreError> {
    found(tx, on, StaffId(0))
}

/// One person, if she has a post on that day.
///
/// # Errors
/// [`StoreError`].
pub fn holder(tx: &ReadTx<'_>, id: StaffId, on: Date) -> Result<Option<Holder>, StoreError> {
    Ok(found(tx, on, id)?.into_iter().next())
}

fn found(tx: &ReadTx<'_>, on: Date, only: StaffId) -> Result<Vec<Holder>, StoreError> {
    let mut holders = tx.all(HOLDERS, params![on.to_string(), only], holder_row)?;
    for holder in &mut holders {
        holder.rights = rights::held(tx, holder.staff, &holder.role, on)?;
        let centre = holder.centre.as_ref().map(|centre| centre.id);
        if let Some(role) = Role::from_code(&holder.role) {
            holder.scope = holder.rights.scope(role, centre);
        }
    }
    Ok(holders)
}

fn holder_row(row: &Row<'_>) -> RowResult<Holder> {
    let role: String = row.get(3)?;
    let centre: Option<store::CentreId> = row.get(4)?;
    let centre = match centre {
        Some(id) => Some(Centre {
            id,
            code: row.get(5)?,
            name: row.get(6)?,
        }),
        None => None,
    };
    Ok(Holder {
        staff: row.get(0)?,
        login: row.get(1)?,
        name: row.get(2)?,
        scope: Scope::Nothing,
        rights: rights::Rights::default(),
        role,
        centre,
    })
}

const ROLE_ROWS: &str = "
    select r.id, r.role, r.permission, r.granted, r.starts_on, r.recorded_by, s.name, r.recorded_at,
           r.reason
    from role_right_terms r left join staff s on s.id = r.recorded_by
    where (?1 = 0 or r.id = ?1) order by r.starts_on, r.id";

/// Every row of every role that counts or will, in the order in which they overrule each other.
pub(super) fn role_rows(tx: &ReadTx<'_>) -> Result<Vec<RoleRow>, StoreError> {
    let rows = tx.all(ROLE_ROWS, params![0], role_row)?;
    Ok(rows.into_iter().flatten().collect())
}

/// One row, unless it was taken back.
pub(super) fn role_row_of(tx: &ReadTx<'_>, id: RoleRightId) -> Result<Option<RoleRow>, StoreError> {
    Ok(tx.one(ROLE_ROWS, params![id], role_row)?.flatten())
}

fn role_row(row: &Row<'_>) -> RowResult<Option<RoleRow>> {
    let (role, permission): (String, String) = (row.get(1)?, row.get(2)?);
    let known = Role::from_code(&role).zip(Permission::from_code(&permission));
    let Some((role, permission)) = known else {
        return Ok(None);
    };
    let made = written(row, 5)?;
    Ok(Some(RoleRow {
        id: row.get(0)?,
        role,
        step: Step {
            permission,
            granted: row.get(3)?,
        },
        starts_on: day(row, 4)?,
        is_shipped: made.reason == rights::AS_SHIPPED && made.by.is_none(),
        made,
    }))
}

fn written(row: &Row<'_>, first: usize) -> RowResult<Written> {
    Ok(Written {
        by: row.get(first)?,
        by_name: row.get(first + 1)?,
        at: row.get(first + 2)?,
        reason: row.get(first + 3)?,
    })
}

/// The newest things written about a role: what a form was opened on.
pub(super) fn stand_of_role(tx: &ReadTx<'_>, role: Role) -> Result<String, StoreError> {
    let sql = "select (select coalesce(max(id), 0) from role_rights where role = ?1) || '-' ||
        (select count(*) from role_right_withdrawals w join role_rights r on r.id = w.role_right_id
         where r.role = ?1)";
    let stand = tx.one(sql, params![role.code()], |row| row.get(0))?;
    Ok(stand.unwrap_or_default())
}

/// The newest things written about one person's exceptions.
///
/// # Errors
/// [`StoreError`].
pub fn stand_of(tx: &ReadTx<'_>, staff: StaffId) -> Result<String, StoreError> {
    let sql = "select (select coalesce(max(id), 0) from staff_rights where staff_id = ?1) || '-' ||
        (select coalesce(max(e.id), 0) from staff_right_endings e
         join staff_rights r on r.id = e.staff_right_id where r.staff_id = ?1)";
    let stand = tx.one(sql, params![staff], |row| row.get(0))?;
    Ok(stand.unwrap_or_default())
}

const EXCEPTIONS: &str = "
    select r.id, r.staff_id, r.permission, r.granted, t.starts_on, t.ends_on,
           r.recorded_by, m.name, r.recorded_at, r.reason,
           e.id, e.recorded_by, w.name, e.recorded_at, e.reason
    from staff_rights r join staff_right_terms t on t.id = r.id
    left join staff m on m.id = r.recorded_by
    left join staff_right_endings e on e.id =
      (select max(l.id) from staff_right_endings l where l.staff_right_id = r.id)
    left join staff w on w.id = e.recorded_by
    where (?1 = 0 or r.staff_id = ?1) and (?2 = 0 or r.id = ?2) order by r.id";

/// All exceptions of a person, oldest first; of everybody for `StaffId(0)`.
pub(super) fn exceptions(tx: &ReadTx<'_>, staff: StaffId) -> Result<Vec<Exception>, StoreError> {
    let rows = tx.all(EXCEPTIONS, params![staff, 0], exception_row)?;
    Ok(rows.into_iter().flatten().collect())
}

/// Everybody's exceptions, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn exceptions_of_all(tx: &ReadTx<'_>) -> Result<Vec<Exception>, StoreError> {
    exceptions(tx, StaffId(0))
}

/// One exception.
///
/// # Errors
/// [`StoreError`].
pub fn exception(tx: &ReadTx<'_>, id: ExceptionId) -> Result<Option<Exception>, StoreError> {
    Ok(tx.one(EXCEPTIONS, params![0, id], exception_row)?.flatten())
}

fn exception_row(row: &Row<'_>) -> RowResult<Option<Exception>> {
    let code: String = row.get(2)?;
    let Some(permission) = Permission::from_code(&code) else {
        return Ok(None);
    };
    let ending: Option<i64> = row.get(10)?;
    Ok(Some(Exception {
        id: row.get(0)?,
        staff: row.get(1)?,
        step: Step {
            permission,
            granted: row.get(3)?,
        },
        term: Term {
            starts_on: day(row, 4)?,
            ends_on: optional_day(row, 5)?,
        },
        made: written(row, 6)?,
        ending: ending.map(|_| written(row, 11)).transpose()?,
    }))
}

/// Writes a change of a role; returns the new rows.
pub(super) fn insert_role_change(
    tx: &WriteTx<'_>,
    change: &RoleChange,
    stamp: &Stamp<'_>,
) -> Result<Vec<i64>, StoreError> {
    let sql = "insert into role_rights
        (role, permission, granted, starts_on, reason, approval_id, recorded_by, recorded_at)
        values (?, ?, ?, ?, ?, ?, ?, ?)";
    let one = |step: &Step| {
        let (role, permission) = (change.role.code(), step.permission.code());
        let first = change.starts_on.to_string();
        let (reason, approval) = (&change.reason, stamp.approval);
        let values = params![
            role,
            permission,
            step.granted,
            first,
            reason,
            approval,
            stamp.by,
            stamp.now
        ];
        tx.insert(sql, values)
    };
    change.steps.iter().map(one).collect()
}

/// Takes a planned row back.
pub(super) fn withdraw_role_row(
    tx: &WriteTx<'_>,
    (row, reason): (RoleRightId, &str),
    stamp: &Stamp<'_>,
) -> Result<(), StoreError> {
    let sql = "insert into role_right_withdrawals (role_right_id, reason, recorded_by, recorded_at)
        values (?, ?, ?, ?)";
    tx.execute(sql, params![row, reason, stamp.by, stamp.now])?;
    Ok(())
}

/// Writes an exception; returns its id.
pub(super) fn insert_exception(
    tx: &WriteTx<'_>,
    new: &NewException,
    stamp: &Stamp<'_>,
) -> Result<i64, StoreError> {
    let sql = "insert into staff_rights
        (staff_id, permission, granted, starts_on, ends_on, reason, approval_id, recorded_by,
         recorded_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (permission, granted) = (new.step.permission.code(), new.step.granted);
    let first = new.starts_on.to_string();
    let last = new.ends_on.map(|day| day.to_string());
    let (reason, approval) = (&new.reason, stamp.approval);
    let values = params![
        new.staff, permission, granted, first, last, reason, approval, stamp.by, stamp.now
    ];
    tx.insert(sql, values)
}

/// Writes another last day of an exception.
pub(super) fn end_exception(
    tx: &WriteTx<'_>,
    (id, ends_on, reason): (ExceptionId, Date, &str),
    stamp: &Stamp<'_>,
) -> Result<(), StoreError> {
    let sql = "insert into staff_right_endings
        (staff_right_id, ends_on, reason, recorded_by, recorded_at) values (?, ?, ?, ?, ?)";
    tx.insert(
        sql,
        params![id, ends_on.to_string(), reason, stamp.by, stamp.now],
    )?;
    Ok(())
}
