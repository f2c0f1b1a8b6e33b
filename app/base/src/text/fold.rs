//! The one fold table, `fold.tsv`, read once.
//!
//! Invariant: every search key goes through this table, so that what is stored and what is typed
//! meet; a changed line means the keys in the database have to be computed again.

use std::collections::HashMap;
use std::sync::LazyLock;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("fold.tsv")));

#[derive(Default)]
struct Table {
    kanji: HashMap<char, char>,
    place: HashMap<char, char>,
    loose: HashMap<char, char>,
    long: HashMap<char, char>,
    pairs: Vec<(String, String)>,
}

impl Table {
    fn read(text: &str) -> Self {
        let mut table = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let (Some(class), Some(to), Some(from)) =
                (columns.next(), columns.next(), columns.next())
            else {
                continue;
            };
            for from in from.split(' ') {
                table.add(class, to, from);
            }
        }
        table
    }

    fn add(&mut self, class: &str, to: &str, from: &str) {
        if class == "loose-pair" {
            self.pairs.push((from.to_owned(), to.to_owned()));
            return;
        }
        let map = match class {
            "kanji" => &mut self.kanji,
            "place" => &mut self.place,
            "loose" => &mut self.loose,
            "long" => &mut self.long,
            _ => return,
        };
        if let (Some(from), Some(to)) = (from.chars().next(), to.chars().next()) {
            map.insert(from, to);
        }
    }
}

/// The common form of a variant kanji; others stay.
pub(super) fn kanji(c: char) -> char {
    TABLE.kanji.get(&c).copied().unwrap_or(c)
}

/// The common form of the small ke in a place name, to be asked only between two kanji.
pub(super) fn place(c: char) -> char {
    TABLE.place.get(&c).copied().unwrap_or(c)
}

/// The plain large kana of a voiced, small or historical one.
pub(super) fn loose(c: char) -> char {
    TABLE.loose.get(&c).copied().unwrap_or(c)
}

/// Whether `c` only lengthens `before`: ウ after ウ or オ, オ after オ, イ or エ after エ.
pub(super) fn lengthens(before: char, c: char) -> bool {
    match TABLE.long.get(&before) {
        Some('ウ') => c == 'ウ',
        Some('エ') => matches!(c, 'イ' | 'エ'),
        Some('オ') => matches!(c, 'ウ' | 'オ'),
        Some(_) | None => false,
    }
}

/// ヴァ and its row as バ and its row, longest first.
pub(super) fn pairs(text: &str) -> String {
    TABLE
        .pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        for line in include_str!("fold.tsv")
            .lines()
            .filter(|l| !l.starts_with('#'))
        {
            let columns: Vec<_> = line.split('\t').collect();
            assert_eq!(columns.len(), 3, "{line}");
            assert!(["kanji", "place", "loose-pair", "loose", "long"].contains(&columns[0]));
            let single = columns[2].split(' ').all(|from| from.chars().count() == 1);
            assert!(single || columns[0] == "loose-pair", "{line}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing_more() {
        for map in [&TABLE.kanji, &TABLE.place, &TABLE.loose] {
            assert!(map.values().all(|to| !map.contains_key(to)));
        }
    }
}
