//! `[backup]`: where backups go, how long they are kept, when they are made and proven, and from
//! when on somebody is told.
//!
//! Invariant: what the file does not say has its default here, named with its unit.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::disks::DiskSettings;
use super::offsite::{Named, RepositoryPlace, RestPlace, S3Place, SftpPlace};
use super::shipping::ShippingSettings;

/// Longest time a disk is away, days: ten years, as the register has it.
const DAYS_OUT_MAX: u16 = 3_650;

/// `[backup]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupSettings {
    /// `[[backup.repositories]]`: each is written to independently of the others.
    #[serde(default)]
    pub repositories: Vec<BackupRepository>,
    /// After so many days the oldest snapshot is gone from every repository and every disk that was
    /// carried away: what pruning keeps to. Disposal records state the day.
    pub days_kept: Option<u32>,
    /// `[backup.shipping]`: every commit to a second disk; none when absent.
    pub shipping: Option<ShippingSettings>,
    retention: Option<Spanned<RetentionSettings>>,
    prune: Option<Spanned<PruneSettings>>,
    schedule: Option<Spanned<ScheduleSettings>>,
    drill: Option<Spanned<DrillSettings>>,
    alarm: Option<Spanned<AlarmSettings>>,
    disks: Option<Spanned<DiskSettings>>,
}

/// `[backup.retention]`: of so many hours, days, weeks, months and years that have a snapshot, the
/// last one is kept. Days begin at midnight in Japan, weeks on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSettings {
    /// Hours.
    pub hourly: u16,
    /// Days.
    pub daily: u16,
    /// Weeks.
    pub weekly: u16,
    /// Months.
    pub monthly: u16,
    /// Years.
    pub yearly: u16,
}

/// `[backup.prune]`: how data that no snapshot needs leaves a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PruneSettings {
    /// So many hours lie between the mark "not needed" and the deletion.
    pub grace_hours: u16,
    /// At most so much of the repository is written anew in one go, percent.
    pub repack_percent_max: u8,
    /// So much that nobody needs may stay in packs that are needed, percent.
    pub unused_percent_max: u8,
}

/// `[backup.schedule]`: when the timer does what. Hours are of the day in Japan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSettings {
    /// The nightly drill is due from this hour on.
    pub drill_hour: u8,
    /// Weekday of pruning, 1 Monday to 7 Sunday.
    pub prune_weekday: u8,
    /// Pruning is due from this hour on.
    pub prune_hour: u8,
    /// The nightly slice of the rolling read is due from this hour on.
    pub read_hour: u8,
    /// Within so many days every pack has been read once.
    pub read_days: u8,
}

/// `[backup.drill]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DrillSettings {
    /// So many attachments are compared with those in use, byte for byte.
    pub files: u16,
    /// One drill in so many takes an older snapshot than the newest; 0: none does.
    pub older_one_in: u8,
    /// Reports of drills are kept for so many years.
    pub years_kept: u8,
}

/// `[backup.alarm]`: from when on something does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmSettings {
    /// Oldest age of the newest snapshot, hours.
    pub run_hours_max: u16,
    /// Longest time without a drill that ended well, days.
    pub drill_days_max: u16,
    /// Longest time without a prune that ended well, days.
    pub prune_days_max: u16,
    /// A run that grows the repository by more than so many times the median of its past.
    pub growth_factor_max: u16,
    /// Free space is at least so many times the newest snapshot.
    pub free_factor_min: u8,
    /// A lock of the stock tool that is older than so many hours.
    pub stock_lock_hours_max: u16,
    /// A clock that is further from the last record than so many days is not believed.
    pub clock_jump_days_max: u16,
    /// Points in time before an unusual change are kept for so many days, unless somebody says that it is
    /// known.
    pub unusual_days_kept: u16,
    /// Longest time without a visit of a disk that is carried away, days.
    pub rotate_days_max: u16,
    /// Longest time in which all of these disks are in the house, hours.
    pub disks_home_hours_max: u16,
    /// The second disk lacks commits of so many seconds at most.
    pub ship_seconds_max: u16,
    /// A repository may be without a recovery sheet that was tried for so many days.
    pub sheet_days_max: u16,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            hourly: 24,
            daily: 7,
            weekly: 5,
            monthly: 12,
            yearly: 10,
        }
    }
}

impl Default for PruneSettings {
    fn default() -> Self {
        Self {
            grace_hours: 48,
            repack_percent_max: 10,
            unused_percent_max: 5,
        }
    }
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            drill_hour: 1,
            prune_weekday: 7,
            prune_hour: 3,
            read_hour: 4,
            read_days: 28,
        }
    }
}

impl Default for DrillSettings {
    fn default() -> Self {
        Self {
            files: 20,
            older_one_in: 4,
            years_kept: 5,
        }
    }
}

impl Default for AlarmSettings {
    fn default() -> Self {
        Self {
            run_hours_max: 3,
            drill_days_max: 2,
            prune_days_max: 10,
            growth_factor_max: 10,
            free_factor_min: 2,
            stock_lock_hours_max: 1,
            clock_jump_days_max: 14,
            unusual_days_kept: 60,
            rotate_days_max: 10,
            disks_home_hours_max: 24,
            ship_seconds_max: 60,
            sheet_days_max: 7,
        }
    }
}

/// A key, what it says and what it may say.
pub(super) type Bounded = (&'static str, u16, RangeInclusive<u16>);

impl RetentionSettings {
    fn bounds(&self) -> Vec<Bounded> {
        vec![
            ("hourly", self.hourly, 0..=1_000),
            ("daily", self.daily, 1..=1_000),
            ("weekly", self.weekly, 0..=1_000),
            ("monthly", self.monthly, 0..=1_000),
            ("yearly", self.yearly, 0..=100),
        ]
    }
}

impl PruneSettings {
    fn bounds(&self) -> Vec<Bounded> {
        let percent = u16::from;
        vec![
            ("grace_hours", self.grace_hours, 24..=720),
            (
                "repack_percent_max",
                percent(self.repack_percent_max),
                1..=100,
            ),
            (
                "unused_percent_max",
                percent(self.unused_percent_max),
                1..=50,
            ),
        ]
    }
}

impl ScheduleSettings {
    fn bounds(&self) -> Vec<Bounded> {
        vec![
            ("drill_hour", self.drill_hour.into(), 0..=23),
            ("prune_weekday", self.prune_weekday.into(), 1..=7),
            ("prune_hour", self.prune_hour.into(), 0..=23),
            ("read_hour", self.read_hour.into(), 0..=23),
            ("read_days", self.read_days.into(), 5..=90),
        ]
    }
}

impl DrillSettings {
    fn bounds(&self) -> Vec<Bounded> {
        vec![
            ("files", self.files, 1..=10_000),
            ("older_one_in", self.older_one_in.into(), 0..=100),
            ("years_kept", self.years_kept.into(), 1..=30),
        ]
    }
}

impl AlarmSettings {
    fn bounds(&self) -> Vec<Bounded> {
        vec![
            ("run_hours_max", self.run_hours_max, 1..=720),
            ("drill_days_max", self.drill_days_max, 1..=90),
            ("prune_days_max", self.prune_days_max, 7..=90),
            ("growth_factor_max", self.growth_factor_max, 2..=1_000),
            ("free_factor_min", self.free_factor_min.into(), 1..=100),
            ("stock_lock_hours_max", self.stock_lock_hours_max, 1..=720),
            ("clock_jump_days_max", self.clock_jump_days_max, 1..=365),
            ("unusual_days_kept", self.unusual_days_kept, 1..=366),
            ("rotate_days_max", self.rotate_days_max, 1..=365),
            ("disks_home_hours_max", self.disks_home_hours_max, 1..=720),
            ("ship_seconds_max", self.ship_seconds_max, 1..=3_600),
            ("sheet_days_max", self.sheet_days_max, 1..=90),
        ]
    }
}

fn out_of_bounds(bounds: &[Bounded]) -> Option<String> {
    let wrong = bounds
        .iter()
        .find(|(_, value, range)| !range.contains(value));
    wrong.map(|(key, _, range)| {
        format!("{key} は {} から {} までです。", range.start(), range.end())
    })
}

fn said<T: Copy + Default>(named: Option<&Spanned<T>>) -> T {
    named.map(|named| *named.get_ref()).unwrap_or_default()
}

impl BackupSettings {
    /// How many snapshots are kept.
    #[must_use]
    pub fn retention(&self) -> RetentionSettings {
        said(self.retention.as_ref())
    }

    /// How data leaves a repository.
    #[must_use]
    pub fn prune(&self) -> PruneSettings {
        said(self.prune.as_ref())
    }

    /// When the timer does what.
    #[must_use]
    pub fn schedule(&self) -> ScheduleSettings {
        said(self.schedule.as_ref())
    }

    /// How the way back is practised.
    #[must_use]
    pub fn drill(&self) -> DrillSettings {
        said(self.drill.as_ref())
    }

    /// From when on something does not hold.
    #[must_use]
    pub fn alarm(&self) -> AlarmSettings {
        said(self.alarm.as_ref())
    }

    /// What happens when a disk that is carried away is plugged in.
    #[must_use]
    pub fn disks(&self) -> DiskSettings {
        let named = self.disks.as_ref();
        named
            .map(|named| named.get_ref().clone())
            .unwrap_or_default()
    }

    /// The first thing that is wrong, and where it stands.
    pub(super) fn check(&self) -> Result<(), (Range<usize>, String)> {
        let mut seen = std::collections::HashSet::new();
        for repository in &self.repositories {
            let name = &repository.name;
            if name.get_ref().is_empty() || !seen.insert(name.get_ref()) {
                let reason = "保管先の名前が空か、ほかと同じです。";
                return Err((name.span(), reason.to_owned()));
            }
            if let Some(disk) = &repository.removable
                && !(1..=DAYS_OUT_MAX).contains(&disk.days_out())
            {
                let reason = "持ち出したディスクが戻るまでの日数（days_out）は1から3650です。";
                return Err((disk.days_out.span(), reason.to_owned()));
            }
        }
        let shipping = self.shipping.as_ref();
        if let Some(problem) = shipping.and_then(|s| s.problem(self.days_kept)) {
            return Err(problem);
        }
        within(self.retention.as_ref(), RetentionSettings::bounds)?;
        within(self.prune.as_ref(), PruneSettings::bounds)?;
        within(self.schedule.as_ref(), ScheduleSettings::bounds)?;
        within(self.drill.as_ref(), DrillSettings::bounds)?;
        within(self.disks.as_ref(), DiskSettings::bounds)?;
        within(self.alarm.as_ref(), AlarmSettings::bounds)
    }
}

fn within<T>(
    named: Option<&Spanned<T>>,
    bounds: impl Fn(&T) -> Vec<Bounded>,
) -> Result<(), (Range<usize>, String)> {
    let wrong = named.and_then(|named| {
        let reason = out_of_bounds(&bounds(named.get_ref()))?;
        Some((named.span(), reason))
    });
    wrong.map_or(Ok(()), Err)
}

/// One `[[backup.repositories]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub struct BackupRepository {
    /// How operators call it; no two alike.
    name: Spanned<String>,
    /// Where it lies: on a disk, or off-site.
    pub place: RepositoryPlace,
    /// The file that holds its password.
    pub password_file: PathBuf,
    /// `[backup.repositories.removable]`: it lies on a disk that is carried away. A run that writes to
    /// it enters it in the register of what was carried out (持出し台帳).
    pub removable: Option<RemovableDisk>,
}

/// The same as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    path: Option<PathBuf>,
    rest: Option<RestPlace>,
    s3: Option<S3Place>,
    sftp: Option<SftpPlace>,
    password_file: PathBuf,
    removable: Option<RemovableDisk>,
}

impl TryFrom<Written> for BackupRepository {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let place = RepositoryPlace::try_from(Named {
            path: written.path,
            rest: written.rest,
            s3: written.s3,
            sftp: written.sftp,
        })?;
        if place.is_offsite() && written.removable.is_some() {
            return Err("持ち出すディスク（removable）の場所は path で書きます。");
        }
        Ok(Self {
            name: written.name,
            place,
            password_file: written.password_file,
            removable: written.removable,
        })
    }
}

/// `[backup.repositories.removable]`, in the register's words.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemovableDisk {
    /// Code of the list `carried_out_medium`; an external disk when absent.
    #[serde(default = "external_disk")]
    pub medium: String,
    /// The words on its label.
    pub label: String,
    /// Where it is kept.
    pub destination: String,
    /// Who takes it there.
    pub carried_by: String,
    /// The file that opens its LUKS; only a disk with one takes part in the rotation (`backup disk`).
    pub key_file: Option<PathBuf>,
    /// Back after so many days, 1 to 3650; the register reminds of it when they are over.
    days_out: Spanned<u16>,
}

fn external_disk() -> String {
    "02".to_owned()
}

impl RemovableDisk {
    /// Back after so many days.
    #[must_use]
    pub fn days_out(&self) -> u16 {
        *self.days_out.get_ref()
    }
}

impl BackupRepository {
    /// How operators call it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.get_ref()
    }
}
