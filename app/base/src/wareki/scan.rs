//! The text of a date, normalised, and a cursor over it.

use unicode_normalization::UnicodeNormalization as _;

use super::numeral::kanji_number;
use crate::text::is_hyphen_like;

/// One spelling for widths, dashes, dots and spaces; ㍼ becomes 昭和.
pub(super) fn plain(text: &str) -> Vec<char> {
    let chars: Vec<char> = text.nfkc().map(one_spelling).collect();
    let start = chars.iter().position(|c| *c != ' ').unwrap_or(chars.len());
    let end = chars
        .iter()
        .rposition(|c| *c != ' ')
        .map_or(start, |last| last + 1);
    chars.get(start..end).unwrap_or_default().to_vec()
}

fn one_spelling(c: char) -> char {
    match c {
        c if c.is_whitespace() => ' ',
        c if is_hyphen_like(c) => '-',
        '・' | '。' | '｡' => '.',
        c => c.to_ascii_uppercase(),
    }
}

/// A place in the text that moves forward when something is recognised.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [char],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(rest: &'a [char]) -> Self {
        Self { rest }
    }

    pub(super) fn rest(self) -> &'a [char] {
        self.rest
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.spaces();
        self.rest.is_empty()
    }

    /// Skips spaces; whether there were any.
    pub(super) fn spaces(&mut self) -> bool {
        let count = self.rest.iter().take_while(|c| **c == ' ').count();
        self.rest = self.rest.get(count..).unwrap_or_default();
        count > 0
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let length = word.chars().count();
        let found = self
            .rest
            .get(..length)
            .is_some_and(|head| word.chars().eq(head.iter().copied()));
        if found {
            self.rest = self.rest.get(length..).unwrap_or_default();
        }
        found
    }

    pub(super) fn eat_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.eat(word))
    }

    /// A number of one to `most` digits, or in kanji, with the count of its characters.
    pub(super) fn number(&mut self, most: usize) -> Option<(i16, usize)> {
        let ascii = self.rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let kanji = self
            .rest
            .iter()
            .take_while(|c| kanji_number(&[**c]).is_some())
            .count();
        let count = ascii.max(kanji);
        if count == 0 || ascii > most {
            return None;
        }
        let (head, rest) = self.rest.split_at(count);
        let value = if ascii > 0 {
            head.iter().collect::<String>().parse().ok()?
        } else {
            i16::try_from(kanji_number(head)?).ok()?
        };
        self.rest = rest;
        Some((value, count))
    }
}
