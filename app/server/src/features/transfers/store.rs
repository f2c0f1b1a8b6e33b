//! SQL about hand-overs, all through the scoped views.

use jiff::civil::Date;
use store::{
    CentreId, ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, named_params,
    params,
};

use super::model::{Contact, Direction, HandOver, Opened, Stage, Transfer};

/// Records of a person that the page and the sheet list.
const CONTACTS_MAX: i64 = 20;
/// Characters of a record that are shown there.
const EXCERPT_CHARS: i64 = 300;

const COLUMNS: &str = "
    select t.id, t.resident_id, r.name, r.kana, r.born_on, r.sex, t.from_centre_id, f.short_name,
           t.to_centre_id, n.short_name, t.effective_on, t.readable_until, t.cause,
           t.is_latest and t.ended_at is null, t.ended_at is not null,
           coalesce(p.name, ''), t.received_at,
           (select max(v.received_on) from visible_current_consultations v
            where v.resident_id = t.resident_id and v.withdrawn = 0) as last_record,
           exists (select 1 from visible_transfer_notes k where k.transfer_id = t.id)";

const FROM: &str = "
    from visible_transfers t
    join visible_residents r on r.id = t.resident_id
    join support_centres f on f.id = t.from_centre_id
    join support_centres n on n.id = t.to_centre_id
    left join staff p on p.id = t.received_by";

/// Who lives here and was not moved on; what was taken back waits for nobody.
const HOLDING: &str = "
    where t.ended_at is null and t.is_latest and r.resident_state in ('1', '9')
      and (:to is null or t.to_centre_id = :to) and (:from is null or t.from_centre_id = :from)";

const RECORDED: &str = "exists (select 1 from visible_current_consultations v
    where v.resident_id = t.resident_id and v.withdrawn = 0)";

fn day(text: Option<String>) -> Option<Date> {
    text.and_then(|text| text.parse().ok())
}

fn transfer(row: &Row<'_>) -> RowResult<Transfer> {
    let on = |at: usize| -> RowResult<Date> { Ok(day(row.get(at)?).unwrap_or_default()) };
    let by: String = row.get(15)?;
    let at: Option<String> = row.get(16)?;
    Ok(Transfer {
        id: row.get(0)?,
        resident: row.get(1)?,
        name: row.get::<_, String>(2)?.into(),
        kana: row.get::<_, String>(3)?.into(),
        born_on: day(row.get(4)?),
        sex: row.get(5)?,
        from: row.get(6)?,
        from_name: row.get(7)?,
        to: row.get(8)?,
        to_name: row.get(9)?,
        effective_on: on(10)?,
        readable_until: on(11)?,
        cause: row.get(12)?,
        holds: row.get(13)?,
        taken_back: row.get(14)?,
        received: at.map(|at| (by, at)),
        last_record: day(row.get(17)?),
        has_note: row.get(18)?,
    })
}

/// Whose list: of one's own centre, or everybody's for the city.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) centre: Option<CentreId>,
    pub(super) direction: Direction,
}

impl Side {
    fn to(self) -> Option<CentreId> {
        self.centre.filter(|_| self.direction == Direction::In)
    }

    fn from(self) -> Option<CentreId> {
        self.centre.filter(|_| self.direction == Direction::Out)
    }
}

fn condition(stage: Stage) -> String {
    match stage {
        Stage::Open => format!("{HOLDING} and t.received_at is null and {RECORDED}"),
        Stage::Received => format!("{HOLDING} and t.received_at is not null"),
        Stage::Without => format!("{HOLDING} and t.received_at is null and not {RECORDED}"),
    }
}

/// One page of a list: who has records of the last year comes first, then the newest.
pub(super) fn list(
    tx: &ReadTx<'_>,
    side: Side,
    stage: Stage,
    since: Date,
    (limit, before): (usize, usize),
) -> Result<Vec<Transfer>, StoreError> {
    let sql = format!(
        "{COLUMNS} {FROM} {}
         order by coalesce(last_record, '') >= :since desc, t.effective_on desc, t.id desc
         limit :limit offset :before",
        condition(stage)
    );
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    tx.all(
        &sql,
        named_params! {":to": side.to(), ":from": side.from(), ":since": since.to_string(),
        ":limit": number(limit), ":before": number(before)},
        transfer,
    )
}

pub(super) fn count(tx: &ReadTx<'_>, side: Side, stage: Stage) -> Result<usize, StoreError> {
    let sql = format!("select count(*) {FROM} {}", condition(stage));
    let found = tx.count(&sql, named_params! {":to": side.to(), ":from": side.from()})?;
    Ok(usize::try_from(found).unwrap_or_default())
}

/// How many wait since before a day.
pub(super) fn overdue(tx: &ReadTx<'_>, side: Side, before: Date) -> Result<i64, StoreError> {
    let sql = format!(
        "select count(*) {FROM} {} and t.effective_on < :before",
        condition(Stage::Open)
    );
    tx.count(
        &sql,
        named_params! {":to": side.to(), ":from": side.from(), ":before": before.to_string()},
    )
}

/// One hand-over, when its person is visible.
pub(super) fn transfer_of(tx: &ReadTx<'_>, id: i64) -> Result<Option<Transfer>, StoreError> {
    tx.one(
        &format!("{COLUMNS} {FROM} where t.id = ?1"),
        params![id],
        transfer,
    )
}

const NOTES: &str = "
    select n.id, n.note, s.name, n.recorded_at from visible_transfer_notes n
    join staff s on s.id = n.recorded_by where n.transfer_id = ?1 order by n.id desc";

pub(super) fn notes(tx: &ReadTx<'_>, id: i64) -> Result<Vec<HandOver>, StoreError> {
    tx.all(NOTES, params![id], |row| {
        Ok(HandOver {
            id: row.get(0)?,
            text: row.get::<_, String>(1)?.into(),
            by: row.get(2)?,
            at: row.get(3)?,
        })
    })
}

const CONTACTS: &str = "
    select c.id, c.received_on,
           coalesce((select k.label from codes k
                     where k.list = 'consultation_channel' and k.code = c.channel
                     order by k.valid_from desc limit 1), c.channel),
           coalesce(w.name, '旧システム'), substr(c.content, 1, ?3), c.next_action, c.next_due_on,
           c.followed_up = 0 and (c.next_due_on is not null or c.next_action <> '')
    from visible_current_consultations c left join staff w on w.id = c.created_by
    where c.resident_id = ?1 and c.withdrawn = 0
    order by c.received_on desc, c.id desc limit ?2";

fn contacts(tx: &ReadTx<'_>, person: ResidentId) -> Result<Vec<Contact>, StoreError> {
    tx.all(
        CONTACTS,
        params![person, CONTACTS_MAX, EXCERPT_CHARS],
        |row| {
            Ok(Contact {
                id: row.get(0)?,
                on: day(row.get(1)?),
                channel: row.get(2)?,
                by: row.get(3)?,
                content: row.get::<_, String>(4)?.into(),
                next_action: row.get::<_, String>(5)?.into(),
                next_due_on: day(row.get(6)?),
                waits: row.get(7)?,
            })
        },
    )
}

// Whoever is under 支援措置 has address and telephone on her own page only, behind the reason.
const PERSON: &str = "
    select case r.shielded when 0 then r.address || ' ' || r.building else '' end,
           case r.shielded when 0 then r.phone else '' end,
           coalesce((select i.insured_no from visible_insured_persons i
                     where i.resident_id = r.id order by i.id desc limit 1), '')
    from visible_residents r where r.id = ?1";

const LEVEL: &str = "
    select coalesce((select k.label from codes k where k.list = 'care_level' and k.code = c.level
                     order by k.valid_from desc limit 1), c.level), c.valid_to
    from visible_certifications c where c.resident_id = ?1 and c.level <> ''
    order by c.history_no desc limit 1";

/// A hand-over with everything that its page shows.
pub(super) fn opened(tx: &ReadTx<'_>, id: i64) -> Result<Option<Opened>, StoreError> {
    let Some(transfer) = transfer_of(tx, id)? else {
        return Ok(None);
    };
    let person = transfer.resident;
    let texts = tx.one(PERSON, params![person], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get(2)?,
        ))
    })?;
    let (address, phone, insured_no) = texts.unwrap_or_default();
    Ok(Some(Opened {
        notes: notes(tx, id)?,
        contacts: contacts(tx, person)?,
        level: tx.one(LEVEL, params![person], |row| {
            Ok((row.get(0)?, day(row.get(1)?)))
        })?,
        address: address.into(),
        phone: phone.into(),
        insured_no,
        transfer,
    }))
}

/// Adds what is handed over.
pub(super) fn insert_note(
    tx: &WriteTx<'_>,
    id: i64,
    text: &str,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into transfer_notes (transfer_id, note, recorded_by, recorded_at)
        values (?, ?, ?, ?)";
    tx.insert(sql, params![id, text, by, now]).map(drop)
}

/// The new centre has read it.
pub(super) fn insert_receipt(
    tx: &WriteTx<'_>,
    id: i64,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into transfer_receipts (transfer_id, recorded_by, recorded_at)
        values (?, ?, ?)";
    tx.insert(sql, params![id, by, now]).map(drop)
}
