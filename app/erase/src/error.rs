//! Why something was not erased, planned or proven; for the developer, and as a sentence for the operator.

use std::io;
use std::path::PathBuf;

use base::command::CommandError;
use base::paths::PathError;
use base::report::{Kind, Report, Runbook};

/// What stands in the way.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// A line of the operator's list is wrong.
    #[error("line {line} of {}: {reason}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// In Japanese.
        reason: String,
    },
    /// A file of ours cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A file of ours is not what it should be.
    #[error("{} is not such a file", path.display())]
    Bent {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// It could not be written.
    #[error("cannot write")]
    Files(#[from] PathError),
    /// A stock tool failed.
    #[error("a tool failed")]
    Tool(#[from] CommandError),
    /// A stock tool said what nobody understands.
    #[error("what {program} printed is not understood")]
    Output {
        /// Which.
        program: &'static str,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// The device must not be erased, and why; in Japanese.
    #[error("refused: {0}")]
    Refused(String),
    /// The device cannot be opened or asked.
    #[error("cannot use {}", path.display())]
    Device {
        /// The device.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl EraseError {
    /// The same for the operator.
    #[must_use]
    pub fn report(self) -> Report {
        let runbook = Runbook::EndOfContract;
        let (kind, text, target) = match &self {
            Self::List { path, line, reason } => (
                Kind::InputFile,
                format!("一覧の {line} 行目: {reason}"),
                Some(path.clone()),
            ),
            Self::Unreadable { path, .. } => (
                Kind::InputFile,
                "ファイルを読めません。".to_owned(),
                Some(path.clone()),
            ),
            Self::Bent { path, .. } => (
                Kind::InputFile,
                "ファイルの中身が正しくありません。hokatsu が書いたままのものを使ってください。"
                    .to_owned(),
                Some(path.clone()),
            ),
            Self::Files(error) => (
                Kind::Disk,
                "書けません。空きのある、書き込める場所を指定してください。".to_owned(),
                Some(error.path().to_owned()),
            ),
            Self::Tool(error) => (
                Kind::Child,
                format!("外部のプログラムが動きません（{error}）。何も消していません。"),
                None,
            ),
            Self::Output { program, .. } => (
                Kind::Child,
                format!("{program} の出力を読み取れません。何も消していません。"),
                None,
            ),
            Self::Refused(why) => (Kind::Usage, why.clone(), None),
            Self::Device { path, source } => (
                Kind::Disk,
                format!("装置を使えません（{source}）。何も消していません。"),
                Some(path.clone()),
            ),
        };
        let report = Report::new(kind, self).operator(text, runbook);
        match target {
            Some(target) => report.at(target),
            None => report,
        }
    }
}
