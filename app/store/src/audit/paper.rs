//! A checkpoint on paper: the lines that are printed, and how they are read when somebody types
//! them from the sheet.
//!
//! Shape: five lines of groups of four characters. The first holds day and number of entries, the
//! others the hash; the last group of each line is its check. A line that does not fit its check was
//! mistyped; one that fits and contradicts the log is evidence.
//! Invariant: the sheet holds no signature. It is trusted because it lay in the city's cupboard, and
//! that is what it is for: whoever has the machine has its key.

use jiff::civil::Date;
use ring::digest::{SHA256, digest};

use crate::audit::chain::Hash;
use crate::audit::seal::Head;
use crate::error::StoreError;

/// Lines of one sheet.
pub const PAPER_LINES: usize = 5;
const GROUP: usize = 4;
/// Eight digits of the day and twelve of the number of entries.
const FIRST_CHARS: usize = 20;
const DAY_CHARS: usize = 8;
/// A quarter of the hash, hexadecimal.
const HASH_CHARS: usize = 16;

/// One line as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperLine {
    /// From 1.
    pub number: usize,
    /// Groups of four characters.
    pub groups: Vec<String>,
    /// The group that tells a typing mistake.
    pub check: String,
}

impl PaperLine {
    fn new(number: usize, content: &str) -> Self {
        let letters: Vec<char> = content.chars().collect();
        Self {
            number,
            groups: letters.chunks(GROUP).map(|c| c.iter().collect()).collect(),
            check: check(number, content),
        }
    }
}

/// The lines of a checkpoint whose hash is `hash` (hexadecimal), signed on `day`.
pub fn paper_lines(day: Date, entries: i64, hash: &str) -> Vec<PaperLine> {
    let first = format!("{}{entries:012}", day.strftime("%Y%m%d"));
    let letters: Vec<char> = hash.chars().collect();
    let parts = letters
        .chunks(HASH_CHARS)
        .map(|part| part.iter().collect::<String>());
    std::iter::once(first)
        .chain(parts)
        .zip(1..)
        .map(|(content, number)| PaperLine::new(number, &content))
        .collect()
}

fn check(number: usize, content: &str) -> String {
    let text = format!("hokatsu audit paper 1\n{number}\n{content}");
    let hash = digest(&SHA256, text.as_bytes());
    let hex = data_encoding::HEXLOWER.encode(hash.as_ref());
    hex.chars().take(GROUP).collect()
}

/// What a sheet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) day: String,
    pub(crate) head: Head,
}

/// Reads what was typed from one sheet or several, one after another.
pub(crate) fn read(typed: &str) -> Result<Vec<Sheet>, StoreError> {
    let rows = typed.lines().map(letters).zip(1_usize..);
    let rows: Vec<_> = rows.filter(|(row, _)| !row.is_empty()).collect();
    if rows.is_empty() {
        return Err(StoreError::TypedLine { line: 1 });
    }
    rows.chunks(PAPER_LINES).map(sheet).collect()
}

fn sheet(rows: &[(String, usize)]) -> Result<Sheet, StoreError> {
    let mut contents = Vec::new();
    for ((row, line), number) in rows.iter().zip(1..) {
        let length = if number == 1 { FIRST_CHARS } else { HASH_CHARS };
        let content = content(row, number, length);
        contents.push(content.ok_or(StoreError::TypedLine { line: *line })?);
    }
    let last = rows.last().map_or(1, |(_, line)| *line);
    let whole = whole(&contents).filter(|_| contents.len() == PAPER_LINES);
    whole.ok_or(StoreError::TypedLine { line: last + 1 })
}

/// The line without its number, which may be left out, and without its check, which must fit.
fn content(row: &str, number: usize, length: usize) -> Option<String> {
    let bare = match row.chars().count().checked_sub(length + GROUP)? {
        0 => row,
        1 => row.strip_prefix(&number.to_string())?,
        _ => return None,
    };
    let (content, typed) = bare.split_at_checked(length)?;
    (check(number, content) == typed).then(|| content.to_owned())
}

fn whole(contents: &[String]) -> Option<Sheet> {
    let (first, parts) = contents.split_first()?;
    let (day, entries) = first.split_at_checked(DAY_CHARS)?;
    let day: Date = Date::strptime("%Y%m%d", day).ok()?;
    let bytes = data_encoding::HEXLOWER.decode(parts.concat().as_bytes());
    let hash: Hash = bytes.ok()?.try_into().ok()?;
    let entries = entries.parse().ok()?;
    Some(Sheet {
        day: day.to_string(),
        head: Head { entries, hash },
    })
}

/// Small letters without spaces and dashes; a typed O is a zero, an I or l a one.
fn letters(line: &str) -> String {
    let kept = line.chars().filter_map(|letter| {
        let letter = half_width(letter).to_ascii_lowercase();
        match letter {
            'o' => Some('0'),
            'i' | 'l' => Some('1'),
            ':' | '.' | ',' | '|' => None,
            _ if letter.is_whitespace() || base::text::is_hyphen_like(letter) => None,
            _ => Some(letter),
        }
    });
    kept.collect()
}

/// An input method that was left on types `１` for `1`.
fn half_width(letter: char) -> char {
    match letter {
        '！'..='～' => u32::from(letter)
            .checked_sub(0xFEE0)
            .and_then(char::from_u32)
            .unwrap_or(letter),
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const HASH: &str = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";

    fn printed() -> Vec<String> {
        paper_lines(date(2026, 11, 24), 1_234_567, HASH)
            .iter()
            .map(|line| format!("{}  {}  {}", line.number, line.groups.join(" "), line.check))
            .collect()
    }

    fn wrong_line(typed: &[String]) -> usize {
        match read(&typed.join("\n")) {
            Err(StoreError::TypedLine { line }) => line,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_sheet_has_five_lines_of_groups_of_four() {
        let lines = printed();
        assert_eq!(lines.len(), PAPER_LINES);
        assert!(lines[0].starts_with("1  2026 1124 0000 0123 4567  "));
        assert!(lines[1].starts_with("2  0011 2233 4455 6677  "));
        assert!(lines.iter().all(|line| line.len() <= 36));
    }

    #[test]
    fn it_is_read_as_people_type_it() {
        let plain = printed();
        let ways: [fn(&str) -> String; 5] = [
            |line| line.to_uppercase(),
            |line| line.replace(' ', ""),
            |line| line.replace(' ', "-"),
            |line| line.chars().skip(1).collect(),
            |line| line.replace('0', "O").replace('1', "l").replace('2', "２"),
        ];
        for way in ways {
            let typed: Vec<String> = plain.iter().map(|line| way(line)).collect();
            let sheets = read(&format!("\n{}\n\n", typed.join("\r\n"))).unwrap();
            assert_eq!(sheets.len(), 1);
            assert_eq!(sheets[0].day, "2026-11-24");
            assert_eq!(sheets[0].head.entries, 1_234_567);
            assert_eq!(data_encoding::HEXLOWER.encode(&sheets[0].head.hash), HASH);
        }
        let two = read(&[plain.clone(), plain].concat().join("\n")).unwrap();
        assert_eq!(two.len(), 2);
    }

    #[test]
    fn a_typing_mistake_is_named_by_its_line() {
        for line in 0..PAPER_LINES {
            let mut typed = printed();
            let letter = typed[line].remove(5);
            typed[line].insert(5, if letter == '7' { '8' } else { '7' });
            assert_eq!(wrong_line(&typed), line + 1);
        }
        let mut swapped = printed();
        swapped.swap(2, 3);
        assert_eq!(wrong_line(&swapped), 3);
        let mut short = printed();
        short.pop();
        assert_eq!(wrong_line(&short), 5);
        assert_eq!(wrong_line(&[]), 1);
        let mut marks = printed();
        marks[1] = marks[1].replace('2', "印");
        assert_eq!(wrong_line(&marks), 2);
    }
}
