//! The page: what the machine knows of its disks beside what the register says.

use std::collections::BTreeMap;

use askama::Template;
use base::disks::{Disks, DisksError, Here, Plugged};
use store::{ReadTx, StoreError};

use super::view::{self, Line, Next};
use crate::features::carried_out::{Out, disk_out};
use crate::web::{Answer, Shell, Visit};

#[derive(Template)]
#[template(path = "features/backup_disks/list.html")]
struct ListPage {
    shell: Shell,
    lines: Vec<Line>,
    /// Which disk comes next; nothing when none takes part.
    next: Option<Next>,
    /// The list of disks cannot be read.
    unreadable: bool,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let known = known(visit);
    let unreadable = known.is_err();
    let (disks, here) = known.unwrap_or_else(|error| {
        log::error!("the list of backup disks cannot be read: {error}");
        Default::default()
    });
    let out = visit.app.db().read(&visit.actor, |tx| out(tx, &disks))?;
    let days = visit.app.settings().rotate_days_max;
    let today = visit.today();
    visit.page(&ListPage {
        shell: Shell::new(visit, "バックアップディスク").under(&[]),
        lines: view::lines(&disks, &here, &out, today),
        next: view::next(&disks, days, today),
        unreadable,
    })
}

fn known(visit: &Visit) -> Result<(Disks, BTreeMap<String, Plugged>), DisksError> {
    let dir = visit.app.db().dir();
    let disks = Disks::read(&dir.backup_disks())?;
    Ok((disks, Here::read(&dir.disks_here())?))
}

/// By name: the entries of the register that nobody has ended.
fn out(tx: &ReadTx<'_>, disks: &Disks) -> Result<BTreeMap<String, Out>, StoreError> {
    let mut found = BTreeMap::new();
    for disk in disks.disks.iter() {
        if let Some(out) = disk_out(tx, &disk.name)? {
            found.insert(disk.name.clone(), out);
        }
    }
    Ok(found)
}
