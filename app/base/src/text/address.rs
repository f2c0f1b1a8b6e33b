//! The key by which two spellings of an address meet.

use unicode_normalization::UnicodeNormalization as _;

use super::{fold, fold_places, is_hyphen_like, is_variation_selector};
use crate::wareki::kanji_number;

/// An address in two parts, each for comparing and not for showing.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey {
    /// Town and lot: `本町3-1-2`.
    pub main: String,
    /// Building and room, without spaces: `○○ハイツ101`; empty when there is none.
    pub building: String,
}

impl std::fmt::Debug for AddressKey {
    /// Prints nothing of the address: it is as personal as the address itself.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddressKey(…)")
    }
}

/// Splits an address into town with lot and building, and brings both into one spelling.
///
/// Shape: `埼玉県和光市本町三丁目１番２号　○○ハイツ101` gives `本町3-1-2` and `○○ハイツ101`.
/// 丁目, 番地, 番, 号 and の become hyphens; 大字, 字, 埼玉県 and 和光市 are dropped.
/// The building starts at the first space or letter behind the lot number.
#[must_use]
pub fn address_key(address: &str) -> AddressKey {
    let plain: String = address
        .chars()
        .filter(|c| !is_variation_selector(*c))
        .nfkc()
        .map(fold::kanji)
        .collect();
    let plain = without_region(plain.trim());
    let numbered = arabic_lots(&plain);
    let chars: Vec<char> = numbered.chars().collect();
    let (town, rest) = split_town(&chars);
    let (lot, building) = split_lot(rest);
    let town: Vec<char> = without_aza(&town);
    AddressKey {
        main: format!("{}{lot}", fold_places(&town)),
        building: building.iter().filter(|c| !c.is_whitespace()).collect(),
    }
}

fn without_region(text: &str) -> String {
    let mut rest = text;
    for region in ["埼玉県", "和光市"] {
        rest = rest.strip_prefix(region).unwrap_or(rest).trim_start();
    }
    rest.to_owned()
}

fn without_aza(town: &[char]) -> Vec<char> {
    let text: String = town.iter().collect();
    text.replace("大字", "")
        .chars()
        .filter(|c| *c != '字')
        .collect()
}

/// Kanji numbers before 丁目, 番地, 号, or before a 番 that another number follows, as digits.
fn arabic_lots(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut rest: &[char] = &chars;
    while let Some((first, tail)) = rest.split_first() {
        let run = rest
            .iter()
            .take_while(|c| kanji_number(&[**c]).is_some())
            .count();
        let (number, after) = rest.split_at(run);
        match kanji_number(number).filter(|_| lot_word(after)) {
            Some(value) => {
                out.push_str(&value.to_string());
                rest = after;
            }
            None if run > 0 => {
                out.extend(number);
                rest = after;
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

fn lot_word(after: &[char]) -> bool {
    match after {
        ['丁', '目', ..] | ['番', '地', ..] | ['号', ..] => true,
        // 二番町 is a town; 二番三号 and 二番 at the end are lots.
        ['番', next, ..] => next.is_ascii_digit() || kanji_number(&[*next]).is_some(),
        ['番'] => true,
        _ => false,
    }
}

/// Up to the first digit; spaces before it separate town from lot and mean nothing.
fn split_town(chars: &[char]) -> (Vec<char>, &[char]) {
    let town = chars.iter().position(char::is_ascii_digit);
    let end = town
        .or_else(|| chars.iter().position(|c| c.is_whitespace()))
        .unwrap_or(chars.len());
    let (town, rest) = chars.split_at(end);
    (
        town.iter()
            .copied()
            .filter(|c| !c.is_whitespace())
            .collect(),
        rest,
    )
}

/// The lot as `3-1-2`, and what follows it.
fn split_lot(chars: &[char]) -> (String, &[char]) {
    let mut lot = String::new();
    let mut rest = chars;
    while let Some((first, tail)) = rest.split_first() {
        let after = match rest {
            ['丁', '目', after @ ..] | ['番', '地', 'の', after @ ..] => Some(after),
            ['番', '地', after @ ..] | ['番', after @ ..] => Some(after),
            ['号', '室', ..] => None,
            ['号' | 'の', after @ ..] => Some(after),
            [c, after @ ..] if is_hyphen_like(*c) => Some(after),
            _ => None,
        };
        match after {
            Some(after) => {
                if !lot.is_empty() && !lot.ends_with('-') {
                    lot.push('-');
                }
                rest = after;
            }
            None if first.is_ascii_digit() => {
                lot.push(*first);
                rest = tail;
            }
            None => break,
        }
    }
    (lot.trim_end_matches('-').to_owned(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> (String, String) {
        let key = address_key(address);
        (key.main, key.building)
    }

    #[test]
    fn the_example_of_the_rule_holds() {
        let got = key("埼玉県和光市本町三丁目１番２号　○○ハイツ101");
        assert_eq!(got, ("本町3-1-2".into(), "○○ハイツ101".into()));
    }

    #[test]
    fn spellings_of_one_lot_meet() {
        for address in [
            "本町3-1-2",
            "本町３－１－２",
            "本町3丁目1番2号",
            "本町三丁目一番二号",
            "本町3丁目1番地の2",
            "和光市本町3ー1ー2",
            "埼玉県 和光市 本町 3-1-2",
            "大字本町3の1の2",
        ] {
            assert_eq!(
                key(address),
                ("本町3-1-2".into(), String::new()),
                "{address}"
            );
        }
    }

    #[test]
    fn a_building_starts_behind_the_lot_even_without_a_space() {
        assert_eq!(
            key("本町31-5コーポ花101号室"),
            ("本町31-5".into(), "コーポ花101号室".into())
        );
        assert_eq!(
            key("新倉1-2 第二 ハイツ"),
            ("新倉1-2".into(), "第二ハイツ".into())
        );
    }

    #[test]
    fn a_town_named_by_a_number_stays_a_town() {
        assert_eq!(key("二番町4"), ("二番町4".into(), String::new()));
        assert_eq!(key("八条通"), ("八条通".into(), String::new()));
        assert_eq!(key("霞ケ丘1"), key("霞ヶ丘1"));
    }

    #[test]
    fn an_address_without_digits_splits_at_the_space() {
        assert_eq!(key("不詳 施設"), ("不詳".into(), "施設".into()));
        assert_eq!(key(""), (String::new(), String::new()));
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        assert_eq!(format!("{:?}", address_key("本町1")), "AddressKey(…)");
    }
}
