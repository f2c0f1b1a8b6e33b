//! One CSV file as an old system writes it: CP932, CRLF, quotes where needed, row by row.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

/// A file of the town could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The system refused.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A letter has no place in CP932: a table of the crate holds one it must not.
    #[error("a row of {path} cannot be written in CP932")]
    Letter {
        /// The file.
        path: PathBuf,
    },
    /// A row cannot be made CSV.
    #[error("a row of {path} is no CSV")]
    Row {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        source: csv::Error,
    },
}

pub(crate) struct Sheet {
    path: PathBuf,
    part: PathBuf,
    out: BufWriter<File>,
    columns: usize,
}

impl Sheet {
    pub(crate) fn create(dir: &Path, name: &str, header: &[&str]) -> Result<Self, SheetError> {
        let path = dir.join(name);
        let part = dir.join(format!(".{name}.part"));
        let file = File::create(&part).map_err(|source| SheetError::Write {
            path: path.clone(),
            source,
        })?;
        let out = BufWriter::with_capacity(1 << 16, file);
        let mut sheet = Self {
            path,
            part,
            out,
            columns: header.len(),
        };
        sheet.row(header)?;
        Ok(sheet)
    }

    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> Result<(), SheetError> {
        debug_assert_eq!(
            cells.len(),
            self.columns,
            "every row is as wide as the header"
        );
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .buffer_capacity(512)
            .from_writer(Vec::with_capacity(512));
        let wrong = |source| SheetError::Row {
            path: self.path.clone(),
            source,
        };
        writer
            .write_record(cells.iter().map(|cell| cell.as_ref().as_bytes()))
            .map_err(wrong)?;
        let bytes = writer
            .into_inner()
            .map_err(|e| wrong(e.into_error().into()))?;
        let letter = || SheetError::Letter {
            path: self.path.clone(),
        };
        let text = std::str::from_utf8(&bytes).map_err(|_broken| letter())?;
        let bytes = base::charset::encode_cp932(text).map_err(|_unmappable| letter())?;
        let refused = |source| SheetError::Write {
            path: self.path.clone(),
            source,
        };
        self.out.write_all(&bytes).map_err(refused)
    }

    /// Gives the file its name; before this, a file under that name is whole and older.
    pub(crate) fn finish(mut self) -> Result<PathBuf, SheetError> {
        let path = self.path.clone();
        let refused = |source| SheetError::Write {
            path: path.clone(),
            source,
        };
        self.out.flush().map_err(refused)?;
        self.out.get_ref().sync_all().map_err(refused)?;
        std::fs::rename(&self.part, &self.path).map_err(refused)?;
        Ok(path)
    }
}

/// `S12.3.4`; empty for no day.
pub(crate) fn short(day: Option<Date>) -> String {
    wareki(day, base::wareki::Wareki::short)
}

/// `3120304`; empty for no day.
pub(crate) fn code(day: Option<Date>) -> String {
    wareki(day, base::wareki::Wareki::code)
}

/// `3120304`, or eight nines for an end that is open.
pub(crate) fn code_or_open(day: Option<Date>) -> String {
    day.map_or_else(|| "99999999".to_owned(), |day| code(Some(day)))
}

fn wareki(day: Option<Date>, form: fn(base::wareki::Wareki) -> String) -> String {
    let found = day.and_then(|day| base::wareki::Wareki::from_date(day).ok());
    found.map_or_else(String::new, form)
}
