//! Code page 932, byte for byte.

use encoding_rs::SHIFT_JIS;

const PUA_FIRST: u32 = 0xE000;
const PUA_LAST: u32 = 0xE757;
const TRAILS_PER_LEAD: u32 = 188;

/// CP932 as text, with the bytes that no character stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text; U+FFFD stands where bytes could not be decoded.
    pub text: String,
    /// Those bytes, in order; the nth belongs to the nth U+FFFD of the text.
    pub unmapped: Vec<Unmapped>,
}

/// Bytes without a character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// Where they begin, in bytes from the start of what was decoded.
    pub offset: usize,
    /// One byte, or a pair of which the second could only be a second.
    pub bytes: Vec<u8>,
}

impl Unmapped {
    /// The bytes as upper-case hex, as findings print them: `81AD`.
    #[must_use]
    pub fn hex(&self) -> String {
        self.bytes
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }
}

/// A character that CP932 does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("U+{:04X} is not in CP932 (character {place})", u32::from(*character))]
pub struct Unmappable {
    /// The character.
    pub character: char,
    /// Its place in the text, in characters from 0.
    pub place: usize,
}

impl Decoded {
    /// The bytes again, undecodable ones included; duplicate codes come back in one form.
    ///
    /// # Errors
    /// [`Unmappable`] when the text was changed to hold a character CP932 does not have.
    pub fn to_cp932(&self) -> Result<Vec<u8>, Unmappable> {
        let mut lost = self.unmapped.iter();
        let mut out = Vec::with_capacity(self.text.len());
        for (place, character) in self.text.chars().enumerate() {
            if character == char::REPLACEMENT_CHARACTER {
                let kept = lost.next().ok_or(Unmappable { character, place })?;
                out.extend_from_slice(&kept.bytes);
            } else {
                push_char(&mut out, character).ok_or(Unmappable { character, place })?;
            }
        }
        Ok(out)
    }
}

/// Decodes CP932; the user area F040–F9FC becomes U+E000–U+E757.
///
/// Shape: never fails and never drops a byte, see [`Decoded`]. Both codes of a character that has
/// two (髙 is EEE0 and FBFC) give the same text.
#[must_use]
pub fn decode_cp932(bytes: &[u8]) -> Decoded {
    let whole = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes);
    if let Some(text) = whole.filter(|text| !text.contains('\u{80}')) {
        return Decoded {
            text: text.into_owned(),
            unmapped: Vec::new(),
        };
    }
    decode_by_character(bytes)
}

fn decode_by_character(bytes: &[u8]) -> Decoded {
    let mut decoded = Decoded {
        text: String::with_capacity(bytes.len()),
        unmapped: Vec::new(),
    };
    let mut offset = 0;
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        let unit = rest.get(..unit_length(rest)).unwrap_or(rest);
        match SHIFT_JIS.decode_without_bom_handling_and_without_replacement(unit) {
            Some(text) if text != "\u{80}" => decoded.text.push_str(&text),
            Some(_) | None => {
                decoded.text.push(char::REPLACEMENT_CHARACTER);
                decoded.unmapped.push(Unmapped {
                    offset,
                    bytes: unit.to_vec(),
                });
            }
        }
        offset += unit.len();
    }
    decoded
}

/// Two where a lead byte is followed by a possible trail byte; a comma, a quote or a line end
/// behind a lead byte is left alone, so that a cut-off letter does not swallow its field's end.
fn unit_length(bytes: &[u8]) -> usize {
    match bytes {
        [0x81..=0x9F | 0xE0..=0xFC, 0x40..=0x7E | 0x80..=0xFC, ..] => 2,
        _ => 1,
    }
}

/// Encodes text as CP932; U+E000–U+E757 become the user area again.
///
/// Shape: twins that other systems write (〜 U+301C, − U+2212, ‖, —, ¢, £, ¬) become the form that
/// decoding gives.
/// # Errors
/// [`Unmappable`] for the first character CP932 does not have; nothing is replaced silently.
pub fn encode_cp932(text: &str) -> Result<Vec<u8>, Unmappable> {
    let mut out = Vec::with_capacity(text.len());
    for (place, character) in text.chars().enumerate() {
        push_char(&mut out, character).ok_or(Unmappable { character, place })?;
    }
    Ok(out)
}

/// The length of `text` in CP932 bytes, as limits in old systems count; nothing when it has none.
#[must_use]
pub fn cp932_len(text: &str) -> Option<usize> {
    encode_cp932(text).ok().map(|bytes| bytes.len())
}

/// Text with the twins of CP932 characters in the form that decoding gives: 〜 U+301C is ～ U+FF5E.
#[must_use]
pub fn canonical(text: &str) -> String {
    text.chars().map(canonical_char).collect()
}

/// CP932 bytes with one code for each character, for hashing and comparing.
///
/// Shape: NEC selected and IBM codes of one kanji meet; undecodable bytes stay as they are.
#[must_use]
pub fn canonical_bytes(bytes: &[u8]) -> Vec<u8> {
    let decoded = decode_cp932(bytes);
    // What was just decoded can be encoded; a test tries every pair of bytes.
    decoded.to_cp932().unwrap_or_else(|_| bytes.to_vec())
}

fn canonical_char(c: char) -> char {
    match c {
        '\u{301C}' => '\u{FF5E}',
        '\u{2212}' => '\u{FF0D}',
        '\u{2016}' => '\u{2225}',
        '\u{2014}' => '\u{2015}',
        '\u{00A2}' => '\u{FFE0}',
        '\u{00A3}' => '\u{FFE1}',
        '\u{00AC}' => '\u{FFE2}',
        c => c,
    }
}

fn push_char(out: &mut Vec<u8>, c: char) -> Option<()> {
    let c = canonical_char(c);
    match u32::from(c) {
        0..=0x7F => out.push(u8::try_from(u32::from(c)).ok()?),
        code @ PUA_FIRST..=PUA_LAST => out.extend(user_area(code)?),
        // The encoder would write ¥ and ‾ as \ and ~, which do not come back as themselves.
        0x80 | 0xA5 | 0x203E => return None,
        _ => {
            let mut buffer = [0; 4];
            let (bytes, _, failed) = SHIFT_JIS.encode(c.encode_utf8(&mut buffer));
            if failed {
                return None;
            }
            out.extend_from_slice(&bytes);
        }
    }
    Some(())
}

fn user_area(code: u32) -> Option<[u8; 2]> {
    let place = code - PUA_FIRST;
    let (lead, trail) = (0xF0 + place / TRAILS_PER_LEAD, place % TRAILS_PER_LEAD);
    // 7F is no trail byte.
    let trail = if trail < 0x3F {
        0x40 + trail
    } else {
        0x41 + trail
    };
    Some([u8::try_from(lead).ok()?, u8::try_from(trail).ok()?])
}
