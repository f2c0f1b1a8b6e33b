//! A delivered CSV, record by record: never more of it in memory than one record.
//!
//! Invariant: no byte is dropped in silence; a line in another character set is read in that one
//! and marked, bytes without a character stand as U+FFFD.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use base::charset::{Encoding, decode_line, detect};
use ring::digest::{Context, SHA256};

use super::error::{FileProblem, ImportError};
use super::model::EncodingChoice;

/// Longest record, bytes. The longest free text of the old system is 2,000 letters.
const RECORD_BYTES_MAX: usize = 1 << 20;
/// So much of a file decides its character set; each later line is still judged by itself.
const SAMPLE_BYTES: u64 = 4 << 20;
const BUFFER_BYTES: usize = 1 << 16;
/// Most records are shorter than this.
const CELLS_BUFFER_BYTES: usize = 1 << 10;
/// Ctrl-Z, which old systems write behind the last line.
const END_MARK: &[u8] = b"\x1A";

pub(super) struct Record {
    /// Where it begins, from 1; the header is line 1.
    pub(super) line: u64,
    pub(super) cells: Vec<String>,
    /// Some line of it is in another character set than the file.
    pub(super) mixed: bool,
    /// The quotes do not close.
    pub(super) open_quote: bool,
}

pub(super) struct Records {
    path: PathBuf,
    input: BufReader<File>,
    digest: Context,
    pub(super) encoding: Encoding,
    pub(super) size: u64,
    pub(super) done: u64,
    line: u64,
}

impl Records {
    pub(super) fn open(path: &Path, choice: EncodingChoice) -> Result<Self, ImportError> {
        let failed = |source| ImportError::Read {
            path: path.to_owned(),
            source,
        };
        let refused = |problem| ImportError::File {
            path: path.to_owned(),
            problem,
        };
        let mut file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        if size == 0 {
            return Err(refused(FileProblem::Empty));
        }
        let mut sample = Vec::new();
        Read::by_ref(&mut file)
            .take(SAMPLE_BYTES)
            .read_to_end(&mut sample)
            .map_err(failed)?;
        file.rewind().map_err(failed)?;
        let whole_lines = sample
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(sample.len(), |at| at + 1);
        let detected = detect(sample.get(..whole_lines).unwrap_or(&sample));
        let encoding = match (choice, detected) {
            (_, Err(_utf16)) => return Err(refused(FileProblem::Utf16)),
            (EncodingChoice::Auto, Ok(found)) => found.encoding,
            (EncodingChoice::Cp932, Ok(_)) => Encoding::Cp932,
            (EncodingChoice::Utf8, Ok(_)) => Encoding::Utf8,
        };
        Ok(Self {
            path: path.to_owned(),
            input: BufReader::with_capacity(BUFFER_BYTES, file),
            digest: Context::new(&SHA256),
            encoding,
            size,
            done: 0,
            line: 0,
        })
    }

    /// The next record; blank lines are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Record>, ImportError> {
        loop {
            let first_line = self.line + 1;
            let Some(raw) = self.raw()? else {
                return Ok(None);
            };
            if raw
                .lines
                .iter()
                .all(|line| line.is_empty() || line.as_slice() == END_MARK)
            {
                continue;
            }
            let mut text = String::new();
            let mut mixed = false;
            for (place, line) in raw.lines.iter().enumerate() {
                if place > 0 {
                    text.push('\n');
                }
                let read = decode_line(line, self.encoding);
                mixed |= read.encoding != self.encoding && !line.is_ascii();
                text.push_str(&read.text);
            }
            let cells = cells(&text);
            let open_quote = cells.is_none();
            return Ok(Some(Record {
                line: first_line,
                cells: cells.unwrap_or_default(),
                mixed,
                open_quote,
            }));
        }
    }

    /// Physical lines until the quotes close. A quote is no second byte in either set.
    fn raw(&mut self) -> Result<Option<Raw>, ImportError> {
        let mut raw = Raw {
            lines: Vec::new(),
            bytes: 0,
        };
        let mut quotes = 0_usize;
        loop {
            let mut line = Vec::new();
            let left = RECORD_BYTES_MAX.saturating_sub(raw.bytes) + 1;
            let mut limited =
                Read::by_ref(&mut self.input).take(u64::try_from(left).unwrap_or(u64::MAX));
            let read =
                limited
                    .read_until(b'\n', &mut line)
                    .map_err(|source| ImportError::Read {
                        path: self.path.clone(),
                        source,
                    })?;
            if read == 0 {
                return Ok((!raw.lines.is_empty()).then_some(raw));
            }
            self.digest.update(&line);
            self.done += u64::try_from(read).unwrap_or(u64::MAX);
            self.line += 1;
            raw.bytes += read;
            if raw.bytes > RECORD_BYTES_MAX {
                return Err(ImportError::File {
                    path: self.path.clone(),
                    problem: FileProblem::LineTooLong(self.line),
                });
            }
            quotes += line.iter().filter(|byte| **byte == b'"').count();
            while matches!(line.last(), Some(b'\n' | b'\r')) {
                line.pop();
            }
            raw.lines.push(line);
            if quotes.is_multiple_of(2) {
                return Ok(Some(raw));
            }
        }
    }

    /// SHA-256 of all that was read, hexadecimal.
    pub(super) fn sha256(&self) -> String {
        data_encoding::HEXLOWER.encode(self.digest.clone().finish().as_ref())
    }
}

struct Raw {
    lines: Vec<Vec<u8>>,
    bytes: usize,
}

/// Splits one record; nothing when its quotes do not close or end in the middle of it.
fn cells(text: &str) -> Option<Vec<String>> {
    if !text.matches('"').count().is_multiple_of(2) {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .buffer_capacity(CELLS_BUFFER_BYTES)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let cells = records.next()?.ok()?;
    // Joined lines that are two records all the same: a quote stands in the middle of a cell.
    records
        .next()
        .is_none()
        .then(|| cells.iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_follow_the_rules_of_csv() {
        assert_eq!(
            cells("a,\"b,\"\"c\"\"\nd\",").unwrap(),
            ["a", "b,\"c\"\nd", ""]
        );
        assert_eq!(cells("a,\"b"), None);
        assert_eq!(cells("a\"b\nc\"d,e"), None, "two records in one");
        assert_eq!(cells("a\"b\"c,\rd").unwrap(), ["a\"b\"c", "\rd"]);
    }

    fn read_all(bytes: &[u8]) -> Vec<Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        base::paths::write_atomic(&path, bytes, 0o600).unwrap();
        let Ok(mut records) = Records::open(&path, EncodingChoice::Utf8) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        while let Ok(Some(record)) = records.next() {
            all.push(record.cells);
        }
        assert!(records.done <= records.size);
        all
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config {
            cases: 64, failure_persistence: None, ..proptest::test_runner::Config::default()
        })]

        #[test]
        fn no_bytes_at_all_break_the_reader(bytes in proptest::collection::vec(
            proptest::prop_oneof![
                proptest::prelude::any::<u8>(),
                proptest::sample::select(b"\",\r\n\0\x1a\x81\x5c".to_vec()),
            ], 1..400)) {
            read_all(&bytes);
        }

        #[test]
        fn what_a_csv_writer_wrote_is_read_again(rows in proptest::collection::vec(
            proptest::collection::vec("[ぁ-んa-z0-9\",\n 　]{1,8}", 3), 1..8)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let read = read_all(&writer.into_inner().unwrap());
            proptest::prop_assert_eq!(read, rows);
        }
    }

    #[test]
    fn a_record_may_span_lines_and_a_foreign_line_is_marked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        let mut bytes =
            base::charset::encode_cp932("番号,文\r\n1,\"一行目\r\n二行目\"\r\n").unwrap();
        bytes.extend("2,日本語\r\n\u{1A}".as_bytes());
        base::paths::write_atomic(&path, &bytes, 0o600).unwrap();
        let mut records = Records::open(&path, EncodingChoice::Auto).unwrap();
        assert_eq!(records.next().unwrap().unwrap().cells, ["番号", "文"]);
        let second = records.next().unwrap().unwrap();
        assert_eq!(
            (second.line, second.cells[1].as_str()),
            (2, "一行目\n二行目")
        );
        assert!(!second.mixed);
        let third = records.next().unwrap().unwrap();
        assert_eq!(
            (third.line, third.mixed, third.cells[1].as_str()),
            (4, true, "日本語")
        );
        assert!(records.next().unwrap().is_none());
    }
}
