//! SQL of inquiries: the one view that looks outside the scope, and the count in the access log.

use jiff::Timestamp;
use store::{CentreId, ReadTx, Row, RowResult, StaffId, StoreError, params};

use super::model::{Centre, INQUIRIES_MAX, Key, Match, PERIOD};

/// People of one name and day of birth that are told apart at all.
const MATCHES_MAX: i64 = 20;

const COLUMNS: &str = "
    select distinct k.resident_id, k.centre_id,
           exists (select 1 from visible_residents r where r.id = k.resident_id)
    from inquiry_keys k";

/// Who is asked for, wherever she lives in the city.
pub(super) fn matches(tx: &ReadTx<'_>, key: &Key) -> Result<Vec<Match>, StoreError> {
    match key {
        Key::InsuredNo(number) => {
            let sql = format!("{COLUMNS} where k.insured_no = ?1 order by 1 limit ?2");
            tx.all(&sql, params![number, MATCHES_MAX], found)
        }
        Key::KanaAndBirth { kana, born_on } => {
            let sql =
                format!("{COLUMNS} where k.born_on = ?1 and k.kana_key = ?2 order by 1 limit ?3");
            tx.all(&sql, params![born_on, kana, MATCHES_MAX], found)
        }
    }
}

fn found(row: &Row<'_>) -> RowResult<Match> {
    Ok(Match {
        resident: row.get(0)?,
        centre: row.get(1)?,
        visible: row.get(2)?,
    })
}

/// What anybody may know of a centre.
pub(super) fn centre(tx: &ReadTx<'_>, id: CentreId) -> Result<Option<Centre>, StoreError> {
    let sql = "select name, phone from support_centres where id = ?1";
    tx.one(sql, params![id], |row| {
        Ok(Centre {
            name: row.get(0)?,
            phone: row.get(1)?,
        })
    })
}

// By time, not by person (hence the +): an hour is short, a person's years of entries are not.
// An inquiry that fitted several people has an entry for each; those after the first say so.
const ASKED: &str = "
    select e.at from audit_entries e
    where e.at > ?1 and +e.staff_id = ?2 and e.operation = 'resident_inquiry'
      and e.outcome = 'done' and e.detail not like 'also %'
    order by e.at desc limit ?3";

/// Moments of this person's inquiries within the hour before `now`, newest first.
pub(super) fn asked_at(
    tx: &ReadTx<'_>,
    staff: StaffId,
    now: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let since = now.checked_sub(PERIOD).unwrap_or(Timestamp::MIN);
    let limit = i64::try_from(INQUIRIES_MAX).unwrap_or(i64::MAX);
    let moments: Vec<String> =
        tx.all(ASKED, params![format!("{since:.6}"), staff, limit], |row| {
            row.get(0)
        })?;
    Ok(moments.iter().filter_map(|at| at.parse().ok()).collect())
}
