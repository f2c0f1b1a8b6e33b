//! The mirror of the two data disks, as the kernel tells it.
//!
//! Source: Documentation/admin-guide/md.rst of Linux (names and words below `md/`).

use std::fs;
use std::path::Path;

use serde::Serialize;

const BLOCK: &str = "sys/class/block";

/// How it stands. Parts of a thousand say how far a copy or a reading is; nothing: the kernel does not say yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Array {
    /// There is none.
    Absent,
    /// There is one that serves nothing.
    Inactive,
    /// The kernel says nothing that we know.
    Unreadable,
    /// Both disks hold the same.
    Whole {
        /// Sectors in which the last reading found a difference.
        mismatches: u64,
    },
    /// Both are read and compared, as each month.
    Checking {
        /// How far.
        permille: Option<u16>,
    },
    /// Both work; what may differ since a power cut, or since the beginning, is made equal.
    Resyncing {
        /// How far.
        permille: Option<u16>,
    },
    /// One disk is being filled from the other.
    Rebuilding {
        /// How far.
        permille: Option<u16>,
    },
    /// One disk works alone.
    Degraded,
}

impl Array {
    /// Looks at the only one that an appliance has.
    #[must_use]
    pub fn look(root: &Path) -> Self {
        let Ok(entries) = fs::read_dir(root.join(BLOCK)) else {
            return Self::Absent;
        };
        let mut arrays = entries.flatten().map(|entry| entry.path().join("md"));
        arrays
            .find(|md| md.is_dir())
            .map_or(Self::Absent, |md| Self::of(&md))
    }

    fn of(md: &Path) -> Self {
        let told = |name: &str| {
            // What cannot be read is no state that the kernel has: it is told as that.
            let text = fs::read_to_string(md.join(name)).unwrap_or_default();
            text.trim().to_owned()
        };
        if matches!(told("array_state").as_str(), "clear" | "inactive") {
            return Self::Inactive;
        }
        let Ok(missing) = told("degraded").parse::<u32>() else {
            return Self::Unreadable;
        };
        let permille = permille(&told("sync_completed"));
        match (missing, told("sync_action").as_str()) {
            (0, "check" | "repair") => Self::Checking { permille },
            (0, "resync" | "recover") => Self::Resyncing { permille },
            (0, _) => Self::Whole {
                mismatches: told("mismatch_cnt").parse().unwrap_or_default(),
            },
            (_, "resync" | "recover") => Self::Rebuilding { permille },
            (_, _) => Self::Degraded,
        }
    }
}

/// `384 / 1024` sectors are 375; `none` and `delayed` say nothing.
fn permille(told: &str) -> Option<u16> {
    let (done, all) = told.split_once(" / ")?;
    let (done, all) = (done.parse::<u64>().ok()?, all.parse::<u64>().ok()?);
    let parts = done.checked_mul(1_000)?.checked_div(all)?;
    u16::try_from(parts.min(1_000)).ok()
}
