//! What can stop a backup or a restore, and what each reader is told about it.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use base::paths::PathError;
use base::report::{Kind, Report, Runbook};
use rustic_core::RusticError;

use crate::offsite::OffsiteError;

/// Why a job was not done; nothing half is left that [`crate::list`] would show.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no repository `{name}` at {}", path.display())]
    NotThere { name: String, path: PathBuf },
    #[error("{} is in use already", path.display())]
    Used { path: PathBuf },
    #[error("{} is not valid text", path.display())]
    PathNotText { path: PathBuf },
    #[error("the password file {} is empty", path.display())]
    PasswordEmpty { path: PathBuf },
    #[error("the password does not open repository `{name}`")]
    PasswordWrong { name: String },
    #[error("the system gives no random numbers")]
    NoRandom,
    #[error("repository `{name}` is in use by: {owner}")]
    Locked { name: String, owner: String },
    #[error("a stock tool works in repository `{name}`")]
    StockToolActive { name: String },
    #[error("a job runs on this machine: {doing:?}")]
    JobRunning { doing: Option<crate::turn::Doing> },
    #[error("cannot {step} in repository `{name}`")]
    Engine {
        step: &'static str,
        name: String,
        #[source]
        source: Box<RusticError>,
    },
    #[error("cannot {step} {}", path.display())]
    Io {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("repository `{name}`, off-site")]
    Offsite {
        name: String,
        #[source]
        source: OffsiteError,
    },
    #[error("from repository `{name}` nothing is deleted")]
    AppendOnly { name: String },
    #[error("repository `{name}` is on no disk of this machine")]
    NoDisk { name: String },
    #[error("cannot write a file")]
    Files(#[from] PathError),
    #[error("cannot write as JSON")]
    Json(#[from] serde_json::Error),
    #[error("there is nothing to back up in {}", path.display())]
    SourceEmpty { path: PathBuf },
    #[error("{} is neither a file nor a directory, or has a name of our own", path.display())]
    SourceUnsupported { path: PathBuf },
    #[error("{} files changed or vanished while they were read, first: {}", files.len(),
        files.first().map_or("-", String::as_str))]
    SourceChanged { files: Vec<String> },
    #[error("repository `{name}` does not give back {files} of the files that were just written")]
    NotKept { name: String, files: usize },
    #[error("repository `{name}` goes on with lineage {known}, this machine is at {own}")]
    Fenced { name: String, known: i64, own: i64 },
    #[error("repository `{name}` has format {found}, this program knows up to {known}")]
    NewerFormat {
        name: String,
        found: u32,
        known: u32,
    },
    #[error("snapshot {snapshot} has no file {wanted}")]
    NoFile {
        snapshot: String,
        wanted: String,
        /// Names in it that end alike.
        alike: Vec<String>,
    },
    #[error("the clock shows {now}, before the newest snapshot of {newest}")]
    ClockBehind { newest: String, now: String },
    #[error("repository `{name}` has no snapshot {wanted}")]
    NoSnapshot { name: String, wanted: String },
    #[error("{} is not empty", path.display())]
    TargetUsed { path: PathBuf },
    #[error("{} needs {needed} bytes and has {free}", path.display())]
    NoRoom {
        path: PathBuf,
        needed: u64,
        free: u64,
    },
    #[error("pruning {} needs {needed} bytes and has {free}", path.display())]
    NoRoomToPrune {
        path: PathBuf,
        needed: u64,
        free: u64,
    },
    #[error("the manifest of snapshot {snapshot} cannot be read")]
    ManifestUnreadable { snapshot: String },
}

impl BackupError {
    pub(crate) fn io(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            step,
            path: path.to_owned(),
            source,
        }
    }

    /// For `map_err` on a call of the engine.
    pub(crate) fn engine(
        step: &'static str,
        name: &str,
    ) -> impl FnOnce(Box<RusticError>) -> Self + use<> {
        let name = name.to_owned();
        move |source| {
            if source.is_incorrect_password() {
                return Self::PasswordWrong { name };
            }
            if let Some(source) = offsite(source.as_ref()) {
                return Self::Offsite { name, source };
            }
            Self::Engine { step, name, source }
        }
    }

    /// Whether a disk without room is what lies underneath.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            let full = error
                .downcast_ref::<io::Error>()
                .is_some_and(|e| e.kind() == io::ErrorKind::StorageFull);
            if full {
                return true;
            }
            cause = error.source();
        }
        matches!(self, Self::NoRoom { .. } | Self::NoRoomToPrune { .. })
    }

    /// What the operator is told, as one line.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.kind_and_advice().1
    }

    /// What it happened to: a repository's name or a path.
    fn target(&self) -> Option<String> {
        match self {
            Self::NotThere { name, .. }
            | Self::PasswordWrong { name }
            | Self::Locked { name, .. }
            | Self::StockToolActive { name }
            | Self::Engine { name, .. }
            | Self::Offsite { name, .. }
            | Self::AppendOnly { name }
            | Self::NoDisk { name }
            | Self::Fenced { name, .. }
            | Self::NotKept { name, .. }
            | Self::NewerFormat { name, .. }
            | Self::NoSnapshot { name, .. } => Some(name.clone()),
            Self::NoFile { wanted, .. } => Some(wanted.clone()),
            Self::Used { path }
            | Self::PathNotText { path }
            | Self::PasswordEmpty { path }
            | Self::Io { path, .. }
            | Self::SourceEmpty { path }
            | Self::SourceUnsupported { path }
            | Self::TargetUsed { path }
            | Self::NoRoom { path, .. }
            | Self::NoRoomToPrune { path, .. } => Some(path.display().to_string()),
            Self::SourceChanged { files } => files.first().cloned(),
            Self::ManifestUnreadable { snapshot } => Some(snapshot.clone()),
            Self::Files(e) => Some(e.path().display().to_string()),
            Self::JobRunning { doing } => doing.as_ref().map(crate::turn::Doing::words),
            Self::NoRandom | Self::Json(_) | Self::ClockBehind { .. } => None,
        }
    }

    fn kind_and_advice(&self) -> (Kind, String, Runbook) {
        use Runbook::{BackupFailed, ClockWrong, PruneFailed, RestoreFailed};
        let (kind, text, page) = match self {
            Self::NotThere { .. } => (
                Kind::BackupTarget,
                "控えの保管先が見つかりません。ディスクの接続とマウントを確かめ、初めて使うなら \
                 hokatsu backup init を実行してください。",
                BackupFailed,
            ),
            Self::Used { .. } => (
                Kind::Usage,
                "指定した場所は空ではありません。何も変更していません。空の場所を指定してください。",
                BackupFailed,
            ),
            Self::PathNotText { .. } => (
                Kind::Settings,
                "パスに読めない文字があります。",
                BackupFailed,
            ),
            Self::PasswordEmpty { .. } | Self::PasswordWrong { .. } => (
                Kind::Settings,
                "鍵(パスワードファイル)で保管先を開けません。復旧シートの鍵と照らし合わせてください。",
                BackupFailed,
            ),
            Self::NoRandom => (
                Kind::Fault,
                "鍵を作るための乱数が得られません。",
                BackupFailed,
            ),
            Self::JobRunning { .. } => (
                Kind::BackupTarget,
                "この機械で控えの別の処理が動いています。終わってからもう一度実行してください。",
                BackupFailed,
            ),
            Self::Locked { .. } => (
                Kind::BackupTarget,
                "同じ保管先で別の処理が動いています。終わってからもう一度実行してください。",
                BackupFailed,
            ),
            Self::StockToolActive { .. } => (
                Kind::BackupTarget,
                "restic がこの保管先で動いています。終わってから（強制終了したなら30分後に）もう一度実行してください。",
                PruneFailed,
            ),
            Self::Engine { .. } | Self::Io { .. } | Self::Files(_) | Self::Json(_) => (
                Kind::BackupTarget,
                "ディスクの読み書きができず、控えの処理を終えられませんでした。以前の控えは無事です。",
                BackupFailed,
            ),
            Self::Offsite { source, .. } => (
                Kind::BackupTarget,
                source.problem().in_words(),
                Runbook::BackupOffsite,
            ),
            Self::AppendOnly { .. } => (
                Kind::Usage,
                "この保管先からは何も消せません（append_only）。\
                 片付けは保管先の管理者が restic forget --prune で行います。",
                Runbook::BackupOffsite,
            ),
            Self::NoDisk { .. } => (
                Kind::Usage,
                "この操作は、ディスクの保管先だけに使えます。",
                BackupFailed,
            ),
            Self::SourceEmpty { .. } | Self::SourceUnsupported { .. } => (
                Kind::InputFile,
                "控えの元に取れるものがないか、扱えない種類のファイルがあります。控えは作っていません。",
                BackupFailed,
            ),
            Self::SourceChanged { .. } => (
                Kind::BackupTarget,
                "読み取り中に元のファイルが変わったか消えました。不完全な控えは残していません。\
                 hokatsu backup run をもう一度実行してください。",
                BackupFailed,
            ),
            Self::NotKept { .. } => (
                Kind::BackupTarget,
                "書いたばかりのものが保管先から読めません。不完全な控えは残していません。ディスクを確かめ、\
                 hokatsu backup check --read-data を実行してください。",
                BackupFailed,
            ),
            Self::ClockBehind { .. } => (
                Kind::BackupTarget,
                "時計が最新の控えより遅れています。timedatectl で時刻を直してから実行してください。",
                ClockWrong,
            ),
            Self::NoSnapshot { .. } => (
                Kind::Restore,
                "その控えはありません。hokatsu backup list で一覧を確かめてください。",
                RestoreFailed,
            ),
            Self::NewerFormat { .. } => (
                Kind::Restore,
                "保管先の形式が、この hokatsu より新しいため開けません。何も変更していません。\
                 この保管先に書いた版の hokatsu を入れてください。",
                RestoreFailed,
            ),
            Self::Fenced { .. } => (
                Kind::BackupTarget,
                "この保管先は、復元のあとを引き継いだ別の装置（または別の状態）の控えを続けています。\
                 この装置は古い状態のため、控えを加えませんでした。職員に使わせないでください。",
                Runbook::MachineFenced,
            ),
            Self::NoFile { .. } => (
                Kind::Usage,
                "その名前のファイルは、この控えにありません。",
                RestoreFailed,
            ),
            Self::TargetUsed { .. } => (
                Kind::Usage,
                "復元先が空ではありません。何も変更していません。空の場所を指定してください。",
                RestoreFailed,
            ),
            Self::NoRoom { .. } => (
                Kind::Disk,
                "復元先の空きが足りません。何も変更していません。広い場所を --to で指定するか、\
                 空きを作ってください。",
                RestoreFailed,
            ),
            Self::NoRoomToPrune { .. } => (
                Kind::Disk,
                "片付けるあいだに要る空きが保管先にありません。何も変更していません。ディスクに空きを作ってから \
                 もう一度実行してください。",
                PruneFailed,
            ),
            Self::ManifestUnreadable { .. } => (
                Kind::Restore,
                "控えの目録が読めません。hokatsu backup check で調べ、別の控えを選んでください。",
                RestoreFailed,
            ),
        };
        let page = if self.is_disk_full() {
            Runbook::DiskFull
        } else {
            page
        };
        (kind, format!("{text}{}", self.figures()), page)
    }
}

impl BackupError {
    /// What somebody needs to know to the number.
    fn figures(&self) -> String {
        match self {
            Self::NoRoom { needed, free, .. } | Self::NoRoomToPrune { needed, free, .. } => {
                format!("必要 {needed}バイト、空き {free}バイト。")
            }
            Self::NewerFormat { found, known, .. } => {
                format!("保管先の形式 {found}、この版が扱えるのは {known} まで。")
            }
            Self::Fenced { known, own, .. } => {
                format!("保管先の系統 {known}、この装置の系統 {own}。")
            }
            Self::NoFile { alike, .. } if !alike.is_empty() => {
                format!("似た名前: {}", alike.join("、"))
            }
            Self::NotThere { .. }
            | Self::Used { .. }
            | Self::PathNotText { .. }
            | Self::PasswordEmpty { .. }
            | Self::PasswordWrong { .. }
            | Self::NoRandom
            | Self::Locked { .. }
            | Self::StockToolActive { .. }
            | Self::JobRunning { .. }
            | Self::Engine { .. }
            | Self::Offsite { .. }
            | Self::AppendOnly { .. }
            | Self::NoDisk { .. }
            | Self::Io { .. }
            | Self::Files(_)
            | Self::Json(_)
            | Self::SourceEmpty { .. }
            | Self::SourceUnsupported { .. }
            | Self::SourceChanged { .. }
            | Self::NotKept { .. }
            | Self::NoFile { .. }
            | Self::ClockBehind { .. }
            | Self::NoSnapshot { .. }
            | Self::TargetUsed { .. }
            | Self::ManifestUnreadable { .. } => String::new(),
        }
    }
}

/// What a place elsewhere said, when that lies underneath.
fn offsite(error: &RusticError) -> Option<OffsiteError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(told) = error.downcast_ref::<OffsiteError>() {
            return Some(told.clone());
        }
        cause = error.source();
    }
    None
}

impl From<BackupError> for Report {
    fn from(error: BackupError) -> Self {
        let (kind, advice, runbook) = error.kind_and_advice();
        let target = error.target();
        let report = Self::new(kind, error)
            .staff(
                "控えの処理を終えられませんでした。入力した記録は無事です。\
                 担当者に番号をお伝えください。",
            )
            .operator(advice, runbook);
        match target {
            Some(target) => report.at(target),
            None => report,
        }
    }
}
