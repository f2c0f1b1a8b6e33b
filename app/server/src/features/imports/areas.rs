//! Which centre looks after an address: the one derivation, for imports and for areas that change.

use base::text::address_key;
use jiff::civil::Date;
use store::{ReadTx, StoreError, params};

struct Area {
    code: String,
    key: String,
    centre: i64,
}

/// The area that an address lies in.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'b> {
    /// The area's code.
    pub code: &'b str,
    /// The centre that looks after it.
    pub centre: i64,
    /// The delivered code is unknown; the town's name in the address told it.
    pub guessed: bool,
}

/// The areas of one day.
pub struct AreaBook(Vec<Area>);

impl std::fmt::Debug for AreaBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AreaBook({})", self.0.len())
    }
}

const AREAS: &str = "select code, name, centre_id from areas
    where valid_from <= ?1 and (valid_to is null or valid_to >= ?1)";

impl AreaBook {
    /// Reads the areas that hold on a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(tx: &ReadTx<'_>, on: Date) -> Result<Self, StoreError> {
        let areas = tx.all(AREAS, params![on.to_string()], |row| {
            let name: String = row.get(1)?;
            Ok(Area {
                code: row.get(0)?,
                key: address_key(&name).main,
                centre: row.get(2)?,
            })
        })?;
        Ok(Self(areas))
    }

    /// The area of an address: by its code, else by the town's name in it.
    pub fn place(&self, code: &str, address: &str) -> Option<Placed<'_>> {
        if let Some(area) = self.0.iter().find(|area| area.code == code) {
            return Some(placed(area, false));
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
        let best = self.0.iter().filter(fits).max_by_key(|area| area.key.len());
        best.map(|area| placed(area, true))
    }
}

fn placed(area: &Area, guessed: bool) -> Placed<'_> {
    Placed {
        code: &area.code,
        centre: area.centre,
        guessed,
    }
}
