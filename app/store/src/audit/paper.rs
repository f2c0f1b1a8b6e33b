//! A checkpoint on paper: the lines that are printed, and how they are read when somebody types
//! them from the sheet.
//!
//! Shape: five lines of groups of four characters. The first holds day and number of entries, the
//! others the hash; the last group of each line is its check. A line that does not fit its check was
//! mistyped; one that fits and contradicts the log is evidence. Where one letter or two neighbours
//! explain a mistake, its group is named; what was meant is never guessed.
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
const DIGITS: &str = "0123456789abcdef";
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
    let rows = typed.lines().map(groups).zip(1_usize..);
    let rows: Vec<_> = rows.filter(|(row, _)| !row.is_empty()).collect();
    if rows.is_empty() {
        return Err(mistyped(1, None));
    }
    rows.chunks(PAPER_LINES).map(sheet).collect()
}

fn mistyped(line: usize, group: Option<usize>) -> StoreError {
    StoreError::TypedLine { line, group }
}

fn sheet(rows: &[(Vec<String>, usize)]) -> Result<Sheet, StoreError> {
    let mut contents = Vec::new();
    for ((row, line), number) in rows.iter().zip(1..) {
        let length = if number == 1 { FIRST_CHARS } else { HASH_CHARS };
        let content = content(&row.concat(), number, length);
        contents.push(content.ok_or_else(|| mistyped(*line, wrong_group(row, number, length)))?);
    }
    let last = rows.last().map_or(1, |(_, line)| *line);
    let whole = whole(&contents).filter(|_| contents.len() == PAPER_LINES);
    whole.ok_or_else(|| mistyped(last + 1, None))
}

/// Which group of a line was mistyped, counted as printed: one that is not four letters long, or the
/// only one in which one other letter, or two neighbours the other way round, make the check fit.
fn wrong_group(row: &[String], number: usize, length: usize) -> Option<usize> {
    let mark = number.to_string();
    let parts = row.strip_prefix(std::slice::from_ref(&mark)).unwrap_or(row);
    if parts.len() == length / GROUP + 1 {
        let short = parts.iter().position(|part| part.chars().count() != GROUP);
        if let Some(at) = short {
            return Some(at + 1);
        }
    }
    let typed = parts.concat();
    let bare = match typed.chars().count().checked_sub(length + GROUP)? {
        0 => typed.as_str(),
        1 => typed.strip_prefix(&mark)?,
        _ => return None,
    };
    let (content, typed) = bare.split_at_checked(length)?;
    if one_slip(&check(number, content)).any(|slip| slip == typed) {
        return Some(length / GROUP + 1);
    }
    let fits = |slip: &String| check(number, slip) == typed;
    let mut places = one_slip(content).filter(fits).map(|slip| {
        let same = content
            .chars()
            .zip(slip.chars())
            .take_while(|(a, b)| a == b);
        same.count() / GROUP + 1
    });
    let first = places.next()?;
    places.all(|other| other == first).then_some(first)
}

/// The text with one letter replaced, or with two neighbours exchanged.
fn one_slip(text: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = text.chars().collect();
    let replaced = letters.clone();
    let others = (0..letters.len()).flat_map(move |at| {
        let letters = replaced.clone();
        DIGITS.chars().map(move |digit| {
            let letters = letters.iter().enumerate();
            letters
                .map(|(place, kept)| if place == at { digit } else { *kept })
                .collect()
        })
    });
    let swapped = (1..letters.len()).map(move |at| {
        let mut letters = letters.clone();
        letters.swap(at - 1, at);
        letters.into_iter().collect()
    });
    others.chain(swapped)
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

/// A line as it was divided by spaces and dashes.
fn groups(line: &str) -> Vec<String> {
    let divides = |letter: char| letter.is_whitespace() || base::text::is_hyphen_like(letter);
    let parts = line.split(divides).map(letters);
    parts.filter(|part| !part.is_empty()).collect()
}

/// Small letters without marks; a typed O is a zero, an I or l a one.
fn letters(line: &str) -> String {
    let kept = line.chars().filter_map(|letter| {
        let letter = half_width(letter).to_ascii_lowercase();
        match letter {
            'o' => Some('0'),
            'i' | 'l' => Some('1'),
            ':' | '.' | ',' | '|' => None,
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
            Err(StoreError::TypedLine { line, .. }) => line,
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
    #[test]
    fn the_group_of_a_slip_is_named_and_what_two_slips_hide_is_not() {
        let named = |typed: &[String]| match read(&typed.join("\n")) {
            Err(StoreError::TypedLine { line, group }) => (line, group),
            other => panic!("{other:?}"),
        };
        let with = |line: usize, from: &str, to: &str| {
            let mut typed = printed();
            assert!(typed[line].contains(from), "{typed:?}");
            typed[line] = typed[line].replacen(from, to, 1);
            typed
        };
        assert_eq!(named(&with(0, "1124", "1142")), (1, Some(2)));
        assert_eq!(named(&with(1, "4455", "4456")), (2, Some(3)));
        assert_eq!(named(&with(2, "aabb", "aab")), (3, Some(2)));
        assert_eq!(named(&with(3, " 0123", " 01234")), (4, Some(1)));
        let check = printed()[4].split(' ').next_back().unwrap().to_owned();
        let digit = if check.starts_with('0') { '1' } else { '0' };
        let first: String = std::iter::once(digit)
            .chain(check.chars().skip(1))
            .collect();
        assert_eq!(named(&with(4, &check, &first)), (5, Some(5)));
        assert_eq!(named(&with(1, "0011 2233", "0101 2323")).1, None);
        let unbroken: Vec<String> = with(1, "4455", "4456")
            .iter()
            .map(|line| line.replace(' ', ""))
            .collect();
        assert_eq!(named(&unbroken), (2, Some(3)));
    }
}
