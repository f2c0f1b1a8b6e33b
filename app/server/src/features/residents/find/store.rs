//! SQL of find. Every statement narrows by an index first: `in_scope` is asked once per row found.
//!
//! Shape: each term of the query is a *source* of (resident, rank); the first is walked, the others
//! and the filters must hold as well. Measured at city size (84,677 residents, 91,147 names): one
//! kana 16 ms, kanji anywhere in the names 5 ms (one pass over them), everybody with a consultation in
//! the last year 23 ms, everything else less.

use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, ToSql, Value, params};

use super::model::{Contacts, Filter, Hit, Person, Rank};
use super::query::{Days, Name, NamePart, Number, Phone, Query};

/// Found people that are counted and can be leafed through; beyond it the page says "and more".
pub(super) const HITS_MAX: usize = 1_000;
/// As many and one more, as the database counts.
const TOWN_PEOPLE_MAX: i64 = 1_001;
/// 「最近開いた人」: how many are shown, out of how many of the own newest entries.
const RECENT_MAX: i64 = 10;
const RECENT_ENTRIES_MAX: i64 = 2_000;

const NUMBER: &str = "
    select r.id as id, 0 as rank from visible_residents r where r.addressee_no = :number
    union all
    select i.resident_id, 0 from visible_insured_persons i where i.insured_no = :number";
const PHONE_END: &str = "
    union all
    select p.resident_id, 4 from visible_places p
    where p.phone_digits <> '' and substr(p.phone_digits, -4) = substr(:number, -4)
      and p.phone_digits like '%' || :number";
const PHONE_FRONT: &str = "
    union all
    select p.resident_id, 4 from visible_places p
    where p.phone_digits <> ''
      and p.phone_digits >= :number and p.phone_digits < :number_end";
const NUMBER_AS_DAY: &str = "
    union all
    select r.id, 4 from visible_residents r where r.born_on between :day and :day_last";

const KANA: &str = "
    select n.resident_id as id,
           case when n.kana_key = :key then 1
                when n.kana_key > :key and n.kana_key < :key_end then 2 else 5 end as rank
    from visible_names n where n.kana_loose >= :loose and n.kana_loose < :loose_end
    union all
    select n.resident_id,
           case when n.kana_given_key >= :key and n.kana_given_key < :key_end then 3 else 5 end
    from visible_names n where n.kana_given_loose >= :loose and n.kana_given_loose < :loose_end";

// One kanji alone would fit too many when looked for anywhere: it is the beginning of the name.
const KANJI_FIRST: &str = "
    select n.resident_id as id, case when n.kanji_key = :key then 1 else 6 end as rank
    from visible_names n where n.kanji_key >= :key and n.kanji_key < :key_end";
const KANJI_ANYWHERE: &str = "
    select n.resident_id as id,
           case when n.kanji_key = :key then 1
                when substr(n.kanji_key, 1, length(:key)) = :key then 6 else 7 end as rank
    from visible_names n where instr(n.kanji_key, :key) > 0";
// A town alone fits thousands: unless something narrows them, as many as the list holds, by address.
const TOWN_NAMED_SO: &str = "
    union all
    select * from (select p.resident_id, 8 from visible_places p
    where p.address_key >= :key and p.address_key < :key_end limit :towns_max)";

const ADDRESS: &str = "
    select p.resident_id as id, 8 as rank from visible_places p
    where p.address_key >= :address and p.address_key < :address_end";

const BORN: &str = "
    select r.id as id, 4 as rank from visible_residents r
    where r.born_on between :born and :born_last";

const CERTIFIED: &str = "
    select c.resident_id as id, 0 as rank from visible_certifications c
    where c.level in ('12', '13', '21', '22', '23', '24', '25')
      and c.valid_from <= :today and c.valid_to >= :today";
const ENDING: &str = "
    select c.resident_id as id, 0 as rank from visible_certifications c
    where c.valid_to >= :from_day and c.valid_to <= :until
      and not exists (select 1 from visible_certifications l
                      where l.insured_person_id = c.insured_person_id and l.valid_to > c.valid_to)";
const CONTACTS: &str = "
    select c.resident_id as id, 0 as rank from visible_current_consultations c
    where c.resident_id is not null and c.withdrawn = 0 and c.received_on >= :since";
const OWN: &str = " and c.created_by = :staff";
const IN_AREA: &str = "
    select r.id as id, 0 as rank from visible_residents r where r.area_code = :area";
const ELDERS: &str = "
    select r.id as id, 0 as rank from visible_residents r where r.born_on <= :elder";

/// The first text behind everything that begins with this key.
fn after(key: &str) -> String {
    format!("{key}\u{10FFFF}")
}

/// One statement being put together. It holds exactly the values that the statement names.
#[derive(Default)]
struct Ask {
    sources: Vec<String>,
    filters: Vec<String>,
    values: Vec<(&'static str, Value)>,
}

impl Ask {
    fn text(&mut self, name: &'static str, value: impl Into<String>) {
        self.values.push((name, Value::Text(value.into())));
    }

    fn day(&mut self, name: &'static str, day: Date) {
        self.text(name, day.to_string());
    }

    /// A key and the first text behind everything that begins with it.
    fn range(&mut self, names: (&'static str, &'static str), key: &str) {
        self.text(names.0, key);
        self.text(names.1, after(key));
    }

    fn number(&mut self, number: &Number) {
        self.text(":number", &number.text);
        let mut sql = NUMBER.to_owned();
        if number.phone != Phone::No {
            sql.push_str(PHONE_END);
        }
        if number.phone == Phone::EndOrFront {
            sql.push_str(PHONE_FRONT);
            self.text(":number_end", after(&number.text));
        }
        if let Some(Days { first, last }) = number.born {
            sql.push_str(NUMBER_AS_DAY);
            self.day(":day", first);
            self.day(":day_last", last);
        }
        self.sources.push(sql);
    }

    fn name(&mut self, name: &Name, alone: bool, towns_max: i64) {
        let sql = match name {
            Name::Whole(NamePart::Kana { key, loose }) => {
                self.range((":key", ":key_end"), key);
                self.range((":loose", ":loose_end"), loose);
                KANA.to_owned()
            }
            Name::Whole(NamePart::Kanji { key }) => {
                self.text(":key", key);
                let one = key.chars().nth(1).is_none();
                if one || alone {
                    self.text(":key_end", after(key));
                }
                let names = if one { KANJI_FIRST } else { KANJI_ANYWHERE };
                let town = if alone {
                    self.values.push((":towns_max", Value::Integer(towns_max)));
                    TOWN_NAMED_SO
                } else {
                    ""
                };
                format!("{names}{town}")
            }
            Name::Parts {
                family,
                given,
                joined,
            } => self.parts(family, given, joined),
        };
        self.sources.push(sql);
    }

    /// Family and given name by their beginnings, in whichever letters; or both as one word.
    fn parts(&mut self, family: &NamePart, given: &NamePart, joined: &NamePart) -> String {
        let (family, strict_family) = match family {
            NamePart::Kana { key, loose } => {
                self.range((":loose", ":loose_end"), loose);
                self.range((":key", ":key_end"), key);
                (
                    "n.kana_loose >= :loose and n.kana_loose < :loose_end",
                    "n.kana_key >= :key and n.kana_key < :key_end",
                )
            }
            NamePart::Kanji { key } => {
                self.range((":key", ":key_end"), key);
                ("n.kanji_key >= :key and n.kanji_key < :key_end", "1")
            }
        };
        let (given, strict_given) = match given {
            NamePart::Kana { key, loose } => {
                self.range((":given_loose", ":given_loose_end"), loose);
                self.range((":given", ":given_end"), key);
                (
                    "n.kana_given_loose >= :given_loose and n.kana_given_loose < :given_loose_end",
                    "n.kana_given_key >= :given and n.kana_given_key < :given_end",
                )
            }
            NamePart::Kanji { key } => {
                self.text(":given", key);
                ("instr(substr(n.kanji_key, 2), :given) > 0", "1")
            }
        };
        let (column, whole) = match joined {
            NamePart::Kana { key, .. } => ("kana_key", key),
            NamePart::Kanji { key } => ("kanji_key", key),
        };
        self.range((":joined", ":joined_end"), whole);
        format!(
            "select n.resident_id as id, case when n.{column} = :joined then 1
                    when {strict_family} and {strict_given} then 2 else 5 end as rank
             from visible_names n where {family} and {given}
             union all
             select n.resident_id, case when n.{column} = :joined then 1 else 2 end
             from visible_names n where n.{column} >= :joined and n.{column} < :joined_end"
        )
    }

    fn terms(&mut self, query: &Query, filter: &Filter) {
        if let Some(number) = &query.number {
            self.number(number);
        }
        if let Some(name) = &query.name {
            let alone = query.address.is_none() && query.number.is_none();
            let narrowed = query.born.is_some() || !filter.is_empty();
            // -1 is no limit.
            self.name(name, alone, if narrowed { -1 } else { TOWN_PEOPLE_MAX });
        }
        if let Some(address) = &query.address {
            self.range((":address", ":address_end"), address);
            self.sources.push(ADDRESS.to_owned());
        }
        if let Some(Days { first, last }) = query.born {
            self.day(":born", first);
            self.day(":born_last", last);
            if self.sources.is_empty() {
                self.sources.push(BORN.to_owned());
            } else {
                let born = "r.born_on between :born and :born_last";
                self.filters.push(born.to_owned());
            }
        }
    }

    /// Without a term the first filter is walked; then it lists who lives here now.
    fn filters(&mut self, filter: &Filter, staff: StaffId, today: Date) {
        if self.sources.is_empty() {
            self.filters.push("r.resident_state = '1'".to_owned());
        }
        if filter.certified {
            self.day(":today", today);
            self.walk_or_hold(CERTIFIED, &holds(CERTIFIED));
        }
        if let Some(ending) = filter.ending {
            self.day(":from_day", today);
            let until = today.checked_add(ending.days().days()).unwrap_or(today);
            self.day(":until", until);
            self.walk_or_hold(ENDING, &holds(ENDING));
            // What ends is the work of whoever looks after her now.
            self.filters.push("r.writable".to_owned());
        }
        if filter.contacts != Contacts::Everyone {
            self.day(":since", filter.contacts_since(today));
            let mut contacts = CONTACTS.to_owned();
            if filter.contacts == Contacts::Own {
                self.values.push((":staff", Value::Integer(staff.0)));
                contacts.push_str(OWN);
            }
            self.walk_or_hold(&contacts, &holds(&contacts));
        }
        if let Some(area) = &filter.area {
            self.text(":area", area);
            self.walk_or_hold(IN_AREA, "r.area_code = :area");
        }
        if filter.elders {
            self.day(":elder", filter.elder_born_until(today));
            self.walk_or_hold(ELDERS, "r.born_on <= :elder");
        }
    }

    fn walk_or_hold(&mut self, walk: &str, hold: &str) {
        if self.sources.is_empty() {
            self.sources.push(walk.to_owned());
        } else {
            self.filters.push(hold.to_owned());
        }
    }

    fn sql(&self) -> Option<String> {
        let (walked, held) = self.sources.split_first()?;
        let held = held
            .iter()
            .map(|sql| format!("h.id in (select id from ({sql}))"));
        let conditions: Vec<String> = held.chain(self.filters.iter().cloned()).collect();
        let conditions = if conditions.is_empty() {
            "1".to_owned()
        } else {
            conditions.join(" and ")
        };
        Some(format!(
            "select h.id, min(h.rank) from ({walked}) h
             cross join visible_residents r on r.id = h.id
             where {conditions}
             group by h.id
             order by min(h.rank), r.resident_state <> '1', r.kana, h.id
             limit {}",
            HITS_MAX + 1
        ))
    }
}

/// Asked once per person found, by the index on the person.
fn holds(source: &str) -> String {
    format!("exists (select 1 from ({source}) f where f.id = h.id)")
}

/// People within the scope, best first: at most [`HITS_MAX`] and one that says "and more".
pub(super) fn find(
    tx: &ReadTx<'_>,
    query: &Query,
    filter: &Filter,
    (staff, today): (StaffId, Date),
) -> Result<Vec<Hit>, StoreError> {
    let mut ask = Ask::default();
    ask.terms(query, filter);
    ask.filters(filter, staff, today);
    let Some(sql) = ask.sql() else {
        return Ok(Vec::new());
    };
    let values: Vec<(&str, &dyn ToSql)> = ask
        .values
        .iter()
        .map(|(name, value)| (*name, value as &dyn ToSql))
        .collect();
    tx.all(&sql, values.as_slice(), |row| {
        Ok(Hit {
            id: row.get(0)?,
            rank: Rank::of(row.get(1)?),
        })
    })
}

// What staff corrected wins over the register, as on the person's own page.
const PEOPLE: &str = "
    select r.id, r.name,
           coalesce((select c.value from visible_corrections c where c.resident_id = r.id
                     and c.field = 'kana' and c.ended_at is null order by c.id desc limit 1), r.kana),
           r.alias_name, r.former_surname, r.born_on, r.born_text, r.sex, r.resident_state,
           coalesce((select c.value from visible_corrections c where c.resident_id = r.id
                     and c.field = 'address' and c.ended_at is null order by c.id desc limit 1),
                    r.address),
           r.building,
           coalesce((select a.name from areas a where a.code = r.area_code
                     order by a.valid_from desc limit 1), ''),
           coalesce((select s.short_name from support_centres s where s.id = r.centre_id), ''),
           coalesce((select c.level from visible_certifications c where c.resident_id = r.id
                     and c.level <> '' order by c.valid_from desc, c.history_no desc limit 1), ''),
           (select c.valid_to from visible_certifications c where c.resident_id = r.id
            and c.level <> '' order by c.valid_from desc, c.history_no desc limit 1),
           (select max(c.received_on) from visible_current_consultations c
            where c.resident_id = r.id and c.withdrawn = 0), r.shielded
    from json_each(?1) j cross join visible_residents r on r.id = j.value
    order by j.key";

/// The rows of these people, in this order.
pub(super) fn people(tx: &ReadTx<'_>, ids: &[ResidentId]) -> Result<Vec<Person>, StoreError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    tx.all(PEOPLE, params![format!("[{}]", ids.join(","))], person)
}

fn person(row: &Row<'_>) -> RowResult<Person> {
    let day = |text: Option<String>| text.and_then(|text| text.parse::<Date>().ok());
    Ok(Person {
        id: row.get(0)?,
        name: row.get::<_, String>(1)?.into(),
        kana: row.get::<_, String>(2)?.into(),
        alias_name: row.get::<_, String>(3)?.into(),
        former_surname: row.get::<_, String>(4)?.into(),
        born_on: day(row.get(5)?),
        born_text: row.get::<_, String>(6)?.into(),
        sex: row.get(7)?,
        state: row.get(8)?,
        address: row.get::<_, String>(9)?.into(),
        building: row.get::<_, String>(10)?.into(),
        area: row.get(11)?,
        centre: row.get(12)?,
        level: row.get(13)?,
        certified_until: day(row.get(14)?),
        last_contact_on: day(row.get(15)?),
        shielded: row.get(16)?,
    })
}

const RECENT: &str = "
    select r.id from (
      select e.resident_id as id, max(e.id) as seen from (
        select a.id, a.resident_id, a.operation, a.outcome from audit_entries a
        where a.staff_id = ?1 order by a.id desc limit ?2) e
      where e.operation = 'resident_view' and e.outcome = 'done' and e.resident_id is not null
      group by e.resident_id) s
    cross join visible_residents r on r.id = s.id
    order by s.seen desc limit ?3";

/// Whom this member of staff opened last and may still see, newest first.
pub(super) fn recent(tx: &ReadTx<'_>, staff: StaffId) -> Result<Vec<ResidentId>, StoreError> {
    tx.all(
        RECENT,
        params![staff, RECENT_ENTRIES_MAX, RECENT_MAX],
        |row| row.get(0),
    )
}

// The newest few entries of one member of staff: those of the last minute are among them.
const PART_LOGGED: &str = "
    select count(*) from (
      select e.at, e.operation, e.detail from audit_entries e
      where e.staff_id = ?1 order by e.id desc limit 50) r
    where r.at > ?2 and r.operation = 'resident_find' and r.detail like 'part %'";

/// Has a list shown while typing been written down since then?
pub(super) fn part_logged(
    tx: &ReadTx<'_>,
    staff: StaffId,
    since: &str,
) -> Result<bool, StoreError> {
    Ok(tx.count(PART_LOGGED, params![staff, since])? > 0)
}

// The areas of today; a centre is offered its own.
const AREAS: &str = "
    select a.code, a.name from areas a
    where a.valid_from <= ?1 and (a.valid_to is null or a.valid_to >= ?1)
      and (?2 is null or a.centre_id = ?2)
    order by a.kana, a.code";

/// Codes and names of the areas to choose from.
pub(super) fn areas(
    tx: &ReadTx<'_>,
    centre: Option<store::CentreId>,
    today: Date,
) -> Result<Vec<(String, String)>, StoreError> {
    tx.all(AREAS, params![today.to_string(), centre], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// The number of a consultation whose client is looked for, if this person may see it.
pub(super) fn consultation(tx: &ReadTx<'_>, id: i64) -> Result<Option<String>, StoreError> {
    let sql = "select c.number from visible_consultations c where c.id = ?1";
    tx.one(sql, params![id], |row| row.get(0))
}
