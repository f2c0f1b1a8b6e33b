//! Reads a date however it was written.

use jiff::civil::Date;

use super::scan::{Cursor, plain};
use super::trim::{is_null_token, without_time};
use super::{ERAS, Era, PartialDate};

/// Gregorian years a date may fall in; anything else is a slip of the pen or a sentinel.
const YEARS: std::ops::RangeInclusive<i16> = 1873..=2199;
/// Longer than any way to write a date with its time; more is not read at all.
const CHARS_MAX: usize = 64;
const UNKNOWN: &[&str] = &["不詳", "不明", "未詳", "頃", "ころ", "ごろ", "?"];

/// A date as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// What it says.
    pub date: PartialDate,
    /// What is odd about it, though it could be read.
    pub warning: Option<DateWarning>,
}

/// A date that was converted although it is not written as it should be (finding D07).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateWarning {
    /// The era had ended: 昭和64年2月1日.
    #[error("the era had ended before this day")]
    EraOverflow,
    /// The era had not begun: 平成元年1月7日.
    #[error("the era had not begun on this day")]
    BeforeEraStart,
}

/// Why a text is no date; never repeats the text, which may be a birthday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateProblem {
    /// Nothing is written.
    #[error("empty")]
    Empty,
    /// A token that old systems write for "none" or "open".
    #[error("a token for no date")]
    NullToken,
    /// There is no such day.
    #[error("no such day")]
    Impossible,
    /// Too few digits, or no era, to say which year is meant.
    #[error("ambiguous without an era or a four-digit year")]
    Ambiguous,
    /// Before 1873 or after 2199.
    #[error("outside the years 1873 to 2199")]
    OutOfRange,
    /// Not a date in any known form.
    #[error("not a date in any known form")]
    Unreadable,
    /// The column must hold a date.
    #[error("a date is required here")]
    Required,
}

/// Reads a date in any form that people or old systems write.
///
/// Shape: `S12.3.4`, `昭12/3/4`, `昭和十二年三月四日`, `㍼12年3月4日`, `3120304`, `3-12-03-04`,
/// `H元.1.8`, `19370304`, `1937/3/4`, ISO; any width, spaces, a time behind it; 月日不詳 or zeros
/// give a partial date. A serial number of a spreadsheet is not guessed: `from_excel_serial`.
/// # Errors
/// [`DateProblem`]; six bare digits are ambiguous, tokens such as `99999999` are [`NullToken`].
///
/// [`NullToken`]: DateProblem::NullToken
pub fn parse(text: &str) -> Result<Parsed, DateProblem> {
    if text.chars().nth(CHARS_MAX).is_some() {
        return Err(DateProblem::Unreadable);
    }
    let chars = plain(text);
    let dated = without_time(&chars)?;
    if dated.is_empty() {
        return Err(DateProblem::Empty);
    }
    if is_null_token(dated) {
        return Err(DateProblem::NullToken);
    }
    let mut cursor = Cursor::new(dated);
    match era_prefix(&mut cursor) {
        Some(prefix) => after_prefix(cursor, prefix),
        None => without_prefix(cursor),
    }
}

/// What stands before the year.
#[derive(Clone, Copy)]
enum Calendar {
    Japanese(Era),
    Gregorian,
}

fn era_prefix(cursor: &mut Cursor) -> Option<Calendar> {
    if cursor.eat("西暦") {
        return Some(Calendar::Gregorian);
    }
    let found = ERAS.iter().copied().find(|era| {
        cursor.eat(era.name())
            || cursor.eat(era.initial().encode_utf8(&mut [0; 4]))
            || cursor.eat(era.letter().encode_utf8(&mut [0; 4]))
    });
    found.map(Calendar::Japanese)
}

fn after_prefix(mut cursor: Cursor, calendar: Calendar) -> Result<Parsed, DateProblem> {
    cursor.spaces();
    // S120304: a letter and the two-digit groups of the code form.
    if let Calendar::Japanese(era) = calendar
        && let Some([year, month, day]) = pairs(cursor.rest())
    {
        return build(Calendar::Japanese(era), year, Some(month), Some(day));
    }
    let year = year(&mut cursor, calendar)?;
    rest_of_date(cursor, calendar, year)
}

fn year(cursor: &mut Cursor, calendar: Calendar) -> Result<i16, DateProblem> {
    match calendar {
        Calendar::Japanese(_) if cursor.eat("元") => Ok(1),
        Calendar::Japanese(_) => cursor
            .number(3)
            .map(|(n, _)| n)
            .ok_or(DateProblem::Unreadable),
        Calendar::Gregorian => match cursor.number(4) {
            Some((n, 4..)) => Ok(n),
            Some(_) => Err(DateProblem::Ambiguous),
            None => Err(DateProblem::Unreadable),
        },
    }
}

fn without_prefix(mut cursor: Cursor) -> Result<Parsed, DateProblem> {
    let all = cursor.rest();
    if all.iter().all(char::is_ascii_digit) {
        return digits_only(all);
    }
    if let Some((code, 1)) = Cursor::new(all).number(1)
        && let Some(parsed) = code_with_separators(all, code)
    {
        return parsed;
    }
    let year = year(&mut cursor, Calendar::Gregorian)?;
    rest_of_date(cursor, Calendar::Gregorian, year)
}

/// 19370304 and 3120304; six digits could be either without their head.
fn digits_only(all: &[char]) -> Result<Parsed, DateProblem> {
    match all {
        [a, b, c, d, tail @ ..] if all.len() == 8 => {
            let year = Cursor::new(&[*a, *b, *c, *d])
                .number(4)
                .ok_or(DateProblem::Unreadable)?
                .0;
            let [month, day] = two_pairs(tail).ok_or(DateProblem::Unreadable)?;
            build(Calendar::Gregorian, year, Some(month), Some(day))
        }
        [code, tail @ ..] if all.len() == 7 => {
            let era = code
                .to_digit(10)
                .and_then(|n| Era::from_code(u8::try_from(n).ok()?));
            let era = era.ok_or(DateProblem::Unreadable)?;
            let [year, month, day] = pairs(tail).ok_or(DateProblem::Unreadable)?;
            build(Calendar::Japanese(era), year, Some(month), Some(day))
        }
        _ => Err(DateProblem::Ambiguous),
    }
}

/// `3-12-03-04`: four numbers with one separator; nothing when it is not of that form.
fn code_with_separators(all: &[char], code: i16) -> Option<Result<Parsed, DateProblem>> {
    let era = Era::from_code(u8::try_from(code).ok()?)?;
    let parts: Vec<&[char]> = all.split(|c| matches!(c, '-' | '/' | '.')).collect();
    let [_, year, month, day] = parts.as_slice() else {
        return None;
    };
    let whole = |part: &[char]| {
        let mut cursor = Cursor::new(part);
        cursor.spaces();
        let (value, _) = cursor.number(2)?;
        cursor.at_end().then_some(value)
    };
    let (year, month, day) = (whole(year)?, whole(month)?, whole(day)?);
    Some(build(Calendar::Japanese(era), year, Some(month), Some(day)))
}

/// Behind the year: separator, month, separator, day, any of which may be unknown.
fn rest_of_date(mut c: Cursor, calendar: Calendar, year: i16) -> Result<Parsed, DateProblem> {
    if unknown_to_end(c, &["年", "年月日", "年月", ""]) {
        return build(calendar, year, None, None);
    }
    separator(&mut c, "年")?;
    let month = month_or_day(&mut c)?;
    if unknown_to_end(c, &["月", "月日", ""]) {
        return build(calendar, year, month, None);
    }
    separator(&mut c, "月")?;
    let day = month_or_day(&mut c)?;
    c.spaces();
    c.eat("日");
    c.spaces();
    c.eat_any(&["生まれ", "生れ", "生"]);
    weekday(&mut c);
    if c.at_end() {
        build(calendar, year, month, day)
    } else {
        Err(DateProblem::Unreadable)
    }
}

/// Whether nothing more is known: the end, or one of `words` and 不詳, or 不詳 in each place.
fn unknown_to_end(cursor: Cursor, words: &[&str]) -> bool {
    words.iter().any(|word| {
        let mut c = cursor;
        c.spaces();
        if !c.eat(word) {
            return false;
        }
        c.spaces();
        c.eat_any(UNKNOWN);
        c.at_end()
    })
}

/// A number, or an unknown, which is 0 as in `1937-00-00`.
fn month_or_day(c: &mut Cursor) -> Result<Option<i16>, DateProblem> {
    c.spaces();
    if c.eat_any(UNKNOWN) {
        return Ok(Some(0));
    }
    c.number(2)
        .map(|(n, _)| Some(n))
        .ok_or(DateProblem::Unreadable)
}

fn separator(c: &mut Cursor, word: &str) -> Result<(), DateProblem> {
    let spaced = c.spaces();
    let found = c.eat_any(&[word, ".", "/", "-"]);
    c.spaces();
    if found || spaced {
        Ok(())
    } else {
        Err(DateProblem::Unreadable)
    }
}

fn weekday(c: &mut Cursor) {
    c.spaces();
    let closed = ["月", "火", "水", "木", "金", "土", "日"].map(|day| format!("({day})"));
    c.eat_any(&closed.each_ref().map(String::as_str));
}

/// Six digits as three numbers of two.
fn pairs(chars: &[char]) -> Option<[i16; 3]> {
    let (head, tail) = chars.split_at_checked(2)?;
    let [month, day] = two_pairs(tail)?;
    Some([two_digits(head)?, month, day])
}

fn two_pairs(chars: &[char]) -> Option<[i16; 2]> {
    let (head, tail) = chars.split_at_checked(2)?;
    Some([two_digits(head)?, two_digits(tail)?])
}

fn two_digits(chars: &[char]) -> Option<i16> {
    match chars {
        [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => {
            Cursor::new(chars).number(2).map(|(n, _)| n)
        }
        _ => None,
    }
}

/// Puts the parts together; 0 in month or day means unknown.
fn build(
    calendar: Calendar,
    year: i16,
    month: Option<i16>,
    day: Option<i16>,
) -> Result<Parsed, DateProblem> {
    let gregorian = match calendar {
        Calendar::Japanese(_) if year < 1 => return Err(DateProblem::Impossible),
        Calendar::Japanese(era) => era.gregorian(year),
        Calendar::Gregorian => year,
    };
    if !YEARS.contains(&gregorian) {
        return Err(DateProblem::OutOfRange);
    }
    let known = |part: Option<i16>| match part {
        Some(0) | None => Ok(None),
        Some(n) => i8::try_from(n)
            .map(Some)
            .map_err(|_too_large| DateProblem::Impossible),
    };
    let date = PartialDate::new(gregorian, known(month)?, known(day)?);
    let date = date.ok_or(DateProblem::Impossible)?;
    let warning = match calendar {
        Calendar::Japanese(era) => era_warning(era, date),
        Calendar::Gregorian => None,
    };
    Ok(Parsed { date, warning })
}

fn era_warning(era: Era, date: PartialDate) -> Option<DateWarning> {
    if date.last_date() < era.first_day() {
        Some(DateWarning::BeforeEraStart)
    } else if era
        .last_day()
        .is_some_and(|last: Date| date.sort_date() > last)
    {
        Some(DateWarning::EraOverflow)
    } else {
        None
    }
}
