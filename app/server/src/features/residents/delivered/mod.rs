//! What stands beside the register about a person, as it was: household, insurance, certification, who was
//! in charge of her. For the time machine (`features/former_states`).
//!
//! Shape: the feeds of the city keep what they replaced ([`history`]); an assignment and its end are rows with
//! their instants. In a copy of the past all of it is read as it stood there.
//! Invariant: people are named as the viewer's page of this person names them today ([`household`]).
//! Not here: putting back. An import brings what an import delivered, 担当 is decided on its own page.

mod history;
mod household;
mod view;

use std::collections::BTreeMap;

use base::secrecy::Note;
use jiff::Timestamp;
use store::{ReadTx, ResidentId, RowResult, StoreError, params};

use self::history::{CERTIFICATIONS, INSURED, Row, Unknown, is_after, rows, text};
pub(super) use self::history::{forgotten, is_before};
use self::household::{Her, Missing};
use crate::features::former_states::{Lens, Part, Point};
use crate::features::imports::{Feed, kind_label};

/// The parts of her page of former states.
pub(super) fn parts(
    lens: Lens<'_>,
    (id, addressee_no): (ResidentId, &str),
) -> Result<Vec<Part>, StoreError> {
    let by_number = "select id from visible_residents where addressee_no = ?1";
    let then = match lens.past {
        Some(past) => past.one(by_number, params![addressee_no], |row| row.get(0))?,
        None => Some(id),
    };
    let her = Her {
        id,
        // Nobody has this number: nothing is found, and nothing of anybody else.
        then: then.unwrap_or(ResidentId(0)),
    };
    let labels = labels(lens.live)?;
    let household = household::members(lens, &her)?.map_err(|why| match why {
        Missing::Unknown => view::UNKNOWN,
        Missing::TooMany => view::TOO_MANY,
    });
    let insured = rows(lens.rows(), &INSURED, her.then, lens.at)?;
    let certified = rows(lens.rows(), &CERTIFICATIONS, her.then, lens.at)?;
    let numbers = numbers(lens, her.then)?;
    let in_charge = in_charge(lens.rows(), her.then)?;
    let known = in_charge
        .iter()
        .filter(|one| !is_after(&one.at, lens.at))
        .map(|one| view::in_charge(one, one.ended_by(lens.at)));
    let insured = insured.map(|all| {
        all.values()
            .map(|row| view::insured(row, &labels))
            .collect()
    });
    let certified = certified.map(|all| newest_first(&all, &numbers, &labels));
    Ok(vec![
        Part {
            code: "household",
            title: "世帯",
            note: view::ABOUT_HOUSEHOLD,
            rows: household.map(|all| all.iter().map(view::member).collect()),
        },
        Part {
            code: "insured",
            title: "介護保険の資格",
            note: view::ABOUT_FEEDS,
            rows: insured.map_err(|Unknown| view::UNKNOWN),
        },
        Part {
            code: "certifications",
            title: "要介護認定",
            note: view::ABOUT_FEEDS,
            rows: certified.map_err(|Unknown| view::UNKNOWN),
        },
        Part {
            code: "in-charge",
            title: "担当",
            note: view::ABOUT_IN_CHARGE,
            rows: Ok(known.collect()),
        },
    ])
}

fn newest_first(
    all: &BTreeMap<i64, Row>,
    numbers: &Numbers,
    labels: &view::Labels,
) -> Vec<crate::features::former_states::PartRow> {
    let mut rows: Vec<&Row> = all.values().collect();
    let number = |row: &Row, column| text(row, column).parse::<i64>().unwrap_or_default();
    rows.sort_by_key(|row| {
        let place = (number(row, "insured_person_id"), number(row, "history_no"));
        std::cmp::Reverse(place)
    });
    let insured_no = |row: &Row| numbers.get(&number(row, "insured_person_id"));
    rows.into_iter()
        .map(|row| view::certification(row, insured_no(row).map_or("", String::as_str), labels))
        .collect()
}

/// Insured numbers by the ids of their rows.
type Numbers = BTreeMap<i64, String>;

/// Also those of a moment that is not known: a certification is told by its number.
fn numbers(lens: Lens<'_>, her: ResidentId) -> Result<Numbers, StoreError> {
    let sql = "select id, insured_no from visible_insured_persons where resident_id = ?1";
    let all = lens
        .rows()
        .all(sql, params![her], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut numbers: Numbers = all.into_iter().collect();
    if let Ok(then) = rows(lens.rows(), &INSURED, her, lens.at)? {
        numbers.extend(then.iter().map(|(id, row)| (*id, text(row, "insured_no"))));
    }
    Ok(numbers)
}

const LABELS: &str = "select list, code, label from codes
    where list in ('insured_category', 'care_level', 'application_kind', 'certification_state', 'planner_kind')
    order by valid_from";

fn labels(live: &ReadTx<'_>) -> Result<view::Labels, StoreError> {
    let all = live.all(LABELS, [], |row| {
        RowResult::Ok(((row.get(0)?, row.get(1)?), row.get(2)?))
    })?;
    Ok(all.into_iter().collect())
}

/// Somebody who was put in charge of her.
struct InCharge {
    login: String,
    staff: String,
    part: String,
    starts_on: String,
    reason: Note,
    by: String,
    at: String,
    ended: Option<Ended>,
}

/// The last day, once somebody gave one.
struct Ended {
    ends_on: String,
    reason: Note,
    by: String,
    at: String,
}

impl InCharge {
    /// Its end, as far as it was given by then.
    fn ended_by(&self, at: Option<Timestamp>) -> Option<&Ended> {
        self.ended.as_ref().filter(|ended| !is_after(&ended.at, at))
    }
}

const IN_CHARGE: &str = "
    select s.login, s.name, a.part, a.starts_on, a.reason, b.name, a.recorded_at,
           a.ends_on, a.ending_reason, e.name, a.ended_at
    from visible_assignments a join staff s on s.id = a.staff_id join staff b on b.id = a.recorded_by
    left join staff e on e.id = a.ended_by
    where a.resident_id = ?1 order by a.id";

fn in_charge(tx: &ReadTx<'_>, her: ResidentId) -> Result<Vec<InCharge>, StoreError> {
    tx.all(IN_CHARGE, params![her], |row| {
        let ends_on: Option<String> = row.get(7)?;
        let ended = match ends_on {
            Some(ends_on) => Some(Ended {
                ends_on,
                reason: row.get::<_, String>(8)?.into(),
                by: row.get(9)?,
                at: row.get(10)?,
            }),
            None => None,
        };
        Ok(InCharge {
            login: row.get(0)?,
            staff: row.get(1)?,
            part: row.get(2)?,
            starts_on: row.get(3)?,
            reason: row.get::<_, String>(4)?.into(),
            by: row.get(5)?,
            at: row.get(6)?,
            ended,
        })
    })
}

// One moment for each import and sort of change, however many rows it touched.
const DELIVERIES: &str = "
    select distinct i.applied_at, c.feed, c.kind from visible_resident_changes c
    join imports i on i.id = c.import_id
    where c.resident_id = ?1 and c.feed in ('households', 'insured', 'certifications')
    order by i.applied_at";

/// When any of it changed. What came with herself (`arrived`) is no change of its own.
pub(super) fn points(
    tx: &ReadTx<'_>,
    her: ResidentId,
    arrived: Option<&str>,
) -> Result<Vec<Point>, StoreError> {
    let delivered: Vec<(String, String, String)> = tx.all(DELIVERIES, params![her], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let changed = delivered
        .into_iter()
        .filter(|(at, _, kind)| kind != "new" || arrived != Some(at));
    let mut all: Vec<Point> = changed
        .map(|(at, feed, kind)| {
            let feed = Feed::from_code(&feed).map_or("", view::feed);
            Point {
                at,
                by: "取込み".to_owned(),
                what: format!("{feed}（{}）", kind_label(&kind)),
                reason: Note::default(),
            }
        })
        .collect();
    for one in in_charge(tx, her)? {
        all.push(Point {
            what: format!("担当を決めた（{}）", one.staff),
            at: one.at,
            by: one.by,
            reason: one.reason,
        });
        all.extend(one.ended.map(|ended| Point {
            what: format!("担当の終わり（{}）", one.staff),
            at: ended.at,
            by: ended.by,
            reason: ended.reason,
        }));
    }
    Ok(all)
}
