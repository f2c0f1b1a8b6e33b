//! SQL about consultations.

use jiff::civil::Date;
use store::{CentreId, ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, params};

use super::entry::Entry;
use super::model::{ConsultationId, Lists, Person, Record, Step, Version};
use crate::features::masters;

/// What can be chosen on a day.
pub(super) fn lists(tx: &ReadTx<'_>, on: Date) -> Result<Lists, StoreError> {
    let codes = |list| masters::codes(tx, list, on);
    Ok(Lists {
        channel: codes("consultation_channel")?,
        caller_kind: codes("caller_kind")?,
        categories: codes("consultation_category")?,
        responses: codes("consultation_response")?,
        urgency: codes("urgency")?,
        outcome: codes("consultation_outcome")?,
        closing_reason: codes("closing_reason")?,
        number_kind: codes("number_kind")?,
    })
}

// Where a shielded person lives stands on her own page only, behind the reason; what is printed here
// leaves the office.
const PERSON: &str = "
    select r.id, r.name, r.kana, r.born_on, r.sex,
           case when r.shielded then '' else r.address || ' ' || r.building end,
           case when r.shielded then '' else r.phone end,
           (select i.insured_no from visible_insured_persons i
            where i.resident_id = r.id order by i.id desc limit 1), r.shielded, r.writable
    from visible_residents r where r.id = ?1";

const CERTIFICATION: &str = "
    select level, valid_from, valid_to from visible_certifications
    where resident_id = ?1 and level <> '' order by history_no desc limit 1";

/// A person within the viewer's scope.
pub(super) fn person(tx: &ReadTx<'_>, id: ResidentId) -> Result<Option<Person>, StoreError> {
    let certification = tx.one(CERTIFICATION, params![id], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    tx.one(PERSON, params![id], |row| {
        Ok(Person {
            id: row.get(0)?,
            name: row.get::<_, String>(1)?.into(),
            kana: row.get::<_, String>(2)?.into(),
            born_on: row.get(3)?,
            sex: row.get(4)?,
            address: row.get::<_, String>(5)?.into(),
            phone: row.get::<_, String>(6)?.into(),
            insured_no: row.get(7)?,
            shielded: row.get(8)?,
            writable: row.get(9)?,
            certification,
        })
    })
}

const BY_NUMBER: &str = "
    select r.id from visible_residents r where r.addressee_no = ?1
    union
    select i.resident_id from visible_insured_persons i where i.insured_no = ?1
    limit 10";

/// People within the scope whose 被保険者番号 or 宛名番号 this is.
pub(super) fn people_by_number(tx: &ReadTx<'_>, number: &str) -> Result<Vec<Person>, StoreError> {
    let ids: Vec<ResidentId> = tx.all(BY_NUMBER, params![number], |row| row.get(0))?;
    let people = ids.into_iter().map(|id| person(tx, id));
    Ok(people
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

const RECORD: &str = "
    select c.number, coalesce(s.name, '市'), coalesce(w.name, '旧システム'), c.resident_id,
           coalesce((select n.followed_up from visible_current_consultations n
                     where n.id = c.id), 0), c.writable,
           coalesce((select n.taken from visible_current_consultations n where n.id = c.id), 0)
    from visible_consultations c
    left join support_centres s on s.id = c.centre_id
    left join staff w on w.id = c.created_by
    where c.id = ?1";

/// A record with all its versions, within the viewer's scope.
pub(super) fn record(tx: &ReadTx<'_>, id: ConsultationId) -> Result<Option<Record>, StoreError> {
    type Head = (String, String, String, Option<ResidentId>, bool, bool, bool);
    let head: Option<Head> = tx.one(RECORD, params![id], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            row.get(6)?,
        ))
    })?;
    let Some((number, centre, written_by, resident_id, followed_up, writable, taken)) = head else {
        return Ok(None);
    };
    let mut versions = versions(tx, id)?.into_iter();
    let Some(current) = versions.next() else {
        return Ok(None);
    };
    let person = match resident_id {
        Some(resident) => person(tx, resident)?,
        None => None,
    };
    Ok(Some(Record {
        lists: lists(tx, current.entry.received_on)?,
        withdrawal: steps(tx, WITHDRAWAL, id)?.pop(),
        follow_ups: steps(tx, FOLLOW_UPS, id)?,
        id,
        number,
        writable,
        taken,
        centre,
        written_by,
        resident_id,
        person,
        current,
        followed_up,
        former: versions.collect(),
    }))
}

const WITHDRAWAL: &str = "
    select s.name, w.recorded_at, w.reason from visible_consultation_withdrawals w
    join staff s on s.id = w.staff_id where w.consultation_id = ?1";

const FOLLOW_UPS: &str = "
    select s.name, f.recorded_at, f.note from visible_consultation_follow_ups f
    join staff s on s.id = f.staff_id where f.consultation_id = ?1 order by f.id";

fn steps(tx: &ReadTx<'_>, sql: &str, id: ConsultationId) -> Result<Vec<Step>, StoreError> {
    tx.all(sql, params![id], |row| {
        Ok(Step {
            by: row.get(0)?,
            at: row.get(1)?,
            words: row.get(2)?,
        })
    })
}

const VERSIONS: &str = "
    select v.id, v.version, coalesce(s.name, '旧システム'), v.recorded_at, v.correction_reason,
           v.received_on, v.started_at, v.ended_at, v.minutes, v.channel, v.caller_kind,
           v.caller_name, v.caller_relation, v.caller_contact, v.client_name, v.client_note,
           v.urgency, v.content, v.response, v.referred_to, v.outcome, v.closing_reason,
           v.next_action, v.next_due_on
    from visible_consultation_versions v left join staff s on s.id = v.recorded_by
    where v.consultation_id = ?1 order by v.version desc";

fn versions(tx: &ReadTx<'_>, id: ConsultationId) -> Result<Vec<Version>, StoreError> {
    let mut versions = tx.all(VERSIONS, params![id], version)?;
    for version in &mut versions {
        version.entry.categories = tx.all(CATEGORIES, params![version.id], |row| row.get(0))?;
        version.entry.responses = tx.all(RESPONSES, params![version.id], |row| row.get(0))?;
    }
    Ok(versions)
}

const CATEGORIES: &str = "
    select category from visible_consultation_categories where version_id = ?1 order by category";
const RESPONSES: &str = "
    select kind from visible_consultation_responses where version_id = ?1 order by kind";

fn version(row: &Row<'_>) -> RowResult<Version> {
    let day = |text: String| text.parse::<Date>().ok();
    Ok(Version {
        id: row.get(0)?,
        version: row.get(1)?,
        recorded_by: row.get(2)?,
        recorded_at: row.get(3)?,
        reason: row.get(4)?,
        entry: Entry {
            received_on: day(row.get(5)?).unwrap_or_default(),
            started_at: row.get(6)?,
            ended_at: row.get(7)?,
            minutes: row.get(8)?,
            channel: row.get(9)?,
            caller_kind: row.get(10)?,
            caller_name: row.get(11)?,
            caller_relation: row.get(12)?,
            caller_contact: row.get(13)?,
            client_name: row.get(14)?,
            client_note: row.get(15)?,
            urgency: row.get(16)?,
            content: row.get(17)?,
            response: row.get(18)?,
            referred_to: row.get(19)?,
            outcome: row.get(20)?,
            closing_reason: row.get(21)?,
            next_action: row.get(22)?,
            next_due_on: row.get::<_, Option<String>>(23)?.and_then(day),
            categories: Vec::new(),
            responses: Vec::new(),
        },
    })
}

/// The record that this opened form already became.
pub(super) fn by_submission(
    tx: &ReadTx<'_>,
    submission: &str,
) -> Result<Option<ConsultationId>, StoreError> {
    let sql = "select id from visible_consultations where submission = ?1";
    tx.one(sql, params![submission], |row| row.get(0))
}

/// The id that the next record will get.
pub(super) fn next_id(tx: &WriteTx<'_>) -> Result<i64, StoreError> {
    Ok(tx.count("select last_id from consultation_numbering", [])? + 1)
}

pub(super) const INSERT_CONSULTATION: &str = "
    insert into consultations (id, number, centre_id, submission, created_by, created_at)
    values (?, ?, ?, ?, ?, ?)";

pub(super) const INSERT_CLIENT: &str = "
    insert into consultation_clients (consultation_id, resident_id, staff_id, recorded_at)
    values (?, ?, ?, ?)";

pub(super) const INSERT_VERSION: &str = "
    insert into consultation_versions (
      consultation_id, version, received_on, started_at, ended_at, minutes, channel, caller_kind,
      caller_name, caller_relation, caller_contact, client_name, client_note, urgency, content,
      response, referred_to, outcome, closing_reason, next_action, next_due_on, recorded_by,
      recorded_at, correction_reason)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

pub(super) const INSERT_CATEGORY: &str =
    "insert into consultation_categories (version_id, category) values (?, ?)";
pub(super) const INSERT_RESPONSE: &str =
    "insert into consultation_responses (version_id, kind) values (?, ?)";

/// The fixed part of a new record.
pub(super) struct Head<'h> {
    pub(super) id: i64,
    pub(super) number: &'h str,
    pub(super) centre_id: Option<CentreId>,
    pub(super) submission: &'h str,
    pub(super) created_by: StaffId,
    pub(super) now: &'h str,
}

/// Adds the fixed part.
pub(super) fn insert_head(tx: &WriteTx<'_>, head: &Head<'_>) -> Result<ConsultationId, StoreError> {
    let Head {
        id,
        number,
        centre_id,
        submission,
        created_by,
        now,
    } = head;
    let values = params![id, number, centre_id, submission, created_by, now];
    tx.insert(INSERT_CONSULTATION, values).map(ConsultationId)
}

/// Says whom it is about from now on.
pub(super) fn insert_client(
    tx: &WriteTx<'_>,
    id: ConsultationId,
    resident: ResidentId,
    staff: StaffId,
    now: &str,
) -> Result<(), StoreError> {
    tx.insert(INSERT_CLIENT, params![id, resident, staff, now])
        .map(|_| ())
}

/// Adds a version with its categories and responses.
pub(super) fn insert_version(
    tx: &WriteTx<'_>,
    id: ConsultationId,
    version: i64,
    entry: &Entry,
    (staff, now, reason): (StaffId, &str, &str),
) -> Result<(), StoreError> {
    insert_version_by(tx, id, version, entry, (Some(staff), now, reason))
}

/// As [`insert_version`]; nobody: whoever wrote it does not work here.
pub(super) fn insert_version_by(
    tx: &WriteTx<'_>,
    id: ConsultationId,
    version: i64,
    entry: &Entry,
    (staff, now, reason): (Option<StaffId>, &str, &str),
) -> Result<(), StoreError> {
    let e = entry;
    let row = tx.insert(
        INSERT_VERSION,
        params![
            id,
            version,
            e.received_on.to_string(),
            e.started_at,
            e.ended_at,
            e.minutes,
            e.channel,
            e.caller_kind,
            e.caller_name,
            e.caller_relation,
            e.caller_contact,
            e.client_name,
            e.client_note,
            e.urgency,
            e.content,
            e.response,
            e.referred_to,
            e.outcome,
            e.closing_reason,
            e.next_action,
            e.next_due_on.map(|day| day.to_string()),
            staff,
            now,
            reason
        ],
    )?;
    for category in &e.categories {
        tx.insert(INSERT_CATEGORY, params![row, category])?;
    }
    for kind in &e.responses {
        tx.insert(INSERT_RESPONSE, params![row, kind])?;
    }
    Ok(())
}

/// Marks a record as withdrawn.
pub(super) fn insert_withdrawal(
    tx: &WriteTx<'_>,
    id: ConsultationId,
    reason: &str,
    staff: StaffId,
    now: &str,
) -> Result<(), StoreError> {
    let sql =
        "insert into consultation_withdrawals (consultation_id, reason, staff_id, recorded_at)
               values (?, ?, ?, ?)";
    tx.insert(sql, params![id, reason, staff, now]).map(|_| ())
}

/// Notes that the next action of a version was done.
pub(super) fn insert_follow_up(
    tx: &WriteTx<'_>,
    id: ConsultationId,
    version: i64,
    note: &str,
    stamp: (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into consultation_follow_ups
                 (consultation_id, version, note, staff_id, recorded_at) values (?, ?, ?, ?, ?)";
    tx.insert(sql, params![id, version, note, stamp.0, stamp.1])
        .map(|_| ())
}
