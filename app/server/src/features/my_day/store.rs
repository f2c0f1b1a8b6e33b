//! SQL of the day: counts and first rows, all through the scoped views.

use jiff::civil::Date;
use store::{CentreId, ReadTx, Row, RowResult, StaffId, StoreError, params};

use super::model::{Change, Day, Draft, Waiting};
use crate::features::{approvals, assignments, case_grants, transfers};
use crate::web::Role;

/// Rows of each list; the whole list is one click away.
const ROWS_MAX: i64 = 10;
/// People who were given to the viewer: for a section they are its day.
const GIVEN_MAX: usize = 20;

const WAITING: &str = "
    from visible_current_consultations c
    where c.withdrawn = 0 and c.followed_up = 0
      -- As the index says it, or it is not used.
      and (c.next_due_on is not null or c.next_action <> '')";

const OWN_OPEN: &str = "
    from visible_current_consultations c
    where c.withdrawn = 0 and c.created_by = ?1 and c.outcome not in (
      select k.code from codes k where k.list = 'consultation_outcome' and k.label like '終結%')";

const COLUMNS: &str = "
    select c.id, c.received_on,
           (select r.name from visible_residents r where r.id = c.resident_id), c.client_name,
           c.resident_id is not null, c.urgency,
           coalesce((select k.label from codes k where k.list = 'urgency' and k.code = c.urgency
                     order by k.valid_from desc limit 1), c.urgency),
           c.next_action, c.content, c.next_due_on, c.created_by is ?1,
           exists (select 1 from visible_assignments a
                   where a.resident_id = c.resident_id and a.staff_id = ?1 and a.starts_on <= ?3
                     and (a.ends_on is null or a.ends_on >= ?3))";

// People who are new to the register need no confirmation: nothing of theirs changed.
const CHANGES: &str = "
    from visible_resident_changes c
    join visible_residents r on r.id = c.resident_id and r.writable
    left join resident_change_confirmations f on f.change_id = c.id
    where f.id is null and c.kind <> 'new'";

// What ended or was taken back waits for nobody, as on the page of conflicts.
const CONFLICTS: &str = "
    select count(distinct c.correction_id) from visible_conflicts c
    join visible_corrections k on k.id = c.correction_id and k.ended_at is null
    join visible_residents r on r.id = c.resident_id and r.writable
    left join import_conflict_decisions d on d.conflict_id = c.id
    where d.id is null
      and not exists (select 1 from import_undos u where u.import_id = c.import_id)";

// Who lives here, as the list behind the number shows it.
const ENDING: &str = "
    select count(distinct c.resident_id) from visible_certifications c
    join visible_residents r on r.id = c.resident_id and r.resident_state = '1' and r.writable
    where c.valid_to >= ?1 and c.valid_to <= ?2
      and not exists (select 1 from visible_certifications l
                      where l.insured_person_id = c.insured_person_id and l.valid_to > c.valid_to)";

const INCIDENTS: &str = "
    select count(*) from incidents i where (?1 = 0 or i.centre_id = ?1)
      and coalesce((select t.kind from incident_steps t
                    where t.incident_id = i.id and t.kind in ('closed', 'reopened')
                    order by t.id desc limit 1), '') <> 'closed'";

/// Everything that waits for this person today.
///
/// `incidents_of`: whose open incidents count: 0 everybody's, a centre's id, -1 none.
pub(super) fn day(
    tx: &ReadTx<'_>,
    (staff, role, incidents_of): (StaffId, Role, i64),
    centre: Option<CentreId>,
    today: Date,
) -> Result<Day, StoreError> {
    let (given, given_count) = case_grants::given(tx, (staff, role.code()), today, (GIVEN_MAX, 0))?;
    let iso = today.to_string();
    let overdue = format!("select count(*) {WAITING} and c.next_due_on < ?1");
    let due_today = format!("select count(*) {WAITING} and c.next_due_on = ?1");
    let later = |days: i64| {
        today
            .checked_add(jiff::Span::new().days(days))
            .map_or_else(|_| iso.clone(), |d| d.to_string())
    };
    Ok(Day {
        approvals: approvals::Waiting::default(),
        transfers: transfers::waiting(tx, centre)?,
        given,
        given_count,
        incidents: tx.count(INCIDENTS, params![incidents_of])?,
        overdue: tx.count(&overdue, params![iso])?,
        due_today: tx.count(&due_today, params![iso])?,
        open: tx.count(&format!("select count(*) {OWN_OPEN}"), params![staff])?,
        assigned: assignments::people_of(tx, staff, today)?,
        changes: tx.count(&format!("select count(*) {CHANGES}"), [])?,
        conflicts: tx.count(CONFLICTS, [])?,
        abuse_due: 0,
        carried_out_overdue: 0,
        inspections_overdue: 0,
        ending_30: tx.count(ENDING, params![iso, later(30)])?,
        ending_60: tx.count(ENDING, params![iso, later(60)])?,
        waiting: waiting_rows(tx, (staff, &iso))?,
        own_open: rows(
            tx,
            OWN_OPEN,
            "c.received_on desc, c.id desc",
            ((staff, &iso), ROWS_MAX),
        )?,
        first_changes: changes(tx)?,
        drafts: drafts(tx)?,
    })
}

/// Those with a day first, in the order of an index; one statement for all would sort them all.
fn waiting_rows(tx: &ReadTx<'_>, viewer: (StaffId, &str)) -> Result<Vec<Waiting>, StoreError> {
    let dated = format!("{WAITING} and c.next_due_on is not null");
    let mut found = rows(tx, &dated, "c.next_due_on, c.id", (viewer, ROWS_MAX))?;
    let left = ROWS_MAX - i64::try_from(found.len()).unwrap_or(ROWS_MAX);
    if left > 0 {
        let undated = format!("{WAITING} and c.next_due_on is null");
        found.extend(rows(tx, &undated, "c.id", (viewer, left))?);
    }
    Ok(found)
}

fn rows(
    tx: &ReadTx<'_>,
    matches: &str,
    order: &str,
    ((staff, today), limit): ((StaffId, &str), i64),
) -> Result<Vec<Waiting>, StoreError> {
    let sql = format!("{COLUMNS} {matches} order by {order} limit ?2");
    tx.all(&sql, params![staff, limit, today], waiting)
}

fn waiting(row: &Row<'_>) -> RowResult<Waiting> {
    Ok(Waiting {
        id: row.get(0)?,
        received_on: row.get(1)?,
        name: row.get::<_, Option<String>>(2)?.map(Into::into),
        told: row.get::<_, String>(3)?.into(),
        identified: row.get(4)?,
        urgency: row.get(5)?,
        urgency_label: row.get(6)?,
        what: row.get(7)?,
        content: row.get::<_, String>(8)?.into(),
        due_on: row
            .get::<_, Option<String>>(9)?
            .and_then(|day| day.parse().ok()),
        is_mine: row.get(10)?,
        in_charge: row.get(11)?,
    })
}

fn changes(tx: &ReadTx<'_>) -> Result<Vec<Change>, StoreError> {
    let sql = format!("select r.id, r.name, c.kind {CHANGES} order by c.id desc limit ?1");
    tx.all(&sql, params![ROWS_MAX], |row| {
        Ok(Change {
            resident_id: row.get(0)?,
            name: row.get::<_, String>(1)?.into(),
            kind: row.get(2)?,
        })
    })
}

fn drafts(tx: &ReadTx<'_>) -> Result<Vec<Draft>, StoreError> {
    let sql = "select form, saved_at from own_drafts order by saved_at desc limit ?1";
    tx.all(sql, params![ROWS_MAX], |row| {
        Ok(Draft {
            form: row.get(0)?,
            saved_at: row.get(1)?,
        })
    })
}
