//! Dates in the Japanese calendar, both ways, and ages by law.
//!
//! Shape: [`parse`] reads what people and old systems write; [`Wareki`] prints it; [`PartialDate`]
//! is a date of which the day or the month may be unknown. What is stored is Gregorian.
//! Invariant: [`parse`] returns for every string; a date that cannot be is refused, a date in the
//! wrong era (昭和64年2月) is converted and warned about.
//! Source: 年齢計算ニ関スル法律 (明治35年法律第50号) for ages; [`ERAS`] for eras.

mod age;
mod cell;
mod era;
mod numeral;
mod parse;
mod partial;
mod scan;
#[cfg(test)]
mod tests;
mod trim;

pub use age::{age_on, legal_age_reached_on};
pub use cell::{Cell, NullMeaning, from_excel_serial, parse_cell};
pub use era::{ERAS, Era};
pub(crate) use numeral::kanji_number;
pub use parse::{DateProblem, DateWarning, Parsed, parse};
pub use partial::PartialDate;

use jiff::civil::Date;

/// Before 1873-01-01, when Japan did not yet use the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("before the Gregorian calendar in Japan (1873-01-01)")]
pub struct OutOfRange;

/// A day of the Japanese calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wareki {
    era: Era,
    year: i16,
    month: i8,
    day: i8,
}

impl Wareki {
    /// Converts a civil date to the era form printed on municipal paper.
    ///
    /// Shape: `2019-05-01` is 令和1年5月1日; a day that belongs to two eras takes the later.
    /// Units: `year` counts from 1 within its era.
    /// # Errors
    /// [`OutOfRange`] before 1873-01-01.
    pub fn from_date(day: Date) -> Result<Self, OutOfRange> {
        let era = Era::of(day).ok_or(OutOfRange)?;
        Ok(Self {
            era,
            year: era.year_of(day.year()),
            month: day.month(),
            day: day.day(),
        })
    }

    /// The era.
    #[must_use]
    pub fn era(self) -> Era {
        self.era
    }

    /// The year within the era, from 1.
    #[must_use]
    pub fn year(self) -> i16 {
        self.year
    }

    /// As on forms: 「昭和12年3月4日」, the first year as 「元年」.
    #[must_use]
    pub fn long(self) -> String {
        let (name, year) = (self.era.name(), year_name(self.year));
        format!("{name}{year}年{}月{}日", self.month, self.day)
    }

    /// As in lists: `S12.3.4`.
    #[must_use]
    pub fn short(self) -> String {
        format!(
            "{}{}.{}.{}",
            self.era.letter(),
            self.year,
            self.month,
            self.day
        )
    }

    /// As in narrow columns of Japanese text: 「昭12.3.4」.
    #[must_use]
    pub fn short_kanji(self) -> String {
        format!(
            "{}{}.{}.{}",
            self.era.initial(),
            self.year,
            self.month,
            self.day
        )
    }

    /// As in files: `3120304`, era code and two digits each.
    #[must_use]
    pub fn code(self) -> String {
        format!(
            "{}{:02}{:02}{:02}",
            self.era.code(),
            self.year,
            self.month,
            self.day
        )
    }
}

/// 「令和8年4月」, for the head of a monthly paper.
///
/// # Errors
/// [`OutOfRange`] before 1873-01-01.
pub fn long_month(day: Date) -> Result<String, OutOfRange> {
    let wareki = Wareki::from_date(day)?;
    Ok(format!(
        "{}{}年{}月",
        wareki.era.name(),
        year_name(wareki.year),
        wareki.month
    ))
}

pub(crate) fn year_name(year: i16) -> String {
    if year == 1 {
        "元".to_owned()
    } else {
        year.to_string()
    }
}
