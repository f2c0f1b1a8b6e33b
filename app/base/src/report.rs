//! An error at a crate's border, told to three readers.
//!
//! Shape: a [`Kind`], a sentence for staff, one for the operator with its [`Runbook`], the thing
//! it happened to, and the cause underneath.
//! Invariant: [`Report`] has no `Display`, so nobody shows the wrong reader's text by mistake.
//!
//! ```compile_fail,E0277
//! let report = base::report::Report::bare(base::report::Kind::Usage);
//! println!("{report}");
//! ```

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;

/// What sort of thing went wrong; decides the exit code and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What was asked about does not hold: a check found something.
    CheckFailed,
    /// Rows of an otherwise readable file were refused.
    RowsRejected,
    /// The command was called wrongly.
    Usage,
    /// The file given is not what it should be.
    InputFile,
    /// `site.toml` or the environment is wrong.
    Settings,
    /// The data directory is missing, in use, or of another version.
    DataDirectory,
    /// The database answered with an error.
    Database,
    /// A disk is full, read-only or gone.
    Disk,
    /// The place backups are written to cannot take them.
    BackupTarget,
    /// A backup cannot be read back.
    Restore,
    /// A port, an address or a peer is in the way.
    Network,
    /// A certificate or key is missing or wrong.
    Certificate,
    /// This account may not do that on this machine.
    Permission,
    /// A program we run failed or took too long.
    Child,
    /// A job was cut short; nothing is half done.
    Interrupted,
    /// A promise of our own was broken.
    Fault,
}

impl Kind {
    /// The exit code of a verb that ends with this.
    ///
    /// Units: 1 does not hold, 2 wrong usage or input, 3 the world is in the way, 130 cut short.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::CheckFailed | Self::RowsRejected => 1,
            Self::Usage | Self::InputFile | Self::Settings => 2,
            Self::DataDirectory
            | Self::Database
            | Self::Disk
            | Self::BackupTarget
            | Self::Restore
            | Self::Network
            | Self::Certificate
            | Self::Permission
            | Self::Child
            | Self::Fault => 3,
            Self::Interrupted => 130,
        }
    }
}

/// A page under `runbooks/` that tells the operator what to type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Runbook {
    /// Another process holds the data directory.
    DataDirInUse,
    /// The data directory was written by a newer version.
    DataDirNewer,
    /// A disk has no room left.
    DiskFull,
    /// A disk turned read-only.
    DiskReadOnly,
    /// Something else listens on our port.
    PortInUse,
    /// A backup was not made.
    BackupFailed,
    /// A repository off-site cannot be reached, or refuses something.
    BackupOffsite,
    /// Data that nobody needs did not leave a repository.
    PruneFailed,
    /// A backup did not come back as it was when that was practised.
    DrillFailed,
    /// The clock cannot be believed.
    ClockWrong,
    /// A restore did not finish.
    RestoreFailed,
    /// Another machine, or a later state, has taken over.
    MachineFenced,
    /// The TLS certificate or key is missing.
    CertificateMissing,
    /// An import was refused, wholly or in part.
    ImportRejected,
    /// The access log is not whole.
    AuditBroken,
    /// Nobody is left who administers the system.
    AdministratorLost,
    /// Personal data leaked, was lost or altered, or may have been.
    PersonalDataIncident,
    /// The key that opens second factors is gone or another one.
    FactorKeyMissing,
    /// The bytes of an attachment are missing or bent.
    AttachmentDamaged,
    /// The paper that opens the backups is to be made, tried or replaced.
    RecoverySheet,
    /// Commits do not reach the second disk.
    ShippingBehind,
    /// Much more was changed than usual.
    MassChange,
    /// Nothing is left but a disk and the paper.
    BareMachine,
    /// A disk that is carried away is to be saved to, or did not get its backup.
    DiskRotate,
    /// A disk that is not ours, or no longer, was plugged in.
    DiskForeign,
    /// What lies on a disk is not what it should be, so nothing was written to it.
    DiskDoubtful,
    /// Another version of the appliance is to be put in, or did not come up.
    Update,
    /// The power has failed and the machine runs on battery.
    UpsOnBattery,
    /// The supply does not answer, nobody watches it, or it needs somebody's hand.
    UpsSilent,
    /// The array of the data disks lacks one, or was not begun.
    RaidDisk,
    /// A disk says that it is wearing out.
    SmartDisk,
    /// What the machine is like is to be seen at its own screen.
    Console,
    /// A new machine is to be set up, or its site file is wrong.
    FirstBoot,
    /// Signatures of viruses are missing or old, or nobody looks through files.
    VirusSignatures,
    /// A virus was found.
    VirusFound,
    /// The contract ends: everything is erased and that is proven.
    EndOfContract,
}

impl Runbook {
    /// Every runbook, for the test that each has its page.
    pub const ALL: &[Self] = &[
        Self::DataDirInUse,
        Self::DataDirNewer,
        Self::DiskFull,
        Self::DiskReadOnly,
        Self::PortInUse,
        Self::BackupFailed,
        Self::BackupOffsite,
        Self::PruneFailed,
        Self::DrillFailed,
        Self::ClockWrong,
        Self::RestoreFailed,
        Self::MachineFenced,
        Self::CertificateMissing,
        Self::ImportRejected,
        Self::AuditBroken,
        Self::AdministratorLost,
        Self::PersonalDataIncident,
        Self::FactorKeyMissing,
        Self::AttachmentDamaged,
        Self::RecoverySheet,
        Self::ShippingBehind,
        Self::MassChange,
        Self::BareMachine,
        Self::DiskRotate,
        Self::DiskForeign,
        Self::DiskDoubtful,
        Self::Update,
        Self::UpsOnBattery,
        Self::UpsSilent,
        Self::RaidDisk,
        Self::SmartDisk,
        Self::Console,
        Self::FirstBoot,
        Self::VirusSignatures,
        Self::VirusFound,
        Self::EndOfContract,
    ];

    /// The file's stem: `DiskFull` is `runbooks/disk-full.md`.
    #[must_use]
    pub fn stem(self) -> &'static str {
        match self {
            Self::DataDirInUse => "data-dir-in-use",
            Self::DataDirNewer => "data-dir-newer",
            Self::DiskFull => "disk-full",
            Self::DiskReadOnly => "disk-read-only",
            Self::PortInUse => "port-in-use",
            Self::BackupFailed => "backup-failed",
            Self::BackupOffsite => "backup-offsite",
            Self::PruneFailed => "prune-failed",
            Self::DrillFailed => "drill-failed",
            Self::ClockWrong => "clock-wrong",
            Self::RestoreFailed => "restore-failed",
            Self::MachineFenced => "machine-fenced",
            Self::CertificateMissing => "certificate-missing",
            Self::ImportRejected => "import-rejected",
            Self::AuditBroken => "audit-broken",
            Self::AdministratorLost => "administrator-lost",
            Self::PersonalDataIncident => "personal-data-incident",
            Self::FactorKeyMissing => "factor-key-missing",
            Self::AttachmentDamaged => "attachment-damaged",
            Self::RecoverySheet => "recovery-sheet",
            Self::ShippingBehind => "shipping-behind",
            Self::MassChange => "mass-change",
            Self::BareMachine => "bare-machine",
            Self::DiskRotate => "disk-rotate",
            Self::DiskForeign => "disk-foreign",
            Self::DiskDoubtful => "disk-doubtful",
            Self::Update => "update",
            Self::UpsOnBattery => "ups-on-battery",
            Self::UpsSilent => "ups-silent",
            Self::RaidDisk => "raid-disk",
            Self::SmartDisk => "smart-disk",
            Self::Console => "console",
            Self::FirstBoot => "first-boot",
            Self::VirusSignatures => "virus-signatures",
            Self::VirusFound => "virus-found",
            Self::EndOfContract => "end-of-contract",
        }
    }
}

impl serde::Serialize for Runbook {
    /// By its stem, as people look for it.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.stem())
    }
}

/// One failure, with a text for each reader; built where a crate hands an error to its caller.
#[derive(Debug)]
pub struct Report {
    kind: Kind,
    source: Option<Box<dyn Error + Send + Sync>>,
    staff: Option<String>,
    operator: Option<(String, Runbook)>,
    target: Option<String>,
}

/// What the operator is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice<'a> {
    /// One Japanese sentence: what failed, what is safe, what to type next.
    pub text: &'a str,
    /// The thing it failed on: a path, an address, an id.
    pub target: Option<&'a str>,
    /// Where the way out is written down.
    pub runbook: Runbook,
}

impl Report {
    /// A report of `source`, which stays underneath for the developer.
    #[must_use]
    pub fn new(kind: Kind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::bare(kind)
        }
    }

    /// A report of something that has no cause beneath it, such as a check that found something.
    #[must_use]
    pub fn bare(kind: Kind) -> Self {
        Self {
            kind,
            source: None,
            staff: None,
            operator: None,
            target: None,
        }
    }

    /// Says to staff, in Japanese, what was and was not saved and what to do; no codes, no causes.
    #[must_use]
    pub fn staff(mut self, text: impl Into<String>) -> Self {
        self.staff = Some(text.into());
        self
    }

    /// Says to the operator, in Japanese, what failed and what to type next.
    #[must_use]
    pub fn operator(mut self, text: impl Into<String>, runbook: Runbook) -> Self {
        self.operator = Some((text.into(), runbook));
        self
    }

    /// Names the thing it happened to; never personal data.
    #[must_use]
    pub fn at(mut self, target: impl AsRef<OsStr>) -> Self {
        self.target = Some(target.as_ref().to_string_lossy().into_owned());
        self
    }

    /// What sort of failure this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The exit code of the verb that ends with this report.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }

    /// What staff are shown beside the report number.
    #[must_use]
    pub fn for_staff(&self) -> &str {
        self.staff.as_deref().unwrap_or(
            "処理を終えられませんでした。保存済みの記録は無事です。担当者に番号をお伝えください。",
        )
    }

    /// What the operator is shown; nothing when the failure is the caller's to correct.
    #[must_use]
    pub fn for_operator(&self) -> Option<Advice<'_>> {
        let (text, runbook) = self.operator.as_ref()?;
        Some(Advice {
            text,
            target: self.target.as_deref(),
            runbook: *runbook,
        })
    }

    /// The thing it happened to.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// What the developer reads at debug level: kind, target and the chain of causes.
    #[must_use]
    pub fn for_developer(&self) -> String {
        let target = self.target.as_deref().unwrap_or("-");
        let causes = self
            .source
            .as_ref()
            .map_or_else(String::new, |e| chain(e.as_ref()));
        format!("{:?} at {target}: {causes}", self.kind)
    }

    /// The error underneath, to look for a cause of a certain type.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl fmt::Display for Advice<'_> {
    /// The operator's lines as printed on stderr.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)?;
        if let Some(target) = self.target {
            write!(f, "\n  対象: {target}")?;
        }
        write!(f, "\n  手順書: runbooks/{}.md", self.runbook.stem())
    }
}

/// An error and its causes on one line, outermost first, joined by `: `.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut told = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        // A cause may hold line breaks; a log record is one line.
        told.push(error.to_string().replace(['\n', '\r'], " "));
        next = error.source();
    }
    told.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[derive(Debug, thiserror::Error)]
    #[error("copy failed")]
    struct Copy(#[source] std::io::Error);

    fn full() -> Report {
        Report::new(Kind::BackupTarget, Copy(std::io::Error::other("no\nroom")))
            .staff("控えを作れませんでした。入力した記録は無事です。")
            .operator("控えのディスクに書けません。", Runbook::BackupFailed)
            .at(Path::new("/media/a"))
    }

    #[test]
    fn each_reader_gets_an_own_text() {
        let report = full();
        assert_eq!(
            report.for_staff(),
            "控えを作れませんでした。入力した記録は無事です。"
        );
        assert_eq!(
            report.for_operator().unwrap().to_string(),
            "控えのディスクに書けません。\n  対象: /media/a\n  手順書: runbooks/backup-failed.md"
        );
        assert_eq!(
            report.for_developer(),
            "BackupTarget at /media/a: copy failed: no room"
        );
    }

    #[test]
    fn staff_never_see_the_cause_even_when_nobody_wrote_a_sentence() {
        let bare = Report::new(Kind::Database, std::io::Error::other("table residents"));
        assert!(!bare.for_staff().contains("residents"));
    }

    #[test]
    fn the_cause_can_be_asked_for_by_type() {
        assert!(full().cause().unwrap().downcast_ref::<Copy>().is_some());
        assert!(Report::bare(Kind::Usage).cause().is_none());
    }

    #[test]
    fn exit_codes_are_those_of_the_command_surface() {
        assert_eq!(Kind::RowsRejected.exit_code(), 1);
        assert_eq!(Kind::InputFile.exit_code(), 2);
        assert_eq!(Kind::Disk.exit_code(), 3);
        assert_eq!(Kind::Interrupted.exit_code(), 130);
    }

    #[test]
    fn every_runbook_has_its_own_stem_in_lower_case() {
        let mut stems: Vec<_> = Runbook::ALL.iter().map(|r| r.stem()).collect();
        assert!(
            stems
                .iter()
                .all(|s| s.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        );
        stems.sort_unstable();
        stems.dedup();
        assert_eq!(stems.len(), Runbook::ALL.len());
    }
}
