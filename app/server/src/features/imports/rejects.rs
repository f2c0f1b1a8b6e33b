//! The lists that an operator works through: refused rows, and rows loaded with a warning.
//!
//! Invariant: no value of a person in them, only where to look; still only their owner may read.

use std::path::{Path, PathBuf};

use base::paths::{MODE_PRIVATE, PathError, write_atomic};

use super::convert::Finding;

/// Excel takes a CSV for UTF-8 only with this in front.
const BOM: &str = "\u{FEFF}";
/// Findings kept in one list; more is no work for a person.
const FINDINGS_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct List(Vec<Finding>);

impl List {
    pub(super) fn extend(&mut self, findings: Vec<Finding>) {
        let room = FINDINGS_MAX.saturating_sub(self.0.len());
        self.0.extend(findings.into_iter().take(room));
    }

    /// Writes `<file>.<kind>.csv`; nothing when there is nothing to say.
    pub(super) fn write(
        &self,
        dir: &Path,
        file: &str,
        kind: &str,
    ) -> Result<Option<PathBuf>, PathError> {
        let path = dir.join(format!("{file}.{kind}.csv"));
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut text = format!("{BOM}行,列,検出,理由,提案\r\n");
        for Finding {
            line,
            column,
            found,
        } in &self.0
        {
            text.push_str(&format!(
                "{line},{column},{},{},{}\r\n",
                found.id, found.reason, found.proposal
            ));
        }
        write_atomic(&path, text.as_bytes(), MODE_PRIVATE)?;
        Ok(Some(path))
    }
}
