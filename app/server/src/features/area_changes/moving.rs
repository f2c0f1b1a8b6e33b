//! Whom a change moves, counted before and moved on the day.

use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{
    Actor, Audited, Event, Operation, ReadTx, RecordKind, StoreError, SystemReason, WriteTx, params,
};

use super::model::{Change, Counts, Move};
use super::store as sql;
use crate::app::App;
use crate::features::imports::AreaBook;
use crate::features::{masters, transfers};
use crate::web::Problem;

/// From this age on somebody counts as elder (第1号被保険者), years.
const ELDER_AGE: i64 = 65;

/// Id and area of one person who will get another centre.
type Mover = (i64, String);

const ELSEWHERE: &str = "select id, area_code, address from residents where centre_id <> ?1";

/// Everybody in these areas whom another centre looks after; by the same derivation as an import.
fn movers(tx: &ReadTx<'_>, codes: &[String], to: i64, on: Date) -> Result<Vec<Mover>, StoreError> {
    let book = AreaBook::load(tx, on)?;
    let mut found = Vec::new();
    tx.each(ELSEWHERE, params![to], |row| {
        let (code, address): (String, String) = (row.get(1)?, row.get(2)?);
        let area = book.place(&code, &address).map(|placed| placed.code);
        if let Some(area) = area.filter(|area| codes.iter().any(|code| code == area)) {
            found.push((row.get(0)?, area.to_owned()));
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(found)
}

// ?1 pairs of id and area as JSON, ?2 today, ?3 the last birthday of those who are 65.
const COUNTS: &str = "
    with waiting as (
      select k.resident_id from consultation_versions v
      join consultation_clients k on k.consultation_id = v.consultation_id
        and k.id = (select max(l.id) from consultation_clients l
                    where l.consultation_id = v.consultation_id)
      where (v.next_due_on is not null or v.next_action <> '')
        and v.version = (select max(l.version) from consultation_versions l
                         where l.consultation_id = v.consultation_id)
        and not exists (select 1 from consultation_withdrawals w
                        where w.consultation_id = v.consultation_id
                          and not exists (select 1 from consultation_withdrawal_endings e
                                          where e.withdrawal_id = w.id))
        and not exists (select 1 from consultation_follow_ups f
                        join consultation_versions o
                          on o.consultation_id = f.consultation_id and o.version = f.version
                        where f.consultation_id = v.consultation_id
                          and o.next_action = v.next_action and o.next_due_on is v.next_due_on))
    select a.name, s.short_name, count(*), coalesce(sum(r.born_on <= ?3), 0),
           coalesce(sum(exists (select 1 from insured_persons i
             join certifications c on c.insured_person_id = i.id
             where i.resident_id = r.id and c.level between '12' and '25' and c.valid_from <= ?2
               and (c.valid_to is null or c.valid_to >= ?2))), 0),
           coalesce(sum(r.id in (select resident_id from waiting)), 0)
    from json_each(?1) j
    join residents r on r.id = json_extract(j.value, '$[0]')
    join support_centres s on s.id = r.centre_id
    join areas a on a.id = (select l.id from areas l where l.code = json_extract(j.value, '$[1]')
                            order by l.valid_from desc limit 1)
    where r.resident_state in ('1', '9') and r.shielded = 0
      and not exists (select 1 from shields h where h.resident_id = r.id
        and not exists (select 1 from shield_endings e where e.shield_id = h.id))
    group by a.code, s.id order by a.code, s.code";

fn counts(tx: &ReadTx<'_>, movers: &[Mover], today: Date) -> Result<Vec<Move>, StoreError> {
    let pairs = serde_json::to_string(movers).unwrap_or_default();
    let elder = today.checked_sub(ELDER_AGE.years()).unwrap_or(today);
    let values = params![pairs, today.to_string(), elder.to_string()];
    tx.all(COUNTS, values, |row| {
        Ok(Move {
            area: row.get(0)?,
            from: row.get(1)?,
            counts: Counts {
                people: row.get(2)?,
                elders: row.get(3)?,
                certified: row.get(4)?,
                waiting: row.get(5)?,
            },
        })
    })
}

/// What would move today, in numbers: area by area, from each centre.
pub(super) fn preview(
    app: &App,
    codes: &[String],
    to: i64,
    today: Date,
) -> Result<Vec<Move>, StoreError> {
    app.db().system_read(SystemReason::AreaChange, |tx| {
        counts(tx, &movers(tx, codes, to, today)?, today)
    })
}

/// All numbers together.
pub(super) fn total(moves: &[Move]) -> Counts {
    let mut sum = Counts::default();
    for row in moves {
        sum += row.counts;
    }
    sum
}

/// Nothing is left to do, or the world is in the way.
enum Stop {
    Nothing,
    Failed(Problem),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Applies every plan whose day has come, oldest first, each in a transaction of its own.
///
/// # Errors
/// Those of the store; what was applied before stays.
pub fn apply_due(app: &App) -> Result<(), Problem> {
    let db = app.db();
    let actor = Actor::system("受持ち区域の変更");
    loop {
        let (today, now) = (db.clock().today(), format!("{:.6}", db.clock().now()));
        let done = db.system(&actor, SystemReason::AreaChange, |tx| {
            let change = sql::next_due(tx, today)?.ok_or(Stop::Nothing)?;
            Ok::<_, Stop>(apply(tx, &change, today, &now)?)
        });
        match done {
            Ok(()) => log::info!("areas got another centre as planned"),
            Err(Stop::Nothing) => return Ok(()),
            Err(Stop::Failed(problem)) => return Err(problem),
        }
    }
}

fn apply(
    tx: &WriteTx<'_>,
    change: &Change,
    today: Date,
    now: &str,
) -> Result<Audited<()>, StoreError> {
    let mut events = Vec::new();
    for (code, name) in &change.areas {
        if let Some((row, from)) = sql::hand_area(tx, code, change, masters::DECIDED)? {
            let event = Event::done(Operation::AreaChangeApply).on(RecordKind::Master, row);
            events.push(event.detail(format!("area={name} from={from} to={}", change.to_name)));
        }
    }
    let movers = movers(tx, &change.codes(), change.to, change.on)?;
    let sum = total(&counts(tx, &movers, today)?);
    let people: Vec<i64> = movers.iter().map(|(id, _)| *id).collect();
    transfers::move_people(tx, &people, change.to, change.on, (None, now))?;
    sql::insert_application(tx, change.id, sum, now)?;
    let Counts {
        people,
        elders,
        certified,
        waiting,
    } = sum;
    let detail = format!(
        "areas={} to={} on={} people={people} elders={elders} certified={certified} \
         waiting={waiting}",
        change.areas.len(),
        change.to_name,
        change.on
    );
    let first = Event::done(Operation::AreaChangeApply).on(RecordKind::AreaChange, change.id);
    Ok(tx.audited_all(first.detail(detail), events, ()))
}
