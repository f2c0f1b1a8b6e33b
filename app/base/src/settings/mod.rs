//! Settings, read once at start: the environment and `site.toml`, as typed structs.
//!
//! Shape: [`Environment::read`] and [`Site::read`]; each concern has a struct of its own, which
//! is passed on to the crate that needs it.
//! Invariant: an unknown key is an error, because a misspelt option would otherwise silently
//! keep its default. Secrets are paths here, never values.

mod antivirus;
mod backup;
mod disks;
mod environment;
mod first;
mod offsite;
mod place;
mod problem;
mod shipping;
mod sign_in;
mod site;
#[cfg(test)]
mod tests;
mod ups;

pub use antivirus::AntivirusSettings;
pub use backup::{
    AlarmSettings, BackupRepository, BackupSettings, DrillSettings, PruneSettings, RemovableDisk,
    RetentionSettings, ScheduleSettings,
};
pub use disks::{DiskSettings, SignalSettings};
pub use environment::Environment;
pub use first::first_site;
pub use offsite::{RepositoryPlace, RestPlace, S3Place, SftpPlace};
pub use place::{MachineDisks, NetworkSettings, TimeSettings, is_serial};
pub use problem::{SettingsProblem, line_at, toml_problem};
pub use shipping::{ShippingMode, ShippingSettings};
pub use sign_in::{Factor, SignInSettings};
pub use site::{AttachmentSettings, OrganisationSettings, ServerSettings, Site, TlsSettings};
pub use ups::UpsSettings;
