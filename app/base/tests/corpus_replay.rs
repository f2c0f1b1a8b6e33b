//! Replays every file of `tests/corpus`: nothing breaks, and nothing reads differently than before.
//!
//! A file that once broke something goes into the corpus under the name of what it shows. The
//! snapshots are reviewed like code: a changed line is a changed meaning of old data.

#![cfg(test)]

use std::fmt::Write as _;
use std::path::Path;

use base::{charset, number, text, wareki};

/// Characters of one answer kept in a snapshot; long inputs are there for their length alone.
const SHOWN_MAX: usize = 80;

fn replay(class: &str, answer: impl Fn(&[u8]) -> String) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(class);
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 10, "the corpus of {class} is missing");
    let mut told = String::new();
    for file in files {
        let answer = answer(&std::fs::read(&file).unwrap());
        let name = file.file_name().unwrap().to_string_lossy();
        writeln!(told, "{name}: {answer}").unwrap();
    }
    told
}

fn shown(text: &str) -> String {
    text.escape_debug()
        .to_string()
        .chars()
        .take(SHOWN_MAX)
        .collect()
}

#[test]
fn dates_are_read_as_before() {
    insta::assert_snapshot!(replay("wareki", |bytes| {
        match wareki::parse(&String::from_utf8_lossy(bytes)) {
            Ok(wareki::Parsed {
                date,
                warning: None,
            }) => date.iso(),
            Ok(wareki::Parsed {
                date,
                warning: Some(odd),
            }) => format!("{} ({odd:?})", date.iso()),
            Err(problem) => format!("{problem:?}"),
        }
    }));
}

#[test]
fn bytes_are_read_as_before() {
    insta::assert_snapshot!(replay("cp932", |bytes| {
        let decoded = charset::decode_cp932(bytes);
        let lost: Vec<_> = decoded
            .unmapped
            .iter()
            .map(|u| format!("{}@{}", u.hex(), u.offset))
            .collect();
        let taken = charset::detect(bytes).map_or_else(
            |_| "refused".to_owned(),
            |d| format!("{:?} {:?} {:?}", d.encoding, d.evidence, d.suspect_lines),
        );
        let canonical = charset::canonical_bytes(bytes);
        let hex: String = canonical.iter().map(|byte| format!("{byte:02X}")).collect();
        format!(
            "{taken} | {} | {hex} | {}",
            shown(&decoded.text),
            lost.join(" ")
        )
    }));
}

#[test]
fn letters_are_folded_as_before() {
    insta::assert_snapshot!(replay("text", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let address = text::address_key(&text);
        let all = [
            text::kana_display(&text),
            text::kana_key(&text),
            text::kana_loose(&text),
            text::kanji_key(&text),
            text::half_width_kana(&text),
            format!("{}+{}", address.main, address.building),
            text::graphemes(&text).to_string(),
            number::my_number_like(&text).to_string(),
        ];
        all.map(|answer| shown(&answer)).join(" | ")
    }));
}
