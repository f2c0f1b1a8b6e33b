//! SQL about one person, all through the scoped views.

use jiff::civil::Date;
use store::{ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, params};

use super::model::{
    Certification, Contact, Correction, Grant, Insurance, Member, Opened, Person, Transfer, Waiting,
};
use super::timeline;

/// Members of a household that are shown; more live in a facility.
const MEMBERS_MAX: i64 = 30;
/// Last contacts beside the person.
const CONTACTS_MAX: i64 = 5;
/// Characters of a consultation that are shown here.
const EXCERPT_CHARS: i64 = 160;

/// Under 支援措置? `None`: not visible, or not there.
pub(super) fn is_shielded(tx: &ReadTx<'_>, id: ResidentId) -> Result<Option<bool>, StoreError> {
    let sql = "select shielded from visible_residents where id = ?1";
    tx.one(sql, params![id], |row| row.get(0))
}

/// Everything about a person who is visible.
pub(super) fn opened(
    tx: &ReadTx<'_>,
    id: ResidentId,
    page: i64,
    (staff, role, today): (StaffId, &str, Date),
) -> Result<Option<Opened>, StoreError> {
    let Some(person) = tx.one(PERSON, params![id], person)? else {
        return Ok(None);
    };
    Ok(Some(Opened {
        household: tx.all(
            HOUSEHOLD,
            params![id, person.household_no, MEMBERS_MAX],
            member,
        )?,
        insurance: tx.all(INSURANCE, params![id], insurance)?,
        certifications: tx.all(CERTIFICATIONS, params![id], certification)?,
        in_charge: tx.all(IN_CHARGE, params![id, today.to_string()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?,
        contacts: tx.all(CONTACTS, params![id, CONTACTS_MAX, EXCERPT_CHARS], contact)?,
        corrections: tx.all(CORRECTIONS, params![id], correction)?,
        waiting: Waiting {
            conflicts: tx.count(CONFLICTS, params![id])?,
            changes: tx.all(CHANGES, params![id], |row| row.get(0))?,
        },
        timeline: timeline::read(tx, id, page)?,
        transfers: tx.all(TRANSFERS, params![id], transfer)?,
        grants: tx.all(GRANTS, params![id, staff, role, today.to_string()], grant)?,
        person,
    }))
}

// The main one first.
const IN_CHARGE: &str = "
    select s.name, a.part = 'main' from visible_assignments a join staff s on s.id = a.staff_id
    where a.resident_id = ?1 and a.starts_on <= ?2 and (a.ends_on is null or a.ends_on >= ?2)
    order by a.part = 'main' desc, a.starts_on, a.id";

const PERSON: &str = "
    select r.id, r.addressee_no, r.household_no, r.name, r.kana, r.alias_name, r.alias_kana,
           r.latin_name, r.former_surname, r.born_on, r.born_text, r.sex, r.resident_state,
           r.postal_code, r.address, r.building, r.phone, r.event_on, r.moved_to, r.died_on,
           r.shielded, r.shielded_until, r.has_gaiji, s.name as centre, s.phone as centre_phone, r.centre_id,
           r.writable,
           coalesce((select a.name from areas a where a.code = r.area_code
                     order by a.valid_from desc limit 1), '') as area,
           coalesce((select k.label from codes k
                     where k.list = 'resident_event' and k.code = r.event_code
                     order by k.valid_from desc limit 1), '') as event
    from visible_residents r join support_centres s on s.id = r.centre_id where r.id = ?1";

fn person(row: &Row<'_>) -> RowResult<Person> {
    let text = |name: &str| row.get::<_, String>(name);
    Ok(Person {
        id: row.get("id")?,
        addressee_no: text("addressee_no")?,
        household_no: text("household_no")?,
        name: text("name")?.into(),
        kana: text("kana")?.into(),
        alias_name: text("alias_name")?.into(),
        alias_kana: text("alias_kana")?.into(),
        latin_name: text("latin_name")?.into(),
        former_surname: text("former_surname")?.into(),
        born_on: day(row, "born_on")?,
        born_text: text("born_text")?,
        sex: text("sex")?,
        state: text("resident_state")?,
        postal_code: text("postal_code")?,
        area: text("area")?,
        address: text("address")?.into(),
        building: text("building")?.into(),
        phone: text("phone")?.into(),
        centre_id: row.get("centre_id")?,
        writable: row.get("writable")?,
        centre: text("centre")?,
        centre_phone: text("centre_phone")?,
        event_on: day(row, "event_on")?,
        event: text("event")?,
        moved_to: text("moved_to")?.into(),
        died_on: day(row, "died_on")?,
        shielded: row.get("shielded")?,
        shielded_until: day(row, "shielded_until")?,
        has_gaiji: row.get("has_gaiji")?,
    })
}

/// A day of a column; what is none or cannot be read is none.
pub(super) fn day(row: &Row<'_>, name: &str) -> RowResult<Option<Date>> {
    let text: Option<String> = row.get(name)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

// Whoever is shielded is in nobody else's household, not even for the city: the abuser's record
// must not lead to her. The household's own file may lack somebody, the register decides.
const HOUSEHOLD: &str = "
    select r.id, r.name, r.kana, r.born_on, r.sex,
           coalesce((select m.relationship from visible_household_members m
                     where m.resident_id = r.id), r.relationship) as relationship,
           coalesce((select m.is_head from visible_household_members m
                     where m.resident_id = r.id), 0) as is_head
    from visible_residents r
    where r.household_no = ?2 and ?2 <> ''
      and (r.id = ?1 or (r.shielded = 0 and r.resident_state in ('1', '9') and not exists
        (select 1 from visible_household_members m
         where m.resident_id = r.id and m.removed_on is not null)))
    order by (select m.position from visible_household_members m where m.resident_id = r.id), r.id
    limit ?3";

fn member(row: &Row<'_>) -> RowResult<Member> {
    Ok(Member {
        id: row.get("id")?,
        name: row.get::<_, String>("name")?.into(),
        kana: row.get::<_, String>("kana")?.into(),
        relationship: row.get("relationship")?,
        is_head: row.get("is_head")?,
        born_on: day(row, "born_on")?,
        sex: row.get("sex")?,
    })
}

const INSURANCE: &str = "
    select i.*, coalesce((select k.label from codes k
                          where k.list = 'insured_category' and k.code = i.category
                          order by k.valid_from desc limit 1), i.category) as category_label
    from visible_insured_persons i where i.resident_id = ?1
    order by i.lost_on is null desc, i.acquired_on desc, i.id desc";

fn insurance(row: &Row<'_>) -> RowResult<Insurance> {
    Ok(Insurance {
        insured_no: row.get("insured_no")?,
        insurer_no: row.get("insurer_no")?,
        category: row.get("category_label")?,
        acquired_on: day(row, "acquired_on")?,
        lost_on: day(row, "lost_on")?,
        domicile_exception: row.get("domicile_exception")?,
        facility_name: row.get("facility_name")?,
        applying: row.get("applying")?,
        copay_percent: row.get("copay_percent")?,
        on_welfare: row.get("on_welfare")?,
    })
}

const CERTIFICATIONS: &str = "
    select c.*, coalesce((select k.label from codes k
                          where k.list = 'care_level' and k.code = c.level
                          order by k.valid_from desc limit 1), c.level) as level_label,
           coalesce((select k.label from codes k
                     where k.list = 'application_kind' and k.code = c.application_kind
                     order by k.valid_from desc limit 1), c.application_kind) as application
    from visible_certifications c where c.resident_id = ?1
    order by c.insured_person_id desc, c.history_no desc";

fn certification(row: &Row<'_>) -> RowResult<Certification> {
    Ok(Certification {
        applied_on: day(row, "applied_on")?,
        application: row.get("application")?,
        pending: row.get::<_, String>("state")? == "1",
        decided_on: day(row, "decided_on")?,
        level: row.get("level")?,
        level_label: row.get("level_label")?,
        from: day(row, "valid_from")?,
        to: day(row, "valid_to")?,
        bedridden: row.get("bedridden_level")?,
        dementia: row.get("dementia_level")?,
        limit_units: row.get("limit_units")?,
    })
}

// The newest few are picked first: labels are looked up for what is shown only.
const CONTACTS: &str = "
    select c.id, c.received_on, c.content, c.next_action, c.next_due_on, c.followed_up,
           coalesce(w.name, '旧システム') as written_by,
           coalesce((select k.label from codes k
                     where k.list = 'consultation_channel' and k.code = c.channel
                     order by k.valid_from desc limit 1), c.channel) as channel,
           coalesce((select k.label from codes k
                     where k.list = 'consultation_outcome' and k.code = c.outcome
                     order by k.valid_from desc limit 1), c.outcome) as outcome,
           (select group_concat(coalesce((select k.label from codes k
                     where k.list = 'consultation_category' and k.code = g.category
                     order by k.valid_from desc limit 1), g.category), '、')
            from visible_consultation_categories g where g.version_id = c.version_id) as categories
    from (select n.id, n.version_id, n.received_on, substr(n.content, 1, ?3) as content,
                 n.next_action, n.next_due_on, n.followed_up, n.channel, n.outcome, n.created_by
          from visible_current_consultations n
          where n.resident_id = ?1 and n.withdrawn = 0
          order by n.received_on desc, n.id desc limit ?2) c
    left join staff w on w.id = c.created_by
    order by c.received_on desc, c.id desc";

fn contact(row: &Row<'_>) -> RowResult<Contact> {
    let outcome: String = row.get("outcome")?;
    Ok(Contact {
        id: row.get("id")?,
        received_on: day(row, "received_on")?,
        channel: row.get("channel")?,
        categories: row
            .get::<_, Option<String>>("categories")?
            .unwrap_or_default(),
        content: row.get::<_, String>("content")?.into(),
        by: row.get("written_by")?,
        // The city words the list; 終結 is the word of the law.
        closed: outcome.starts_with("終結"),
        outcome,
        next_action: row.get::<_, String>("next_action")?.into(),
        next_due_on: day(row, "next_due_on")?,
        followed_up: row.get("followed_up")?,
    })
}

const CORRECTIONS: &str = "
    select c.field, c.value, c.reason, s.name, c.recorded_at
    from visible_corrections c join staff s on s.id = c.staff_id
    where c.resident_id = ?1 and c.ended_at is null order by c.id";

fn correction(row: &Row<'_>) -> RowResult<Correction> {
    Ok(Correction {
        field: row.get(0)?,
        value: row.get::<_, String>(1)?.into(),
        reason: row.get::<_, String>(2)?.into(),
        by: row.get(3)?,
        at: row.get(4)?,
    })
}

const TRANSFERS: &str = "
    select t.id, t.from_centre_id, f.short_name as from_name, t.to_centre_id, n.short_name as to_name,
           t.effective_on, t.readable_until, t.received_at is not null as received
    from visible_transfers t
    join support_centres f on f.id = t.from_centre_id
    join support_centres n on n.id = t.to_centre_id
    where t.resident_id = ?1 and t.ended_at is null order by t.id desc";

fn transfer(row: &Row<'_>) -> RowResult<Transfer> {
    Ok(Transfer {
        id: row.get("id")?,
        from: row.get("from_centre_id")?,
        from_name: row.get("from_name")?,
        to: row.get("to_centre_id")?,
        to_name: row.get("to_name")?,
        on: day(row, "effective_on")?,
        readable_until: day(row, "readable_until")?,
        received: row.get("received")?,
    })
}

const GRANTS: &str = "
    select g.role is not null as is_referral, g.may_write, g.starts_on, g.ends_on, g.reason
    from visible_case_grants g
    where g.resident_id = ?1 and (g.staff_id = ?2 or g.role = ?3) and g.ended_at is null
      and g.starts_on <= ?4 and (g.ends_on is null or g.ends_on >= ?4) order by g.id desc";

fn grant(row: &Row<'_>) -> RowResult<Grant> {
    Ok(Grant {
        is_referral: row.get("is_referral")?,
        may_write: row.get("may_write")?,
        from: day(row, "starts_on")?,
        to: day(row, "ends_on")?,
        reason: row.get::<_, String>("reason")?.into(),
    })
}

const CONFLICTS: &str = "
    select count(distinct f.correction_id) from visible_conflicts f
    join visible_corrections c on c.id = f.correction_id and c.ended_at is null
    where f.resident_id = ?1
      and not exists (select 1 from import_conflict_decisions d where d.conflict_id = f.id)
      and not exists (select 1 from import_undos u where u.import_id = f.import_id)";

const CHANGES: &str = "
    select distinct c.kind from visible_resident_changes c
    where c.resident_id = ?1 and c.kind <> 'new'
      and not exists (select 1 from import_undos u where u.import_id = c.import_id)
      and not exists (select 1 from resident_change_confirmations k where k.change_id = c.id)
    order by c.kind";
