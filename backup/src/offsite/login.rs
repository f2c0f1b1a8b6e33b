//! Files that hold what a server asks for.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::problem::{OffsiteError, Problem};

/// A login is a line or two.
const BYTES_MAX: u64 = 4_096;
const OTHERS: u32 = 0o077;

/// The first lines of a file that nobody but its owner may read.
pub(super) fn lines(file: &Path, count: usize) -> Result<Vec<String>, OffsiteError> {
    let wrong = |text: String| OffsiteError::new(Problem::LoginFile, text);
    let shown = file.display();
    refuse_open(file)?;
    let opened = std::fs::File::open(file).map_err(|e| wrong(format!("{shown}: {e}")))?;
    let mut text = String::new();
    let read = opened.take(BYTES_MAX).read_to_string(&mut text);
    read.map_err(|e| wrong(format!("{shown}: {e}")))?;
    let lines: Vec<String> = text.lines().take(count).map(str::to_owned).collect();
    if lines.len() < count || lines.iter().any(String::is_empty) {
        return Err(wrong(format!("{shown}: has not {count} lines")));
    }
    Ok(lines)
}

/// Refuses a secret that others of this machine may read.
pub(super) fn refuse_open(file: &Path) -> Result<(), OffsiteError> {
    let wrong = |text: String| OffsiteError::new(Problem::LoginFile, text);
    let shown = file.display();
    let found = std::fs::metadata(file).map_err(|e| wrong(format!("{shown}: {e}")))?;
    if found.mode() & OTHERS != 0 {
        return Err(wrong(format!("{shown}: others may read it")));
    }
    Ok(())
}

/// Refuses one that is not there.
pub(super) fn refuse_absent(file: &Path) -> Result<(), OffsiteError> {
    let found = std::fs::metadata(file);
    found.map(drop).map_err(|e| {
        let text = format!("{}: {e}", file.display());
        OffsiteError::new(Problem::LoginFile, text)
    })
}
