//! What can go wrong between us and the file, told in this layer's words.

use std::io;
use std::path::{Path, PathBuf};

use base::report::{Kind, Report, Runbook};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the data directory.
    #[error("data directory {dir} is in use by process {owner}")]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// Process id as the lock file tells it, or `?`.
        owner: String,
    },
    /// This process is not the one that the data belong to.
    #[error("data directory {dir} belongs to another user")]
    NotOwner {
        /// The directory.
        dir: PathBuf,
    },
    /// The file was written by a later version.
    #[error("database has schema {found}, this program knows up to {known}")]
    Newer {
        /// Version in the file.
        found: i64,
        /// Newest version this program knows.
        known: i64,
    },
    /// The file is no hokatsu database.
    #[error("{path} is not a hokatsu database")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// There is no database yet.
    #[error("no database in {dir}")]
    Absent {
        /// The directory.
        dir: PathBuf,
    },
    /// Every reading connection (or the writer) was busy for too long.
    #[error("database busy for {waited_ms} ms")]
    Busy {
        /// How long we waited.
        waited_ms: u64,
    },
    /// No space left for what had to be written. Nothing of it was kept.
    #[error("disk full")]
    DiskFull,
    /// The file or its directory cannot be written.
    #[error("database is read-only")]
    ReadOnly,
    /// A statement reached for a person table past the scoped views.
    #[error("statement reads {table} past its scoped view")]
    Unscoped {
        /// The table.
        table: String,
    },
    /// Key file missing or unusable.
    #[error("audit key {path} cannot be used")]
    AuditKey {
        /// The file.
        path: PathBuf,
    },
    /// The chain does not continue where the signed head says.
    #[error("audit chain does not end where its signed head says")]
    AuditHead,
    /// A line typed from a printed checkpoint does not fit its check group.
    #[error("line {line} of the typed checkpoint does not fit its check group")]
    TypedLine {
        /// Line of what was typed, from 1.
        line: usize,
        /// Which group of the line, from 1, when that can be told.
        group: Option<usize>,
    },
    /// A year of the log cannot be archived; nothing was moved.
    #[error("the year cannot be archived: {0:?}")]
    Archive(crate::audit::ArchiveRefusal),
    /// SQLite said something else.
    #[error("database statement failed")]
    Sql(#[source] rusqlite::Error),
    /// A file of ours could not be written.
    #[error("cannot write a file of the data directory")]
    Path(#[from] base::paths::PathError),
    /// Bytes that a row names are missing on the shelf, or are not what they were.
    #[error("the bytes of an attachment are missing or bent")]
    Bytes,
    /// The file system said something else.
    #[error("cannot use {path}")]
    Io {
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ffi::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Busy { waited_ms: 0 }
            }
            Some(ErrorCode::NotADatabase) => Self::Foreign {
                path: PathBuf::from("hokatsu.db"),
            },
            _ => Self::Sql(error),
        }
    }
}

impl StoreError {
    /// What a file said that is beside the database.
    pub(crate) fn disk(path: &Path, source: io::Error) -> Self {
        Self::of_disk(source.kind()).unwrap_or_else(|| Self::Io {
            path: path.to_path_buf(),
            source,
        })
    }

    /// What the whole database has words for.
    pub(crate) fn of_disk(kind: io::ErrorKind) -> Option<Self> {
        use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        if matches!(kind, StorageFull | QuotaExceeded) {
            Some(Self::DiskFull)
        } else if kind == ReadOnlyFilesystem {
            Some(Self::ReadOnly)
        } else {
            None
        }
    }

    /// True when the same call may succeed in a moment.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// The same failure in the three readers' words.
    pub fn report(self) -> Report {
        let (kind, staff, operator, runbook) = self.words();
        let place = if let Self::TypedLine { line, group } = &self {
            let group = group.map(|group| format!("の{group}番目のまとまり"));
            Some(format!("{line}行目{}", group.unwrap_or_default()))
        } else {
            None
        };
        let report = Report::new(kind, self)
            .staff(staff)
            .operator(operator, runbook);
        match place {
            Some(place) => report.at(place),
            None => report,
        }
    }

    fn words(&self) -> (Kind, &'static str, &'static str, Runbook) {
        match self {
            Self::InUse { .. } => (
                Kind::DataDirectory,
                "別の処理が同じデータを使用中です。",
                "データディレクトリを別の hokatsu が使用中です。そちらを止めてからやり直してください",
                Runbook::DataDirInUse,
            ),
            Self::NotOwner { .. } => (
                Kind::DataDirectory,
                "データを開けません。",
                "データディレクトリの持ち主ではないため開きません。`sudo -u hokatsu hokatsu …` のように、\
                 サービスと同じ利用者で実行してください",
                Runbook::DataDirInUse,
            ),
            Self::Newer { .. } => (
                Kind::DataDirectory,
                "データの版が新しいため開けません。",
                "データベースがこの版の hokatsu より新しいため開きません。\
                 新しい版を入れてください。データには触れていません",
                Runbook::DataDirNewer,
            ),
            Self::DiskFull => (
                Kind::Disk,
                "サーバの空き容量が足りないため保存できませんでした。入力した文はこの画面に残っています。",
                "データディスクに空きがありません。書きかけのものは残っていません",
                Runbook::DiskFull,
            ),
            Self::ReadOnly => (
                Kind::Disk,
                "サーバが読み取り専用のため保存できませんでした。入力した文はこの画面に残っています。",
                "データディレクトリに書き込めません",
                Runbook::DiskReadOnly,
            ),
            Self::Busy { .. } => (
                Kind::Database,
                "混み合っています。少し待ってもう一度お試しください。",
                "データベースが混み合っています",
                Runbook::DataDirInUse,
            ),
            Self::AuditHead | Self::AuditKey { .. } => (
                Kind::Database,
                "アクセスログを確かめられないため止めています。",
                "アクセスログの鎖または署名鍵が合いません。`hokatsu audit verify` を実行してください",
                Runbook::AuditBroken,
            ),
            Self::TypedLine { .. } => (
                Kind::InputFile,
                "打ち込んだ署名つき記録に打ち間違いがあります。",
                "打ち込んだ行が、行末の確かめの4文字と合いません。ログの異常ではなく打ち間違いです。\
                 紙と見比べてください",
                Runbook::AuditBroken,
            ),
            Self::Archive(why) => (
                Kind::Usage,
                "アクセスログを年ごとのファイルに移せませんでした。何も変えていません。",
                why.words(),
                Runbook::AuditBroken,
            ),
            Self::Bytes => (
                Kind::Disk,
                "ファイルの中身が失われているか壊れているため、開けません。担当者に番号をお伝えください。\
                 バックアップから戻せます。",
                "添付ファイルの中身がないか、壊れています。`hokatsu attachments check` で番号を確かめ、\
                 バックアップから戻してください",
                Runbook::AttachmentDamaged,
            ),
            Self::Absent { .. } | Self::Foreign { .. } | Self::Io { .. } | Self::Path(_) => (
                Kind::DataDirectory,
                "データを開けません。",
                "データディレクトリを開けません。場所を確かめてください",
                Runbook::DiskReadOnly,
            ),
            Self::Sql(_) | Self::Unscoped { .. } => (
                Kind::Fault,
                "処理できませんでした。保存されていません。",
                "データベースの処理に失敗しました",
                Runbook::AuditBroken,
            ),
        }
    }
}
