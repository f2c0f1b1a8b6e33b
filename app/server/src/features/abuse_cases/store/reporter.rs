//! Who reported it: apart from the case.

use jiff::civil::Date;
use store::{ReadTx, Row, RowResult, StoreError, WriteTx, params};

use super::Hand;
use crate::features::abuse_cases::model::{CaseId, Look, Note, Reporter, ReporterState};

pub(super) const fn none() -> ReporterState {
    ReporterState {
        version: 0,
        anonymous: false,
        city_only: false,
        is_known: false,
        readable: false,
    }
}

const STATE: &str = "select version, anonymous, city_only, is_known, readable
    from visible_abuse_reporter_states where case_id = ?1";

/// That somebody is written down, without saying who.
pub(super) fn state(tx: &ReadTx<'_>, case: CaseId) -> Result<ReporterState, StoreError> {
    let found = tx.one(STATE, params![case], |row| {
        Ok(ReporterState {
            version: row.get(0)?,
            anonymous: row.get(1)?,
            city_only: row.get(2)?,
            is_known: row.get(3)?,
            readable: row.get(4)?,
        })
    })?;
    Ok(found.unwrap_or_else(none))
}

/// The newest version, for whoever may ask.
pub(in super::super) fn newest_reporter(
    tx: &ReadTx<'_>,
    case: CaseId,
) -> Result<Option<Reporter>, StoreError> {
    let sql = "select anonymous, city_only, name, relation, contact from visible_abuse_reporters
        where case_id = ?1 order by version desc limit 1";
    tx.one(sql, params![case], reporter)
}

fn reporter(row: &Row<'_>) -> RowResult<Reporter> {
    Ok(Reporter {
        anonymous: row.get(0)?,
        city_only: row.get(1)?,
        name: row.get(2)?,
        relation: row.get(3)?,
        contact: row.get(4)?,
    })
}

pub(in super::super) fn insert(
    tx: &WriteTx<'_>,
    (case, version): (CaseId, i64),
    reporter: &Reporter,
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    let sql = "insert into abuse_reporters (case_id, version, anonymous, city_only, name, relation,
        contact, recorded_by, recorded_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        case,
        version,
        reporter.anonymous,
        reporter.city_only,
        reporter.name,
        reporter.relation,
        reporter.contact,
        by,
        now
    ];
    tx.insert(sql, values).map(drop)
}

/// Adds a version after the one that its writer saw.
pub(in super::super) fn save_reporter(
    tx: &WriteTx<'_>,
    case: CaseId,
    base: i64,
    new: &Reporter,
    hand: Hand<'_>,
) -> Result<(), StoreError> {
    insert(tx, (case, base.saturating_add(1)), new, hand)
}

/// Writes down that somebody looked, and why.
pub(in super::super) fn insert_look(
    tx: &WriteTx<'_>,
    case: CaseId,
    (reason, note): (&str, &str),
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    let sql = "insert into abuse_reporter_looks (case_id, reason, note, staff_id, recorded_at)
        values (?, ?, ?, ?, ?)";
    tx.insert(sql, params![case, reason, note, by, now])
        .map(drop)
}

/// The newest looks: of one case, or since a day of all cases that the viewer knows of.
pub(in super::super) fn looks(
    tx: &ReadTx<'_>,
    case: Option<CaseId>,
    since: Date,
) -> Result<Vec<Look>, StoreError> {
    let sql = "select k.case_id, k.reason, s.name, k.recorded_at, k.note
        from visible_abuse_reporter_looks k join staff s on s.id = k.staff_id
        where (?1 is null or k.case_id = ?1) and k.recorded_at >= ?2
        order by k.id desc limit 200";
    tx.all(sql, params![case, since.to_string()], |row| {
        Ok(Look {
            case: CaseId(row.get(0)?),
            reason: row.get(1)?,
            look: Note {
                by: row.get(2)?,
                at: row.get(3)?,
                reason: row.get(4)?,
            },
        })
    })
}
