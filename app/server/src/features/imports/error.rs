//! Why a file is refused as a whole, or an import cannot go on.

use std::path::PathBuf;

use base::paths::PathError;
use base::report::{Kind, Report, Runbook};
use store::StoreError;

/// What is wrong with a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// 0 bytes.
    #[error("no bytes")]
    Empty,
    /// The header is that of no feed.
    #[error("header of no known feed")]
    UnknownFeed,
    /// A column that must be there is not.
    #[error("column {0} is missing")]
    MissingColumn(String),
    /// A column nobody expects.
    #[error("column {0} is unknown")]
    UnknownColumn(String),
    /// A column comes twice.
    #[error("column {0} comes twice")]
    DuplicateColumn(String),
    /// A line does not end within the limit.
    #[error("line {0} does not end within the limit")]
    LineTooLong(u64),
    /// UTF-16.
    #[error("character set that is not read")]
    Utf16,
    /// A second file of a feed in one delivery.
    #[error("second file of feed {0}")]
    SecondOfFeed(&'static str),
    /// A directory without a CSV file, or no file at all.
    #[error("nothing to read")]
    Nothing,
}

impl FileProblem {
    /// What the operator reads, with the next step.
    fn words(&self) -> String {
        match self {
            Self::Empty => "ファイルが空（0バイト）です。もう一度出してもらってください".to_owned(),
            Self::UnknownFeed => "見出し行から何のデータか分かりません。\
                 見出し行があるか確かめるか、--mapping で対応表を渡してください"
                .to_owned(),
            Self::MissingColumn(name) => format!(
                "必要な列「{name}」がありません。\
                 列を加えて出し直してもらうか、--mapping で別の見出しを教えてください"
            ),
            Self::UnknownColumn(name) => format!(
                "知らない列「{name}」があります。\
                 見出しを確かめるか、--mapping の ignored に加えてください"
            ),
            Self::DuplicateColumn(name) => {
                format!("列「{name}」が二つあります。どちらが正しいか確かめ、一つにしてください")
            }
            Self::LineTooLong(line) => format!(
                "{line}行目が 1 MiB を超えても終わりません。\
                 改行か引用符が壊れています。出し直してもらってください"
            ),
            Self::Utf16 => {
                "UTF-16 は読めません。CP932 か UTF-8 で出してもらってください".to_owned()
            }
            Self::SecondOfFeed(_) => {
                "同じ種類のファイルが二つあります。新しいほうだけを渡してください".to_owned()
            }
            Self::Nothing => "読むべき CSV ファイルがありません。場所を確かめてください".to_owned(),
        }
    }
}

/// An import that cannot go on. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file is refused as a whole.
    #[error("file refused")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        problem: FileProblem,
    },
    /// A file cannot be read.
    #[error("cannot read a delivered file")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A mapping cannot be used.
    #[error("mapping cannot be used: {what}")]
    Mapping {
        /// The file; `None` for a shipped one.
        path: Option<PathBuf>,
        /// What is wrong with it.
        what: String,
    },
    /// The list of refused rows cannot be written.
    #[error("cannot write the list of refused rows")]
    Rejects(#[from] PathError),
    /// The database is in the way.
    #[error("database refused")]
    Store(#[from] StoreError),
    /// Another import or undo happened after the plan was made.
    #[error("another import happened since the plan was made")]
    Stale,
    /// No import is left to take back.
    #[error("no import to take back")]
    NothingToUndo,
    /// Staff have worked on what the import brought.
    #[error("{records} records refer to rows of the import")]
    InUse {
        /// How many records.
        records: i64,
    },
}

impl ImportError {
    /// The same failure in the three readers' words.
    pub fn report(self) -> Report {
        let staff = "取込みは行われていません。前の状態のままです。";
        let operator = Runbook::ImportRejected;
        match self {
            Self::File {
                ref path,
                ref problem,
            } => {
                let (at, text) = (path.clone(), problem.words());
                Report::new(Kind::InputFile, self)
                    .staff(staff)
                    .operator(format!("{text}。何も取り込んでいません"), operator)
                    .at(at)
            }
            Self::Read { ref path, .. } => {
                let at = path.clone();
                Report::new(Kind::InputFile, self)
                    .staff(staff)
                    .operator(
                        "ファイルを読めません。場所と権限を確かめてください",
                        operator,
                    )
                    .at(at)
            }
            Self::Mapping { ref path, ref what } => {
                let text = format!("対応表を使えません: {what}。何も取り込んでいません");
                let at = path.clone().unwrap_or_else(|| PathBuf::from("data/import"));
                Report::new(Kind::InputFile, self)
                    .staff(staff)
                    .operator(text, operator)
                    .at(at)
            }
            Self::Rejects(error) => Report::new(Kind::Disk, error).staff(staff).operator(
                "読めない行の一覧を書けません。空きを確かめてください",
                Runbook::DiskFull,
            ),
            Self::Store(error) => error.report(),
            Self::Stale => Report::new(Kind::CheckFailed, self).staff(staff).operator(
                "確かめている間に別の取込みがありました。\
                 もう一度、差分の確認からやり直してください",
                operator,
            ),
            Self::NothingToUndo => Report::new(Kind::CheckFailed, self)
                .staff(staff)
                .operator("取り消せる取込みがありません", operator),
            Self::InUse { records } => Report::new(Kind::CheckFailed, self).staff(staff).operator(
                format!(
                    "取り込んだ人について職員の記録が{records}件あるため取り消せません。\
                     正しいファイルをもう一度取り込んで直してください"
                ),
                operator,
            ),
        }
    }
}
