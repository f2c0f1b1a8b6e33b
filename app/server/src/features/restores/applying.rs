//! The former state read, and what it protected written into the one that came back.

use std::collections::BTreeMap;

use jiff::civil::Date;
use store::{
    Actor, Db, Event, Former, Operation, ReadTx, RecordKind, ResidentId, StoreError, SystemReason,
    Value, WriteTx, params, params_from_iter,
};

use super::kinds::{DISPOSALS, ENVELOPES, KINDS, Kind, POSTS, Rule, SESSIONS};
use super::lineage::{Beginning, begin, lineages};
use crate::features::retention::{Again, Erased, erase_again, erased};

/// Put behind the reason of every row that is written again.
const MARK: &str = "（復元後の再適用）";

/// What the former state says.
#[derive(Debug)]
pub struct Later {
    /// For each rule of each kind, in their order, the values of its rows.
    rows: Vec<Vec<Vec<Value>>>,
    /// Who had a post.
    working: Vec<String>,
    /// Pairs of envelopes that were opened.
    opened: Vec<String>,
    erased: Vec<Erased>,
    lineages: Vec<Beginning>,
    whole: bool,
}

fn rules() -> impl Iterator<Item = (&'static Kind, &'static Rule)> {
    KINDS
        .iter()
        .flat_map(|kind| kind.rules.iter().map(move |rule| (kind, rule)))
}

const WORKING: &str = "select distinct s.login from staff_terms t join staff s on s.id = t.staff_id
    where t.starts_on <= ?1 and (t.ends_on is null or t.ends_on >= ?1)";

/// Reads everything that may have to be applied again.
///
/// # Errors
/// [`StoreError`]: then the former state cannot be read, and [`apply`] is told so.
pub fn gather(former: &Former, today: Date) -> Result<Later, StoreError> {
    let whole = former.is_whole()?;
    former.read(|tx| {
        let mut rows = Vec::new();
        for (_, rule) in rules() {
            rows.push(values(tx, &filled(rule.read, ("", today)))?);
        }
        let day = today.to_string();
        Ok(Later {
            rows,
            working: tx.all(WORKING, params![day], |row| row.get(0))?,
            opened: tx.all("select pair from break_glass_openings", [], |row| {
                row.get(0)
            })?,
            erased: erased(tx)?,
            lineages: lineages(tx)?,
            whole,
        })
    })
}

fn values(tx: &ReadTx<'_>, sql: &str) -> Result<Vec<Vec<Value>>, StoreError> {
    tx.all(sql, [], |row| {
        (0..row.as_ref().column_count())
            .map(|column| row.get(column))
            .collect()
    })
}

/// A rule's statement with the words that stand for themselves. None of them is typed by anybody.
fn filled(sql: &str, (now, today): (&str, Date)) -> String {
    sql.replace(":now", &format!("'{now}'"))
        .replace(":today", &format!("'{today}'"))
        .replace(":mark", &format!("'{MARK}'"))
}

/// What is known about the restore itself.
#[derive(Debug, Clone)]
pub struct Told {
    /// `restore` or `undo`.
    pub kind: &'static str,
    /// Repository and snapshot, or the kept directory that is put back.
    pub source: String,
    /// UTC; of which moment the state is.
    pub taken_at: String,
    /// Entries and last hash of the log that is put away; `None`: unreadable, or there was none.
    pub former: Option<(i64, String)>,
    /// Directory of the former state; empty when there was none.
    pub kept: String,
    /// Token of the lineage that begins; the same one begins once.
    pub token: String,
    /// Lineages that the repositories know.
    pub known: Vec<Beginning>,
}

/// What was written of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    /// Which kind.
    pub kind: &'static Kind,
    /// Rows applied again.
    pub applied: i64,
    /// Left to people.
    pub left_over: i64,
}

/// What was applied again.
#[derive(Debug)]
pub struct Applied {
    /// The lineage that began.
    pub beginning: Beginning,
    /// Kinds with something to tell.
    pub counts: Vec<Count>,
    /// False: the former state could not be read, or not all of it.
    pub readable: bool,
}

/// Ends all sessions, applies again what the former state protected, and begins a lineage; in one
/// transaction. Without a former state nothing is applied, and everything is left to people.
///
/// # Errors
/// [`StoreError`].
pub fn apply(
    db: &Db,
    actor: &Actor,
    later: Option<&Later>,
    told: &Told,
) -> Result<Applied, StoreError> {
    let now = format!("{:.6}", db.clock().now());
    let today = db.clock().today();
    let (applied, bytes) = db.system(actor, SystemReason::Restore, |tx| {
        let mut work = Work::default();
        let ended = end_sessions(tx, &now)?;
        work.add(SESSIONS, ended, 0);
        if let Some(later) = later {
            work.rules(tx, later, (&now, today))?;
            work.left_to_people(tx, later, today)?;
            work.disposals(tx, later)?;
        }
        let mut known = told.known.clone();
        known.extend(later.into_iter().flat_map(|later| later.lineages.clone()));
        let beginning = begin(tx, &known, &told.token, &now)?;
        let readable = later.is_some_and(|later| later.whole);
        let id = write_down(tx, told, beginning.epoch, &now)?;
        for kind in KINDS {
            write_item(tx, id, (kind, work.of(kind)), readable)?;
        }
        let applied = Applied {
            counts: work.told(),
            beginning,
            readable,
        };
        let first = restored(told, id, &applied);
        Ok::<_, StoreError>(tx.audited_all(first, work.events, (applied, work.bytes)))
    })?;
    db.forget_bytes(actor, &bytes)?;
    db.sweep_disposed()?;
    Ok(applied)
}

/// Goes on with what others know: this directory is the one that counts, and a lineage begins.
///
/// # Errors
/// [`StoreError`].
pub fn take_over(
    db: &Db,
    actor: &Actor,
    known: &[Beginning],
    token: &str,
) -> Result<Beginning, StoreError> {
    let now = format!("{:.6}", db.clock().now());
    db.write(actor, |tx| {
        let beginning = begin(tx, known, token, &now)?;
        let detail = format!("系統の引継ぎ／新しい系統＝{}", beginning.epoch);
        let event = Event::done(Operation::Restore).detail(detail);
        Ok(tx.audited(event, beginning))
    })
}

fn restored(told: &Told, id: i64, applied: &Applied) -> Event {
    let former = match &told.former {
        Some((entries, head)) => format!("{entries}件、末尾 {head}"),
        None => "読めない".to_owned(),
    };
    let counts: Vec<String> = applied
        .counts
        .iter()
        .map(|one| format!("{}＝{}", one.kind.label, one.applied))
        .collect();
    let what = if told.kind == "undo" {
        "復元の取りやめ"
    } else {
        "復元"
    };
    Event::done(Operation::Restore)
        .on(RecordKind::Backup, id)
        .detail(format!(
            "{what}／元＝{}／その時点＝{}／戻す前のアクセスログ＝{former}／{}",
            told.source,
            told.taken_at,
            counts.join("、")
        ))
}

fn end_sessions(tx: &WriteTx<'_>, now: &str) -> Result<i64, StoreError> {
    let sql =
        "update sessions set ended_at = ?1, ended_by = 'administrator' where ended_at is null";
    let ended = tx.execute(sql, params![now])?;
    Ok(i64::try_from(ended).unwrap_or(i64::MAX))
}

#[derive(Default)]
struct Work {
    counts: BTreeMap<&'static str, (i64, i64)>,
    events: Vec<Event>,
    bytes: Vec<String>,
}

impl Work {
    fn add(&mut self, kind: &'static str, applied: i64, left_over: i64) {
        let count = self.counts.entry(kind).or_default();
        count.0 = count.0.saturating_add(applied);
        count.1 = count.1.saturating_add(left_over);
    }

    fn of(&self, kind: &Kind) -> (i64, i64) {
        self.counts.get(kind.code).copied().unwrap_or_default()
    }

    fn told(&self) -> Vec<Count> {
        let all = KINDS.iter().map(|kind| {
            let (applied, left_over) = self.of(kind);
            Count {
                kind,
                applied,
                left_over,
            }
        });
        all.filter(|one| one.applied > 0 || one.left_over > 0)
            .collect()
    }

    fn rules(
        &mut self,
        tx: &WriteTx<'_>,
        later: &Later,
        at: (&str, Date),
    ) -> Result<(), StoreError> {
        for ((kind, rule), rows) in rules().zip(&later.rows) {
            let sql = filled(rule.write, at);
            for row in rows {
                let written: Option<(i64, Option<ResidentId>)> =
                    tx.one(&sql, params_from_iter(row), |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?;
                if let Some((_, resident)) = written {
                    self.add(kind.code, 1, 0);
                    let detail = format!("復元後の再適用＝{}", kind.label);
                    let event = Event::done(rule.operation).about(resident);
                    self.events.push(event.detail(detail));
                }
            }
        }
        // What a factor was checked with goes with it, as when it is taken back by hand.
        let secrets = "delete from second_factor_secrets where factor_id in
            (select f.id from second_factors f join second_factor_resets r
             on r.staff_id = f.staff_id and f.id <= r.last_factor_id)";
        tx.execute(secrets, [])?;
        Ok(())
    }

    /// Who had a post and has none now, and envelopes that opened once and would open again.
    fn left_to_people(
        &mut self,
        tx: &WriteTx<'_>,
        later: &Later,
        today: Date,
    ) -> Result<(), StoreError> {
        let working: Vec<String> = tx.all(WORKING, params![today.to_string()], |row| row.get(0))?;
        let without = later
            .working
            .iter()
            .filter(|login| !working.contains(login));
        let without = i64::try_from(without.count()).unwrap_or(i64::MAX);
        self.add(POSTS, 0, without);
        let sealed =
            "select count(*) from break_glass_envelopes e where e.pair = ?1 and e.position = 1
            and not exists (select 1 from break_glass_openings o where o.pair = e.pair)";
        for pair in &later.opened {
            self.add(ENVELOPES, 0, tx.count(sealed, params![pair])?);
        }
        Ok(())
    }

    fn disposals(&mut self, tx: &WriteTx<'_>, later: &Later) -> Result<(), StoreError> {
        for one in &later.erased {
            match erase_again(tx, one)? {
                Again::NotThere => {}
                Again::LeftOver => self.add(DISPOSALS, 0, 1),
                Again::Erased(event, bytes) => {
                    self.add(DISPOSALS, 1, 0);
                    self.events.push(*event);
                    self.bytes.extend(bytes);
                }
            }
        }
        Ok(())
    }
}

/// Its row; that of the same beginning when a run was cut short behind it.
fn write_down(tx: &WriteTx<'_>, told: &Told, epoch: i64, now: &str) -> Result<i64, StoreError> {
    let there = "select id from restores where epoch = ?1 and source = ?2";
    let found = tx.one(there, params![epoch, told.source], |row| row.get(0))?;
    if let Some(id) = found {
        return Ok(id);
    }
    let sql = "insert into restores (kind, epoch, source, taken_at, former_entries, former_head,
          kept, recorded_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (entries, head) = match &told.former {
        Some((entries, head)) => (Some(*entries), head.as_str()),
        None => (None, ""),
    };
    let values = params![
        told.kind,
        epoch,
        told.source,
        told.taken_at,
        entries,
        head,
        told.kept,
        now
    ];
    tx.insert(sql, values)
}

fn write_item(
    tx: &WriteTx<'_>,
    id: i64,
    (kind, (applied, left_over)): (&Kind, (i64, i64)),
    readable: bool,
) -> Result<(), StoreError> {
    // Sessions end in any case.
    let readable = readable || kind.code == SESSIONS;
    if applied == 0 && left_over == 0 && readable {
        return Ok(());
    }
    let sql = "insert into restore_items (restore_id, kind, applied, left_over, readable)
        values (?1, ?2, ?3, ?4, ?5)
        on conflict (restore_id, kind) do update set applied = applied + excluded.applied,
          left_over = excluded.left_over, readable = excluded.readable";
    tx.execute(sql, params![id, kind.code, applied, left_over, readable])?;
    Ok(())
}
