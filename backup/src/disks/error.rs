//! What can be wrong with a disk that is plugged in.

use std::io;
use std::path::{Path, PathBuf};

use base::command::CommandError;
use base::report::{Kind, Report, Runbook};

/// Why nothing was done to a disk, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("the opener cannot {step}")]
    Opener {
        step: &'static str,
        #[source]
        source: CommandError,
    },
    #[error("the opener could not {step} {on}: {said}")]
    Refused {
        step: &'static str,
        on: String,
        /// The first line of what it said; it knows devices and paths only.
        said: String,
    },
    #[error("no opener is named in the settings")]
    NoOpener,
    #[error("{0} has neither a LUKS header nor a file system that is known")]
    Unrecognised(String),
    #[error("{} is not a place for a disk", .0.display())]
    NoPlace(PathBuf),
    #[error("cannot {step} {}", path.display())]
    Io {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the list of disks cannot be used")]
    List(#[from] base::small_file::SmallFileError),
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl DiskError {
    pub(super) fn io(step: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { step, path, source }
    }

    fn target(&self) -> Option<String> {
        match self {
            Self::Refused { on, .. } | Self::Unrecognised(on) => Some(on.clone()),
            Self::NoPlace(path) | Self::Io { path, .. } => Some(path.display().to_string()),
            Self::Opener { .. } | Self::NoOpener | Self::List(_) | Self::NoRandom => None,
        }
    }

    fn advice(&self) -> (Kind, String) {
        match self {
            Self::Opener { .. } | Self::NoOpener => (
                Kind::Child,
                "ディスクを開くためのプログラム（[backup.disks] opener）を動かせません。\
                 ディスクには何も書いていません。"
                    .to_owned(),
            ),
            Self::Refused { step, said, .. } => (
                Kind::Disk,
                format!(
                    "ディスクを{}（{said}）。以前の控えは無事です。ディスクのつなぎ方を確かめ、\
                     つなぎ直してください。",
                    in_words(step)
                ),
            ),
            Self::Unrecognised(_) => (
                Kind::Disk,
                "この装置には、暗号化（LUKS）されたディスクが見当たりません。何も書いていません。".to_owned(),
            ),
            Self::NoPlace(_) => (
                Kind::Settings,
                "持ち出すディスクの保管先の path は、/run/hokatsu/disks/名前/hokatsu のように書いてください。\
                 名前は半角の小文字と数字です。"
                    .to_owned(),
            ),
            Self::Io { .. } => (
                Kind::Disk,
                "ディスクを読み書きできません。以前の控えは無事です。つなぎ直してください。".to_owned(),
            ),
            Self::List(_) => (
                Kind::DataDirectory,
                "登録したディスクの一覧（keys/backup-disks.json）を読めないため、ディスクには何もしていません。"
                    .to_owned(),
            ),
            Self::NoRandom => (Kind::Fault, "乱数が得られません。".to_owned()),
        }
    }
}

fn in_words(step: &str) -> &'static str {
    match step {
        "open" => "開けません",
        "mount" => "マウントできません",
        "unmount" => "取り外せる状態にできません",
        "close" => "閉じられません",
        "identify" => "読めません",
        "admit" => "復旧シートのことばで開くようにできません",
        "retire" => "前の復旧シートのことばで開かないようにできません",
        "prove" => "復旧シートのことばで試せません",
        _ => "扱えません",
    }
}

impl From<DiskError> for Report {
    fn from(error: DiskError) -> Self {
        let (kind, advice) = error.advice();
        let target = error.target();
        let report = Self::new(kind, error).operator(advice, Runbook::DiskRotate);
        match target {
            Some(target) => report.at(target),
            None => report,
        }
    }
}
