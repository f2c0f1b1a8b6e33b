//! What was typed in the one box → what is asked. Pure: no database, no clock.
//!
//! Shape: a [`Query`] of at most one name, one date of birth, one number and one address, all of
//! which must hold together (「ヤマダ S12.3.4」). An order of recognition decides: dates, then
//! numbers, then addresses; what is left is a name.
//! Source: docs/glossary.md, "find"; keys are those of [`base::text`].

use base::text::{address_key, digits, is_hyphen_like, kana_key, kana_loose, kanji_key};
use base::wareki;
use jiff::civil::Date;

/// Longest text that is looked for, characters; the box itself takes no more.
pub(super) const QUERY_CHARS_MAX: usize = 200;
/// Words in one search. The longest foreign names have six parts.
const WORDS_MAX: usize = 8;
/// Fewer digits of a telephone number fit too many people.
pub(super) const PHONE_DIGITS_MIN: usize = 4;
/// From its front a number is looked for only when nearly whole: a town shares the first six digits.
const PHONE_FRONT_DIGITS_MIN: usize = 8;

/// Part of a name, as its letters are compared.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum NamePart {
    /// Kana or Latin: `k1`, and the loose `k2`.
    Kana { key: String, loose: String },
    /// Kanji, or anything else that is in names.
    Kanji { key: String },
}

/// The name looked for: whole from its beginning, or family and given name by their beginnings.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Name {
    /// One word, or three and more.
    Whole(NamePart),
    /// 「ヤマ タロ」, 「山田 太」, 「山田 タロ」; `joined` is both as one word.
    Parts {
        family: NamePart,
        given: NamePart,
        joined: NamePart,
    },
}

/// Digits: a number of a person, a telephone number, or a date in digits alone.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Number {
    /// ASCII digits; an insured number may begin with `H`.
    pub(super) text: String,
    /// Long enough for the end of a telephone number, or also for its front.
    pub(super) phone: Phone,
    /// 3120304, 19370304.
    pub(super) born: Option<Days>,
}

/// How the digits may stand in a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phone {
    /// Too few of them, or a letter.
    No,
    /// The last ones.
    End,
    /// The last ones, or the first and nearly all.
    EndOrFront,
}

impl Phone {
    fn of(text: &str) -> Self {
        match text.len() {
            _ if text.starts_with('H') => Self::No,
            ..PHONE_DIGITS_MIN => Self::No,
            PHONE_FRONT_DIGITS_MIN.. if text.starts_with('0') => Self::EndOrFront,
            _ => Self::End,
        }
    }
}

/// From the first to the last day that a date of birth can mean, ISO.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Days {
    pub(super) first: Date,
    pub(super) last: Date,
}

/// What is asked; several terms hold together.
#[derive(Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Query {
    pub(super) name: Option<Name>,
    pub(super) born: Option<Days>,
    pub(super) number: Option<Number>,
    /// Key of town and lot.
    pub(super) address: Option<String>,
}

/// Why nothing was looked for although something was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// More than [`QUERY_CHARS_MAX`] characters or [`WORDS_MAX`] words.
    TooLong,
    /// Marks only: nothing that a key could be made of.
    NoLetters,
}

impl Query {
    /// Nothing was typed.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Kinds of the terms, for the access log: never the words themselves.
    pub(super) fn kinds(&self) -> String {
        let name = self.name.as_ref().map(|name| match name {
            Name::Whole(NamePart::Kana { .. })
            | Name::Parts {
                family: NamePart::Kana { .. },
                ..
            } => "kana",
            Name::Whole(NamePart::Kanji { .. }) | Name::Parts { .. } => "kanji",
        });
        let born = self.born.as_ref().map(|_| "born");
        let number = self.number.as_ref().map(|_| "number");
        let address = self.address.as_ref().map(|_| "address");
        let kinds: Vec<&str> = [number, name, born, address]
            .into_iter()
            .flatten()
            .collect();
        if kinds.is_empty() {
            "list".to_owned()
        } else {
            kinds.join("+")
        }
    }
}

/// Reads what was typed. Nothing typed is an empty query.
pub(super) fn read(typed: &str) -> Result<Query, Unread> {
    if typed.chars().nth(QUERY_CHARS_MAX).is_some() {
        return Err(Unread::TooLong);
    }
    let mut words: Vec<&str> = typed.split_whitespace().collect();
    if words.is_empty() {
        return Ok(Query::default());
    }
    if words.len() > WORDS_MAX {
        return Err(Unread::TooLong);
    }
    let born = take_date(&mut words);
    let address = take_address(&mut words);
    let number = take_number(&mut words);
    let name = name(&words);
    let query = Query {
        name,
        born,
        number,
        address,
    };
    if query.is_empty() {
        Err(Unread::NoLetters)
    } else {
        Ok(query)
    }
}

/// The longest run of words that is a date: 「S12. 3. 4」 is three of them. Digits alone could be a
/// number as well and stay.
fn take_date(words: &mut Vec<&str>) -> Option<Days> {
    for length in (1..=words.len()).rev() {
        for start in 0..=words.len() - length {
            let run = words.get(start..start + length)?.join(" ");
            if number_text(&run).is_some() {
                continue;
            }
            if let Some(days) = days(&run) {
                words.drain(start..start + length);
                return Some(days);
            }
        }
    }
    None
}

fn days(text: &str) -> Option<Days> {
    let date = wareki::parse(text).ok()?.date;
    Some(Days {
        first: date.sort_date(),
        last: date.last_date(),
    })
}

/// From the first word that is an address to the last: 「本町3-1-2 ハイツ101」, 「本町 3-1」.
fn take_address(words: &mut Vec<&str>) -> Option<String> {
    let lot = words.iter().position(|word| has_lot(word))?;
    let town_before = lot
        .checked_sub(1)
        .filter(|at| words.get(*at).is_some_and(|word| is_kanji_word(word)))
        .filter(|_| words.get(lot).is_some_and(|word| begins_with_digit(word)));
    let start = town_before.unwrap_or(lot);
    let key = address_key(&words.get(start..)?.join(" ")).main;
    if key.is_empty() {
        return None;
    }
    words.truncate(start);
    Some(key)
}

/// 本町3, 3丁目, 三丁目, 埼玉県…; or 3-1-2: unlike a telephone in short groups and without a 0 ahead.
fn has_lot(word: &str) -> bool {
    let kanji = word.chars().any(is_kanji);
    let marked = ["丁目", "番地", "埼玉県", "和光市"];
    if kanji && marked.iter().any(|mark| word.contains(mark)) {
        return true;
    }
    if kanji {
        return !digits(word).is_empty();
    }
    let groups: Vec<&str> = word.split(is_hyphen_like).collect();
    groups.len() > 1
        && !digits(word).starts_with('0')
        && groups
            .iter()
            .all(|group| matches!(digits(group).len(), 1..=3) && only_digits(group))
}

fn begins_with_digit(word: &str) -> bool {
    let first = word.chars().next().map(String::from).unwrap_or_default();
    !digits(&first).is_empty()
}

fn is_kanji_word(word: &str) -> bool {
    word.chars().all(is_kanji)
}

fn is_kanji(c: char) -> bool {
    matches!(c, '々' | '〇' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

fn only_digits(text: &str) -> bool {
    digits(text).len() == text.chars().count()
}

/// The first word of digits; hyphens and brackets as in a telephone number fall away.
fn take_number(words: &mut Vec<&str>) -> Option<Number> {
    let at = words
        .iter()
        .position(|word| number_text(word).is_some() || phone_text(word).is_some())?;
    let word = words.remove(at);
    if let Some(text) = number_text(word) {
        return Some(Number {
            phone: Phone::of(&text),
            born: days(&text),
            text,
        });
    }
    let text = phone_text(word)?;
    Some(Number {
        phone: Phone::of(&text),
        born: None,
        text,
    })
}

/// Digits alone, or `H` and nine digits (被保険者番号 of みなし2号).
fn number_text(word: &str) -> Option<String> {
    if !word.is_empty() && only_digits(word) {
        return Some(digits(word));
    }
    let rest = word.strip_prefix(['H', 'h', 'Ｈ', 'ｈ'])?;
    (only_digits(rest) && digits(rest).len() == 9).then(|| format!("H{}", digits(rest)))
}

fn phone_text(word: &str) -> Option<String> {
    let bracket = |c: char| matches!(c, '(' | ')' | '（' | '）' | '+' | '＋');
    let bare: String = word
        .chars()
        .filter(|c| !is_hyphen_like(*c) && !bracket(*c))
        .collect();
    (!bare.is_empty() && only_digits(&bare)).then(|| digits(&bare))
}

fn name(words: &[&str]) -> Option<Name> {
    let parts: Vec<NamePart> = words.iter().filter_map(|word| part(word)).collect();
    let joined = part(&words.concat())?;
    match <[NamePart; 2]>::try_from(parts) {
        Ok([family, given]) => Some(Name::Parts {
            family,
            given,
            joined,
        }),
        Err(_one_or_many) => Some(Name::Whole(joined)),
    }
}

/// `None` for a word of marks, whose key would fit everybody.
fn part(word: &str) -> Option<NamePart> {
    if word.chars().all(is_kana_or_latin) {
        let key = kana_key(word);
        // ヴ at the end may become ヴァ (ハ) with the next letter: leave it to that letter.
        let settled = key.strip_suffix('ヴ').filter(|rest| !rest.is_empty());
        let loose = kana_loose(settled.unwrap_or(&key));
        let letters = loose.chars().any(|c| c.is_alphabetic() && c != 'ー');
        return letters.then_some(NamePart::Kana { key, loose });
    }
    let key = kanji_key(word);
    (!key.is_empty()).then_some(NamePart::Kanji { key })
}

fn is_kana_or_latin(c: char) -> bool {
    let kana = matches!(c, 'ぁ'..='ゟ' | '゠'..='ヿ' | '\u{FF65}'..='\u{FF9F}');
    let latin =
        matches!(c, 'ａ'..='ｚ' | 'Ａ'..='Ｚ') || (c.is_alphabetic() && u32::from(c) < 0x1F00);
    kana || latin
        || is_hyphen_like(c)
        || matches!(c, '\'' | '’' | '.' | '．' | '\u{1E00}'..='\u{1EFF}')
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn kana(key: &str, loose: &str) -> NamePart {
        NamePart::Kana {
            key: key.to_owned(),
            loose: loose.to_owned(),
        }
    }

    fn kanji(key: &str) -> NamePart {
        NamePart::Kanji {
            key: key.to_owned(),
        }
    }

    fn name(typed: &str) -> Option<Name> {
        read(typed).expect("something to look for").name
    }

    fn born(typed: &str) -> Option<(Date, Date)> {
        let query = read(typed).expect("something to look for");
        let born = query.born.or(query.number.and_then(|number| number.born));
        born.map(|days| (days.first, days.last))
    }

    #[test]
    fn a_name_in_any_letters_becomes_one_key() {
        for typed in ["ヤマダ", "ﾔﾏﾀﾞ", "やまだ", " やまダ　"] {
            let expected = Name::Whole(kana("ヤマダ", "ヤマタ"));
            assert_eq!(name(typed), Some(expected), "{typed}");
        }
        assert_eq!(name("髙橋"), Some(Name::Whole(kanji("高橋"))));
        assert_eq!(name("kumar"), Some(Name::Whole(kana("KUMAR", "KUMAR"))));
        assert_eq!(name("山田はる"), Some(Name::Whole(kanji("山田はる"))));
    }

    #[test]
    fn two_words_are_family_and_given_name() {
        let expected = Name::Parts {
            family: kana("ヤマ", "ヤマ"),
            given: kana("ハナ", "ハナ"),
            joined: kana("ヤマハナ", "ヤマハナ"),
        };
        assert_eq!(name("ﾔﾏ はな"), Some(expected));
        let mixed = Name::Parts {
            family: kanji("山田"),
            given: kana("ハナ", "ハナ"),
            joined: kanji("山田ハナ"),
        };
        assert_eq!(name("山田 ハナ"), Some(mixed));
        let long = Some(Name::Whole(kana("グエンヴァンアン", "クエンハンアン")));
        assert_eq!(name("グエン ヴァン アン"), long);
    }

    #[test]
    fn a_date_of_birth_is_read_in_every_form_and_only_as_far_as_it_goes() {
        let day = (date(1937, 3, 4), date(1937, 3, 4));
        for typed in [
            "S12.3.4",
            "s12/3/4",
            "昭和12年3月4日",
            "昭和十二年三月四日",
            "㍼12年3月4日",
            "S12. 3. 4",
            "1937/3/4",
            "19370304",
            "3120304",
            "3-12-03-04",
            "Ｓ１２．３．４",
        ] {
            assert_eq!(born(typed), Some(day), "{typed}");
        }
        let month = (date(1937, 3, 1), date(1937, 3, 31));
        assert_eq!(born("S12.3"), Some(month));
        assert_eq!(born("昭和12年3月"), Some(month));
        assert_eq!(born("S12"), Some((date(1937, 1, 1), date(1937, 12, 31))));
    }

    #[test]
    fn name_and_date_of_birth_in_one_box_hold_together() {
        for typed in [
            "ヤマダ S12.3.4",
            "S12.3.4 ヤマダ",
            "ヤマダ 昭和12年 3月 4日",
        ] {
            let query = read(typed).expect("something to look for");
            assert_eq!(query.name, Some(Name::Whole(kana("ヤマダ", "ヤマタ"))));
            assert_eq!(born(typed), Some((date(1937, 3, 4), date(1937, 3, 4))));
            assert_eq!(query.kinds(), "kana+born");
        }
    }

    #[test]
    fn digits_are_a_number_or_a_telephone_and_never_a_name() {
        let number = |typed: &str| {
            let read = read(typed).expect("something to look for");
            assert!(read.name.is_none(), "{typed}");
            let number = read.number.expect("a number");
            (number.text, number.phone)
        };
        assert_eq!(
            number("０００１２３４５６７"),
            ("0001234567".to_owned(), Phone::EndOrFront)
        );
        assert_eq!(
            number("048-464-1111"),
            ("0484641111".to_owned(), Phone::EndOrFront)
        );
        assert_eq!(
            number("(048)464-1111"),
            ("0484641111".to_owned(), Phone::EndOrFront)
        );
        assert_eq!(number("h123456789"), ("H123456789".to_owned(), Phone::No));
        assert_eq!(number("1234"), ("1234".to_owned(), Phone::End));
        assert_eq!(number("048-464"), ("048464".to_owned(), Phone::End));
        assert_eq!(number("123"), ("123".to_owned(), Phone::No));
    }

    #[test]
    fn an_address_is_read_from_its_town_to_its_lot() {
        for typed in [
            "本町3-1",
            "本町３－１",
            "本町三丁目1番",
            "埼玉県和光市本町3丁目1",
            "本町 3-1",
            "本町3-1 ハイツ101",
        ] {
            let query = read(typed).expect("something to look for");
            assert_eq!(query.address.as_deref(), Some("本町3-1"), "{typed}");
            assert!(query.name.is_none(), "{typed}");
        }
        let both = read("ヤマダ 本町3-1").expect("something to look for");
        assert_eq!((both.name.is_some(), both.address.is_some()), (true, true));
        assert_eq!(
            read("本町").map(|query| query.name),
            Ok(Some(Name::Whole(kanji("本町"))))
        );
    }

    #[test]
    fn what_holds_no_letters_or_too_many_is_not_looked_for() {
        assert_eq!(read("").map(|query| query.is_empty()), Ok(true));
        assert_eq!(read(" 　\n").map(|query| query.is_empty()), Ok(true));
        for marks in ["ー", "・", "゛", "- -", "\u{FE0F}"] {
            assert_eq!(read(marks), Err(Unread::NoLetters), "{marks}");
        }
        assert_eq!(
            read(&"あ".repeat(200)).map(|query| query.name.is_some()),
            Ok(true)
        );
        assert_eq!(read(&"あ".repeat(201)), Err(Unread::TooLong));
        assert_eq!(read("ア イ ウ エ オ カ キ ク ケ"), Err(Unread::TooLong));
    }
}
