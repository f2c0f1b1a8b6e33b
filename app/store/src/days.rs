//! Days (`2026-11-25`) and times of the day (`09:30`) as they are stored, read back.
//!
//! A day that cannot be read is told as what it is, a broken row; it never becomes the first day of
//! all time or none, which would open or end something. (rusqlite's own `jiff` feature is for jiff 0.2.)

use jiff::civil::{Date, Time};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Row, RowIndex};

struct Day(Date);

impl FromSql for Day {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        let day = text.parse().map_err(FromSqlError::other)?;
        Ok(Self(day))
    }
}

/// A day of a row.
///
/// # Errors
/// When there is none, or it is no day.
pub fn day(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Date> {
    row.get::<_, Day>(column).map(|day| day.0)
}

/// A day of a row, if there is one.
///
/// # Errors
/// When it is no day.
pub fn optional_day(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Option<Date>> {
    let day = row.get::<_, Option<Day>>(column)?;
    Ok(day.map(|day| day.0))
}

struct Minute(Time);

impl FromSql for Minute {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        let time = text.parse().map_err(FromSqlError::other)?;
        Ok(Self(time))
    }
}

/// A time of the day of a row.
///
/// # Errors
/// When there is none, or it is no time.
pub fn time(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Time> {
    row.get::<_, Minute>(column).map(|minute| minute.0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rusqlite::Connection;

    use super::*;

    fn read<T>(sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let file = Connection::open_in_memory().unwrap();
        file.query_row(sql, [], |row| read(row))
    }

    #[test]
    fn a_day_is_read_and_a_missing_one_is_missing() {
        let first = read("select '2026-11-25'", |row| day(row, 0));
        assert_eq!(first, Ok(date(2026, 11, 25)));
        assert_eq!(read("select null", |row| optional_day(row, 0)), Ok(None));
    }

    #[test]
    fn what_is_no_day_is_an_error_and_not_another_day() {
        for sql in ["select ''", "select '2026-02-30'", "select 20261125"] {
            assert!(read(sql, |row| day(row, 0)).is_err(), "{sql}");
            assert!(read(sql, |row| optional_day(row, 0)).is_err(), "{sql}");
        }
        assert!(read("select null", |row| day(row, 0)).is_err());
    }

    #[test]
    fn a_time_is_read_and_what_is_none_is_an_error() {
        let morning = read("select '09:30'", |row| time(row, 0));
        assert_eq!(morning, Ok(jiff::civil::time(9, 30, 0, 0)));
        for sql in ["select ''", "select '25:00'", "select null"] {
            assert!(read(sql, |row| time(row, 0)).is_err(), "{sql}");
        }
    }
}
