//! SQL about masters: bringing the tables to what is shipped, and reading them for the page.

use std::collections::BTreeMap;

use jiff::civil::Date;
use store::{
    Actor, Audited, CentreId, Db, Event, Operation, ReadTx, RecordKind, Row, RowResult, StoreError,
    WriteTx, day, optional_day, params,
};

use super::model::{Centre, Entry, Kept, Loaded, Masters, MastersError, Period, Step, steps};

/// Brings the database to what the masters say: new entries are added, changed ones closed on the
/// day before and followed by a new one, centres keep their ids. Running it again changes nothing.
/// Entries that the files no longer name are left alone.
///
/// # Errors
/// [`MastersError`]; nothing is changed then.
pub fn load(db: &Db, actor: &Actor, sources: &Masters) -> Result<Loaded, MastersError> {
    let today = db.clock().today();
    db.write(actor, |tx| {
        let mut load = Load {
            tx,
            today,
            loaded: Loaded::default(),
            events: Vec::new(),
        };
        for centre in &sources.centres {
            load.centre(centre)?;
        }
        load.table(&AREAS, &sources.areas)?;
        load.table(&CODES, &sources.codes)?;
        Ok(load.finish())
    })
}

const CENTRE_ID: &str = "select id from support_centres where code = ?1";

/// The centre with this code, whether or not it still works.
///
/// # Errors
/// [`StoreError`].
pub fn centre_id(db: &Db, code: &str) -> Result<Option<CentreId>, StoreError> {
    db.read(&Actor::system("マスタ"), |tx| {
        tx.one(CENTRE_ID, params![code], |row| row.get(0))
    })
}

/// How a table of dated entries is read and written. Parameters of `insert`: key, content, from, to.
struct Table {
    name: &'static str,
    /// id, valid_from, valid_to, key, content.
    kept: &'static str,
    keys: usize,
    insert: &'static str,
    close: &'static str,
}

const AREAS: Table = Table {
    name: "areas",
    kept: "select a.id, a.valid_from, a.valid_to, a.code, a.name, a.kana, a.postal_code, c.code,
        a.source, cast(a.unconfirmed as text)
        from areas a join support_centres c on c.id = a.centre_id",
    keys: 1,
    insert: "insert into areas (code, name, kana, postal_code, centre_id, source, unconfirmed,
        valid_from, valid_to)
        values (?1, ?2, ?3, ?4, (select id from support_centres where code = ?5), ?6,
        cast(?7 as integer), ?8, ?9)",
    close: "update areas set valid_to = ?2 where id = ?1",
};

const CODES: Table = Table {
    name: "codes",
    kept: "select id, valid_from, valid_to, list, code, label, cast(position as text), source,
        cast(unconfirmed as text) from codes",
    keys: 2,
    insert: "insert into codes (list, code, label, position, source, unconfirmed, valid_from,
        valid_to)
        values (?1, ?2, ?3, cast(?4 as integer), ?5, cast(?6 as integer), ?7, ?8)",
    close: "update codes set valid_to = ?2 where id = ?1",
};

const CENTRE_FIELDS: [&str; 7] = [
    "name",
    "short_name",
    "phone",
    "valid_from",
    "valid_to",
    "source",
    "unconfirmed",
];

struct Load<'t, 'c> {
    tx: &'t WriteTx<'c>,
    today: Date,
    loaded: Loaded,
    events: Vec<Event>,
}

impl Load<'_, '_> {
    fn centre(&mut self, centre: &Centre) -> Result<(), StoreError> {
        let known = "select id, name, short_name, phone, valid_from, coalesce(valid_to, ''),
            source, cast(unconfirmed as text) from support_centres where code = ?1";
        let kept = self.tx.one(known, params![centre.code], |row| {
            Ok((row.get::<_, i64>(0)?, texts(row, 1)?))
        })?;
        match kept {
            None => {
                let insert = "insert into support_centres (name, short_name, phone, valid_from,
                    valid_to, source, unconfirmed, code)
                    values (?, ?, ?, ?, nullif(?, ''), ?, cast(? as integer), ?)";
                let values = centre.content.iter().chain([&centre.code]);
                self.tx.execute(insert, store::params_from_iter(values))?;
                self.loaded.added += 1;
            }
            Some((_, content)) if content == centre.content => self.loaded.unchanged += 1,
            Some((id, content)) => {
                let update = "update support_centres set name = ?, short_name = ?, phone = ?,
                    valid_from = ?, valid_to = nullif(?, ''), source = ?,
                    unconfirmed = cast(? as integer) where code = ?";
                let values = centre.content.iter().chain([&centre.code]);
                self.tx.execute(update, store::params_from_iter(values))?;
                let pairs = CENTRE_FIELDS
                    .iter()
                    .zip(content.iter().zip(&centre.content));
                let changed: Vec<&str> = pairs
                    .filter(|(_, (old, new))| old != new)
                    .map(|(name, _)| *name)
                    .collect();
                self.note(
                    id,
                    format!("support_centres {}: {}", centre.code, changed.join(",")),
                );
                self.loaded.updated += 1;
            }
        }
        Ok(())
    }

    fn table(&mut self, table: &Table, entries: &[Entry]) -> Result<(), MastersError> {
        let mut kept = self.kept(table)?;
        for entry in entries {
            let rows = kept.entry(entry.key.clone()).or_default();
            let decided = |row: &Kept| row.content.iter().any(|text| text == super::DECIDED);
            if rows.iter().any(decided) {
                self.loaded.unchanged += 1;
                continue;
            }
            let later = entries
                .iter()
                .filter(|other| other.key == entry.key && other.period.from > entry.period.from);
            let next = later.map(|other| other.period.from).min();
            let todo = steps(entry, rows, next, self.today)?;
            if todo.is_empty() {
                self.loaded.unchanged += 1;
            }
            for step in todo {
                self.perform(table, entry, step)?;
            }
        }
        Ok(())
    }

    fn kept(&self, table: &Table) -> Result<BTreeMap<Vec<String>, Vec<Kept>>, StoreError> {
        let rows = self.tx.all(table.kept, [], |row| {
            let mut key = texts(row, 3)?;
            let content = key.split_off(table.keys);
            let period = Period {
                from: day(row, 1)?,
                to: optional_day(row, 2)?,
            };
            Ok((key, row.get(0)?, content, period))
        })?;
        let mut kept: BTreeMap<Vec<String>, Vec<Kept>> = BTreeMap::new();
        for (key, id, content, period) in rows {
            kept.entry(key).or_default().push(Kept {
                id,
                content,
                period,
            });
        }
        Ok(kept)
    }

    fn perform(&mut self, table: &Table, entry: &Entry, step: Step) -> Result<(), StoreError> {
        match step {
            Step::Close { id, on } => {
                self.tx.execute(table.close, params![id, on.to_string()])?;
                self.note(
                    id,
                    format!("{} {}: closed", table.name, entry.key.join(" ")),
                );
                self.loaded.closed += 1;
            }
            Step::Add(Period { from, to }) => {
                let texts = entry.key.iter().chain(&entry.content).cloned().map(Some);
                let dates = [Some(from.to_string()), to.map(|to| to.to_string())];
                let values: Vec<Option<String>> = texts.chain(dates).collect();
                self.tx
                    .execute(table.insert, store::params_from_iter(values))?;
                self.loaded.added += 1;
            }
        }
        Ok(())
    }

    fn note(&mut self, id: i64, detail: String) {
        let event = Event::done(Operation::MasterLoad).on(RecordKind::Master, id);
        self.events.push(event.detail(detail));
    }

    fn finish(self) -> Audited<Loaded> {
        let Loaded {
            added,
            closed,
            updated,
            unchanged,
        } = self.loaded;
        let detail =
            format!("added={added} closed={closed} updated={updated} unchanged={unchanged}");
        let event = Event::done(Operation::MasterLoad).detail(detail);
        self.tx.audited_all(event, self.events, self.loaded)
    }
}

/// The columns from `first` on, as text.
fn texts(row: &Row<'_>, first: usize) -> RowResult<Vec<String>> {
    (first..row.as_ref().column_count())
        .map(|at| row.get(at))
        .collect()
}

/// One line of the page's tables.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) list: String,
    pub(super) code: String,
    pub(super) label: String,
    pub(super) note: String,
    pub(super) valid_from: String,
    pub(super) valid_to: Option<String>,
    pub(super) source: String,
    pub(super) unconfirmed: bool,
}

const LISTED: &str = "
    select 'センター' as list, 0 as rank, 0 as place, code, name as label,
           case phone when '' then '電話 未登録' else phone end as note,
           valid_from, valid_to, source, unconfirmed
    from support_centres
    union all
    select '町丁と担当センター', 1, 0, a.code, a.name, c.short_name, a.valid_from, a.valid_to,
           a.source, a.unconfirmed
    from areas a join support_centres c on c.id = a.centre_id
    union all
    select l.label, 1 + l.position, k.position, k.code, k.label, '', k.valid_from, k.valid_to,
           k.source, k.unconfirmed
    from codes k join codes l on l.list = 'list' and l.code = k.list and l.valid_to is null
    order by rank, place, code, valid_from";

/// Every entry of every master, in the order of the page.
pub(super) fn listed(tx: &ReadTx<'_>) -> Result<Vec<Listed>, StoreError> {
    tx.all(LISTED, [], |row| {
        Ok(Listed {
            list: row.get("list")?,
            code: row.get("code")?,
            label: row.get("label")?,
            note: row.get("note")?,
            valid_from: row.get("valid_from")?,
            valid_to: row.get("valid_to")?,
            source: row.get("source")?,
            unconfirmed: row.get::<_, i64>("unconfirmed")? != 0,
        })
    })
}

/// Numbers of one centre, or of the whole city.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) name: String,
    pub(super) residents: i64,
    pub(super) elders: i64,
    pub(super) certified: i64,
    pub(super) households: i64,
    pub(super) consultations: i64,
}

// A household whose members are looked after by two centres counts at both, once in the city: that
// is why the city's number is asked for and not added up.
const HOUSEHOLDS: &str =
    "select count(distinct household_no) from visible_residents where resident_state = '1'";

// Everybody, the shielded too: a total that leaves them out is wrong, and one that counts them tells
// nothing of anybody. A centre's number would: it counts whom the viewer may see.
const CITY: &str = "
    select count(*), coalesce(sum(r.born_on <= ?1), 0), count(distinct r.household_no),
           (select count(distinct c.resident_id) from counted_certifications c
            join counted_residents k on k.id = c.resident_id and k.resident_state = '1'
            where c.level between '12' and '25'
              and c.valid_from <= ?2 and (c.valid_to is null or c.valid_to >= ?2))
    from counted_residents r where r.resident_state = '1'";

const RESIDENTS: &str = "
    select c.id, c.name, count(r.id), coalesce(sum(r.born_on <= ?1), 0),
           count(distinct r.household_no)
    from support_centres c
    left join visible_residents r on r.centre_id = c.id and r.resident_state = '1'
    group by c.id order by c.code";

const CERTIFIED: &str = "
    select r.centre_id, count(distinct r.id)
    from visible_certifications c join visible_residents r on r.id = c.resident_id
    where r.resident_state = '1' and c.level between '12' and '25'
      and c.valid_from <= ?1 and (c.valid_to is null or c.valid_to >= ?1)
    group by r.centre_id";

// Through the newest versions: of an erased record only the head is left.
const CONSULTATIONS: &str = "
    select c.centre_id, count(*) from visible_current_consultations c
    where c.withdrawn = 0
    group by c.centre_id";

/// The city's numbers and those of each centre, through the viewer's eyes. `elder_born_until` is
/// the last birthday of those who are 65 today.
pub(super) fn counts(
    tx: &ReadTx<'_>,
    today: Date,
    elder_born_until: Date,
) -> Result<(Counts, Vec<Counts>), StoreError> {
    let by_centre = |sql: &str, on: Option<Date>| {
        let day = on.map(|on| on.to_string());
        let rows = tx.all(sql, store::params_from_iter(day), |row| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, i64>(1)?))
        })?;
        Ok::<_, StoreError>(rows.into_iter().collect::<BTreeMap<Option<i64>, i64>>())
    };
    let certified = by_centre(CERTIFIED, Some(today))?;
    let consultations = by_centre(CONSULTATIONS, None)?;
    let of = |map: &BTreeMap<Option<i64>, i64>, id| map.get(&id).copied().unwrap_or(0);
    let mut centres = tx.all(RESIDENTS, params![elder_born_until.to_string()], |row| {
        let id: i64 = row.get(0)?;
        Ok(Counts {
            name: row.get(1)?,
            residents: row.get(2)?,
            elders: row.get(3)?,
            households: row.get(4)?,
            certified: of(&certified, Some(id)),
            consultations: of(&consultations, Some(id)),
        })
    })?;
    let total = |column: fn(&Counts) -> i64| centres.iter().map(column).sum::<i64>();
    let seen = Counts {
        name: "市全体".to_owned(),
        residents: total(|row| row.residents),
        elders: total(|row| row.elders),
        certified: total(|row| row.certified),
        households: tx.count(HOUSEHOLDS, [])?,
        consultations: consultations.values().sum(),
    };
    let days = params![elder_born_until.to_string(), today.to_string()];
    let all = tx.one(CITY, days, |row| {
        Ok(Counts {
            residents: row.get(0)?,
            elders: row.get(1)?,
            households: row.get(2)?,
            certified: row.get(3)?,
            ..seen.clone()
        })
    })?;
    let city = all
        .filter(|all| all.residents > 0)
        .unwrap_or_else(|| seen.clone());
    if city.residents > seen.residents {
        centres.push(Counts {
            name: "担当を示さない人（支援措置など）".to_owned(),
            residents: city.residents - seen.residents,
            elders: city.elders - seen.elders,
            certified: city.certified - seen.certified,
            ..Counts::default()
        });
    }
    if let Some(own) = consultations.get(&None) {
        let name = "市(センター以外)".to_owned();
        centres.push(Counts {
            name,
            consultations: *own,
            ..Counts::default()
        });
    }
    Ok((city, centres))
}
