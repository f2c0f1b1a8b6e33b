//! Which of two sets a file is in, and which of its lines are not.

use super::cp932::{Unmapped, decode_cp932};

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// Suspect lines listed for one file; more say nothing new.
const SUSPECTS_MAX: usize = 1000;

/// A character set we read and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Code page 932, which Windows calls Shift JIS.
    Cp932,
    /// UTF-8.
    Utf8,
}

/// Why a file is taken for what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Only ASCII: both sets read the same.
    Ascii,
    /// It begins with the mark of UTF-8.
    Bom,
    /// All of it is UTF-8, and that does not happen by chance.
    StrictUtf8,
    /// All of it is CP932.
    WholeCp932,
    /// Neither holds for the whole file; the set most lines are in.
    Mixed,
}

/// What a file was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// The set to read it in.
    pub encoding: Encoding,
    /// Why.
    pub evidence: Evidence,
    /// Lines (from 1) that are in the other set or in none: finding D19. At most 1000.
    pub suspect_lines: Vec<u64>,
}

/// A file in a set we do not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file begins with the mark of UTF-16")]
pub struct Unsupported;

/// One line, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The text; U+FFFD stands where bytes could not be decoded.
    pub text: String,
    /// The set it was read in, which may not be the file's.
    pub encoding: Encoding,
    /// Bytes without a character, offsets from the start of the line.
    pub unmapped: Vec<Unmapped>,
}

/// Says which set a file is in: mark, then strict UTF-8, then CP932, then the set of most lines.
///
/// Shape: UTF-8 without a single letter of three bytes is not believed when it is CP932 as well:
/// half-width kana (C3 B1 is ﾃｱ) pass as UTF-8 by chance, Japanese UTF-8 has three-byte letters.
/// # Errors
/// [`Unsupported`] for UTF-16.
pub fn detect(bytes: &[u8]) -> Result<Detection, Unsupported> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Unsupported);
    }
    let whole = |encoding, evidence| Detection {
        encoding,
        evidence,
        suspect_lines: Vec::new(),
    };
    if let Some(rest) = bytes.strip_prefix(BOM) {
        let suspect_lines = suspects(rest, Encoding::Utf8);
        return Ok(Detection {
            suspect_lines,
            ..whole(Encoding::Utf8, Evidence::Bom)
        });
    }
    if bytes.is_ascii() {
        return Ok(whole(Encoding::Utf8, Evidence::Ascii));
    }
    if is_japanese_utf8(bytes) {
        return Ok(whole(Encoding::Utf8, Evidence::StrictUtf8));
    }
    let (utf8, cp932) = lines(bytes).fold((0_u64, 0_u64), |(utf8, cp932), line| {
        let looks_utf8 = !line.is_ascii() && is_japanese_utf8(line);
        (
            utf8 + u64::from(looks_utf8),
            cp932 + u64::from(!line.is_ascii() && !looks_utf8),
        )
    });
    let cp932_only = utf8 == 0 && decode_cp932(bytes).unmapped.is_empty();
    if cp932_only {
        return Ok(whole(Encoding::Cp932, Evidence::WholeCp932));
    }
    let all_utf8 = std::str::from_utf8(bytes).is_ok();
    if all_utf8 {
        return Ok(whole(Encoding::Utf8, Evidence::StrictUtf8));
    }
    let encoding = if utf8 > cp932 {
        Encoding::Utf8
    } else {
        Encoding::Cp932
    };
    let suspect_lines = suspects(bytes, encoding);
    Ok(Detection {
        suspect_lines,
        ..whole(encoding, Evidence::Mixed)
    })
}

/// Reads one line in the file's set, or in the other where only that one fits.
///
/// Shape: `line` without its line end; a mark of UTF-8 at its start is dropped.
#[must_use]
pub fn decode_line(line: &[u8], file: Encoding) -> Line {
    let line = line.strip_prefix(BOM).unwrap_or(line);
    let utf8 = std::str::from_utf8(line).ok();
    let fits = match file {
        Encoding::Utf8 => utf8,
        Encoding::Cp932 => utf8.filter(|text| text.is_ascii() || has_long_letter(text)),
    };
    if let Some(text) = fits {
        let encoding = if text.is_ascii() {
            file
        } else {
            Encoding::Utf8
        };
        return Line {
            text: text.to_owned(),
            encoding,
            unmapped: Vec::new(),
        };
    }
    let decoded = decode_cp932(line);
    Line {
        text: decoded.text,
        encoding: Encoding::Cp932,
        unmapped: decoded.unmapped,
    }
}

fn suspects(bytes: &[u8], encoding: Encoding) -> Vec<u64> {
    let numbered = (1_u64..).zip(lines(bytes));
    let odd = numbered.filter(|(_, line)| {
        let read = decode_line(line, encoding);
        read.encoding != encoding || !read.unmapped.is_empty()
    });
    odd.map(|(number, _)| number).take(SUSPECTS_MAX).collect()
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    // 0x0A is no second byte in CP932, so a line end is a line end in both sets.
    bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn is_japanese_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(has_long_letter)
}

fn has_long_letter(text: &str) -> bool {
    text.chars().any(|c| c.len_utf8() >= 3)
}
