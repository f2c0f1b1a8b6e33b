//! Whether our own services are as closed as we say, asked of `systemd-analyze security` without a machine.

use std::fs;
use std::time::Duration;

use crate::problem::{Problem, at};
use crate::room::Room;
use crate::tree;

const LIMIT: Duration = Duration::from_secs(60);
/// Tenths of what systemd calls exposure, at most.
const EXPOSURE_MAX: &str = "--threshold=20";
/// Ours are named so; what only lays out the data volume or looks at the others runs as root.
const OURS: &str = "hokatsu";

/// Looks at every service of ours.
///
/// # Errors
/// [`Problem::Failed`] with the service and what is open in it.
pub fn hardened(room: &Room) -> Result<(), Problem> {
    let extra = room.source().join("mkosi.extra");
    let root = format!("--root={}", extra.display());
    let units = extra.join("usr/lib/systemd/system");
    for entry in fs::read_dir(&units).map_err(at(&units, "read"))? {
        let name = entry.map_err(at(&units, "read"))?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(OURS) || !name.ends_with(".service") {
            continue;
        }
        let words = [
            "systemd-analyze",
            "security",
            "--no-pager",
            "--offline=yes",
            EXPOSURE_MAX,
            &root,
            &name,
        ];
        tree::inside(room, &words, LIMIT).must("systemd-analyze security")?;
    }
    Ok(())
}
