//! SQL about terminals.

use jiff::civil::Date;
use store::{Actor, CentreId, ReadTx, StoreError, WriteTx, day, params};

use super::model::{Centre, Certificate, Details, Machine, Reason};
use crate::ca::terminal::Issued;
use crate::web::{CertificateId, TerminalId, TerminalKind};

/// Centres that exist today.
pub(super) fn centres(tx: &ReadTx<'_>, today: Date) -> Result<Vec<Centre>, StoreError> {
    let sql = "select id, code, short_name from support_centres
        where valid_to is null or valid_to >= ?1 order by code";
    tx.all(sql, params![today.to_string()], |row| {
        Ok(Centre {
            id: row.get(0)?,
            code: row.get(1)?,
            name: row.get(2)?,
        })
    })
}

const MACHINES: &str = "
    select t.id, d.id, d.name, d.kind, d.notes, d.recorded_at, s.name, c.id, c.code, c.short_name,
      (select max(n.last_seen_at) from sessions n
       join terminal_certificates o on o.id = n.certificate_id where o.terminal_id = t.id)
    from terminals t
    join terminal_details d on d.id = (select max(n.id) from terminal_details n
                                       where n.terminal_id = t.id)
    join staff s on s.id = d.recorded_by
    left join support_centres c on c.id = d.centre_id
    where (?1 is null or t.id = ?1)
    order by c.code nulls first, d.name, t.id limit ?2 offset ?3";

/// Machines of one page, by place and name.
pub(super) fn machines(
    tx: &ReadTx<'_>,
    id: Option<TerminalId>,
    (limit, offset): (usize, usize),
) -> Result<Vec<Machine>, StoreError> {
    let (limit, offset) = (
        i64::try_from(limit).unwrap_or(i64::MAX),
        i64::try_from(offset).unwrap_or(0),
    );
    let mut found = tx.all(MACHINES, params![id, limit, offset], |row| {
        let kind: String = row.get(3)?;
        let centre = match row.get::<_, Option<CentreId>>(7)? {
            Some(id) => Some(Centre {
                id,
                code: row.get(8)?,
                name: row.get(9)?,
            }),
            None => None,
        };
        Ok(Machine {
            id: row.get(0)?,
            seen: row.get(1)?,
            details: Details {
                name: row.get(2)?,
                kind: TerminalKind::from_code(&kind).unwrap_or(TerminalKind::Pc),
                centre,
                notes: row.get(4)?,
            },
            changed_at: row.get(5)?,
            changed_by: row.get(6)?,
            certificates: Vec::new(),
            last_seen_at: row.get(10)?,
        })
    })?;
    for machine in &mut found {
        machine.certificates = certificates(tx, machine.id)?;
    }
    Ok(found)
}

/// One machine.
pub(super) fn machine(tx: &ReadTx<'_>, id: TerminalId) -> Result<Option<Machine>, StoreError> {
    Ok(machines(tx, Some(id), (1, 0))?.pop())
}

/// How many there are.
pub(super) fn count(tx: &ReadTx<'_>) -> Result<usize, StoreError> {
    let count = tx.count("select count(*) from terminals", [])?;
    Ok(usize::try_from(count).unwrap_or(0))
}

const CERTIFICATES: &str = "
    select c.id, c.fingerprint, c.expires_on, c.recorded_at, s.name, r.reason, r.recorded_at, b.name,
           c.recorded_by
    from terminal_certificates c join staff s on s.id = c.recorded_by
    left join terminal_revocations r on r.certificate_id = c.id
    left join staff b on b.id = r.recorded_by
    where c.terminal_id = ?1 order by c.id desc";

fn certificates(tx: &ReadTx<'_>, id: TerminalId) -> Result<Vec<Certificate>, StoreError> {
    tx.all(CERTIFICATES, params![id], |row| {
        let reason: Option<String> = row.get(5)?;
        let revoked = match reason.as_deref().and_then(Reason::from_code) {
            Some(reason) => Some((reason, row.get(6)?, row.get(7)?)),
            None => None,
        };
        Ok(Certificate {
            id: row.get(0)?,
            fingerprint: row.get(1)?,
            expires_on: day(row, 2)?,
            issued_at: row.get(3)?,
            issued_by: row.get(4)?,
            issuer: row.get(8)?,
            revoked,
        })
    })
}

/// The machine that a form made, if it was sent before.
pub(super) fn by_submission(
    tx: &ReadTx<'_>,
    submission: &str,
) -> Result<Option<TerminalId>, StoreError> {
    let sql = "select id from terminals where submission = ?1";
    tx.one(sql, params![submission], |row| row.get(0))
}

/// Is another machine called that?
pub(super) fn is_taken(
    tx: &ReadTx<'_>,
    name: &str,
    but: Option<TerminalId>,
) -> Result<bool, StoreError> {
    let sql = "select count(*) from terminals t
        join terminal_details d on d.id = (select max(n.id) from terminal_details n
                                           where n.terminal_id = t.id)
        where d.name = ?1 and t.id is not ?2";
    Ok(tx.count(sql, params![name, but])? > 0)
}

/// A machine without details.
pub(super) fn insert(
    tx: &WriteTx<'_>,
    submission: &str,
    actor: &Actor,
    now: &str,
) -> Result<TerminalId, StoreError> {
    let sql = "insert into terminals (submission, recorded_by, recorded_at) values (?, ?, ?)";
    let id = tx.insert(sql, params![submission, actor.staff_id, now])?;
    Ok(TerminalId(id))
}

/// What it is called from now on.
pub(super) fn insert_details(
    tx: &WriteTx<'_>,
    id: TerminalId,
    details: &Details,
    actor: &Actor,
    now: &str,
) -> Result<(), StoreError> {
    let sql = "insert into terminal_details
          (terminal_id, name, kind, centre_id, notes, recorded_by, recorded_at)
        values (?, ?, ?, ?, ?, ?, ?)";
    let centre = details.centre.as_ref().map(|centre| centre.id);
    tx.insert(
        sql,
        params![
            id,
            details.name,
            details.kind.code(),
            centre,
            details.notes,
            actor.staff_id,
            now
        ],
    )?;
    Ok(())
}

/// What it shows from now on.
pub(super) fn insert_certificate(
    tx: &WriteTx<'_>,
    id: TerminalId,
    issued: &Issued,
    actor: &Actor,
    now: &str,
) -> Result<(), StoreError> {
    let sql = "insert into terminal_certificates
          (terminal_id, fingerprint, expires_on, recorded_by, recorded_at)
        values (?, ?, ?, ?, ?)";
    let day = issued.expires_on.to_string();
    tx.insert(
        sql,
        params![id, issued.fingerprint, day, actor.staff_id, now],
    )?;
    Ok(())
}

/// Nobody gets in with it any more.
pub(super) fn revoke(
    tx: &WriteTx<'_>,
    id: CertificateId,
    reason: Reason,
    actor: &Actor,
    now: &str,
) -> Result<(), StoreError> {
    let sql = "insert into terminal_revocations (certificate_id, reason, recorded_by, recorded_at)
        values (?, ?, ?, ?)";
    tx.insert(sql, params![id, reason.code(), actor.staff_id, now])?;
    Ok(())
}
