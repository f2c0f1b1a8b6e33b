//! What a file is, by its content; no I/O.
//!
//! Shape: `data/attachment_kinds.toml` names what may be attached and why other things may not. A file
//! is one of the kinds or a sentence for whoever chose it.
//! Limits: [`CONTENT_TYPES_BYTES_MAX`] of an office file are unpacked.
//! Not here: what is inside a PDF or a picture; viruses. See docs/decisions/0026-attachments.md.

use std::io::{Cursor, Read as _};
use std::sync::LazyLock;

use base::charset::decode_cp932;
use serde::Deserialize;
use zip::ZipArchive;

const KINDS: &str = include_str!("../../../data/attachment_kinds.toml");
/// The list of parts of an office file is some kilobytes; a longer one is a trick.
const CONTENT_TYPES_BYTES_MAX: u64 = 1024 * 1024;
const CONTENT_TYPES: &str = "[Content_Types].xml";

/// Something that may be attached.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kind {
    /// As stored.
    pub(super) code: String,
    /// As staff read it.
    pub(super) label: String,
    media: Vec<String>,
    pub(super) content_type: String,
    /// What it is called when it leaves or is saved: nothing of a person.
    pub(super) file: String,
    /// The browser shows it in its window.
    pub(super) shown: bool,
    /// In a sandbox.
    pub(super) boxed: bool,
    accept: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    media: Vec<String>,
    text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kinds: Vec<Kind>,
    refusals: Vec<Refusal>,
}

static FILE: LazyLock<File> = LazyLock::new(|| toml::from_str(KINDS).unwrap_or_default());

/// The kind of a stored code.
pub(super) fn of_code(code: &str) -> Option<&'static Kind> {
    FILE.kinds.iter().find(|kind| kind.code == code)
}

/// What an input that chooses files offers first.
pub(super) fn accepted() -> String {
    let ends = FILE.kinds.iter().flat_map(|kind| &kind.accept);
    ends.map(String::as_str).collect::<Vec<_>>().join(",")
}

/// What these bytes are, or why they may not be attached. Of the name only the end is looked at, and
/// only of a text.
pub(super) fn find(bytes: &[u8], name: &str) -> Result<&'static Kind, &'static str> {
    let media = infer::get(bytes).map(|found| found.mime_type());
    let known = |media: &str| {
        let says = |kind: &&Kind| kind.media.iter().any(|one| one == media);
        FILE.kinds.iter().find(says)
    };
    if let Some(kind) = media.and_then(known) {
        return Ok(kind);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return office(bytes);
    }
    match text_of(bytes) {
        Some((code, text)) => written(code, &text, name, media),
        None if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") => {
            Err(refusal("utf-16"))
        }
        None => Err(refusal(media.unwrap_or_default())),
    }
}

/// A text: no markup, no program, and called like a text.
fn written(
    code: &str,
    text: &str,
    name: &str,
    media: Option<&str>,
) -> Result<&'static Kind, &'static str> {
    if text.trim_start().starts_with('<') {
        return Err(refusal("text/html"));
    }
    if text.starts_with("#!") || media == Some("text/x-shellscript") {
        return Err(refusal("text/x-shellscript"));
    }
    let name = name.to_lowercase();
    let ends = of_code("text").map_or(&[][..], |kind| &kind.accept);
    if name.contains('.') && !ends.iter().any(|end| name.ends_with(end.as_str())) {
        return Err(refusal("script"));
    }
    of_code(code).ok_or_else(|| refusal(""))
}

/// The letters of a text in UTF-8 or Shift_JIS, with the code of its kind; nothing when it is none.
pub(super) fn text_of(bytes: &[u8]) -> Option<(&'static str, String)> {
    let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (code, text) = match std::str::from_utf8(plain) {
        Ok(text) => ("text", text.to_owned()),
        Err(_) => {
            let decoded = decode_cp932(bytes);
            if !decoded.unmapped.is_empty() {
                return None;
            }
            ("text_sjis", decoded.text)
        }
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    (!text.contains(odd)).then_some((code, text))
}

fn refusal(media: &str) -> &'static str {
    let says = |refusal: &&Refusal| refusal.media.iter().any(|one| one == media);
    let rest = |refusal: &&Refusal| refusal.media.is_empty();
    let refusals = &FILE.refusals;
    let found = refusals.iter().find(says).or(refusals.iter().find(rest));
    found.map_or("この種類のファイルは添付できません。", |found| &found.text)
}

/// Word, Excel or PowerPoint of today's form without macros; any other archive is refused.
fn office(bytes: &[u8]) -> Result<&'static Kind, &'static str> {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else {
        return Err(refusal("application/zip"));
    };
    let names = archive.file_names().map(|name| Ok(name?.into_owned()));
    let names: Result<Vec<String>, zip::result::ZipError> = names.collect();
    let Ok(names) = names else {
        return Err(refusal("application/zip"));
    };
    if names.iter().any(|name| is_macro(name)) {
        return Err(refusal("macro"));
    }
    let main = [
        ("word/document.xml", "docx"),
        ("xl/workbook.xml", "xlsx"),
        ("ppt/presentation.xml", "pptx"),
    ];
    let has = |part: &str| names.iter().any(|name| name == part);
    let Some((_, code)) = main.into_iter().find(|(part, _)| has(part)) else {
        return Err(refusal("application/zip"));
    };
    let mut types = String::new();
    let read = archive.by_name(CONTENT_TYPES).ok().and_then(|part| {
        let read = part
            .take(CONTENT_TYPES_BYTES_MAX)
            .read_to_string(&mut types);
        read.ok()
    });
    // Whatever a part is called, this list says what it is.
    match read {
        None => Err(refusal("application/zip")),
        Some(_) if is_macro(&types) => Err(refusal("macro")),
        Some(_) => of_code(code).ok_or_else(|| refusal("")),
    }
}

fn is_macro(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    words.contains("vbaproject") || words.contains("macroenabled")
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use super::*;

    /// An office file with these parts.
    pub(crate) fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            let plain = zip::write::SimpleFileOptions::default();
            writer.start_file(*name, plain).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn code(bytes: &[u8], name: &str) -> Result<&'static str, &'static str> {
        find(bytes, name).map(|kind| kind.code.as_str())
    }

    #[test]
    fn the_kind_is_found_in_the_content_whatever_the_name_says() {
        let docx = packed(&[(CONTENT_TYPES, "<Types/>"), ("word/document.xml", "<w/>")]);
        let xlsx = packed(&[("xl/workbook.xml", "<w/>"), (CONTENT_TYPES, "<Types/>")]);
        for (bytes, name, wanted) in [
            (&b"%PDF-1.7\n%"[..], "a.exe", "pdf"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "a.txt", "jpeg"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a", "png"),
            (b"II*\0\x08\0\0\0\x01\0\0\x01", "a.tif", "tiff"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a.heic", "heic"),
            (&docx, "a.docx", "docx"),
            (&xlsx, "a.zip", "xlsx"),
            ("訪問の記録\n".as_bytes(), "a.txt", "text"),
            (b"\xef\xbb\xbf1,2\r\n", "a.CSV", "text"),
            // 訪問 in Shift_JIS.
            (b"\x96\x4b\x96\xe2\r\n", "a.txt", "text_sjis"),
            // Looks like a bitmap to whoever looks at two letters only.
            (b"BMI 22.1", "a.txt", "text"),
        ] {
            assert_eq!(code(bytes, name), Ok(wanted), "{name}");
        }
    }

    #[test]
    fn what_runs_or_hides_something_is_refused_with_what_to_do() {
        let types =
            "<Override ContentType=\"application/vnd.ms-word.document.macroEnabled.main+xml\"/>";
        let named = packed(&[
            (CONTENT_TYPES, "<Types/>"),
            ("word/document.xml", ""),
            ("word/vbaProject.bin", ""),
        ]);
        let told = packed(&[(CONTENT_TYPES, types), ("word/document.xml", "")]);
        let plain = packed(&[("a.txt", "a")]);
        let elf = [b"\x7fELF\x02\x01\x01", &[0; 60][..]].concat();
        let bare = packed(&[("word/document.xml", "")]);
        for (bytes, name, word) in [
            (&b"MZ\x90\0\x03\0\0\0"[..], "a.pdf", "プログラム"),
            (&elf, "a.txt", "プログラム"),
            (b"#!/bin/sh\nrm\n", "a.txt", "プログラム"),
            (b"<!DOCTYPE html><html></html>", "a.txt", "ウェブページ"),
            (b"\n <svg xmlns=''>", "a.png", "ウェブページ"),
            (
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0",
                "a.xls",
                "古い形式",
            ),
            (&named, "a.docx", "マクロ"),
            (&told, "a.docx", "マクロ"),
            (&plain, "a.docx", "圧縮"),
            (&bare, "a.docx", "圧縮"),
            (b"PK\x03\x04broken", "a.docx", "圧縮"),
            (b"\xff\xfea\0b\0", "a.txt", "UTF-16"),
            (b"del *.*", "a.bat", "プログラムかもしれない"),
            (b"GIF89a\x01\0\x01\0\0\0\0", "a.gif", "この種類"),
            (b"\0\x01\x02\x03", "a.txt", "この種類"),
        ] {
            let refused = code(bytes, name).unwrap_err();
            assert!(refused.contains(word), "{name}: {refused}");
        }
    }

    #[test]
    fn every_kind_and_refusal_of_the_data_is_read() {
        assert_eq!((FILE.kinds.len(), FILE.refusals.len()), (10, 8));
        assert!(accepted().starts_with(".pdf,.jpg"));
        assert!(FILE.kinds.iter().all(|kind| kind.file.is_ascii()));
    }
}
