//! Cases and what is known of them.

use jiff::civil::Date;
use ring::rand::{SecureRandom as _, SystemRandom};
use store::{
    CentreId, FromSql, FromSqlError, FromSqlResult, ReadTx, ResidentId, Row, RowResult, StoreError,
    ValueRef, WriteTx, params,
};

use super::{Hand, limit, note, reporter, steps, team};
use crate::features::abuse_cases::model::{
    AbuseKind, Case, CaseId, Known, NUMBER_BITS, Person, Reporter, Version,
};
use crate::web::Problem;

const VERSION: &str = "v.case_type, v.reported_on, v.reported_at, v.received_at, v.reporter_kind,
    v.resident_id, v.victim_name, v.victim_sex, v.victim_age, v.victim_note, v.carer_resident_id,
    v.carer_name, v.carer_relation, v.carer_note, v.kinds, v.content, v.source, v.urgency,
    v.place_now";

/// Codes in one column, separated by commas.
struct Kinds(Vec<AbuseKind>);

impl FromSql for Kinds {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let codes = value.as_str()?.split(',').filter(|code| !code.is_empty());
        let kinds = codes.map(|code| AbuseKind::from_code(code).ok_or(FromSqlError::InvalidType));
        kinds.collect::<Result<_, _>>().map(Self)
    }
}

/// Reads the columns of [`VERSION`], which stand first.
fn known(row: &Row<'_>) -> RowResult<Known> {
    Ok(Known {
        case_type: row.get(0)?,
        reported_on: store::day(row, 1)?,
        reported_at: store::time(row, 2)?,
        received_at: row.get(3)?,
        reporter_kind: row.get(4)?,
        resident: row.get(5)?,
        victim_name: row.get(6)?,
        victim_sex: row.get(7)?,
        victim_age: row.get(8)?,
        victim_note: row.get(9)?,
        carer_resident: row.get(10)?,
        carer_name: row.get(11)?,
        carer_relation: row.get(12)?,
        carer_note: row.get(13)?,
        kinds: row.get::<_, Kinds>(14)?.0,
        content: row.get(15)?,
        source: row.get(16)?,
        urgency: row.get(17)?,
        place_now: row.get(18)?,
    })
}

/// One case with everything that is on its page.
pub(in super::super) fn find(tx: &ReadTx<'_>, id: CaseId) -> Result<Option<Case>, StoreError> {
    let sql = format!(
        "select {VERSION}, o.short_name, s.name, c.recorded_at, c.writable, c.version,
           (select x.name from visible_abuse_case_withdrawals w join staff x on x.id = w.staff_id
            where w.case_id = c.id),
           (select w.recorded_at from visible_abuse_case_withdrawals w where w.case_id = c.id),
           (select w.reason from visible_abuse_case_withdrawals w where w.case_id = c.id)
         from visible_abuse_cases c
         join visible_abuse_case_versions v on v.case_id = c.id and v.version = c.version
         join staff s on s.id = c.received_by
         left join support_centres o on o.id = c.centre_id
         where c.id = ?1"
    );
    let found = tx.one(&sql, params![id], |row| {
        Ok(Case {
            id,
            known: known(row)?,
            centre: row.get(19)?,
            received_by: row.get(20)?,
            recorded_at: row.get(21)?,
            writable: row.get(22)?,
            version: row.get(23)?,
            withdrawal: note(row, 24)?,
            victim: None,
            carer: None,
            steps: Vec::new(),
            reporter: reporter::none(),
            origin: None,
        })
    })?;
    let Some(case) = found else { return Ok(None) };
    Ok(Some(Case {
        victim: victim(tx, id)?,
        carer: carer(tx, id)?,
        steps: steps::of(tx, id)?,
        reporter: reporter::state(tx, id)?,
        origin: origin_of(tx, id)?,
        ..case
    }))
}

const VICTIM: &str = "select id, name, kana, born_on, sex, address, shielded, reachable
    from visible_abuse_victims where case_id = ?1";
const CARER: &str = "select id, name, kana, born_on, sex, '', 0, reachable
    from visible_abuse_carers where case_id = ?1";

fn victim(tx: &ReadTx<'_>, case: CaseId) -> Result<Option<Person>, StoreError> {
    tx.one(VICTIM, params![case], person)
}

fn carer(tx: &ReadTx<'_>, case: CaseId) -> Result<Option<Person>, StoreError> {
    tx.one(CARER, params![case], person)
}

fn person(row: &Row<'_>) -> RowResult<Person> {
    let born_on: Option<String> = row.get(3)?;
    Ok(Person {
        id: row.get(0)?,
        name: row.get::<_, String>(1)?.into(),
        kana: row.get::<_, String>(2)?.into(),
        born_on: born_on.and_then(|day| day.parse().ok()),
        sex: row.get(4)?,
        address: row.get::<_, String>(5)?.into(),
        shielded: row.get(6)?,
        reachable: row.get(7)?,
    })
}

fn origin_of(tx: &ReadTx<'_>, case: CaseId) -> Result<Option<(i64, String)>, StoreError> {
    let sql = "select k.id, k.number from visible_abuse_cases c
        join visible_consultations k on k.id = c.consultation_id where c.id = ?1";
    tx.one(sql, params![case], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// A consultation that a case may come out of: its number and whom it is about.
pub(in super::super) fn origin(
    tx: &ReadTx<'_>,
    consultation: i64,
) -> Result<Option<(String, Option<ResidentId>, String)>, StoreError> {
    let sql = "select c.number, c.resident_id, v.content from visible_consultations c
        join visible_consultation_versions v on v.consultation_id = c.id
        where c.id = ?1 order by v.version desc limit 1";
    tx.one(sql, params![consultation], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })
}

/// All versions, newest first.
pub(in super::super) fn versions(
    tx: &ReadTx<'_>,
    case: CaseId,
) -> Result<Vec<Version>, StoreError> {
    let sql = format!(
        "select {VERSION}, v.version, s.name, v.recorded_at, v.correction_reason
         from visible_abuse_case_versions v join staff s on s.id = v.recorded_by
         where v.case_id = ?1 order by v.version desc"
    );
    tx.all(&sql, params![case], |row| {
        Ok(Version {
            known: known(row)?,
            version: row.get(19)?,
            by: row.get(20)?,
            at: row.get(21)?,
            reason: row.get(22)?,
        })
    })
}

/// The case that this opened form already became.
pub(in super::super) fn by_submission(
    tx: &ReadTx<'_>,
    submission: &str,
) -> Result<Option<CaseId>, StoreError> {
    let sql = "select id from visible_abuse_cases where submission = ?1";
    let found = tx.one(sql, params![submission], |row| row.get(0))?;
    Ok(found.map(CaseId))
}

/// Which cases a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Filter {
    Open,
    Closed,
    All,
}

const CLOSED: &str = "coalesce((select s.kind from visible_abuse_steps s
      where s.case_id = c.id and s.kind in ('closing', 'reopening') and s.withdrawn_at is null
        and s.corrected_by is null order by s.no desc limit 1), '') = 'closing'";

/// A case of the list, and how many of its team work here.
pub(in super::super) struct Listed {
    pub(in super::super) case: Case,
    pub(in super::super) members: usize,
}

/// The newest reports first, with the number of all.
pub(in super::super) fn list(
    tx: &ReadTx<'_>,
    filter: Filter,
    today: Date,
    (rows, before): (usize, usize),
) -> Result<(usize, Vec<Listed>), StoreError> {
    let such = match filter {
        Filter::Open => format!("not c.withdrawn and not {CLOSED}"),
        Filter::Closed => format!("(c.withdrawn or {CLOSED})"),
        Filter::All => "true".to_owned(),
    };
    let sql = format!(
        "select c.id from visible_abuse_cases c where {such}
         order by c.reported_on desc, c.reported_at desc, c.id limit ?1 offset ?2"
    );
    let ids = tx.all(&sql, params![limit(rows), limit(before)], |row| row.get(0))?;
    let mut found = Vec::new();
    for id in ids.into_iter().map(CaseId) {
        if let Some(case) = find(tx, id)? {
            let team = team::members(tx, id, today)?;
            let working = team.iter().filter(|m| m.works && m.lasts(today));
            let members = working.count();
            found.push(Listed { case, members });
        }
    }
    let count = format!("select count(*) from visible_abuse_cases c where {such}");
    let total = tx.count(&count, [])?;
    Ok((usize::try_from(total).unwrap_or_default(), found))
}

/// A case whose person the keeper may not open.
pub(in super::super) struct Sealed {
    pub(in super::super) id: CaseId,
    pub(in super::super) reported_on: Date,
    pub(in super::super) resident: ResidentId,
}

pub(in super::super) fn sealed(tx: &ReadTx<'_>) -> Result<Vec<Sealed>, StoreError> {
    let sql = "select id, reported_on, resident_id from sealed_abuse_cases
        order by reported_on desc, id limit 200";
    tx.all(sql, [], |row| {
        Ok(Sealed {
            id: CaseId(row.get(0)?),
            reported_on: store::day(row, 1)?,
            resident: row.get(2)?,
        })
    })
}

/// The cases about somebody that the viewer knows of, newest first.
///
/// # Errors
/// [`StoreError`].
pub fn of_person(tx: &ReadTx<'_>, resident: ResidentId) -> Result<Vec<CaseId>, StoreError> {
    let sql = "select id from visible_abuse_cases where resident_id = ?1 and not withdrawn
        order by reported_on desc, id limit 20";
    tx.all(sql, params![resident], |row| row.get(0).map(CaseId))
}

const DUE: &str = "select count(*) from visible_abuse_cases c
    join visible_abuse_case_versions v on v.case_id = c.id and v.version = c.version
    where not c.withdrawn and (
      (v.case_type in ('carer', 'self_neglect') and not exists (
         select 1 from visible_abuse_steps s where s.case_id = c.id and s.safety = 'confirmed'
           and s.withdrawn_at is null and s.corrected_by is null))
      or ?1 >= (
         select s.next_review_on from visible_abuse_steps s
         where s.case_id = c.id and s.kind in ('core', 'review') and s.withdrawn_at is null
           and s.corrected_by is null order by s.held_on desc, s.held_at desc, s.no desc limit 1))
      and not ";

/// How many open cases wait: nobody saw the person safe yet, or the day of the next review has come.
///
/// # Errors
/// [`StoreError`].
pub fn due(tx: &ReadTx<'_>, today: Date) -> Result<i64, StoreError> {
    let sql = format!("{DUE}{CLOSED}");
    tx.count(&sql, params![today.to_string()])
}

/// Somebody within the scope with this insured or addressee number.
pub(in super::super) fn by_number(
    tx: &ReadTx<'_>,
    number: &str,
) -> Result<Option<ResidentId>, StoreError> {
    let sql = "select r.id from visible_residents r where r.addressee_no = ?1
        union select i.resident_id from visible_insured_persons i where i.insured_no in (?1, ?2)
        limit 1";
    let number = base::text::kanji_key(number);
    let padded = format!("{number:0>10}");
    tx.one(sql, params![number, padded], |row| row.get(0))
}

/// A report as it is received.
#[derive(Debug)]
pub struct NewCase<'n> {
    /// Where it is received; nothing: the city.
    pub centre: Option<CentreId>,
    /// The consultation it came out of.
    pub consultation: Option<i64>,
    /// One per opened form.
    pub submission: &'n str,
    /// What was told.
    pub known: &'n Known,
    /// By whom.
    pub reporter: &'n Reporter,
}

fn drawn() -> Result<CaseId, Problem> {
    let mut bytes = [0_u8; 8];
    let drawn = SystemRandom::new().fill(&mut bytes);
    drawn.or(Err(Problem::Fault("no random number for a case")))?;
    let bits = u64::from_be_bytes(bytes) >> (u64::BITS - NUMBER_BITS);
    Ok(CaseId(i64::try_from(bits).unwrap_or(i64::MAX)))
}

/// Writes down a report; whoever receives it is its first member.
///
/// # Errors
/// Those of the store, and when the machine gives no random number.
pub fn receive(
    tx: &WriteTx<'_>,
    new: &NewCase<'_>,
    today: Date,
    (by, now): Hand<'_>,
) -> Result<CaseId, Problem> {
    let id = drawn()?;
    tx.insert(
        "insert into abuse_cases (id, centre_id, consultation_id, submission, received_by,
           recorded_at) values (?, ?, ?, ?, ?, ?)",
        params![id, new.centre, new.consultation, new.submission, by, now],
    )?;
    insert_version(tx, (id, 1), new.known, "", (by, now))?;
    reporter::insert(tx, (id, 1), new.reporter, (by, now))?;
    let receiver = team::NewMember {
        staff: by,
        may_write: true,
        reads_reporter: true,
        starts_on: today,
        ends_on: None,
        reason: "通報を受理した".to_owned(),
    };
    team::insert_member(tx, (id, 1), &receiver, (by, now))?;
    Ok(id)
}

/// Adds a version.
pub(in super::super) fn insert_version(
    tx: &WriteTx<'_>,
    (id, version): (CaseId, i64),
    known: &Known,
    reason: &str,
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    let kinds: Vec<&str> = known.kinds.iter().map(|kind| kind.code()).collect();
    tx.insert(
        "insert into abuse_case_versions (case_id, version, case_type, reported_on, reported_at,
           received_at, reporter_kind, resident_id, victim_name, victim_sex, victim_age,
           victim_note, carer_resident_id, carer_name, carer_relation, carer_note, kinds, content,
           source, urgency, place_now, recorded_by, recorded_at, correction_reason)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            id,
            version,
            known.case_type.code(),
            known.reported_on.to_string(),
            known.reported_at.strftime("%H:%M").to_string(),
            known.received_at.code(),
            known.reporter_kind.code(),
            known.resident,
            known.victim_name,
            known.victim_sex,
            known.victim_age,
            known.victim_note,
            known.carer_resident,
            known.carer_name,
            known.carer_relation.code(),
            known.carer_note,
            kinds.join(","),
            known.content,
            known.source,
            known.urgency.code(),
            known.place_now,
            by,
            now,
            reason
        ],
    )?;
    Ok(())
}

pub(in super::super) fn insert_withdrawal(
    tx: &WriteTx<'_>,
    id: CaseId,
    reason: &str,
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    let sql = "insert into abuse_case_withdrawals (case_id, reason, staff_id, recorded_at)
        values (?, ?, ?, ?)";
    tx.insert(sql, params![id, reason, by, now]).map(drop)
}

/// Somebody within the scope, for the form.
pub(in super::super) fn resident(
    tx: &ReadTx<'_>,
    id: ResidentId,
) -> Result<Option<Person>, StoreError> {
    let sql = "select id, name, kana, born_on, sex,
          case when shielded then '' else trim(address || ' ' || building) end, shielded, 1
        from visible_residents where id = ?1";
    tx.one(sql, params![id], person)
}
