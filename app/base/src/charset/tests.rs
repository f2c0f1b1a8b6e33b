//! The two sets, byte by byte.

use super::*;
use proptest::prelude::*;

#[test]
fn every_pair_of_bytes_decodes_or_is_reported_and_comes_back() {
    for lead in 0..=0xFF_u8 {
        for trail in 0..=0xFF_u8 {
            let bytes = [lead, trail];
            let decoded = decode_cp932(&bytes);
            let marks = decoded.text.matches('\u{FFFD}').count();
            assert_eq!(marks, decoded.unmapped.len(), "{bytes:02X?}");
            let again = decoded.to_cp932().unwrap();
            assert_eq!(decode_cp932(&again), decoded, "{bytes:02X?}");
            assert_eq!(again.len(), 2, "{bytes:02X?}");
            assert_eq!(canonical_bytes(&again), again, "{bytes:02X?}");
        }
    }
}

#[test]
fn only_duplicate_codes_change_on_the_way_back() {
    let mut changed = 0;
    for lead in (0x81..=0x9F_u8).chain(0xE0..=0xFC) {
        for trail in (0x40..=0x7E_u8).chain(0x80..=0xFC) {
            let again = canonical_bytes(&[lead, trail]);
            if again != [lead, trail] {
                changed += 1;
                // NEC row 13, NEC selected, and the ¬ of the IBM rows.
                assert!(
                    matches!(lead, 0x81 | 0x87 | 0xED | 0xEE | 0xFA | 0xFB),
                    "{lead:02X}{trail:02X}"
                );
            }
        }
    }
    assert_eq!(changed, 398);
}

#[test]
fn the_user_area_is_kept_both_ways() {
    for (bytes, code) in [
        ([0xF0, 0x40], 0xE000),
        ([0xF0, 0x7E], 0xE03E),
        ([0xF0, 0x80], 0xE03F),
        ([0xF9, 0xFC], 0xE757),
    ] {
        let letter = char::from_u32(code).unwrap().to_string();
        assert_eq!(decode_cp932(&bytes).text, letter);
        assert_eq!(encode_cp932(&letter).unwrap(), bytes);
    }
    assert!(encode_cp932("\u{E758}").is_err());
}

#[test]
fn twins_of_other_systems_are_written_in_the_form_that_is_read() {
    for (code, read, twin) in [
        ([0x81, 0x60], '～', '\u{301C}'),
        ([0x81, 0x7C], '－', '\u{2212}'),
        ([0x81, 0x61], '∥', '\u{2016}'),
        ([0x81, 0x5C], '―', '\u{2014}'),
        ([0x81, 0x91], '￠', '\u{A2}'),
        ([0x81, 0x92], '￡', '\u{A3}'),
        ([0x81, 0xCA], '￢', '\u{AC}'),
    ] {
        assert_eq!(decode_cp932(&code).text, read.to_string());
        assert_eq!(encode_cp932(&read.to_string()).unwrap(), code);
        assert_eq!(encode_cp932(&twin.to_string()).unwrap(), code);
        assert_eq!(canonical(&twin.to_string()), read.to_string());
    }
}

#[test]
fn both_codes_of_one_kanji_meet() {
    assert_eq!(decode_cp932(b"\xEE\xE0").text, "髙");
    assert_eq!(canonical_bytes(b"\xEE\xE0"), b"\xFB\xFC");
    assert_eq!(canonical_bytes(b"\xED\x95"), canonical_bytes(b"\xFA\xB1"));
}

#[test]
fn a_character_without_a_code_is_named_with_its_place() {
    let error = encode_cp932("山𠮷").unwrap_err();
    assert_eq!(
        error,
        Unmappable {
            character: '𠮷',
            place: 1
        }
    );
    assert_eq!(error.to_string(), "U+20BB7 is not in CP932 (character 1)");
    for text in ["¥", "‾", "\u{80}", "\u{FFFD}", "é", "葛\u{E0101}"] {
        assert!(encode_cp932(text).is_err(), "{text}");
    }
}

#[test]
fn bytes_without_a_character_keep_their_place_and_hex() {
    let decoded = decode_cp932(b"A\x81\xADB\xFF\x80");
    assert_eq!(decoded.text, "A\u{FFFD}B\u{FFFD}\u{FFFD}");
    let found: Vec<_> = decoded
        .unmapped
        .iter()
        .map(|u| (u.offset, u.hex()))
        .collect();
    assert_eq!(
        found,
        [(1, "81AD".into()), (4, "FF".into()), (5, "80".into())]
    );
}

#[test]
fn half_a_letter_does_not_swallow_the_end_of_its_field() {
    assert_eq!(decode_cp932(b"\x8E\",").text, "\u{FFFD}\",");
    assert_eq!(decode_cp932(b"\x8E\r\n").text, "\u{FFFD}\r\n");
}

#[test]
fn lengths_are_those_of_old_columns() {
    assert_eq!(cp932_len("山ﾀA"), Some(4));
    assert_eq!(cp932_len("𠮷"), None);
}

fn sjis(text: &str) -> Vec<u8> {
    encode_cp932(text).unwrap()
}

#[test]
fn a_file_is_taken_for_what_it_is() {
    let is = |bytes: &[u8]| detect(bytes).map(|d| (d.encoding, d.evidence));
    assert_eq!(is(b""), Ok((Encoding::Utf8, Evidence::Ascii)));
    assert_eq!(is(b"\xEF\xBB\xBFa"), Ok((Encoding::Utf8, Evidence::Bom)));
    assert_eq!(
        is("山田".as_bytes()),
        Ok((Encoding::Utf8, Evidence::StrictUtf8))
    );
    assert_eq!(
        is(&sjis("山田")),
        Ok((Encoding::Cp932, Evidence::WholeCp932))
    );
    assert_eq!(is(b"\xFF\xFEa\0"), Err(Unsupported));
}

#[test]
fn half_width_kana_that_happen_to_be_utf8_are_still_kana() {
    let bytes = sjis("ﾃｱ,1");
    assert!(std::str::from_utf8(&bytes).is_ok());
    assert_eq!(detect(&bytes).unwrap().encoding, Encoding::Cp932);
    assert_eq!(decode_line(&bytes, Encoding::Cp932).text, "ﾃｱ,1");
}

#[test]
fn a_mixed_file_names_the_lines_of_the_other_set() {
    let mut bytes = b"\xEF\xBB\xBF\xE9\xA0\x85\xE7\x9B\xAE\r\n".to_vec();
    bytes.extend(sjis("山田\r\n"));
    let detection = detect(&bytes).unwrap();
    assert_eq!(
        (detection.evidence, detection.suspect_lines),
        (Evidence::Bom, vec![2])
    );

    let mut bytes = sjis("山田\n佐藤\n");
    bytes.extend("鈴木\n".as_bytes());
    let detection = detect(&bytes).unwrap();
    assert_eq!(detection.evidence, Evidence::Mixed);
    assert_eq!(
        (detection.encoding, detection.suspect_lines),
        (Encoding::Cp932, vec![3])
    );
}

#[test]
fn a_line_of_the_other_set_is_read_all_the_same() {
    let read = |line: &[u8], file| decode_line(line, file).text;
    assert_eq!(read("鈴木".as_bytes(), Encoding::Cp932), "鈴木");
    assert_eq!(read(&sjis("鈴木"), Encoding::Utf8), "鈴木");
    assert_eq!(
        decode_line(b"abc", Encoding::Cp932).encoding,
        Encoding::Cp932
    );
    assert_eq!(
        decode_line(b"a\xFF", Encoding::Utf8).unmapped[0].hex(),
        "FF"
    );
}

proptest! {
    #[test]
    fn what_can_be_encoded_comes_back(text in "[ -~ｱ-ﾝぁ-んァ-ヶ一-龠０-９Ａ-Ｚ\u{E000}-\u{E757}]*") {
        if let Ok(bytes) = encode_cp932(&text) {
            prop_assert_eq!(decode_cp932(&bytes).text, canonical(&text));
            prop_assert_eq!(canonical_bytes(&bytes), bytes);
        }
    }

    #[test]
    fn no_bytes_are_lost(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let decoded = decode_cp932(&bytes);
        let again = decoded.to_cp932().unwrap();
        prop_assert_eq!(again.len(), bytes.len());
        prop_assert_eq!(decode_cp932(&again), decoded);
        prop_assert!(detect(&bytes).is_ok_and(|d| d.suspect_lines.len() <= 1000) || bytes.len() >= 2);
    }
}
