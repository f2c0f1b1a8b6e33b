//! `ups`: watches the power supplies and stops the machine in time, says how they stand, and plays an outage for
//! training.
//!
//! Shape: readings come from NUT's `upsc`, what follows is decided in `base::ups`, and what stops the machine is a
//! command of the settings. Source: docs/decisions/0046-ups.md.

mod simulate;
mod status;
mod watch;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use base::report::{Kind, Report, Runbook};
use base::small_file::SmallFileError;

pub(super) use simulate::run as simulate;
pub(super) use status::{Status, look, run as status, say};
pub(super) use watch::run as watch;

use crate::verbs::stopping::at_signal;

/// As often the supplies are asked.
const POLL: Duration = Duration::from_secs(2);
/// What stands there is for every account of the machine: nothing of it is secret.
const MODE_DIR: u32 = 0o755;

/// Waits from turn to turn until somebody says stop.
struct Turns(Receiver<()>);

impl Turns {
    fn begin() -> Result<Self, Report> {
        let (tell, told) = channel();
        at_signal(move || drop(tell))?;
        Ok(Self(told))
    }

    /// Is there another one?
    fn next(&self) -> bool {
        self.0.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout)
    }
}

/// On the appliance systemd has made it.
fn prepared(dir: &Path) -> Result<(), Report> {
    let made = DirBuilder::new().recursive(true).mode(MODE_DIR).create(dir);
    made.map_err(|error| {
        Report::new(Kind::Disk, error)
            .operator(
                "UPSの状態を置く場所を作れません。装置では hokatsu-ups のサービスが作ります",
                Runbook::UpsSilent,
            )
            .at(dir)
    })
}

/// How it stands cannot be told or read.
fn untold(dir: &Path) -> impl Fn(SmallFileError) -> Report + use<'_> {
    move |error| {
        Report::new(Kind::Disk, error)
            .operator("UPSの状態を読み書きできません", Runbook::UpsSilent)
            .at(dir)
    }
}
