//! What rows refer to: centres, areas, people, insured persons, staff.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use store::{ReadTx, StoreError};

use super::areas::AreaBook;
use super::detectors::{self, Found};

pub(super) struct Person {
    pub(super) died: Option<Box<str>>,
}

pub(super) struct World {
    pub(super) today: String,
    areas: AreaBook,
    pub(super) centres: HashMap<String, i64>,
    pub(super) staff: HashMap<String, i64>,
    pub(super) people: HashMap<Box<str>, Person>,
    pub(super) insured: HashSet<Box<str>>,
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
        let insured = tx.all("select insured_no from insured_persons", [], |row| {
            row.get::<_, String>(0)
        })?;
        Ok(Self {
            centres: pairs("select code, id from support_centres")?,
            staff: pairs("select login, id from staff")?,
            today,
            areas,
            people,
            insured: insured.into_iter().map(String::into_boxed_str).collect(),
            heads: HashSet::new(),
            certified: (String::new(), None),
        })
    }

    /// The centre that looks after an address: by the area's code, else by the town's name in it.
    pub(super) fn centre(&self, code: &str, address: &str) -> Result<(i64, Option<Found>), Found> {
        let placed = self.areas.place(code, address);
        let placed = placed.ok_or(detectors::AREA_UNKNOWN)?;
        let odd = placed.guessed.then_some(detectors::AREA_GUESSED);
        Ok((placed.centre, odd))
    }
}
