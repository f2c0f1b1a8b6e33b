//! SQL about unusual use.

use jiff::Timestamp;
use jiff::civil::Date;
use store::{CentreId, ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, params};

use super::model::{Finding, Person, ROWS_MAX, Review, Use, User};
use crate::web::veil;

/// From its first moment to that of the next day, as the log writes time.
pub(super) struct Span {
    pub(super) from: String,
    pub(super) to: String,
}

impl Span {
    pub(super) fn of(day: Date) -> Option<Self> {
        let midnight = |day: Date| {
            let at = base::clock::japan().to_timestamp(day.at(0, 0, 0, 0));
            at.ok().map(|at| format!("{at:.6}"))
        };
        Some(Self {
            from: midnight(day)?,
            to: midnight(day.tomorrow().ok()?)?,
        })
    }
}

// Positions follow time: the day is one stretch of the log.
const USES: &str = "
    select e.id, e.at, e.staff_id, e.operation, e.resident_id, e.outcome = 'refused', e.detail
    from audit_entries e
    where e.at >= ?1 and e.at < ?2 and e.staff_id is not null and (?3 is null or e.centre_id = ?3)
    order by e.staff_id, e.id limit ?4";

/// What staff did on a day, by person; of one centre's staff or of all.
pub(super) fn uses(
    tx: &ReadTx<'_>,
    span: &Span,
    centre: Option<CentreId>,
) -> Result<Vec<Use>, StoreError> {
    let limit = i64::try_from(ROWS_MAX).unwrap_or(i64::MAX);
    tx.all(USES, params![span.from, span.to, centre, limit], one_use)
}

fn one_use(row: &Row<'_>) -> RowResult<Use> {
    let (at, resident): (String, Option<ResidentId>) = (row.get(1)?, row.get(4)?);
    let (operation, detail): (String, String) = (row.get(3)?, row.get(6)?);
    let hidden = veil::is_veiled(&operation);
    Ok(Use {
        id: row.get(0)?,
        at: at.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        staff: row.get(2)?,
        operation: veil::shown(operation, resident.is_some()),
        resident,
        refused: row.get(5)?,
        detail: if hidden { String::new() } else { detail },
    })
}

const USERS: &str = "
    select s.id, s.login, s.name,
           (select c.short_name from audit_entries e join support_centres c on c.id = e.centre_id
            where e.staff_id = s.id and e.at < ?1 order by e.id desc limit 1)
    from staff s order by s.id";

/// Everybody, with the centre they last worked for before the end of the span.
pub(super) fn users(tx: &ReadTx<'_>, span: &Span) -> Result<Vec<User>, StoreError> {
    tx.all(USERS, params![span.to], |row| {
        Ok(User {
            id: row.get(0)?,
            login: row.get(1)?,
            name: row.get(2)?,
            centre: row.get(3)?,
        })
    })
}

/// Names of those who were looked at that day, as far as the viewer may see them.
pub(super) fn persons(tx: &ReadTx<'_>, ids: &[ResidentId]) -> Result<Vec<Person>, StoreError> {
    let mut all = Vec::new();
    for some in ids.chunks(500) {
        let marks = vec!["?"; some.len()].join(", ");
        let sql = format!("select id, name from visible_residents where id in ({marks})");
        all.extend(tx.all(&sql, store::params_from_iter(some), |row| {
            Ok(Person {
                id: row.get(0)?,
                name: row.get::<_, String>(1)?.into(),
            })
        })?);
    }
    Ok(all)
}

const REVIEWS: &str = "
    select r.kind, r.staff_id, r.entries, r.note, s.name, r.recorded_at
    from unusual_use_reviews r join staff s on s.id = r.reviewed_by
    where r.day = ?1 order by r.id desc";

/// What was looked into of a day, newest first.
pub(super) fn reviews(tx: &ReadTx<'_>, day: Date) -> Result<Vec<Review>, StoreError> {
    tx.all(REVIEWS, params![day.to_string()], |row| {
        Ok(Review {
            kind: row.get(0)?,
            staff: row.get(1)?,
            entries: usize::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            note: row.get(3)?,
            by: row.get(4)?,
            at: row.get(5)?,
        })
    })
}

const ADD: &str = "insert into unusual_use_reviews
    (day, kind, staff_id, entries, note, reviewed_by, recorded_at) values (?, ?, ?, ?, ?, ?, ?)";

/// Somebody looked into it.
pub(super) fn add_review(
    tx: &WriteTx<'_>,
    (day, finding): (Date, &Finding),
    note: &str,
    (by, now): (StaffId, Timestamp),
) -> Result<(), StoreError> {
    let entries = i64::try_from(finding.entries.len()).unwrap_or(i64::MAX);
    tx.execute(
        ADD,
        params![
            day.to_string(),
            finding.kind.code(),
            finding.staff,
            entries,
            note,
            by,
            format!("{now:.6}")
        ],
    )?;
    Ok(())
}
