//! The committed tables: names, 町丁, ages. Each says at its head where it comes from.

use crate::town::Sex;

/// A table of the crate does not read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A row has too few cells, or a number in it is none.
    #[error("table {table}, row {row} does not read")]
    Row {
        /// File name of the table.
        table: &'static str,
        /// Number of the row among the rows of data, from 1.
        row: usize,
    },
    /// A table that must hold something holds nothing.
    #[error("table {table} is empty")]
    Empty {
        /// File name of the table.
        table: &'static str,
    },
}

/// One 町丁 of the town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// 住所コード, 11 digits.
    pub code: &'static str,
    /// As written in addresses: 「新倉一丁目」.
    pub name: &'static str,
    /// Full-width katakana.
    pub kana: &'static str,
    /// Seven digits.
    pub postal_code: &'static str,
    /// How many persons live there, for the shares only.
    pub weight: u32,
    /// 包括コード of the centre that serves it.
    pub centre: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgeGroup {
    Under65,
    Elder,
}

#[derive(Debug)]
pub(crate) struct AgeBand {
    pub(crate) group: AgeGroup,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) share: u32,
    pub(crate) female_per_mille: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    pub(crate) kanji: &'static str,
    pub(crate) kana: &'static str,
}

#[derive(Debug)]
pub(crate) struct ForeignName {
    pub(crate) nation: &'static str,
    pub(crate) family: &'static str,
    pub(crate) given: &'static str,
    pub(crate) kana_family: &'static str,
    pub(crate) kana_given: &'static str,
    pub(crate) sex: Sex,
}

/// Given names of one sex, older ones first: the guess of an era decides who gets which.
#[derive(Debug, Default)]
pub(crate) struct GivenNames {
    pub(crate) older: Vec<Name>,
    pub(crate) middle: Vec<Name>,
    pub(crate) younger: Vec<Name>,
}

#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) areas: Vec<Area>,
    pub(crate) ages: Vec<AgeBand>,
    pub(crate) families: Vec<Name>,
    pub(crate) family_weights: Vec<u32>,
    pub(crate) women: GivenNames,
    pub(crate) men: GivenNames,
    pub(crate) foreign: Vec<ForeignName>,
}

impl Tables {
    pub(crate) fn load() -> Result<Self, TableError> {
        let families = rows::<3>("family_names.tsv", include_str!("../data/family_names.tsv"))?;
        let weights = families.iter().enumerate();
        Ok(Self {
            areas: areas()?,
            ages: ages()?,
            family_weights: weights
                .map(|(at, [_, _, weight])| number("family_names.tsv", at, weight))
                .collect::<Result<_, _>>()?,
            families: families
                .iter()
                .map(|[kanji, kana, _]| Name { kanji, kana })
                .collect(),
            women: given(
                "given_names_f.tsv",
                include_str!("../data/given_names_f.tsv"),
            )?,
            men: given(
                "given_names_m.tsv",
                include_str!("../data/given_names_m.tsv"),
            )?,
            foreign: foreign()?,
        })
    }
}

pub(crate) fn areas() -> Result<Vec<Area>, TableError> {
    let table = "areas.tsv";
    let found = rows::<7>(table, include_str!("../data/areas.tsv"))?;
    let row =
        |(at, [code, name, kana, postal_code, weight, centre, _]): (usize, &[&'static str; 7])| {
            let weight = number(table, at, weight)?;
            Ok(Area {
                code,
                name,
                kana,
                postal_code,
                weight,
                centre,
            })
        };
    found.iter().enumerate().map(row).collect()
}

fn ages() -> Result<Vec<AgeBand>, TableError> {
    let table = "ages.tsv";
    let found = rows::<6>(table, include_str!("../data/ages.tsv"))?;
    let row = |(at, [group, from, to, share, female, _]): (usize, &[&'static str; 6])| {
        Ok(AgeBand {
            group: if *group == "elder" {
                AgeGroup::Elder
            } else {
                AgeGroup::Under65
            },
            from: number(table, at, from)?,
            to: number(table, at, to)?,
            share: number(table, at, share)?,
            female_per_mille: number(table, at, female)?,
        })
    };
    found.iter().enumerate().map(row).collect()
}

fn given(table: &'static str, text: &'static str) -> Result<GivenNames, TableError> {
    let mut names = GivenNames::default();
    for [kanji, kana, era] in rows::<3>(table, text)? {
        let list = match era {
            "older" => &mut names.older,
            "middle" => &mut names.middle,
            _ => &mut names.younger,
        };
        list.push(Name { kanji, kana });
    }
    let missing = names.older.is_empty() || names.middle.is_empty() || names.younger.is_empty();
    if missing {
        Err(TableError::Empty { table })
    } else {
        Ok(names)
    }
}

fn foreign() -> Result<Vec<ForeignName>, TableError> {
    let found = rows::<6>(
        "foreign_names.tsv",
        include_str!("../data/foreign_names.tsv"),
    )?;
    let row = |[nation, family, given, kana_family, kana_given, sex]: [&'static str; 6]| {
        let sex = if sex == "f" { Sex::Female } else { Sex::Male };
        ForeignName {
            nation,
            family,
            given,
            kana_family,
            kana_given,
            sex,
        }
    };
    Ok(found.into_iter().map(row).collect())
}

/// The rows of a table without its comments; every row must have `N` cells.
pub(crate) fn rows<const N: usize>(
    table: &'static str,
    text: &'static str,
) -> Result<Vec<[&'static str; N]>, TableError> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let row = |(at, line): (usize, &'static str)| {
        let cells: Vec<&'static str> = line.split('\t').collect();
        <[&'static str; N]>::try_from(cells)
            .map_err(|_cells| TableError::Row { table, row: at + 1 })
    };
    let found: Vec<_> = lines.enumerate().map(row).collect::<Result<_, _>>()?;
    if found.is_empty() {
        Err(TableError::Empty { table })
    } else {
        Ok(found)
    }
}

fn number(table: &'static str, at: usize, cell: &str) -> Result<u32, TableError> {
    cell.parse()
        .map_err(|_no_number| TableError::Row { table, row: at + 1 })
}
