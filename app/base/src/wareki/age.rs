//! Two ages that must not be confused: the one people say and the one the law reaches.

use jiff::civil::{Date, date};

/// The age as people say it: full years on `day`, the birthday included.
///
/// Shape: nothing when `day` is before `birth`. Somebody born on 29 February is a year older on
/// 1 March of a common year.
#[must_use]
pub fn age_on(birth: Date, day: Date) -> Option<u16> {
    let before_birthday = (day.month(), day.day()) < (birth.month(), birth.day());
    let years = day.year() - birth.year() - i16::from(before_birthday);
    u16::try_from(years).ok()
}

/// The day at whose end the law counts `years` full years: the day before the birthday.
///
/// Shape: born on 1 April, 31 March; born on 29 February, 28 February in every year. Stays at
/// 9999-12-31 past the end of the calendar.
/// # Source
/// 年齢計算ニ関スル法律; 民法第143条第2項.
#[must_use]
pub fn legal_age_reached_on(birth: Date, years: u16) -> Date {
    let year = i16::try_from(years)
        .ok()
        .and_then(|n| birth.year().checked_add(n));
    let birthday = year.and_then(|year| {
        // Where the year has no 29 February, the birthday is read as 1 March.
        let same = Date::new(year, birth.month(), birth.day());
        same.or_else(|_| Date::new(year, 3, 1)).ok()
    });
    birthday.map_or(Date::MAX, |day| {
        day.yesterday().unwrap_or(date(-9999, 1, 1))
    })
}
