//! The character sets of old files: which one it is, what it says, and the way back.
//!
//! Shape: [`detect`] looks at a whole file, [`decode_line`] reads one line of it and falls back to
//! the other set for that line alone; [`decode_cp932`] and [`encode_cp932`] are exact.
//! Invariant: no byte is lost. What has no character is reported with its offset and bytes, and
//! [`Decoded::to_cp932`] puts it back.
//! Source: WHATWG Encoding Standard (index jis0208), Microsoft code page 932.

mod cp932;
mod detect;
#[cfg(test)]
mod tests;

pub use cp932::{
    Decoded, Unmappable, Unmapped, canonical, canonical_bytes, cp932_len, decode_cp932,
    encode_cp932,
};
pub use detect::{Detection, Encoding, Evidence, Line, Unsupported, decode_line, detect};
