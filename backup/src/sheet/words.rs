//! A secret as eighteen words: written on paper, typed at night, with each slip named.
//!
//! Shape: a header byte (0: the whole secret, 1 to 3: a share of it), sixteen random bytes, and a byte
//! of sum. Each byte is one word: eight bits of it, and three that check the byte at its place. So a
//! wrong word, or two words in each other's place, are named with seven chances in eight; the sum finds
//! the rest. Words come from the English list of BIP-39: any keyboard types them, and the first four
//! letters tell each from all others.
//! Not BIP-39's own phrase: its checksum says that something is wrong, and not where.
//! Source: docs/decisions/0035-recovery-sheet.md.

use std::fmt;

use bip39::Language;
use blahaj::{Share, Sharks};
use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom as _, SystemRandom};
use unicode_normalization::UnicodeNormalization as _;

use crate::error::BackupError;

/// Words on a sheet.
pub const WORDS: usize = 18;
/// How many shares open, of [`SHARES`].
const SHARES_NEEDED: u8 = 2;
/// Shares that are made of one secret.
pub const SHARES: usize = 3;

const SECRET_BYTES: usize = 16;
const HEADER_WHOLE: u8 = 0;
const CHECK_BITS: u32 = 3;
const PREFIX_LETTERS: usize = 4;
/// Longest text that is read at all, characters: eighteen words with numbers before them fit many times.
const TEXT_CHARS_MAX: usize = 2_000;
/// Words that are proposed for one that is in no list.
const NEAR_MAX: usize = 4;

/// Eighteen words whose checks hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Words([u8; WORDS]);

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(…)")
    }
}

/// What is wrong with typed words; holds at most the one word that is in no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Too many or too few.
    #[error("{found} words in place of {WORDS}")]
    Count {
        /// How many were typed.
        found: usize,
    },
    /// A word that is in no list.
    #[error("word {position} is in no list")]
    Unknown {
        /// From 1.
        position: usize,
        /// Words of the list that begin alike.
        near: Vec<&'static str>,
    },
    /// Words of the list that do not belong to these places.
    #[error("words {positions:?} do not belong there")]
    Wrong {
        /// From 1.
        positions: Vec<usize>,
    },
    /// Each word fits its place, and together they do not hold.
    #[error("the words do not hold together")]
    Sum,
    /// A share where the whole was wanted, or the whole where a share was.
    #[error("these are words of another kind of sheet")]
    Kind,
    /// Two shares that are one, or of different secrets.
    #[error("these two shares do not belong together")]
    Shares,
}

impl Words {
    /// A new secret.
    ///
    /// # Errors
    /// [`BackupError::NoRandom`].
    pub fn fresh() -> Result<Self, BackupError> {
        let mut secret = [0_u8; SECRET_BYTES];
        let filled = SystemRandom::new().fill(&mut secret);
        filled.or(Err(BackupError::NoRandom))?;
        Ok(Self::with(HEADER_WHOLE, &secret))
    }

    fn with(header: u8, secret: &[u8]) -> Self {
        let mut bytes = [0_u8; WORDS];
        let filled = std::iter::once(&header).chain(secret);
        bytes
            .iter_mut()
            .zip(filled)
            .for_each(|(to, from)| *to = *from);
        if let Some((last, rest)) = bytes.split_last_mut() {
            *last = sum(rest);
        }
        Self(bytes)
    }

    /// Reads what was typed: any case and width, numbers and punctuation between the words, and only
    /// the first four letters of a word if need be.
    ///
    /// # Errors
    /// [`WordsError`], which says where.
    pub fn read(text: &str) -> Result<Self, WordsError> {
        let text: String = text.chars().take(TEXT_CHARS_MAX).nfkc().collect();
        let text = text.to_lowercase();
        let typed: Vec<&str> = text
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty())
            .collect();
        // Before they are counted: a word that is no word tells more than a number.
        let mut indexes = Vec::new();
        for (at, word) in typed.iter().enumerate() {
            let index = index(word).ok_or_else(|| WordsError::Unknown {
                position: at + 1,
                near: near(word),
            })?;
            indexes.push(index);
        }
        let found = indexes.len();
        let indexes: [u16; WORDS] = indexes.try_into().or(Err(WordsError::Count { found }))?;
        Self::checked(indexes)
    }

    fn checked(indexes: [u16; WORDS]) -> Result<Self, WordsError> {
        let mut bytes = [0_u8; WORDS];
        let mut positions = Vec::new();
        for (at, (to, index)) in bytes.iter_mut().zip(indexes).enumerate() {
            *to = u8::try_from(index >> CHECK_BITS).unwrap_or(u8::MAX);
            if word_index(at, *to) != index {
                positions.push(at + 1);
            }
        }
        if !positions.is_empty() {
            return Err(WordsError::Wrong { positions });
        }
        match bytes.split_last() {
            Some((last, rest)) if *last == sum(rest) => Ok(Self(bytes)),
            Some(_) | None => Err(WordsError::Sum),
        }
    }

    /// The words in their order.
    pub fn list(&self) -> Vec<&'static str> {
        let all = Language::English.word_list();
        let words = self.0.iter().enumerate();
        let word = |(at, byte): (usize, &u8)| all.get(usize::from(word_index(at, *byte))).copied();
        words.filter_map(word).collect()
    }

    /// What opens a repository, also by a stock tool: the words with one space between them.
    ///
    /// # Errors
    /// [`WordsError::Kind`] when this is a share, which opens nothing.
    pub fn password(&self) -> Result<String, WordsError> {
        match self.share() {
            None => Ok(self.list().join(" ")),
            Some(_) => Err(WordsError::Kind),
        }
    }

    /// The number of this share, from 1; nothing when it is the whole.
    pub fn share(&self) -> Option<u8> {
        self.0
            .first()
            .copied()
            .filter(|header| *header != HEADER_WHOLE)
    }

    fn secret(&self) -> &[u8] {
        self.0.get(1..=SECRET_BYTES).unwrap_or_default()
    }

    /// Three shares, of which any two make the whole; one alone tells nothing about it.
    ///
    /// # Errors
    /// [`WordsError::Kind`] when this is a share itself.
    pub fn split(&self) -> Result<Vec<Self>, WordsError> {
        if self.share().is_some() {
            return Err(WordsError::Kind);
        }
        let dealt = Sharks(SHARES_NEEDED).dealer(self.secret()).take(SHARES);
        let share = |share: Share| match Vec::from(&share).split_first() {
            Some((number, bytes)) => Ok(Self::with(*number, bytes)),
            None => Err(WordsError::Shares),
        };
        dealt.map(share).collect()
    }

    /// The whole out of two shares.
    ///
    /// # Errors
    /// [`WordsError::Kind`] when one is no share, [`WordsError::Shares`] when they are the same one.
    pub fn joined(first: &Self, second: &Self) -> Result<Self, WordsError> {
        let share = |words: &Self| -> Result<Share, WordsError> {
            let number = words.share().ok_or(WordsError::Kind)?;
            let bytes: Vec<u8> = std::iter::once(number)
                .chain(words.secret().iter().copied())
                .collect();
            Share::try_from(bytes.as_slice()).or(Err(WordsError::Shares))
        };
        if first.share() == second.share() {
            return Err(WordsError::Shares);
        }
        let shares = [share(first)?, share(second)?];
        let secret = Sharks(SHARES_NEEDED).recover(&shares);
        let secret = secret.or(Err(WordsError::Shares))?;
        Ok(Self::with(HEADER_WHOLE, &secret))
    }
}

/// The word of a byte at a place.
fn word_index(at: usize, byte: u8) -> u16 {
    let check = hashed(
        b"hokatsu words 1 check",
        &[u8::try_from(at).unwrap_or(u8::MAX), byte],
    );
    (u16::from(byte) << CHECK_BITS) | u16::from(check >> (u8::BITS - CHECK_BITS))
}

fn sum(bytes: &[u8]) -> u8 {
    hashed(b"hokatsu words 1 sum", bytes)
}

/// The first byte of a hash.
fn hashed(what_for: &[u8], bytes: &[u8]) -> u8 {
    let mut context = Context::new(&SHA256);
    context.update(what_for);
    context.update(bytes);
    context
        .finish()
        .as_ref()
        .first()
        .copied()
        .unwrap_or_default()
}

fn index(word: &str) -> Option<u16> {
    let whole = Language::English.find_word(word);
    whole.or_else(|| {
        let typed = word.chars().count() >= PREFIX_LETTERS;
        let mut found = Language::English.words_by_prefix_iter(word);
        match (found.next(), found.next()) {
            (Some(only), None) if typed => Language::English.find_word(only),
            _ => None,
        }
    })
}

/// Words that begin alike, the longest beginning first.
fn near(word: &str) -> Vec<&'static str> {
    let letters: Vec<char> = word.chars().take(PREFIX_LETTERS).collect();
    for length in (1..=letters.len()).rev() {
        let beginning: String = letters.iter().take(length).collect();
        let found = Language::English.words_by_prefix_iter(&beginning);
        let found: Vec<_> = found.take(NEAR_MAX).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Always the same, so that what is expected does not depend on luck.
    fn known() -> Words {
        let secret: Vec<u8> = (0..16).map(|byte| byte * 13 + 7).collect();
        Words::with(HEADER_WHOLE, &secret)
    }

    fn typed(words: &[&str]) -> Result<Words, WordsError> {
        Words::read(&words.join(" "))
    }

    #[test]
    fn what_was_printed_is_read_however_it_is_typed() {
        let words = known();
        let list = words.list();
        assert_eq!(list.len(), WORDS);
        let short: Vec<String> = list
            .iter()
            .map(|word| word.chars().take(4).collect())
            .collect();
        let numbered: Vec<String> = list
            .iter()
            .enumerate()
            .map(|(at, word)| format!("{}. {}", at + 1, word.to_uppercase()))
            .collect();
        for text in [
            list.join(" "),
            list.join("\n\n"),
            short.join("　"),
            numbered.join(", "),
        ] {
            assert_eq!(Words::read(&text), Ok(words.clone()), "{text}");
        }
    }

    #[test]
    fn a_full_width_word_is_the_same_word() {
        let text: String = known()
            .list()
            .join(" ")
            .chars()
            .map(|c| match c {
                'a'..='z' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
                _ => c,
            })
            .collect();
        assert_eq!(Words::read(&text), Ok(known()));
    }

    #[test]
    fn a_word_of_no_list_is_named_with_those_that_begin_alike() {
        let mut list = known().list();
        list[4] = "abandom";
        let near = vec!["abandon"];
        assert_eq!(typed(&list), Err(WordsError::Unknown { position: 5, near }));
    }

    #[test]
    fn a_word_in_a_wrong_place_is_named() {
        let words = known();
        let all = Language::English.word_list();
        let (mut named, mut told) = (0, 0);
        for at in 0..WORDS {
            for wrong in all.iter().step_by(41) {
                let mut list = words.list();
                if list[at] == *wrong {
                    continue;
                }
                list[at] = wrong;
                match typed(&list) {
                    Err(WordsError::Wrong { positions }) => {
                        assert_eq!(positions, [at + 1]);
                        named += 1;
                    }
                    Err(WordsError::Sum) => told += 1,
                    other => assert!(other.is_ok(), "{other:?}"),
                }
            }
        }
        // Seven of eight are named; of the rest one in 256 passes as another secret.
        assert!(named > told * 5, "{named} named, {told} only told");
    }

    #[test]
    fn too_few_and_too_many_are_counted() {
        let mut list = known().list();
        list.push("abandon");
        assert_eq!(typed(&list), Err(WordsError::Count { found: 19 }));
        assert_eq!(Words::read(""), Err(WordsError::Count { found: 0 }));
    }

    #[test]
    fn any_two_of_three_shares_make_the_whole_and_one_opens_nothing() {
        let whole = known();
        let shares = whole.split().unwrap();
        assert_eq!(shares.len(), SHARES);
        for (first, second) in [(0, 1), (1, 2), (2, 0)] {
            let typed = |at: usize| Words::read(&shares[at].list().join(" ")).unwrap();
            assert_eq!(
                Words::joined(&typed(first), &typed(second)),
                Ok(whole.clone())
            );
        }
        assert_eq!(shares[0].password(), Err(WordsError::Kind));
        assert_eq!(
            Words::joined(&shares[0], &shares[0]),
            Err(WordsError::Shares)
        );
        assert_eq!(Words::joined(&shares[0], &whole), Err(WordsError::Kind));
    }

    #[test]
    fn secrets_are_not_shown_by_accident() {
        assert_eq!(format!("{:?}", known()), "Words(…)");
    }
}
