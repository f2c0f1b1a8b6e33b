//! Letters as people type them, and the keys by which they are found.
//!
//! Shape: display forms keep what was meant; keys lose differences on purpose. Stored display
//! values of kanji are never normalised, because even NFC changes 神 (U+FA19) into 神.
//! Source: docs/glossary.md, "kana", "gaiji".

mod address;
mod fold;
mod kana;

pub use address::{AddressKey, address_key};
pub use kana::{KanaChecked, half_width_kana, kana_checked, kana_display, kana_key, kana_loose};

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// The key by which a name in kanji is found.
///
/// Shape: variation selectors dropped, NFKC, variants folded (髙→高), no spaces, Latin in upper
/// case; ヶ, ケ, ヵ and が are one letter between two kanji.
#[must_use]
pub fn kanji_key(text: &str) -> String {
    let letters = text.chars().filter(|c| !is_variation_selector(*c)).nfkc();
    let kept = letters.filter(|c| !c.is_whitespace() && !is_variation_selector(*c));
    // What stood on both sides of a space may compose now; the key of a key must be the key.
    let plain: Vec<char> = kept.map(capital).nfc().map(fold::kanji).collect();
    fold_places(&plain)
}

fn fold_places(chars: &[char]) -> String {
    let kanji_at = |place: Option<usize>| {
        place
            .and_then(|i| chars.get(i))
            .is_some_and(|c| is_kanji(*c))
    };
    let folded = chars.iter().enumerate().map(|(i, c)| {
        let between = kanji_at(i.checked_sub(1)) && kanji_at(i.checked_add(1));
        if between { fold::place(*c) } else { *c }
    });
    folded.collect()
}

/// The digits of `text` as half-width ASCII, everything else dropped.
#[must_use]
pub fn digits(text: &str) -> String {
    text.nfkc().filter(char::is_ascii_digit).collect()
}

/// Characters as a reader counts them: a kanji with its variation selector is one.
#[must_use]
pub fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

/// Kana and letters with their marks as one character each, as other machines send them in two
/// (が as か and a mark). Kanji are left as they are: the standard's NFC would change some names.
#[must_use]
pub fn composed(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut piece = String::new();
    for c in text.chars() {
        if matches!(c, '\u{F900}'..='\u{FAFF}' | '\u{2F800}'..='\u{2FA1F}') {
            done.extend(piece.nfc());
            piece.clear();
            done.push(c);
        } else {
            piece.push(c);
        }
    }
    done.extend(piece.nfc());
    done
}

/// Whether `c` is one of the many dashes typed for a hyphen or a long-vowel mark.
#[must_use]
pub fn is_hyphen_like(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2212}'
                | '\u{FE63}'
                | '\u{FF0D}'
                | '\u{FF70}'
                | 'ー'
                | '\u{2500}'
                | '\u{2501}'
    )
}

/// Whether `c` only selects a glyph (U+FE00–FE0F, U+E0100–E01EF) and is no letter of its own.
#[must_use]
pub fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// The capital of a Latin letter, also of one with marks (ễ); what has no single capital stays.
fn capital(c: char) -> char {
    let mut capitals = c.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(one), None) => one,
        (Some(_) | None, _) => c,
    }
}

fn is_kanji(c: char) -> bool {
    matches!(
        c,
        '々' | '〇' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
            | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_a_name_have_one_key() {
        for (typed, key) in [
            ("髙橋", "高橋"),
            ("山﨑　太郎", "山崎太郎"),
            ("渡邊", "渡辺"),
            ("渡邉", "渡辺"),
            ("渡邉\u{E0101}", "渡辺"),
            ("齋藤", "斎藤"),
            ("斉藤", "斎藤"),
            ("𠮷田", "吉田"),
            ("\u{FA19}谷", "神谷"),
            ("隆\u{F9DC}", "隆隆"),
            ("Nguyễn Ａ", "NGUYỄNA"),
        ] {
            assert_eq!(kanji_key(typed), key, "{typed}");
        }
    }

    #[test]
    fn small_ke_folds_between_kanji_only() {
        for place in ["霞が関", "霞ヶ関", "霞ケ関", "霞ヵ関", "霞ｹ関"] {
            assert_eq!(kanji_key(place), "霞ヶ関", "{place}");
        }
        assert_eq!(kanji_key("ケン"), "ケン");
        assert_eq!(kanji_key("ながい"), "ながい");
    }

    #[test]
    fn digits_are_taken_out_of_any_width() {
        assert_eq!(digits("０４８-１２３④"), "0481234");
        assert_eq!(digits("十二"), "");
    }

    #[test]
    fn marks_are_composed_and_kanji_keep_their_shape() {
        assert_eq!(
            composed("か\u{3099}\u{FA19}は\u{309A}e\u{301}"),
            "が\u{FA19}ぱé"
        );
        assert_eq!(composed(""), "");
    }

    #[test]
    fn a_kanji_with_its_selector_counts_as_one() {
        assert_eq!(graphemes("葛\u{E0101}城"), 2);
        assert_eq!(graphemes("か\u{309A}"), 1);
        assert_eq!(graphemes(""), 0);
    }

    proptest::proptest! {
        #[test]
        fn keys_of_keys_are_the_same_keys(text in "[\\PC]{0,12}|[ぁ-ヺｦ-ﾟー・ 　]{0,12}") {
            proptest::prop_assert_eq!(kanji_key(&kanji_key(&text)), kanji_key(&text));
            proptest::prop_assert_eq!(kana_key(&kana_key(&text)), kana_key(&text));
            proptest::prop_assert_eq!(kana_loose(&kana_loose(&text)), kana_loose(&text));
            proptest::prop_assert_eq!(kana_display(&kana_display(&text)), kana_display(&text));
        }

        #[test]
        fn no_text_at_all_breaks_a_key(text in "\\PC*") {
            let _key = address_key(&text);
            let _half = half_width_kana(&text);
            proptest::prop_assert!(graphemes(&text) <= text.chars().count());
        }
    }
}
