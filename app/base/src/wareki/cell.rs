//! A date in a column of a file, where "nothing" has a meaning of its own.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use super::parse::{DateProblem, Parsed, parse};

/// 2199-12-31, the last day a date may have here.
const SERIAL_MAX: u32 = 109_574;

/// What a column says when its date is empty, zeros or nines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullMeaning {
    /// There is a date, but nobody knows it (生年月日).
    Unknown,
    /// The event has not happened (死亡日).
    Absent,
    /// The period has no end (認定終了日).
    OpenEnd,
    /// The column must hold a date.
    Forbidden,
}

/// What a cell of a date column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// A date.
    Date(Parsed),
    /// A date nobody knows.
    Unknown,
    /// No such event.
    Absent,
    /// No end.
    OpenEnd,
}

/// Reads a cell: a date as [`parse`] does, and no date as the column means it.
///
/// # Errors
/// [`DateProblem::Required`] for no date in a column that forbids it, or why it is no date.
pub fn parse_cell(text: &str, null: NullMeaning) -> Result<Cell, DateProblem> {
    match parse(text) {
        Ok(parsed) => Ok(Cell::Date(parsed)),
        Err(DateProblem::Empty | DateProblem::NullToken) => match null {
            NullMeaning::Unknown => Ok(Cell::Unknown),
            NullMeaning::Absent => Ok(Cell::Absent),
            NullMeaning::OpenEnd => Ok(Cell::OpenEnd),
            NullMeaning::Forbidden => Err(DateProblem::Required),
        },
        Err(problem) => Err(problem),
    }
}

/// The day of a spreadsheet's serial number in the 1900 date system: 13578 is 1937-03-04.
///
/// Shape: only for columns known to hold serials; 1900-03-01 (61) and later, because before that
/// day spreadsheets count a 29 February 1900 that never was.
/// # Errors
/// [`DateProblem::OutOfRange`] below 61 or past the year 2199.
pub fn from_excel_serial(serial: u32) -> Result<Date, DateProblem> {
    // The calendar library refuses spans it cannot hold by panicking, so the number goes first.
    if !(61..=SERIAL_MAX).contains(&serial) {
        return Err(DateProblem::OutOfRange);
    }
    let day = date(1899, 12, 30).checked_add(i64::from(serial).days());
    day.map_err(|_past_the_end| DateProblem::OutOfRange)
}
