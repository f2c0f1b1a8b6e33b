//! A date of which less may be known.

use jiff::civil::Date;

use super::{OutOfRange, Wareki, year_name};
use crate::wareki::Era;

/// A date, a month or only a year; what is unknown is unknown and not the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl From<Date> for PartialDate {
    fn from(day: Date) -> Self {
        Self {
            year: day.year(),
            month: Some(day.month()),
            day: Some(day.day()),
        }
    }
}

impl PartialDate {
    /// A date from its known parts; nothing when there is no such day, or a day without a month.
    #[must_use]
    pub fn new(year: i16, month: Option<i8>, day: Option<i8>) -> Option<Self> {
        if month.is_none() && day.is_some() {
            return None;
        }
        Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
        Some(Self { year, month, day })
    }

    /// Reads the stored form: `1937-03-04`, `1937-03` or `1937`.
    #[must_use]
    pub fn from_iso(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = part(parts.next()?, 4)?;
        let month = parts.next().map(|text| part(text, 2));
        let day = parts.next().map(|text| part(text, 2));
        if parts.next().is_some() || matches!(month, Some(None)) || matches!(day, Some(None)) {
            return None;
        }
        let small = |value: Option<i16>| value.and_then(|v| i8::try_from(v).ok());
        Self::new(year, small(month.flatten()), small(day.flatten()))
    }

    /// The stored form: `1937-03-04`, `1937-03` or `1937`, which sorts as text.
    #[must_use]
    pub fn iso(self) -> String {
        match (self.month, self.day) {
            (Some(month), Some(day)) => format!("{:04}-{month:02}-{day:02}", self.year),
            (Some(month), None) => format!("{:04}-{month:02}", self.year),
            (None, _) => format!("{:04}", self.year),
        }
    }

    /// The Gregorian year.
    #[must_use]
    pub fn year(self) -> i16 {
        self.year
    }

    /// The month, 1 to 12, where known.
    #[must_use]
    pub fn month(self) -> Option<i8> {
        self.month
    }

    /// The day of the month, where known.
    #[must_use]
    pub fn day(self) -> Option<i8> {
        self.day
    }

    /// The whole date, when it is one; otherwise an age from it is an estimate (推定).
    #[must_use]
    pub fn full(self) -> Option<Date> {
        Date::new(self.year, self.month?, self.day?).ok()
    }

    /// The first day it can mean, for sorting and for comparing with periods.
    #[must_use]
    pub fn sort_date(self) -> Date {
        let first = Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1));
        // The parts were checked when this was made; the other arm cannot be reached.
        first.unwrap_or(Date::MIN)
    }

    /// The last day it can mean.
    #[must_use]
    pub fn last_date(self) -> Date {
        let first = self.sort_date();
        match (self.month, self.day) {
            (Some(_), Some(_)) => first,
            (Some(_), None) => first.last_of_month(),
            (None, _) => first.last_of_year(),
        }
    }

    /// As on forms: 「昭和12年3月4日」, 「昭和12年3月日不詳」, 「昭和12年月日不詳」.
    ///
    /// Shape: an incomplete date takes the era of the last day it can mean.
    /// # Errors
    /// [`OutOfRange`] before 1873-01-01.
    pub fn long(self) -> Result<String, OutOfRange> {
        if let Some(day) = self.full() {
            return Ok(Wareki::from_date(day)?.long());
        }
        let era = Era::of(self.last_date()).ok_or(OutOfRange)?;
        let head = format!("{}{}年", era.name(), year_name(era.year_of(self.year)));
        Ok(match self.month {
            Some(month) => format!("{head}{month}月日不詳"),
            None => format!("{head}月日不詳"),
        })
    }
}

fn part(text: &str, length: usize) -> Option<i16> {
    let digits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
