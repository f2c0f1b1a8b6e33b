//! What can stop shipping or a rebuild, and what each reader is told about it.

use std::io;
use std::path::{Path, PathBuf};

use base::paths::PathError;
use base::report::{Kind, Report, Runbook};

/// Why a step was not done. Nothing that was on the second disk before is touched by any of them.
#[derive(Debug, thiserror::Error)]
pub enum ShipError {
    #[error("there is no enrolled disk at {}", .0.display())]
    NoDisk(PathBuf),
    #[error("what lies at {} is not the enrolled disk", .0.display())]
    NotOurs(PathBuf),
    #[error("{} is gone while it is written to", .0.display())]
    Vanished(PathBuf),
    #[error("the system gives no random numbers")]
    NoRandom,
    #[error("{} is no database in WAL mode", .0.display())]
    NoDatabase(PathBuf),
    #[error("the bytes of an attachment are not what its name says")]
    Bent,
    #[error("SQLite's log changed while it was read")]
    LogChanged,
    #[error("another shipper works in {}", .0.display())]
    InUse(PathBuf),
    #[error("{} was written by a later version", .0.display())]
    Later(PathBuf),
    #[error("nothing that was shipped can be rebuilt as it was asked for")]
    NoPoint,
    #[error("transaction {wanted} is damaged or cut off; whole up to {}", whole.map_or(0, |n| n))]
    Damaged { wanted: u64, whole: Option<u64> },
    #[error("{} is not empty", .0.display())]
    TargetUsed(PathBuf),
    #[error("{} needs {needed} bytes and has {free}", path.display())]
    NoRoom {
        path: PathBuf,
        needed: u64,
        free: u64,
    },
    #[error("cannot {step} {}", path.display())]
    Io {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write a file")]
    Files(#[from] PathError),
}

impl ShipError {
    pub(super) fn io(step: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { step, path, source }
    }

    /// What the system said, when it did.
    pub(super) fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            Self::Files(error) => Some(error.io().kind()),
            Self::NoRoom { .. } => Some(io::ErrorKind::StorageFull),
            Self::NoDisk(_)
            | Self::NotOurs(_)
            | Self::Vanished(_)
            | Self::NoRandom
            | Self::NoDatabase(_)
            | Self::LogChanged
            | Self::Bent
            | Self::InUse(_)
            | Self::Later(_)
            | Self::NoPoint
            | Self::Damaged { .. }
            | Self::TargetUsed(_) => None,
        }
    }

    fn target(&self) -> Option<String> {
        match self {
            Self::NoDisk(path)
            | Self::NotOurs(path)
            | Self::Vanished(path)
            | Self::NoDatabase(path)
            | Self::InUse(path)
            | Self::Later(path)
            | Self::TargetUsed(path)
            | Self::NoRoom { path, .. }
            | Self::Io { path, .. } => Some(path.display().to_string()),
            Self::Files(error) => Some(error.path().display().to_string()),
            Self::Damaged { whole, .. } => whole.map(|whole| whole.to_string()),
            Self::NoRandom | Self::LogChanged | Self::Bent | Self::NoPoint => None,
        }
    }

    fn kind_and_advice(&self) -> (Kind, &'static str) {
        match self {
            Self::NoDisk(_) | Self::Vanished(_) => (
                Kind::BackupTarget,
                "逐次複製のディスクがありません。接続とマウントを確かめ、初めて使うなら \
                 hokatsu ship enrol を実行してください。",
            ),
            Self::NotOurs(_) => (
                Kind::BackupTarget,
                "このデータのために登録したディスクではないので、何も書いていません。\
                 ディスクのラベルを確かめてください。",
            ),
            Self::NoRandom => (Kind::Fault, "番号を作るための乱数が得られません。"),
            Self::NoDatabase(_) => (
                Kind::DataDirectory,
                "データベースがまだないか、読めません。--data を確かめてください。",
            ),
            Self::InUse(_) => (
                Kind::BackupTarget,
                "逐次複製はすでに動いています。二つは要りません。",
            ),
            Self::Later(_) => (
                Kind::InputFile,
                "この記録は新しい版のソフトウェアが書いたものです。新しい版で開いてください。",
            ),
            Self::NoPoint => (
                Kind::Restore,
                "その時点の記録はディスクにありません。hokatsu ship status で範囲を確かめてください。",
            ),
            Self::Damaged { .. } => (
                Kind::Restore,
                "その時点までの記録に壊れたところがあるので、何も作っていません。\
                 対象の番号までなら --commit で戻せます。",
            ),
            Self::TargetUsed(_) => (
                Kind::Usage,
                "指定した場所は空ではありません。何も変更していません。空の場所を指定してください。",
            ),
            Self::NoRoom { .. } => (
                Kind::Disk,
                "戻す先の空きが足りません。何も変更していません。広い場所を --to で指定してください。",
            ),
            Self::LogChanged | Self::Bent | Self::Io { .. } | Self::Files(_) => (
                Kind::BackupTarget,
                "逐次複製の読み書きができません。今までに複製した記録と、サービスの記録は無事です。",
            ),
        }
    }
}

impl From<ShipError> for Report {
    fn from(error: ShipError) -> Self {
        let (kind, advice) = error.kind_and_advice();
        let runbook = match error.io_kind() {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => Runbook::DiskFull,
            Some(_) | None => Runbook::ShippingBehind,
        };
        let target = error.target();
        let report = Self::new(kind, error)
            .staff("記録は無事です。担当者に番号をお伝えください。")
            .operator(advice, runbook);
        match target {
            Some(target) => report.at(target),
            None => report,
        }
    }
}
