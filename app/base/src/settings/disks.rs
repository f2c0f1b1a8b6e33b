//! `[backup.disks]`: what happens when a disk that is carried away is plugged in.

use std::path::PathBuf;

use serde::Deserialize;

/// Opens, mounts, unmounts and closes; the only part that needs root.
const OPENER: [&str; 3] = ["sudo", "-n", "/usr/libexec/hokatsu/disk-opener"];

/// `[backup.disks]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiskSettings {
    /// The program that opens and mounts, with its first words. See `backup/units/disk-opener`.
    pub opener: Vec<String>,
    /// People, consultations and attachments may not be fewer than so much of what the disk holds,
    /// percent.
    pub count_percent_min: u8,
    /// With so many visits every pack of a disk was read once.
    pub read_visits: u8,
    /// UUIDs of encrypted disks that are always here (disk A): no strangers, and none of the rotation.
    pub always_here: Vec<String>,
    /// `[[backup.disks.signals]]`: lamps and sounders.
    pub signals: Vec<SignalSettings>,
}

/// One lamp or sounder: what is written to a device. An empty text writes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalSettings {
    /// The device, such as a lamp's `brightness` or a console that sounds at a BEL.
    pub path: PathBuf,
    /// Written when a disk must not be unplugged.
    #[serde(default)]
    pub working: String,
    /// Written when it may be unplugged.
    #[serde(default)]
    pub free: String,
    /// Written when nothing was saved on it.
    #[serde(default)]
    pub refused: String,
}

impl Default for DiskSettings {
    fn default() -> Self {
        Self {
            opener: OPENER.map(str::to_owned).to_vec(),
            count_percent_min: 90,
            read_visits: 4,
            always_here: Vec::new(),
            signals: Vec::new(),
        }
    }
}

impl DiskSettings {
    /// Keys with what they say and what they may say.
    pub(super) fn bounds(&self) -> Vec<super::backup::Bounded> {
        vec![
            ("count_percent_min", self.count_percent_min.into(), 1..=100),
            ("read_visits", self.read_visits.into(), 1..=52),
        ]
    }
}
