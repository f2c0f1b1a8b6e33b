//! What can be wrong with a place elsewhere, and what the operator does about it.

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No line to it: switched off, no network, wrong name.
    Away,
    /// It answers too slowly, or not to its end.
    Slow,
    /// It does not let us in, or not do this.
    Refused,
    /// Its certificate is not believed.
    Certificate,
    /// Its SSH key is not the one that we know.
    HostKey,
    /// It does not delete or overwrite.
    KeepsAll,
    /// It has no room.
    Full,
    /// The directory or bucket is not there.
    NoPlace,
    /// There is no repository in it yet.
    NoRepository,
    /// A file that the repository should have is not there.
    NotFound,
    /// It answers something that it should not.
    Odd,
    /// A file with our login is not there, is empty, or others may read it.
    LoginFile,
    /// `rclone` or `setpriv` is not installed or does not start.
    Rclone,
}

impl Problem {
    /// Told the operator.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Away => {
                "遠隔地の保管先に届きません。回線、設定の場所（url など）、\
                 相手のサーバが動いているかを確かめてください。\
                 届くようになれば、次の回で続きから控えを取ります。"
            }
            Self::Slow => {
                "遠隔地の保管先が時間内に答えません。回線の混み具合と相手のサーバを確かめてください。\
                 次の回でもう一度試します。"
            }
            Self::Refused => {
                "遠隔地の保管先に断られました。設定の利用者名と、login_file（または key_file）の中身、\
                 相手の側の許可を確かめてください。"
            }
            Self::Certificate => {
                "遠隔地の保管先の証明書を信用できません。何も送っていません。場所（url）が正しいか、\
                 期限が切れていないか、\
                 ca_file が相手のものかを確かめてください。"
            }
            Self::HostKey => {
                "遠隔地の SSH の鍵が、known_hosts_file にあるものと違います。何も送っていません。\
                 相手の管理者に鍵を確かめてから書き換えてください。"
            }
            Self::KeepsAll => {
                "遠隔地の保管先が消去を断りました。追記だけを許す保管先なら、\
                 設定に append_only = true と書いてください。\
                 片付けは保管先の管理者が行います。"
            }
            Self::Full => {
                "遠隔地の保管先に空きがありません。相手の管理者に容量を増やしてもらってください。"
            }
            Self::NoPlace => {
                "遠隔地に、設定にある場所（バケットやディレクトリ）がありません。\
                 設定の綴りを確かめ、なければ相手の側で作ってください。"
            }
            Self::NoRepository => {
                "遠隔地に保管先がまだありません。場所（url など）が正しいか確かめ、初めて使うなら \
                 hokatsu backup init を実行してください。"
            }
            Self::NotFound => {
                "遠隔地の保管先に、あるはずのファイルがありません。hokatsu backup check で調べてください。"
            }
            Self::Odd => {
                "遠隔地の保管先が、保管先のものではない答えを返しました。\
                 場所（url など）と相手のサーバを確かめてください。"
            }
            Self::LoginFile => {
                "遠隔地に入るための鍵のファイルを使えません。ファイルがあり、空でなく、\
                 持ち主だけが読める（chmod 600）ことを\
                 確かめてください。"
            }
            Self::Rclone => {
                "S3 や SFTP の保管先に要る rclone が動きません。apt-get install rclone で入れてください。"
            }
        }
    }

    /// Whether trying again may help.
    pub(super) fn may_pass(self) -> bool {
        matches!(self, Self::Away | Self::Slow | Self::Odd)
    }
}

/// A request that was not answered as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem:?}: {text}")]
pub struct OffsiteError {
    problem: Problem,
    /// For developers; holds names of hosts and files, no secret.
    text: String,
}

impl OffsiteError {
    pub(crate) fn new(problem: Problem, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { problem, text }
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }

    pub(crate) fn is_absent(&self) -> bool {
        self.problem == Problem::NotFound
    }
}

/// What `rclone` says in its log, in the order in which it counts.
const SAYINGS: [(&str, Problem); 22] = [
    ("knownhosts:", Problem::HostKey),
    ("x509:", Problem::Certificate),
    ("tls:", Problem::Certificate),
    ("certificate", Problem::Certificate),
    ("unable to authenticate", Problem::Refused),
    ("InvalidAccessKeyId", Problem::Refused),
    ("SignatureDoesNotMatch", Problem::Refused),
    ("AccessDenied", Problem::Refused),
    ("Forbidden", Problem::Refused),
    ("permission denied", Problem::Refused),
    ("SSH_FX_PERMISSION_DENIED", Problem::Refused),
    ("no space left", Problem::Full),
    ("disk quota", Problem::Full),
    ("QuotaExceeded", Problem::Full),
    ("InsufficientStorage", Problem::Full),
    ("EntityTooLarge", Problem::Full),
    ("NoSuchBucket", Problem::NoPlace),
    ("i/o timeout", Problem::Slow),
    ("deadline exceeded", Problem::Slow),
    ("connection refused", Problem::Away),
    ("no such host", Problem::Away),
    ("couldn't connect", Problem::Away),
];

/// What lines of `rclone`'s log mean; the last that means something counts.
pub(super) fn of_log<'l>(lines: impl DoubleEndedIterator<Item = &'l str>) -> Option<OffsiteError> {
    lines.rev().find_map(|line| {
        let known = SAYINGS.iter().find(|(saying, _)| line.contains(saying));
        known.map(|(_, problem)| OffsiteError::new(*problem, line))
    })
}
