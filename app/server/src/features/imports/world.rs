//! What rows refer to: centres, areas, people, insured persons, staff.

use std::collections::{HashMap, HashSet};

use base::text::address_key;
use jiff::civil::Date;
use store::{ReadTx, StoreError, params};

use super::detectors::{self, Found};

pub(super) struct Person {
    pub(super) died: Option<Box<str>>,
}

struct Area {
    code: String,
    key: String,
    centre: i64,
}

pub(super) struct World {
    pub(super) today: String,
    areas: Vec<Area>,
    pub(super) centres: HashMap<String, i64>,
    pub(super) staff: HashMap<String, i64>,
    pub(super) people: HashMap<Box<str>, Person>,
    pub(super) insured: HashSet<Box<str>>,
    /// Households whose head was read already.
    pub(super) heads: HashSet<Box<str>>,
    /// The certification read last: whose, and its end.
    pub(super) certified: (String, Option<String>),
}

const AREAS: &str = "select code, name, centre_id from areas
    where valid_from <= ?1 and (valid_to is null or valid_to >= ?1)";

impl World {
    pub(super) fn load(tx: &ReadTx<'_>, today: Date) -> Result<Self, StoreError> {
        let today = today.to_string();
        let areas = tx.all(AREAS, params![today], |row| {
            let name: String = row.get(1)?;
            Ok(Area {
                code: row.get(0)?,
                key: address_key(&name).main,
                centre: row.get(2)?,
            })
        })?;
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
        if let Some(area) = self.areas.iter().find(|area| area.code == code) {
            return Ok((area.centre, None));
        }
        // A stray mark in front of the prefecture must not hide the town.
        let address = address.trim_start_matches(|c: char| !c.is_alphanumeric());
        let main = address_key(address).main;
        let fits = |area: &&Area| {
            let rest = main.strip_prefix(area.key.as_str());
            // 白子1 is not the town of 白子12.
            let digit = area.key.ends_with(|c: char| c.is_ascii_digit());
            rest.is_some_and(|rest| !(digit && rest.starts_with(|c: char| c.is_ascii_digit())))
        };
        let best = self
            .areas
            .iter()
            .filter(fits)
            .max_by_key(|area| area.key.len());
        best.map(|area| (area.centre, Some(detectors::AREA_GUESSED)))
            .ok_or(detectors::AREA_UNKNOWN)
    }
}
