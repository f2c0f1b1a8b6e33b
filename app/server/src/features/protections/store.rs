//! SQL about protections, through the views that only whoever keeps them can read.

use jiff::civil::Date;
use store::{
    CentreId, ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, day, optional_day,
    params,
};

use super::model::{Act, Colleague, Exclusion, Grant, Made, Person, Shield};
use crate::features::approvals::{ApprovalId, State};

const PERSON: &str = "
    select r.id, r.addressee_no, r.insured_no, r.name, r.kana, r.centre_id, c.short_name,
           r.in_register, r.shielded_until
    from (select s.id, s.addressee_no, s.insured_no, s.name, s.kana, s.centre_id, s.in_register,
                 s.shielded_until from sealed_residents s
          union
          select v.id, v.addressee_no,
                 (select i.insured_no from visible_insured_persons i where i.resident_id = v.id
                  order by i.id desc limit 1),
                 v.name, v.kana, v.centre_id, 0, v.shielded_until
          from visible_residents v where v.shielded = 0) r
    join support_centres c on c.id = r.centre_id";

/// Somebody by id, shielded or not.
pub(super) fn person(tx: &ReadTx<'_>, id: ResidentId) -> Result<Option<Person>, StoreError> {
    tx.one(
        &format!("{PERSON} where r.id = ?1"),
        params![id],
        read_person,
    )
}

/// Somebody by 宛名番号 or 被保険者番号.
pub(super) fn by_number(tx: &ReadTx<'_>, number: &str) -> Result<Option<ResidentId>, StoreError> {
    let padded = format!("{number:0>10}");
    let sql = "
        select id from sealed_residents where addressee_no in (?1, ?2) or insured_no in (?1, ?2)
        union
        select id from visible_residents where addressee_no in (?1, ?2)
        union
        select resident_id from visible_insured_persons where insured_no in (?1, ?2) limit 1";
    tx.one(sql, params![number, padded], |row| row.get(0))
}

fn read_person(row: &Row<'_>) -> RowResult<Person> {
    Ok(Person {
        id: row.get(0)?,
        addressee_no: row.get(1)?,
        insured_no: row.get(2)?,
        name: row.get::<_, String>(3)?.into(),
        kana: row.get::<_, String>(4)?.into(),
        centre_id: row.get(5)?,
        centre: row.get(6)?,
        in_register: row.get(7)?,
        register_until: optional_day(row, 8)?,
    })
}

/// Is she shielded, by the register or by the city?
pub(super) fn is_shielded(tx: &ReadTx<'_>, id: ResidentId) -> Result<bool, StoreError> {
    let sql = "select count(*) from sealed_residents where id = ?1";
    Ok(tx.count(sql, params![id])? > 0)
}

/// One of the sealed list, with what shows whether she is looked after.
pub(super) struct Sealed {
    pub(super) person: Person,
    pub(super) certified_until: Option<Date>,
    pub(super) last_contact_on: Option<Date>,
    /// Members of staff who may open her today.
    pub(super) openers: i64,
}

const SEALED: &str = "
    select s.id, s.addressee_no, s.insured_no, s.name, s.kana, s.centre_id, c.short_name,
           s.in_register, s.shielded_until, s.certified_until, s.last_contact_on,
           (select count(distinct g.staff_id) from known_shield_grants g
            where g.resident_id = s.id and g.ended_at is null and g.starts_on <= ?1
              and g.ends_on >= ?1
              and (g.decision = 'approved' or (g.urgent = 1 and g.decision is null)))
    from sealed_residents s join support_centres c on c.id = s.centre_id
    where s.resident_state = '1' order by s.kana, s.id";

/// All who are shielded and live here.
pub(super) fn sealed(tx: &ReadTx<'_>, today: Date) -> Result<Vec<Sealed>, StoreError> {
    tx.all(SEALED, params![today.to_string()], |row| {
        Ok(Sealed {
            person: read_person(row)?,
            certified_until: optional_day(row, 9)?,
            last_contact_on: optional_day(row, 10)?,
            openers: row.get(11)?,
        })
    })
}

/// Which rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// This one.
    Id(i64),
    /// Those of a person.
    Of(ResidentId),
    /// That of a request to a second person.
    Asked(ApprovalId),
    /// Those that are not ended.
    Open,
}

impl Wanted {
    fn sql(self) -> (&'static str, i64) {
        match self {
            Self::Id(id) => ("p.id = ?1", id),
            Self::Of(resident) => ("p.resident_id = ?1", resident.0),
            Self::Asked(approval) => ("p.approval_id = ?1", approval.0),
            Self::Open => ("p.ended_at is null and ?1 = 0", 0),
        }
    }
}

const MADE: &str = "
    p.id, p.resident_id,
    coalesce((select s.addressee_no from sealed_residents s where s.id = p.resident_id),
             (select v.addressee_no from visible_residents v where v.id = p.resident_id), ''),
    p.reason,
    coalesce((select b.name from staff b where b.id = p.recorded_by), '取込み'), p.recorded_at,
    p.ended_at, coalesce((select b.name from staff b where b.id = p.ended_by), ''),
    coalesce(p.ending_reason, '')";
/// Columns of [`MADE`].
const AFTER: usize = 9;

fn made(row: &Row<'_>) -> RowResult<Made> {
    let ended: Option<String> = row.get(6)?;
    let ending = match ended {
        Some(at) => Some(Act {
            at,
            by_name: row.get(7)?,
            reason: row.get(8)?,
        }),
        None => None,
    };
    Ok(Made {
        id: row.get(0)?,
        resident: row.get(1)?,
        addressee_no: row.get(2)?,
        reason: row.get(3)?,
        by_name: row.get(4)?,
        at: row.get(5)?,
        ending,
    })
}

/// Newest first.
pub(super) fn grants(tx: &ReadTx<'_>, wanted: Wanted) -> Result<Vec<Grant>, StoreError> {
    let (which, value) = wanted.sql();
    let sql = format!(
        "select {MADE}, p.staff_id, t.login, t.name, p.starts_on, p.ends_on, p.urgent, p.decision,
                p.decided_at, coalesce(p.decision_reason, ''),
                coalesce((select b.name from staff b where b.id = p.decided_by), ''), p.approval_id
         from known_shield_grants p join staff t on t.id = p.staff_id
         where {which} order by p.id desc"
    );
    tx.all(&sql, params![value], |row| {
        let decision: Option<String> = row.get(AFTER + 6)?;
        let decision = match decision {
            Some(decision) => Some((
                State::of(&decision),
                Act {
                    at: row.get(AFTER + 7)?,
                    reason: row.get(AFTER + 8)?,
                    by_name: row.get(AFTER + 9)?,
                },
            )),
            None => None,
        };
        Ok(Grant {
            made: made(row)?,
            staff: row.get(AFTER)?,
            staff_login: row.get(AFTER + 1)?,
            staff_name: row.get(AFTER + 2)?,
            starts_on: day(row, AFTER + 3)?,
            ends_on: day(row, AFTER + 4)?,
            urgent: row.get(AFTER + 5)?,
            approval: row.get(AFTER + 10)?,
            decision,
        })
    })
}

/// Newest first.
pub(super) fn shields(tx: &ReadTx<'_>, wanted: Wanted) -> Result<Vec<Shield>, StoreError> {
    let (which, value) = wanted.sql();
    let sql = format!(
        "select {MADE}, p.kind, p.planned_until from known_shields p where {which} order by p.id desc"
    );
    tx.all(&sql, params![value], |row| {
        Ok(Shield {
            made: made(row)?,
            of_register: row.get::<_, String>(AFTER)? == "register",
            planned_until: optional_day(row, AFTER + 1)?,
        })
    })
}

/// Newest first.
pub(super) fn exclusions(tx: &ReadTx<'_>, wanted: Wanted) -> Result<Vec<Exclusion>, StoreError> {
    let (which, value) = wanted.sql();
    let sql = format!(
        "select {MADE}, p.staff_id, t.login, t.name,
                coalesce((select k.label from codes k where k.list = 'exclusion_relation'
                          and k.code = p.relation order by k.valid_from desc limit 1), p.relation)
         from known_exclusions p join staff t on t.id = p.staff_id
         where {which} order by p.id desc"
    );
    tx.all(&sql, params![value], |row| {
        Ok(Exclusion {
            made: made(row)?,
            staff: row.get(AFTER)?,
            staff_login: row.get(AFTER + 1)?,
            staff_name: row.get(AFTER + 2)?,
            relation: row.get(AFTER + 3)?,
        })
    })
}

const COLLEAGUES: &str = "
    select s.id, s.login, s.name, p.role, p.centre_id, coalesce(c.name, '市')
    from staff_terms p join staff s on s.id = p.staff_id
    left join support_centres c on c.id = p.centre_id
    where p.starts_on <= ?1 and (p.ends_on is null or p.ends_on >= ?1)
    order by p.centre_id is not null, p.centre_id, s.kana, s.id";

/// Everybody who works here on a day.
pub(super) fn colleagues(tx: &ReadTx<'_>, on: Date) -> Result<Vec<Colleague>, StoreError> {
    tx.all(COLLEAGUES, params![on.to_string()], |row| {
        Ok(Colleague {
            id: row.get(0)?,
            login: row.get(1)?,
            name: row.get(2)?,
            role: row.get(3)?,
            centre_id: row.get(4)?,
            centre: row.get(5)?,
        })
    })
}

/// Why somebody beyond the centre meets a person.
pub(super) struct Lent {
    pub(super) staff: Option<StaffId>,
    pub(super) role: Option<String>,
    /// A former centre.
    pub(super) centre: Option<CentreId>,
    pub(super) until: Option<Date>,
}

const LENT: &str = "
    select g.staff_id, g.role, null, g.ends_on from known_case_grants g
    where g.resident_id = ?1 and g.starts_on <= ?2 and (g.ends_on is null or g.ends_on >= ?2)
    union all
    select null, null, t.from_centre_id, t.readable_until from known_transfers t
    where t.resident_id = ?1 and t.effective_on <= ?2 and t.readable_until >= ?2";

/// Everybody beyond her centre to whom a person is lent on a day.
pub(super) fn lent(tx: &ReadTx<'_>, person: ResidentId, on: Date) -> Result<Vec<Lent>, StoreError> {
    tx.all(LENT, params![person, on.to_string()], |row| {
        Ok(Lent {
            staff: row.get(0)?,
            role: row.get(1)?,
            centre: row.get(2)?,
            until: optional_day(row, 3)?,
        })
    })
}

/// Who is in charge of a person on a day.
pub(super) fn assigned(
    tx: &ReadTx<'_>,
    person: ResidentId,
    on: Date,
) -> Result<Vec<StaffId>, StoreError> {
    let sql = "select staff_id from known_assignments
        where resident_id = ?1 and starts_on <= ?2 and (ends_on is null or ends_on >= ?2)";
    tx.all(sql, params![person, on.to_string()], |row| row.get(0))
}

/// Who writes, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp<'s> {
    pub(super) by: StaffId,
    pub(super) at: &'s str,
}

/// A grant to be asked for.
#[derive(Debug, Clone)]
pub(super) struct NewGrant {
    pub(super) staff: StaffId,
    pub(super) starts_on: Date,
    pub(super) ends_on: Date,
    pub(super) urgent: bool,
    pub(super) reason: String,
}

pub(super) fn insert_grant(
    tx: &WriteTx<'_>,
    person: ResidentId,
    (new, approval): (&NewGrant, ApprovalId),
    stamp: Stamp<'_>,
) -> Result<i64, StoreError> {
    let sql =
        "insert into shield_grants (resident_id, staff_id, starts_on, ends_on, reason, urgent,
        recorded_by, recorded_at, approval_id) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let (from, to) = (new.starts_on.to_string(), new.ends_on.to_string());
    tx.insert(
        sql,
        params![
            person, new.staff, from, to, new.reason, new.urgent, stamp.by, stamp.at, approval
        ],
    )
}

pub(super) fn insert_shield(
    tx: &WriteTx<'_>,
    person: ResidentId,
    until: Option<Date>,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<i64, StoreError> {
    let sql =
        "insert into shields (resident_id, kind, planned_until, reason, recorded_by, recorded_at)
        values (?1, 'city', ?2, ?3, ?4, ?5)";
    let until = until.map(|day| day.to_string());
    tx.insert(sql, params![person, until, reason, stamp.by, stamp.at])
}

pub(super) fn insert_exclusion(
    tx: &WriteTx<'_>,
    person: ResidentId,
    (staff, relation): (StaffId, &str),
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<i64, StoreError> {
    let sql =
        "insert into exclusions (resident_id, staff_id, relation, reason, recorded_by, recorded_at)
        values (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.insert(
        sql,
        params![person, staff, relation, reason, stamp.by, stamp.at],
    )
}

/// Which kind of row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Grant,
    Shield,
    Exclusion,
}

pub(super) fn insert_ending(
    tx: &WriteTx<'_>,
    ends: Ends,
    id: i64,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<i64, StoreError> {
    let (table, column) = match ends {
        Ends::Grant => ("shield_grant_endings", "grant_id"),
        Ends::Shield => ("shield_endings", "shield_id"),
        Ends::Exclusion => ("exclusion_endings", "exclusion_id"),
    };
    let sql = format!(
        "insert into {table} ({column}, reason, recorded_by, recorded_at) values (?1, ?2, ?3, ?4)"
    );
    tx.insert(&sql, params![id, reason, stamp.by, stamp.at])
}
