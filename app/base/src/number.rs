//! Numbers that carry a check digit or a fixed shape.
//!
//! Invariant: a failing check digit is a finding, never by itself a reason to refuse a row; old
//! data holds numbers issued under other rules.
//! Source: 保険者番号設定要領 (M10W21); 行政手続における特定の個人を識別するための番号の利用等に
//! 関する法律施行規則 (check digit of the individual number).

use unicode_normalization::UnicodeNormalization as _;

/// The check digit "modulus 10, weights 2 and 1" of the digits before it.
///
/// Shape: `body` are digit values 0 to 9, without the check digit: `3312001` gives 5.
/// Units: the answer is 0 to 9; a value above 9 in `body` is read modulo 10.
#[must_use]
pub fn m10w21(body: &[u8]) -> u8 {
    let sum = body
        .iter()
        .rev()
        .enumerate()
        .fold(0_u8, |sum, (place, digit)| {
            let weight = if place % 2 == 0 { 2 } else { 1 };
            let product = digit % 10 * weight;
            (sum + product / 10 + product % 10) % 10
        });
    (10 - sum) % 10
}

/// Whether the last digit of `number` is the [`m10w21`] of the others; false for anything that is
/// not at least two ASCII digits.
#[must_use]
pub fn m10w21_holds(number: &str) -> bool {
    match digit_values(number).as_deref() {
        Some([body @ .., check]) if !body.is_empty() => m10w21(body) == *check,
        Some(_) | None => false,
    }
}

/// Fewer numeric letters than this cannot become twelve digits.
const MY_NUMBER_LETTERS_MIN: usize = 6;

/// Whether `text` holds twelve digits that pass as an individual number (マイナンバー).
///
/// Shape: reads half-width and full-width digits, bare or in groups of four with one hyphen or
/// space; a longer run of digits is something else. About one in eleven other twelve-digit
/// numbers passes too: the caller stops and asks, it does not delete.
#[must_use]
pub fn my_number_like(text: &str) -> bool {
    // Most texts hold few digits, and imports ask about each; a letter becomes two digits at most.
    if text.chars().filter(|c| c.is_numeric()).count() < MY_NUMBER_LETTERS_MIN {
        return false;
    }
    let chars: Vec<char> = text.nfkc().collect();
    let runs = digit_runs(&chars);
    let bare = runs.iter().any(|run| my_number_check(&run.digits));
    bare || grouped(&chars, &runs)
        .iter()
        .any(|digits| my_number_check(digits))
}

struct Run {
    start: usize,
    digits: Vec<u8>,
}

impl Run {
    fn end(&self) -> usize {
        self.start + self.digits.len()
    }
}

fn digit_runs(chars: &[char]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (place, value) in chars
        .iter()
        .enumerate()
        .filter_map(|(i, c)| Some((i, digit(*c)?)))
    {
        match runs.last_mut() {
            Some(run) if run.end() == place => run.digits.push(value),
            Some(_) | None => runs.push(Run {
                start: place,
                digits: vec![value],
            }),
        }
    }
    runs
}

/// Chains of digit groups joined by one hyphen or space that are exactly 4-4-4.
fn grouped(chars: &[char], runs: &[Run]) -> Vec<Vec<u8>> {
    let joined = |left: &Run, right: &Run| {
        right.start == left.end() + 1
            && chars
                .get(left.end())
                .is_some_and(|c| is_hyphen(*c) || *c == ' ')
    };
    runs.chunk_by(joined)
        .filter(|chain| chain.len() == 3 && chain.iter().all(|run| run.digits.len() == 4))
        .map(|chain| {
            chain
                .iter()
                .flat_map(|run| run.digits.iter().copied())
                .collect()
        })
        .collect()
}

fn my_number_check(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    if body.len() != 11 {
        return false;
    }
    // From the right the weights are 2..=7 and then 2..=6.
    let weights = (2_u32..=7).chain(2..=6);
    let sum: u32 = body
        .iter()
        .rev()
        .zip(weights)
        .map(|(d, w)| u32::from(*d) * w)
        .sum();
    let expected = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    u32::from(*check) == expected
}

/// Whether `text` has the shape of an insured number (被保険者番号): ten digits, or `H` and nine.
///
/// Shape: half-width only; bring typed text into that form with [`crate::text::digits`] first.
#[must_use]
pub fn insured_no_shape(text: &str) -> bool {
    let rest = text.strip_prefix('H').unwrap_or(text);
    text.len() == 10 && rest.bytes().all(|byte| byte.is_ascii_digit())
}

/// Seven digits of a postal code, however it was typed (`〒351-0101`, full-width), or nothing.
#[must_use]
pub fn postal_code(text: &str) -> Option<String> {
    let digits = only_digits_and(text, |c| is_hyphen(c) || c == '〒' || c.is_whitespace())?;
    (digits.len() == 7).then_some(digits)
}

/// A stored postal code as it is shown: `3510101` becomes `351-0101`; others stay as they are.
#[must_use]
pub fn postal_code_shown(stored: &str) -> String {
    match (stored.len(), stored.split_at_checked(3)) {
        (7, Some((area, town))) => format!("{area}-{town}"),
        (_, Some(_) | None) => stored.to_owned(),
    }
}

/// The ten or eleven digits of a Japanese telephone number, however it was typed, or nothing.
///
/// Shape: starts with 0; `+81` is read as that 0; hyphens, spaces, dots and brackets are ignored.
#[must_use]
pub fn phone_digits(text: &str) -> Option<String> {
    let plain: String = text.nfkc().collect();
    let plain = plain.trim();
    let national = match plain.strip_prefix("+81") {
        Some(rest) => format!(
            "0{}",
            rest.trim_start()
                .trim_start_matches("(0)")
                .trim_start_matches('0')
        ),
        None => plain.to_owned(),
    };
    let ignored = |c: char| is_hyphen(c) || c.is_whitespace() || matches!(c, '(' | ')' | '.');
    let digits = only_digits_and(&national, ignored)?;
    (matches!(digits.len(), 10 | 11) && digits.starts_with('0')).then_some(digits)
}

fn only_digits_and(text: &str, ignored: impl Fn(char) -> bool) -> Option<String> {
    text.nfkc()
        .filter(|c| !ignored(*c))
        .map(|c| c.is_ascii_digit().then_some(c))
        .collect::<Option<String>>()
}

fn digit(c: char) -> Option<u8> {
    c.to_digit(10).and_then(|value| u8::try_from(value).ok())
}

fn digit_values(text: &str) -> Option<Vec<u8>> {
    text.chars().map(digit).collect()
}

fn is_hyphen(c: char) -> bool {
    crate::text::is_hyphen_like(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_of_the_rule_gives_five() {
        assert_eq!(m10w21(&[3, 3, 1, 2, 0, 0, 1]), 5);
        assert!(m10w21_holds("33120015"));
        assert!(m10w21_holds("112292"));
        assert!(!m10w21_holds("112291"));
    }

    #[test]
    fn a_number_without_body_or_with_letters_does_not_hold() {
        for text in ["", "0", "3312001５", "33 120015", "H312001"] {
            assert!(!m10w21_holds(text), "{text}");
        }
    }

    #[test]
    fn every_single_wrong_digit_is_noticed() {
        let right = [3, 3, 1, 2, 0, 0, 1];
        for place in 0..right.len() {
            for value in (0..10).filter(|v| *v != right[place]) {
                let mut wrong = right;
                wrong[place] = value;
                assert_ne!(m10w21(&wrong), 5, "{wrong:?}");
            }
        }
    }

    #[test]
    fn an_individual_number_is_found_in_text() {
        for text in [
            "123456789018",
            "番号は１２３４５６７８９０１８です",
            "1234-5678-9018",
            "1234 5678 9018 メモ",
            "1234－5678－9018",
        ] {
            assert!(my_number_like(text), "{text}");
        }
    }

    #[test]
    fn other_digits_are_not_taken_for_an_individual_number() {
        for text in [
            "",
            "123456789017",
            "0123456789018",
            "1234567890180",
            "1234-5678-9018-1111",
            "12345678901",
            "1234--5678-9018",
            "123456-789018",
        ] {
            assert!(!my_number_like(text), "{text}");
        }
    }

    #[test]
    fn an_insured_number_is_ten_digits_or_h_and_nine() {
        assert!(insured_no_shape("0000012345"));
        assert!(insured_no_shape("H000012345"));
        for text in [
            "",
            "H00001234",
            "000001234",
            "00000123456",
            "h000012345",
            "０000012345",
            "HH00012345",
        ] {
            assert!(!insured_no_shape(text), "{text}");
        }
    }

    #[test]
    fn a_postal_code_is_read_as_typed_and_shown_with_its_hyphen() {
        for text in [
            "3510101",
            "351-0101",
            "〒351-0101",
            " ３５１－０１０１ ",
            "351ー0101",
        ] {
            assert_eq!(postal_code(text).as_deref(), Some("3510101"), "{text}");
        }
        assert_eq!(postal_code("351-010"), None);
        assert_eq!(postal_code("351-010a"), None);
        assert_eq!(postal_code_shown("3510101"), "351-0101");
        assert_eq!(postal_code_shown("あいう"), "あいう");
        assert_eq!(postal_code_shown("あ1いう"), "あ1いう");
    }

    #[test]
    fn a_telephone_number_is_read_as_typed() {
        for text in [
            "048-000-1111",
            "０４８（０００）１１１１",
            "+81-48-000-1111",
            "+81 (0)48 000 1111",
        ] {
            assert_eq!(phone_digits(text).as_deref(), Some("0480001111"), "{text}");
        }
        assert_eq!(
            phone_digits("090-0000-1111").as_deref(),
            Some("09000001111")
        );
        for text in ["", "000-1111", "148-000-1111", "048-000-1111 内線2", "なし"] {
            assert_eq!(phone_digits(text), None, "{text}");
        }
    }
}
