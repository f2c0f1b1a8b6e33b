//! One town from one seed: people, homes, insurance, consultations, and the five files of them.
//!
//! Shape: [`generate`] draws everybody into memory (about 100 bytes of text each), then writes
//! the files row by row. All who are certified are 65 or older: category 2 (40–64) is left out,
//! so that the three totals of the city are exact and easy to check.
//! Source: 和光市 基本仕様書 for the totals; `data/*.tsv` for everything else.

mod consultations;
mod draw;
mod homes;
mod insurance;
mod model;
mod names;
mod register;
mod sheet;
mod words;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use jiff::civil::Date;

pub(crate) use model::Sex;

use crate::tables::{TableError, Tables};
use sheet::SheetError;

/// How large a town.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// About one in 42 of the city: for the first look and for suites.
    Small,
    /// As large as the city at the end of 令和6年度.
    City,
}

impl Size {
    fn totals(self) -> Totals {
        match self {
            Self::Small => Totals {
                residents: 2_000,
                elders: 365,
                certified: 48,
                consultations: 720,
            },
            Self::City => Totals {
                residents: 84_677,
                elders: 15_438,
                certified: 2_041,
                consultations: 30_000,
            },
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Totals {
    residents: u32,
    elders: u32,
    certified: u32,
    consultations: u32,
}

/// What was written, counted while writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Persons with 住民状態 1.
    pub residents: usize,
    /// Of these, 65 or older on the day (by [`base::wareki::age_on`]).
    pub elders: usize,
    /// Of these, with a 要支援1–要介護5 valid on the day.
    pub certified: usize,
    /// 事業対象者 on the day, beside the certified.
    pub project_eligible: usize,
    /// Rows of persons who moved out or died.
    pub gone: usize,
    /// Homes with somebody living in them.
    pub households: usize,
    /// Rows of SODAN.csv.
    pub consultations: usize,
    /// The files in the order of their import.
    pub files: Vec<PathBuf>,
}

/// The town could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TownError {
    /// A committed table does not read.
    #[error("the town has no tables to draw from")]
    Table(#[from] TableError),
    /// A file could not be written.
    #[error("the town could not be written")]
    Sheet(#[from] SheetError),
    /// The directory for the files could not be made.
    #[error("no directory at {path} for the files")]
    Directory {
        /// Where it should have been.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Writes the files of a town into `out`, which is made when it is missing.
///
/// Shape: `JUKI_KOJIN.csv`, `JUKI_SETAI.csv`, `KAIGO_SHIKAKU.csv`, `KAIGO_RIREKI.csv`,
/// `SODAN.csv`; CP932, CRLF. `today` is the day of delivery; the same seed and day give the same
/// bytes.
/// # Errors
/// [`TownError`] when `out` cannot be written; files already finished stay.
pub fn generate(size: Size, seed: u64, today: Date, out: &Path) -> Result<Summary, TownError> {
    let tables = Tables::load()?;
    let staff = crate::staff::all()?;
    std::fs::create_dir_all(out).map_err(|source| TownError::Directory {
        path: out.to_owned(),
        source,
    })?;
    let totals = size.totals();
    let town = homes::settle(&tables, totals, seed, today);
    let cover = insurance::cover(&town, totals, seed, today);
    let mut files = register::write(&town, &tables, seed, today, out)?;
    files.extend(insurance::write(&town, &cover, today, out)?);
    let (path, consultations) =
        consultations::write(&town, &cover, &tables, &staff, totals, seed, today, out)?;
    files.push(path);
    let living = || town.people.iter().filter(|person| person.gone.is_none());
    let elder = |person: &&model::Person| {
        base::wareki::age_on(person.birth, today).is_some_and(|age| age >= 65)
    };
    Ok(Summary {
        residents: living().count(),
        elders: living().filter(elder).count(),
        certified: cover.valid_on(today, &town),
        project_eligible: cover.project_eligible(),
        gone: town.people.len() - living().count(),
        households: town.homes.iter().filter(|home| home.lived_in).count(),
        consultations,
        files,
    })
}
