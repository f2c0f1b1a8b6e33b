//! Kana: one display form, two search keys, and the half-width form of old files.

use unicode_normalization::char::{compose, decompose_canonical};

use super::{fold, is_hyphen_like};

const VOICED: char = '\u{3099}';
const HALF_VOICED: char = '\u{309A}';

/// Full-width forms of U+FF61–U+FF9D, in order.
const FULL: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテト\
                    ナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";
const HALF_FIRST: char = '\u{FF61}';

/// Kana brought into display form, with what had to be dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KanaChecked {
    /// The display form.
    pub text: String,
    /// Voicing marks that belonged to no letter and were dropped; worth a warning when not 0.
    pub lone_marks: usize,
}

/// Kana as it is shown: full-width katakana, small kana kept, one full-width space between parts.
#[must_use]
pub fn kana_display(text: &str) -> String {
    kana_checked(text).text
}

/// As [`kana_display`], and tells how many voicing marks were dropped.
#[must_use]
pub fn kana_checked(text: &str) -> KanaChecked {
    let mut out: Vec<char> = Vec::with_capacity(text.len() / 3);
    let mut lone_marks = 0;
    for c in text.chars() {
        match full_width(c) {
            mark @ (VOICED | HALF_VOICED) => match out.last().and_then(|last| compose(*last, mark))
            {
                Some(voiced) => {
                    out.pop();
                    out.push(voiced);
                }
                None => lone_marks += 1,
            },
            ' ' => match out.last() {
                Some('　') | None => {}
                Some(_) => out.push('　'),
            },
            c if is_hyphen_like(c) && out.last().is_some_and(|last| is_kana(*last)) => {
                out.push('ー');
            }
            c => out.push(c),
        }
    }
    if out.last() == Some(&'　') {
        out.pop();
    }
    KanaChecked {
        text: out.into_iter().collect(),
        lone_marks,
    }
}

/// Half-width, hiragana and Latin letters to full-width katakana and capitals; any space to one.
fn full_width(c: char) -> char {
    match c {
        '\u{FF9E}' | '\u{309B}' => VOICED,
        '\u{FF9F}' | '\u{309C}' => HALF_VOICED,
        '\u{FF61}'..='\u{FF9D}' => nth_from(HALF_FIRST, c),
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => shifted(c, 0x60),
        'a'..='z' => shifted(c.to_ascii_uppercase(), 0xFEE0),
        'A'..='Z' => shifted(c, 0xFEE0),
        'ａ'..='ｚ' => char::from_u32(u32::from(c) - 0x20).unwrap_or(c),
        c if c.is_whitespace() => ' ',
        c => super::capital(c),
    }
}

fn nth_from(first: char, c: char) -> char {
    let place = usize::try_from(u32::from(c) - u32::from(first));
    place.ok().and_then(|n| FULL.chars().nth(n)).unwrap_or(c)
}

fn shifted(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

fn is_kana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | 'ー' | 'ヽ' | 'ヾ')
}

/// The strict key `k1`: the display form without spaces and middle dots, Latin in half width.
#[must_use]
pub fn kana_key(text: &str) -> String {
    let shown = kana_display(text);
    let kept = shown.chars().filter(|c| !matches!(c, '　' | '・'));
    let key: String = kept
        .map(|c| match c {
            'Ａ'..='Ｚ' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            c => c,
        })
        .collect();
    // Without the space a hyphen may stand behind kana, and then it is a long-vowel mark.
    if key.chars().any(|c| is_hyphen_like(c) && c != 'ー') {
        rejoined(&key)
    } else {
        key
    }
}

fn rejoined(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for c in key.chars() {
        let after_kana = out.chars().next_back().is_some_and(is_kana);
        out.push(if after_kana && is_hyphen_like(c) {
            'ー'
        } else {
            c
        });
    }
    out
}

/// The loose key `k2`: also forgets small and voiced kana and long vowels.
///
/// Shape: オオノ, オウノ and オーノ are オノ; キョウコ and キヨウコ are キヨコ.
#[must_use]
pub fn kana_loose(text: &str) -> String {
    let mut out: Vec<char> = Vec::new();
    for c in fold::pairs(&kana_key(text)).chars().map(fold::loose) {
        let before = out.last().copied();
        if c != 'ー' && !before.is_some_and(|before| fold::lengthens(before, c)) {
            out.push(c);
        }
    }
    out.into_iter().collect()
}

/// Kana in half width as old files hold it; the inverse of [`kana_display`] as far as there is one.
///
/// Shape: a voiced letter becomes two characters; ヰ, ヱ, ヮ, ヵ and ヶ, which half width does not
/// have, become ｲ, ｴ, ﾜ, ｶ and ｹ; full-width Latin letters and digits become ASCII; kanji stay.
#[must_use]
pub fn half_width_kana(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        decompose_canonical(full_width(c), |part| out.push(half(part)));
    }
    out
}

fn half(c: char) -> char {
    match c {
        VOICED => '\u{FF9E}',
        HALF_VOICED => '\u{FF9F}',
        'ヰ' => 'ｲ',
        'ヱ' => 'ｴ',
        'ヮ' => 'ﾜ',
        'ヵ' => 'ｶ',
        'ヶ' => 'ｹ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => (HALF_FIRST..='\u{FF9D}')
            .zip(FULL.chars())
            .find(|(_, f)| *f == c)
            .map_or(c, |p| p.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kana_is_shown_in_full_width_katakana() {
        for (typed, shown) in [
            ("ﾔﾏﾀﾞ ﾊﾅｺ", "ヤマダ　ハナコ"),
            ("やまだ  はなこ ", "ヤマダ　ハナコ"),
            ("ｶﾞﾊﾟｳﾞﾜﾞ", "ガパヴヷ"),
            ("ゔ", "ヴ"),
            ("ｵｰﾉ", "オーノ"),
            ("オ-ノ", "オーノ"),
            ("オ−ノ", "オーノ"),
            ("オ―ノ", "オーノ"),
            ("ｷｮｳｺ", "キョウコ"),
            ("ﾏﾘｱ･ﾛｰｻ｢ﾛ｣", "マリア・ローサ「ロ」"),
            ("Nguyen ｔ", "ＮＧＵＹＥＮ　Ｔ"),
            ("カ\u{3099}", "ガ"),
            ("カ゛", "ガ"),
        ] {
            assert_eq!(kana_display(typed), shown, "{typed}");
        }
    }

    #[test]
    fn a_mark_without_its_letter_is_dropped_and_counted() {
        let checked = kana_checked("ﾞｱﾟﾝﾞ");
        assert_eq!(
            checked,
            KanaChecked {
                text: "アン".into(),
                lone_marks: 3
            }
        );
    }

    #[test]
    fn the_strict_key_has_no_spaces_and_no_dots() {
        assert_eq!(kana_key("まりあ・ろーさ ﾔﾏﾀﾞ"), "マリアローサヤマダ");
        assert_eq!(kana_key("Ｌｅ Ｖａｎ"), "LEVAN");
    }

    #[test]
    fn the_loose_key_holds_the_examples_of_the_rule() {
        for (key, all) in [
            ("オノ", &["オオノ", "オウノ", "オーノ", "おおの", "ｵｵﾉ"][..]),
            ("ユコ", &["ユウコ", "ユーコ"]),
            ("ヤマサキ", &["ヤマザキ", "ヤマサキ"]),
            ("キヨコ", &["キョウコ", "キヨウコ"]),
            ("ハイオリン", &["ヴァイオリン", "バイオリン"]),
            ("シユン", &["ヂュン", "ジュン"]),
            ("ケコ", &["ケイコ", "ケエコ"]),
            ("オカ", &["オオオカ", "オーオカ", "オウオカ", "ヲオカ"]),
        ] {
            for kana in all {
                assert_eq!(kana_loose(kana), key, "{kana}");
            }
        }
    }

    #[test]
    fn half_width_is_the_way_back() {
        assert_eq!(half_width_kana("ヤマダ　ガパヴ・ー「」"), "ﾔﾏﾀﾞ ｶﾞﾊﾟｳﾞ･ｰ｢｣");
        assert_eq!(half_width_kana("ヰヱヮヵヶ山Ａ１"), "ｲｴﾜｶｹ山A1");
    }

    #[test]
    fn every_letter_that_half_width_has_survives_both_ways() {
        let lost = "ヰヱヮヵヶヸヹ";
        for c in ('ァ'..='ヺ').filter(|c| !lost.contains(*c)) {
            let kana = c.to_string();
            assert_eq!(kana_display(&half_width_kana(&kana)), kana);
        }
    }
}
