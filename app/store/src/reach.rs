//! What rows say about whom somebody meets: shields and who may open them, exclusions, people lent
//! beyond the centre, for those who see no more the people they are in charge of, and abuse cases that
//! name them.
//!
//! Shape: a [`Reach`] holds small sets of residents for one member of staff on one day. It is read once
//! and kept by [`ReachBook`] until a row of [`REACH_TABLES`] changes, another process writes, or the
//! day changes, so that the predicate asks a set and not a table: it runs once for each row of a list.
//! Limits: [`KEPT_MAX`] people's sets; above it all are read anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use rusqlite::{Connection, params};

use crate::actor::{AbuseSight, Actor, Scope};
use crate::audit::Head;
use crate::error::StoreError;
use crate::scope::Viewer;

/// A change in one of these changes what somebody may see.
const REACH_TABLES: &[&str] = &[
    "abuse_bar_endings",
    "abuse_bars",
    "abuse_case_versions",
    "abuse_cases",
    "abuse_member_endings",
    "abuse_members",
    "abuse_taking_endings",
    "abuse_takings",
    "approval_decisions",
    "assignment_endings",
    "assignments",
    "case_grant_endings",
    "case_grants",
    "centre_transfers",
    "exclusion_endings",
    "exclusions",
    "shield_endings",
    "shield_grant_endings",
    "shield_grants",
    "shields",
    "transfer_endings",
];

/// Sets that are kept at once: more than there are people at work.
const KEPT_MAX: usize = 256;

/// What somebody may do in an abuse case that names them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AbuseCase {
    /// Adds to it.
    pub(crate) writes: bool,
    /// May open who reported it.
    pub(crate) reads_reporter: bool,
}

/// Numbers with what is known of them. They are few and asked for with each row of a list, where a
/// sorted slice answers sooner than a hash.
#[derive(Debug)]
struct Sorted<T>(Box<[(i64, T)]>);

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T> Sorted<T> {
    fn get(&self, id: i64) -> Option<&T> {
        let place = self.0.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        self.0.get(place).map(|(_, known)| known)
    }

    fn contains(&self, id: i64) -> bool {
        self.get(id).is_some()
    }
}

impl<T> FromIterator<(i64, T)> for Sorted<T> {
    fn from_iter<I: IntoIterator<Item = (i64, T)>>(rows: I) -> Self {
        let sorted: BTreeMap<i64, T> = rows.into_iter().collect();
        Self(sorted.into_iter().collect())
    }
}

/// Whom one member of staff meets on one day, beside what role and centre say.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// Shielded although the register does not (or no longer) say so; the same for everybody.
    shielded: Sorted<()>,
    /// Shielded people whom this member of staff may open.
    opened: Sorted<()>,
    /// People whom this member of staff does not meet.
    excluded: Sorted<()>,
    /// People beyond what the scope says who may be read; true: written about as well.
    lent: Sorted<bool>,
    /// Abuse cases that exist for this member of staff.
    abuse: Sorted<AbuseCase>,
    /// Consultations that belong to an abuse case, and to which.
    taken: Sorted<i64>,
}

impl Reach {
    pub(crate) fn is_shielded(&self, person: i64, in_register: bool) -> bool {
        in_register || self.shielded.contains(person)
    }

    pub(crate) fn opens(&self, person: i64) -> bool {
        self.opened.contains(person)
    }

    pub(crate) fn excludes(&self, person: i64) -> bool {
        self.excluded.contains(person)
    }

    pub(crate) fn is_lent(&self, person: i64) -> bool {
        self.lent.contains(person)
    }

    pub(crate) fn is_lent_for_writing(&self, person: i64) -> bool {
        self.lent.get(person).copied().unwrap_or(false)
    }

    pub(crate) fn abuse_case(&self, case: i64) -> Option<AbuseCase> {
        self.abuse.get(case).copied()
    }

    /// A consultation that belongs to an abuse case is there for those who know of the case.
    pub(crate) fn opens_record(&self, consultation: i64) -> bool {
        let case = self.taken.get(consultation);
        case.is_none_or(|case| self.abuse.contains(*case))
    }

    pub(crate) fn has_taken(&self, consultation: i64) -> bool {
        self.taken.contains(consultation)
    }

    fn read(connection: &Connection, actor: &Actor, today: Date) -> Result<Self, StoreError> {
        let (staff, today) = (actor.staff_id, today.to_string());
        let (centre, assigned) = match actor.scope {
            Scope::Centre(id) => (Some(id), false),
            Scope::Assigned(centre) => (centre, true),
            Scope::Nothing | Scope::City => (None, false),
        };
        let mut statement = connection.prepare(LENT)?;
        let whose = params![centre, today, staff, actor.role, assigned];
        let lent = statement.query_map(whose, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self {
            lent: lent.collect::<Result<_, _>>()?,
            shielded: ids(connection, SHIELDED, [])?,
            opened: ids(connection, OPENED, params![staff, today])?,
            excluded: ids(connection, EXCLUDED, [staff])?,
            abuse: abuse_cases(connection, actor, &today)?,
            taken: pairs(connection, TAKEN)?,
        })
    }
}

fn abuse_cases(
    connection: &Connection,
    actor: &Actor,
    today: &str,
) -> Result<Sorted<AbuseCase>, StoreError> {
    let (member, keeper) = match actor.abuse {
        AbuseSight::Nothing => return Ok(Sorted::default()),
        AbuseSight::Member => (true, false),
        AbuseSight::Keeper => (true, true),
    };
    let mut statement = connection.prepare(ABUSE)?;
    let values = params![actor.staff_id, today, member, keeper];
    let found = statement.query_map(values, |row| {
        let case = AbuseCase {
            writes: row.get(1)?,
            reads_reporter: row.get(2)?,
        };
        Ok((row.get(0)?, case))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn pairs(connection: &Connection, sql: &str) -> Result<Sorted<i64>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn ids(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Sorted<()>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map(params, |row| Ok((row.get(0)?, ())))?;
    Ok(found.collect::<Result<_, _>>()?)
}

const SHIELDED: &str = "
    select s.resident_id from shields s
    where not exists (select 1 from shield_endings e where e.shield_id = s.id)";

// Urgent ones work until a second person refuses; any other one only once it is approved.
const OPENED: &str = "
    select g.resident_id from shield_grants g
    left join approval_decisions d on d.approval_id = g.approval_id
    where g.staff_id = ?1 and g.starts_on <= ?2 and g.ends_on >= ?2
      and (d.decision = 'approved' or (g.urgent = 1 and d.decision is null))
      and not exists (select 1 from shield_grant_endings e where e.grant_id = g.id)";

const EXCLUDED: &str = "
    select x.resident_id from exclusions x
    where x.staff_id = ?1
      and not exists (select 1 from exclusion_endings e where e.exclusion_id = x.id)";

const LENT: &str = "
    select l.id, max(l.writes) from (
      select t.resident_id as id, 0 as writes from centre_transfers t
      where t.from_centre_id = ?1 and t.effective_on <= ?2 and t.readable_until >= ?2
        and not exists (select 1 from transfer_endings e where e.transfer_id = t.id)
        and (?5 = 0 or exists (select 1 from assignments a
                               where a.resident_id = t.resident_id and a.staff_id = ?3))
      union all
      select a.resident_id, 1 from assignments a
      join residents r on r.id = a.resident_id and (?1 is null or r.centre_id = ?1)
      left join assignment_endings e on e.assignment_id = a.id
      where ?5 = 1 and a.staff_id = ?3 and a.starts_on <= ?2
        and (e.ends_on is null or e.ends_on >= ?2)
      union all
      select g.resident_id, g.may_write from case_grants g
      where (g.staff_id = ?3 or g.role = ?4)
        and g.starts_on <= ?2 and (g.ends_on is null or g.ends_on >= ?2)
        and not exists (select 1 from case_grant_endings e where e.grant_id = g.id)) l
    group by l.id";

// Who was ever named as victim or carer counts: a corrected name stays readable in its version.
const ABUSE: &str = "
    select k.id, max(k.writes), max(k.reporter) from (
      select m.case_id as id, m.may_write as writes, m.reads_reporter as reporter
      from abuse_members m
      where ?3 and m.staff_id = ?1 and m.starts_on <= ?2
        and (m.ends_on is null or m.ends_on >= ?2)
        and not exists (select 1 from abuse_member_endings e where e.member_id = m.id)
      union all
      select c.id, 1, 1 from abuse_cases c where ?4) k
    where not exists (
        select 1 from abuse_bars b where b.case_id = k.id and b.staff_id = ?1
          and not exists (select 1 from abuse_bar_endings e where e.bar_id = b.id))
      and not exists (
        select 1 from abuse_case_versions v
        join exclusions x on x.resident_id in (v.resident_id, v.carer_resident_id)
        where v.case_id = k.id and x.staff_id = ?1
          and not exists (select 1 from exclusion_endings e where e.exclusion_id = x.id))
    group by k.id";

const TAKEN: &str = "
    select t.consultation_id, t.case_id from abuse_takings t
    where not exists (select 1 from abuse_taking_endings e where e.taking_id = t.id)";

type Whose = (Option<i64>, Scope, Option<&'static str>, AbuseSight);

/// The reaches that were read, until something changes.
#[derive(Debug, Default)]
pub(crate) struct ReachBook {
    version: AtomicU64,
    /// As many entries of the access log are known to be ours or were taken note of.
    entries: AtomicI64,
    touched: Arc<AtomicBool>,
    kept: Mutex<Kept>,
}

/// What was read since the last change, on one day.
#[derive(Debug, Default)]
struct Kept {
    at: (u64, Date),
    reaches: HashMap<Whose, Arc<Reach>>,
}

impl ReachBook {
    /// Has the writing connection tell when a row changes that a reach is made of.
    pub(crate) fn watch(&self, writer: &mut Connection) -> Result<(), StoreError> {
        let touched = Arc::clone(&self.touched);
        writer.update_hook(Some(move |_, _database: &str, table: &str, _row: i64| {
            if REACH_TABLES.contains(&table) {
                touched.store(true, Ordering::SeqCst);
            }
        }))?;
        Ok(())
    }

    /// Did what is not committed yet change a row that a reach is made of?
    pub(crate) fn is_touched(&self) -> bool {
        self.touched.load(Ordering::SeqCst)
    }

    /// After a commit: what was kept counts no more if the transaction touched it, or if another
    /// process (`foreign`) wrote before it.
    pub(crate) fn settle(&self, entries: i64, foreign: bool) {
        if self.touched.swap(false, Ordering::SeqCst) || foreign {
            self.version.fetch_add(1, Ordering::SeqCst);
        }
        self.entries.fetch_max(entries, Ordering::SeqCst);
    }

    /// Another process cannot tell us what it changed; but whatever it changed, it left an entry.
    fn note_others(&self, connection: &Connection) -> Result<(), StoreError> {
        let entries = Head::entries(connection)?;
        if self.entries.fetch_max(entries, Ordering::SeqCst) < entries {
            self.version.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    /// The reach of an actor today; read through the connection unless it is kept.
    pub(crate) fn of(
        &self,
        connection: &Connection,
        viewer: &Viewer,
        actor: &Actor,
        today: Date,
    ) -> Result<Arc<Reach>, StoreError> {
        self.note_others(connection)?;
        let at = (self.version.load(Ordering::SeqCst), today);
        let staff = actor.staff_id.map(|id| id.0);
        let whose = (staff, actor.scope, actor.role, actor.abuse);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.at != at || kept.reaches.len() >= KEPT_MAX {
            *kept = Kept {
                at,
                ..Kept::default()
            };
        }
        if let Some(reach) = kept.reaches.get(&whose) {
            return Ok(Arc::clone(reach));
        }
        viewer.set_unscoped();
        let read = Reach::read(connection, actor, today);
        viewer.clear();
        let reach = Arc::new(read?);
        kept.reaches.insert(whose, Arc::clone(&reach));
        Ok(reach)
    }
}
