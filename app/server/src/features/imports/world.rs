//! What rows refer to: centres, areas, people, insured persons, staff.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use store::{ReadTx, StoreError};

use super::areas::AreaBook;
use super::detectors::{self, Found};
use super::model::Feed;
use super::tables;

/// State of somebody who was disposed of (retention/kinds.rs); no file delivers it.
pub(super) const DISPOSED: &str = "0";
/// States of people who live here: 住登者, 住登外.
const LIVES_HERE: [&str; 2] = ["1", "9"];

pub(super) struct Person {
    pub(super) died: Option<Box<str>>,
}

/// People of whom nothing but the number is left, and what was read about them.
#[derive(Default)]
struct Forgotten {
    people: HashSet<Box<str>>,
    /// Their insured numbers, as this delivery names them.
    insured: HashSet<Box<str>>,
    /// Consultations of which only the head is left.
    consultations: HashSet<Box<str>>,
}

pub(super) struct World {
    pub(super) today: String,
    areas: AreaBook,
    pub(super) centres: HashMap<String, i64>,
    pub(super) staff: HashMap<String, i64>,
    pub(super) people: HashMap<Box<str>, Person>,
    pub(super) insured: HashSet<Box<str>>,
    /// Who was disposed of: what the register still delivers about them is not taken in again.
    forgotten: Forgotten,
    /// Households whose head was read already.
    pub(super) heads: HashSet<Box<str>>,
    /// The certification read last: whose, and its end.
    pub(super) certified: (String, Option<String>),
}

impl World {
    pub(super) fn load(tx: &ReadTx<'_>, today: Date) -> Result<Self, StoreError> {
        let areas = AreaBook::load(tx, today)?;
        let today = today.to_string();
        let pairs = |sql: &str| -> Result<HashMap<String, i64>, StoreError> {
            let rows = tx.all(sql, [], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            })?;
            Ok(rows.into_iter().collect())
        };
        let mut people = HashMap::new();
        tx.each("select addressee_no, died_on from residents", [], |row| {
            let died: Option<String> = row.get(1)?;
            let person = Person {
                died: died.map(String::into_boxed_str),
            };
            people.insert(row.get::<_, String>(0)?.into_boxed_str(), person);
            Ok::<_, StoreError>(())
        })?;
        let numbers = |sql: &str| -> Result<HashSet<Box<str>>, StoreError> {
            let rows = tx.all(sql, [], |row| row.get::<_, String>(0))?;
            Ok(rows.into_iter().map(String::into_boxed_str).collect())
        };
        Ok(Self {
            centres: pairs("select code, id from support_centres")?,
            staff: pairs("select login, id from staff")?,
            today,
            areas,
            people,
            insured: numbers("select insured_no from insured_persons")?,
            forgotten: Forgotten {
                people: numbers(&format!(
                    "select addressee_no from residents where resident_state = '{DISPOSED}'"
                ))?,
                insured: HashSet::new(),
                consultations: numbers(
                    "select c.number from consultations c where not exists
                       (select 1 from consultation_versions v where v.consultation_id = c.id)",
                )?,
            },
            heads: HashSet::new(),
            certified: (String::new(), None),
        })
    }

    /// Is this a row about somebody who was disposed of? Somebody who lives here again is not.
    pub(super) fn forgets(&mut self, feed: Feed, row: &[Option<String>]) -> bool {
        let value = |name: &str| {
            let at = tables::columns(feed)
                .iter()
                .position(|(column, sort)| tables::field(column, *sort) == name);
            at.and_then(|at| row.get(at)?.as_deref()).unwrap_or("")
        };
        let forgotten = &mut self.forgotten;
        match feed {
            Feed::Residents => {
                let (number, lives) = (value("addressee_no"), value("resident_state"));
                if LIVES_HERE.contains(&lives) {
                    forgotten.people.remove(number);
                }
                forgotten.people.contains(number)
            }
            Feed::Households => forgotten.people.contains(value("addressee_no")),
            Feed::Insured => {
                let found = forgotten.people.contains(value("addressee_no"));
                if found {
                    forgotten.insured.insert(value("insured_no").into());
                }
                found
            }
            Feed::Certifications => forgotten.insured.contains(value("insured_no")),
            Feed::Consultations => {
                forgotten.people.contains(value("addressee_no"))
                    || forgotten.consultations.contains(value("number"))
            }
        }
    }

    /// The centre that looks after an address: by the area's code, else by the town's name in it.
    pub(super) fn centre(&self, code: &str, address: &str) -> Result<(i64, Option<Found>), Found> {
        let placed = self.areas.place(code, address);
        let placed = placed.ok_or(detectors::AREA_UNKNOWN)?;
        let odd = placed.guessed.then_some(detectors::AREA_GUESSED);
        Ok((placed.centre, odd))
    }
}
