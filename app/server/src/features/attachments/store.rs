//! SQL about attachments.

use store::{CentreId, ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, params};

use super::model::{Attachment, AttachmentId, By, Holder, Look, Owner, Version};
use crate::features::consultations::ConsultationId;

const RESIDENT: &str = "select r.name, r.kana, r.writable from visible_residents r where r.id = ?1";

const CONSULTATION: &str = "
    select c.number, c.resident_id, c.writable, coalesce(r.name, ''), coalesce(r.kana, ''),
           exists (select 1 from visible_consultation_withdrawals w where w.consultation_id = c.id)
    from visible_consultations c left join visible_residents r on r.id = c.resident_id
    where c.id = ?1";

/// The person or consultation, within the viewer's scope.
pub(super) fn holder(tx: &ReadTx<'_>, owner: Owner) -> Result<Option<Holder>, StoreError> {
    match owner {
        Owner::Resident(id) => tx.one(RESIDENT, params![id], |row| {
            Ok(Holder {
                owner,
                person: Some(id),
                name: row.get::<_, String>(0)?.into(),
                kana: row.get::<_, String>(1)?.into(),
                number: String::new(),
                writable: row.get(2)?,
                withdrawn: false,
            })
        }),
        Owner::Consultation(id) => tx.one(CONSULTATION, params![id], |row| {
            Ok(Holder {
                owner,
                person: row.get(1)?,
                name: row.get::<_, String>(3)?.into(),
                kana: row.get::<_, String>(4)?.into(),
                number: row.get(0)?,
                writable: row.get(2)?,
                withdrawn: row.get(5)?,
            })
        }),
    }
}

const ATTACHMENTS: &str = "
    select a.id, a.resident_id, a.consultation_id, a.person_id, coalesce(r.shielded, 0), a.writable,
           a.sha256, a.bytes, a.kind, a.file_name, s.name, a.created_at, coalesce(c.name, '市'),
           v.version, v.title, v.note, t.name, w.recorded_at, w.reason, l.finding, l.recorded_at
    from visible_attachments a
    join visible_attachment_versions v on v.attachment_id = a.id
      and v.version = (select max(l.version) from visible_attachment_versions l
                       where l.attachment_id = a.id)
    join staff s on s.id = a.created_by
    left join support_centres c on c.id = a.centre_id
    left join visible_residents r on r.id = a.person_id
    left join visible_attachment_withdrawals w on w.attachment_id = a.id
    left join staff t on t.id = w.recorded_by
    left join visible_attachment_scans l on l.attachment_id = a.id
      and l.id = (select max(m.id) from visible_attachment_scans m where m.attachment_id = a.id)";

fn attachment(row: &Row<'_>) -> RowResult<Attachment> {
    let resident: Option<ResidentId> = row.get(1)?;
    let owner = match resident {
        Some(id) => Owner::Resident(id),
        None => Owner::Consultation(row.get::<_, ConsultationId>(2)?),
    };
    let withdrawn: Option<String> = row.get(17)?;
    let withdrawal = match withdrawn {
        Some(at) => {
            let name = row.get(16)?;
            Some((By { name, at }, row.get::<_, String>(18)?.into()))
        }
        None => None,
    };
    let looked: Option<String> = row.get(20)?;
    let look = match looked {
        Some(at) => {
            let finding = row.get(19)?;
            Some(Look { finding, at })
        }
        None => None,
    };
    Ok(Attachment {
        id: AttachmentId(row.get(0)?),
        owner,
        person: row.get(3)?,
        shielded: row.get(4)?,
        writable: row.get(5)?,
        sha256: row.get(6)?,
        bytes: u64::try_from(row.get::<_, i64>(7)?).unwrap_or(0),
        kind_code: row.get(8)?,
        file_name: row.get::<_, String>(9)?.into(),
        added: By {
            name: row.get(10)?,
            at: row.get(11)?,
        },
        centre: row.get(12)?,
        version: row.get(13)?,
        title: row.get::<_, String>(14)?.into(),
        note: row.get::<_, String>(15)?.into(),
        withdrawal,
        look,
    })
}

/// Everything attached to it, newest first; withdrawn ones as well.
pub(super) fn of_owner(tx: &ReadTx<'_>, owner: Owner) -> Result<Vec<Attachment>, StoreError> {
    let (column, id) = match owner {
        Owner::Resident(id) => ("resident_id", id.0),
        Owner::Consultation(id) => ("consultation_id", id.0),
    };
    let sql = format!("{ATTACHMENTS} where a.{column} = ?1 order by a.id desc");
    tx.all(&sql, params![id], attachment)
}

pub(super) fn find(tx: &ReadTx<'_>, id: AttachmentId) -> Result<Option<Attachment>, StoreError> {
    let sql = format!("{ATTACHMENTS} where a.id = ?1");
    tx.one(&sql, params![id], attachment)
}

const VERSIONS: &str = "
    select v.version, v.title, v.note, v.correction_reason, s.name, v.recorded_at, v.recorded_by
    from visible_attachment_versions v join staff s on s.id = v.recorded_by
    where v.attachment_id = ?1 order by v.version desc";

/// What was said about it, newest first.
pub(super) fn versions(tx: &ReadTx<'_>, id: AttachmentId) -> Result<Vec<Version>, StoreError> {
    tx.all(VERSIONS, params![id], |row| {
        Ok(Version {
            version: row.get(0)?,
            title: row.get::<_, String>(1)?.into(),
            note: row.get::<_, String>(2)?.into(),
            reason: row.get::<_, String>(3)?.into(),
            by: By {
                name: row.get(4)?,
                at: row.get(5)?,
            },
            by_id: row.get(6)?,
        })
    })
}

/// Has this opened form been saved?
pub(super) fn was_saved(tx: &ReadTx<'_>, submission: &str) -> Result<bool, StoreError> {
    let sql = "select count(*) from visible_attachments where submission = ?1";
    Ok(tx.count(sql, params![submission])? > 0)
}

/// A file that is being attached.
pub(super) struct New<'n> {
    pub(super) owner: Owner,
    pub(super) sha256: &'n str,
    pub(super) bytes: u64,
    pub(super) kind: &'n str,
    pub(super) file_name: &'n str,
    pub(super) title: &'n str,
    pub(super) note: &'n str,
    pub(super) submission: &'n str,
    pub(super) position: usize,
    /// By the signatures of this number it holds no virus; nothing: nobody looked.
    pub(super) clean_by: Option<u32>,
}

pub(super) fn insert(
    tx: &WriteTx<'_>,
    new: &New<'_>,
    (centre, by, now): (Option<CentreId>, StaffId, &str),
) -> Result<AttachmentId, StoreError> {
    let (resident, consultation) = match new.owner {
        Owner::Resident(id) => (Some(id), None),
        Owner::Consultation(id) => (None, Some(id)),
    };
    let bytes = i64::try_from(new.bytes).unwrap_or(i64::MAX);
    let position = i64::try_from(new.position).unwrap_or(i64::MAX);
    let sql =
        "insert into attachments (resident_id, consultation_id, sha256, bytes, kind, file_name,
          submission, position, centre_id, created_by, created_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let values = params![
        resident,
        consultation,
        new.sha256,
        bytes,
        new.kind,
        new.file_name,
        new.submission,
        position,
        centre,
        by,
        now
    ];
    let id = AttachmentId(tx.insert(sql, values)?);
    insert_version(tx, id, (1, new.title, new.note, ""), (by, now))?;
    if let Some(signatures) = new.clean_by {
        insert_scan(tx, id, ("", signatures), now)?;
    }
    Ok(id)
}

/// What a look for viruses found (empty: nothing), and by which signatures.
pub(super) fn insert_scan(
    tx: &WriteTx<'_>,
    id: AttachmentId,
    (finding, signatures): (&str, u32),
    now: &str,
) -> Result<(), StoreError> {
    let sql = "insert into attachment_scans (attachment_id, finding, signatures, recorded_at)
        values (?1, ?2, ?3, ?4)";
    tx.insert(sql, params![id, finding, signatures, now])
        .map(drop)
}

const DUE: &str = "
    select a.id, a.sha256, a.person_id from visible_attachments a
    left join visible_attachment_scans l on l.attachment_id = a.id
      and l.id = (select max(m.id) from visible_attachment_scans m where m.attachment_id = a.id)
    where not exists (select 1 from visible_attachment_withdrawals w where w.attachment_id = a.id)
      and (l.id is null or (l.finding = '' and l.signatures < ?1 and a.created_at >= ?2))
    order by l.id is not null, a.id desc limit ?3";

/// A file that is to be looked through.
pub(super) struct Due {
    pub(super) id: AttachmentId,
    pub(super) sha256: String,
    pub(super) person: Option<ResidentId>,
}

/// Files that nobody looked into, and those since this moment that were looked into by older signatures.
pub(super) fn due(
    tx: &ReadTx<'_>,
    signatures: u32,
    since: &str,
    most: i64,
) -> Result<Vec<Due>, StoreError> {
    tx.all(DUE, params![signatures, since, most], |row| {
        Ok(Due {
            id: AttachmentId(row.get(0)?),
            sha256: row.get(1)?,
            person: row.get(2)?,
        })
    })
}

pub(super) fn insert_version(
    tx: &WriteTx<'_>,
    id: AttachmentId,
    (version, title, note, reason): (i64, &str, &str, &str),
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into attachment_versions (attachment_id, version, title, note,
          correction_reason, recorded_by, recorded_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![id, version, title, note, reason, by, now];
    tx.insert(sql, values).map(drop)
}

pub(super) fn insert_withdrawal(
    tx: &WriteTx<'_>,
    id: AttachmentId,
    reason: &str,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into attachment_withdrawals (attachment_id, reason, recorded_by, recorded_at)
        values (?1, ?2, ?3, ?4)";
    tx.insert(sql, params![id, reason, by, now]).map(drop)
}

/// Erases the rows of every attachment of which a condition holds (`?1`: the record); the hashes of what
/// they named, for [`store::Db::forget_bytes`] once the rows are gone for good.
///
/// # Errors
/// [`StoreError`].
pub fn erase(tx: &WriteTx<'_>, such: &'static str, record: i64) -> Result<Vec<String>, StoreError> {
    let sql = format!("select distinct sha256 from attachments where {such}");
    let bytes = tx.all(&sql, params![record], |row| row.get(0))?;
    tx.execute(
        &format!(
            "delete from attachment_withdrawal_endings where withdrawal_id in
               (select w.id from attachment_withdrawals w where w.attachment_id in
                 (select id from attachments where {such}))"
        ),
        params![record],
    )?;
    for part in [
        "attachment_withdrawals",
        "attachment_versions",
        "attachment_scans",
    ] {
        let sql = format!(
            "delete from {part} where attachment_id in (select id from attachments where {such})"
        );
        tx.execute(&sql, params![record])?;
    }
    tx.execute(
        &format!("delete from attachments where {such}"),
        params![record],
    )?;
    Ok(bytes)
}
