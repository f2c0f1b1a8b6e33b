//! The eras as one table: a new era is one row here and nothing else.

use jiff::civil::{Date, date};

/// One era of the Japanese calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Era {
    code: u8,
    letter: char,
    name: &'static str,
    first: Date,
    last: Option<Date>,
    offset: i16,
}

/// All eras since the Gregorian calendar came into use, oldest first.
///
/// Shape: `last` is the last day that may still be written in the era: 1912-07-30 and 1926-12-25
/// belong to both neighbours, because the decree came during the day.
/// Source: 元号を改める政令 (平成31年政令第143号), 昭和64年政令第1号, and the decrees before them.
pub const ERAS: &[Era] = &[
    // The lunar calendar ended with 明治5年; the year starts with the calendar, not with the era.
    era(
        1,
        'M',
        "明治",
        date(1873, 1, 1),
        Some(date(1912, 7, 30)),
        1867,
    ),
    era(
        2,
        'T',
        "大正",
        date(1912, 7, 30),
        Some(date(1926, 12, 25)),
        1911,
    ),
    era(
        3,
        'S',
        "昭和",
        date(1926, 12, 25),
        Some(date(1989, 1, 7)),
        1925,
    ),
    era(
        4,
        'H',
        "平成",
        date(1989, 1, 8),
        Some(date(2019, 4, 30)),
        1988,
    ),
    era(5, 'R', "令和", date(2019, 5, 1), None, 2018),
];

const fn era(
    code: u8,
    letter: char,
    name: &'static str,
    first: Date,
    last: Option<Date>,
    offset: i16,
) -> Era {
    Era {
        code,
        letter,
        name,
        first,
        last,
        offset,
    }
}

impl Era {
    /// The digit that stands for the era in files: 昭和 is 3.
    #[must_use]
    pub fn code(self) -> u8 {
        self.code
    }

    /// The capital that stands for the era: 昭和 is S.
    #[must_use]
    pub fn letter(self) -> char {
        self.letter
    }

    /// The name in two kanji.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The first kanji of the name: 昭.
    #[must_use]
    pub fn initial(self) -> char {
        self.name.chars().next().unwrap_or(self.letter)
    }

    /// The first day written in this era (for 明治, of the Gregorian calendar).
    #[must_use]
    pub fn first_day(self) -> Date {
        self.first
    }

    /// The last day that may be written in this era; nothing for the present one.
    #[must_use]
    pub fn last_day(self) -> Option<Date> {
        self.last
    }

    /// The Gregorian year of year `year` of this era.
    pub(super) fn gregorian(self, year: i16) -> i16 {
        self.offset.saturating_add(year)
    }

    /// The year of this era that the Gregorian `year` is.
    pub(super) fn year_of(self, year: i16) -> i16 {
        year.saturating_sub(self.offset)
    }

    /// The era with this code in files.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        ERAS.iter().copied().find(|era| era.code == code)
    }

    /// The era with this capital, also in lower case.
    #[must_use]
    pub fn from_letter(letter: char) -> Option<Self> {
        ERAS.iter()
            .copied()
            .find(|era| era.letter == letter.to_ascii_uppercase())
    }

    /// The era a day is printed in: of two, the later.
    #[must_use]
    pub fn of(day: Date) -> Option<Self> {
        ERAS.iter().rev().copied().find(|era| era.first <= day)
    }
}
