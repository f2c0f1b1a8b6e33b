//! What an import is told, what it finds, what it did. No I/O.

use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One kind of delivered file, in the order in which they must be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feed {
    /// 住民記録 (個人).
    Residents,
    /// 住民記録 (世帯).
    Households,
    /// 介護保険 資格.
    Insured,
    /// 介護保険 認定履歴.
    Certifications,
    /// 相談記録 of the old system.
    Consultations,
}

impl Feed {
    /// All of them, in the order of loading.
    pub const ALL: &'static [Self] = &[
        Self::Residents,
        Self::Households,
        Self::Insured,
        Self::Certifications,
        Self::Consultations,
    ];

    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Residents => "residents",
            Self::Households => "households",
            Self::Insured => "insured",
            Self::Certifications => "certifications",
            Self::Consultations => "consultations",
        }
    }

    /// As staff read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Residents => "住民記録（個人）",
            Self::Households => "住民記録（世帯）",
            Self::Insured => "介護保険 資格",
            Self::Certifications => "介護保険 認定履歴",
            Self::Consultations => "相談記録",
        }
    }

    /// The feed of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|feed| feed.code() == code)
    }
}

/// How the bytes of a file are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodingChoice {
    /// Find out per file.
    Auto,
    /// CP932, whatever it looks like.
    Cp932,
    /// UTF-8, whatever it looks like.
    Utf8,
}

/// What an import is told.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Character set.
    pub encoding: EncodingChoice,
    /// A mapping that replaces the shipped one of its feed.
    pub mapping: Option<PathBuf>,
    /// The day that "future" and "valid" are measured by.
    pub today: Date,
    /// Where `<file>.rejects.csv` and `<file>.warnings.csv` go.
    pub reject_dir: PathBuf,
}

/// How far a step is. Units: bytes while reading, rows while writing.
#[derive(Debug, Clone)]
pub struct Progress {
    /// What is being done, in Japanese.
    pub step: String,
    /// So much is done.
    pub done: u64,
    /// Of so much.
    pub total: u64,
}

/// What a row does to the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Not known before.
    New,
    /// Some column differs.
    Changed,
    /// Lives elsewhere in the city now.
    Moved,
    /// Died.
    Died,
    /// Moved out or was struck off.
    Left,
}

impl ChangeKind {
    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Died => "died",
            Self::Left => "left",
        }
    }
}

/// Rows of one file by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows of data in the file.
    pub read: u64,
    /// Rows that are in the database afterwards, unchanged ones included.
    pub loaded: u64,
    /// Of these, with something odd about them.
    pub warned: u64,
    /// Rows left out, each with its reason in the reject file.
    pub rejected: u64,
    /// Not known before.
    pub new: u64,
    /// Changed otherwise.
    pub changed: u64,
    /// Moved within the city.
    pub moved: u64,
    /// Died.
    pub died: u64,
    /// Left the city.
    pub left: u64,
    /// As before.
    pub unchanged: u64,
    /// Known to us and not in the file. Nothing is done about them.
    pub absent: u64,
}

impl Counts {
    pub(super) fn add(&mut self, kind: ChangeKind) {
        let place = match kind {
            ChangeKind::New => &mut self.new,
            ChangeKind::Changed => &mut self.changed,
            ChangeKind::Moved => &mut self.moved,
            ChangeKind::Died => &mut self.died,
            ChangeKind::Left => &mut self.left,
        };
        *place += 1;
    }
}

/// A row that will change, by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// What happens.
    pub kind: ChangeKind,
    /// Row of the feed's table; `None` for a new one.
    pub record_id: Option<i64>,
    /// Line in the file.
    pub line: u64,
    /// Columns that differ.
    pub fields: Vec<String>,
}

/// One file of a plan, without anything of a person.
#[derive(Debug, Clone, Serialize)]
pub struct FileSummary {
    /// Name of the file.
    pub file: String,
    /// What it is.
    pub feed: Feed,
    /// The set it was read in: `cp932` or `utf-8`.
    pub encoding: &'static str,
    /// Rows by outcome.
    pub counts: Counts,
    /// Findings by detector, D01 to D25.
    pub findings: std::collections::BTreeMap<&'static str, u64>,
    /// The first rows that will change.
    pub examples: Vec<Example>,
    /// List of refused rows, when there are any.
    pub rejects_file: Option<PathBuf>,
    /// List of rows loaded with a warning, when there are any.
    pub warnings_file: Option<PathBuf>,
}

/// All files of a plan; what `--json` prints.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// In the order of loading.
    pub files: Vec<FileSummary>,
}

/// One row to be written. Everything else of the file is already as it should be.
#[derive(Clone)]
pub(super) struct RowPlan {
    pub(super) id: Option<i64>,
    pub(super) kind: ChangeKind,
    /// Names of changed columns, comma separated.
    pub(super) fields: Box<str>,
    /// The values, see [`super::pack`].
    pub(super) row: Box<str>,
}

impl std::fmt::Debug for RowPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowPlan")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(super) struct FilePlan {
    pub(super) summary: FileSummary,
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) rows: Vec<RowPlan>,
}

/// What imports had happened when a plan was made: it holds only as long as this does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) last_import: i64,
    pub(super) undos: i64,
}

/// Differences found, ready to be applied. Nothing of it is in the database yet.
#[derive(Debug)]
pub struct Plan {
    pub(super) files: Vec<FilePlan>,
    pub(super) stamp: Stamp,
}

impl Plan {
    /// Rows that cannot be loaded, over all files.
    pub fn rejected(&self) -> u64 {
        self.files
            .iter()
            .map(|file| file.summary.counts.rejected)
            .sum()
    }

    /// Rows that would be written, over all files.
    pub fn changes(&self) -> u64 {
        let rows = |file: &FilePlan| u64::try_from(file.rows.len()).unwrap_or(u64::MAX);
        self.files.iter().map(rows).sum()
    }

    /// The whole plan without anything of a person.
    pub fn summary(&self) -> Summary {
        Summary {
            files: self.files.iter().map(|file| file.summary.clone()).collect(),
        }
    }

    /// The plan in Japanese, line by line.
    pub fn lines(&self) -> Vec<String> {
        self.files
            .iter()
            .flat_map(|file| super::view::plan_lines(&file.summary))
            .collect()
    }
}

/// What was applied.
#[derive(Debug, Clone, Serialize)]
pub struct Applied {
    /// Ids of the imports, one per file.
    pub imports: Vec<i64>,
    /// Rows written.
    pub written: u64,
    /// Corrections by staff that the register now contradicts.
    pub conflicts: u64,
}

/// What was taken back.
#[derive(Debug, Clone, Serialize)]
pub struct Undone {
    /// Ids of the imports, one per file.
    pub imports: Vec<i64>,
    /// Rows that hold their former values again.
    pub restored: u64,
    /// Rows that are gone because the import had brought them.
    pub removed: u64,
}
