//! SQL about inspections.

use jiff::civil::Date;
use store::{CentreId, ReadTx, Row, RowResult, StaffId, StoreError, WriteTx, params};

use super::model::Reach;

/// What one item showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Good,
    Bad,
    None,
}

impl Outcome {
    pub(super) const ALL: [Self; 3] = [Self::Good, Self::Bad, Self::None];

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::None => "none",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Good => "良",
            Self::Bad => "不備",
            Self::None => "該当なし",
        }
    }

    pub(super) fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }
}

/// The result of one item.
#[derive(Debug, Clone)]
pub(super) struct ItemResult {
    pub(super) item: String,
    pub(super) outcome: Outcome,
    pub(super) remark: String,
    pub(super) fix_due_on: Option<Date>,
}

/// One check as typed.
#[derive(Debug, Clone)]
pub(super) struct Inspection {
    pub(super) checked_on: Date,
    pub(super) checker: String,
    pub(super) next_due_on: Date,
    pub(super) list_from: String,
    pub(super) note: String,
    pub(super) results: Vec<ItemResult>,
}

pub(super) fn by_submission(tx: &ReadTx<'_>, submission: &str) -> Result<Option<i64>, StoreError> {
    let sql = "select id from inspections where submission = ?1";
    tx.one(sql, params![submission], |row| row.get(0))
}

pub(super) fn insert(
    tx: &WriteTx<'_>,
    centre: Option<CentreId>,
    inspection: &Inspection,
    (by, now, submission): (StaffId, &str, &str),
) -> Result<i64, StoreError> {
    let sql = "insert into inspections (centre_id, submission, checked_on, checker, next_due_on,
          list_from, note, recorded_by, recorded_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        centre,
        submission,
        inspection.checked_on.to_string(),
        inspection.checker,
        inspection.next_due_on.to_string(),
        inspection.list_from,
        inspection.note,
        by,
        now
    ];
    let id = tx.insert(sql, values)?;
    let sql = "insert into inspection_results (inspection_id, item, result, remark, fix_due_on)
        values (?1, ?2, ?3, ?4, ?5)";
    for result in &inspection.results {
        let due = result.fix_due_on.map(|day| day.to_string());
        let values = params![id, result.item, result.outcome.code(), result.remark, due];
        tx.execute(sql, values)?;
    }
    Ok(id)
}

/// One check of the list.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) centre_id: Option<CentreId>,
    pub(super) centre: Option<String>,
    pub(super) checked_on: String,
    pub(super) checker: String,
    pub(super) next_due_on: String,
    pub(super) list_from: String,
    pub(super) note: String,
    pub(super) bad: i64,
    pub(super) unfixed: i64,
    pub(super) recorded_by: String,
    pub(super) recorded_at: String,
    /// Reason, by whom, when.
    pub(super) withdrawal: Option<(String, String, String)>,
}

const SELECT: &str = "select i.id, i.centre_id, o.short_name as centre, i.checked_on, i.checker,
      i.next_due_on, i.list_from, i.note, s.name as recorded_by, i.recorded_at,
      (select count(*) from inspection_results r where r.inspection_id = i.id and r.result = 'bad')
        as bad,
      (select count(*) from inspection_results r where r.inspection_id = i.id and r.result = 'bad'
        and not exists (select 1 from inspection_fixes f
                        where f.inspection_id = r.inspection_id and f.item = r.item)) as unfixed,
      w.reason as withdrawn, x.name as withdrawn_by, w.recorded_at as withdrawn_at
    from inspections i
    join staff s on s.id = i.recorded_by
    left join support_centres o on o.id = i.centre_id
    left join inspection_withdrawals w on w.inspection_id = i.id
    left join staff x on x.id = w.recorded_by
    where (?1 is null or i.centre_id = ?1)";

fn line(row: &Row<'_>) -> RowResult<Line> {
    let reason: Option<String> = row.get("withdrawn")?;
    let by: Option<String> = row.get("withdrawn_by")?;
    let at: Option<String> = row.get("withdrawn_at")?;
    Ok(Line {
        id: row.get("id")?,
        centre_id: row.get("centre_id")?,
        centre: row.get("centre")?,
        checked_on: row.get("checked_on")?,
        checker: row.get("checker")?,
        next_due_on: row.get("next_due_on")?,
        list_from: row.get("list_from")?,
        note: row.get("note")?,
        bad: row.get("bad")?,
        unfixed: row.get("unfixed")?,
        recorded_by: row.get("recorded_by")?,
        recorded_at: row.get("recorded_at")?,
        withdrawal: reason.map(|r| (r, by.unwrap_or_default(), at.unwrap_or_default())),
    })
}

/// Newest first. Two or three a year for each of six offices: no pages needed for decades.
pub(super) fn list(tx: &ReadTx<'_>, reach: Reach) -> Result<Vec<Line>, StoreError> {
    let sql = format!("{SELECT} order by i.checked_on desc, i.id desc limit 500");
    tx.all(&sql, params![reach.centre()], line)
}

pub(super) fn find(tx: &ReadTx<'_>, id: i64, reach: Reach) -> Result<Option<Line>, StoreError> {
    let sql = format!("{SELECT} and i.id = ?2");
    tx.one(&sql, params![reach.centre(), id], line)
}

/// A result with what was done about it.
#[derive(Debug, Clone)]
pub(super) struct ResultRow {
    pub(super) item: String,
    pub(super) outcome: Outcome,
    pub(super) remark: String,
    pub(super) fix_due_on: Option<String>,
    /// Day, what, by whom.
    pub(super) fixed: Option<(String, String, String)>,
}

pub(super) fn results(tx: &ReadTx<'_>, id: i64) -> Result<Vec<ResultRow>, StoreError> {
    let sql = "select r.item, r.result, r.remark, r.fix_due_on, f.fixed_on, f.note, s.name
        from inspection_results r
        left join inspection_fixes f on f.inspection_id = r.inspection_id and f.item = r.item
        left join staff s on s.id = f.recorded_by
        where r.inspection_id = ?1 order by r.item";
    tx.all(sql, params![id], |row| {
        let fixed_on: Option<String> = row.get(4)?;
        let note: Option<String> = row.get(5)?;
        let by: Option<String> = row.get(6)?;
        Ok(ResultRow {
            item: row.get(0)?,
            outcome: Outcome::of(&row.get::<_, String>(1)?).unwrap_or(Outcome::None),
            remark: row.get(2)?,
            fix_due_on: row.get(3)?,
            fixed: fixed_on.map(|on| (on, note.unwrap_or_default(), by.unwrap_or_default())),
        })
    })
}

pub(super) fn insert_fix(
    tx: &WriteTx<'_>,
    (id, item): (i64, &str),
    (fixed_on, note): (&str, &str),
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into inspection_fixes (inspection_id, item, fixed_on, note, recorded_by,
          recorded_at) values (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.execute(sql, params![id, item, fixed_on, note, by, now])?;
    Ok(())
}

pub(super) fn insert_withdrawal(
    tx: &WriteTx<'_>,
    id: i64,
    reason: &str,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into inspection_withdrawals (inspection_id, reason, recorded_by, recorded_at)
        values (?1, ?2, ?3, ?4)";
    tx.execute(sql, params![id, reason, by, now])?;
    Ok(())
}

const NEXT: &str = "select max(i.next_due_on) from inspections i
    where i.centre_id is ?1
      and not exists (select 1 from inspection_withdrawals w where w.inspection_id = i.id)";

/// When the next check of this office is due; nothing when it never was checked.
pub(super) fn next_due(
    tx: &ReadTx<'_>,
    centre: Option<CentreId>,
) -> Result<Option<String>, StoreError> {
    Ok(tx.one(NEXT, params![centre], |row| row.get(0))?.flatten())
}

const UNFIXED: &str = "select count(*) from inspection_results r
    join inspections i on i.id = r.inspection_id
    where i.centre_id is ?1 and r.result = 'bad' and r.fix_due_on < ?2
      and not exists (select 1 from inspection_withdrawals w where w.inspection_id = i.id)
      and not exists (select 1 from inspection_fixes f
                      where f.inspection_id = r.inspection_id and f.item = r.item)";

/// What of this office is late: its next check, and each thing that was bad and should be mended.
/// An office that was never checked is late.
///
/// # Errors
/// [`StoreError`].
pub fn overdue(tx: &ReadTx<'_>, centre: Option<CentreId>, today: Date) -> Result<i64, StoreError> {
    let today = today.to_string();
    let late = next_due(tx, centre)?.is_none_or(|due| due < today);
    Ok(i64::from(late) + tx.count(UNFIXED, params![centre, today])?)
}
