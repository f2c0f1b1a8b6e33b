//! Where each disk is: here, in the house, or carried away, by what was plugged in and the register.

use std::collections::BTreeMap;

use backup::records::History;
use backup::status::{Probe, Rotated, RotationThresholds, of_disks};
use base::clock::Clock;
use base::disks::{Disk, Disks, Here};
use base::report::Report;
use jiff::Timestamp;
use server::features::carried_out::disk_out;
use store::{Db, ReadTx, StoreError, SystemReason};

use super::{Rotation, listed};
use crate::verbs::backup::Keeper;

/// Where a disk that takes part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Plugged in.
    Here,
    /// Not plugged in, and not entered as carried away.
    House,
    Away,
}

impl Place {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::House => "house",
            Self::Away => "away",
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Here => "装置につながっている",
            Self::House => "建物の中",
            Self::Away => "持出し中",
        }
    }
}

/// By the disk's mark; those that ended are nowhere.
pub(super) fn places(
    rotation: &Rotation<'_>,
    disks: &Disks,
) -> Result<BTreeMap<String, Place>, Report> {
    of(rotation.keeper, disks)
}

fn of(keeper: &Keeper<'_>, disks: &Disks) -> Result<BTreeMap<String, Place>, Report> {
    if disks.active().next().is_none() {
        return Ok(BTreeMap::new());
    }
    let here = Here::read(&keeper.dir.disks_here()).map_err(listed)?;
    let is_here = |disk: &Disk| {
        here.values()
            .any(|one| one.name.as_deref() == Some(&disk.name))
    };
    let db = Db::open_beside(&keeper.dir, Clock::system()).map_err(StoreError::report)?;
    let read = |tx: &ReadTx<'_>| {
        let mut places = BTreeMap::new();
        for disk in disks.active() {
            let place = if is_here(disk) {
                Place::Here
            } else if disk.left_at.is_some() && disk_out(tx, &disk.name)?.is_some() {
                Place::Away
            } else {
                Place::House
            };
            places.insert(disk.mark.clone(), place);
        }
        Ok::<_, StoreError>(places)
    };
    let places = db.system_read(SystemReason::Backup, read);
    let places = places.map_err(StoreError::report)?;
    db.close().map_err(StoreError::report)?;
    Ok(places)
}

/// The states of all disks, for `backup status`.
pub(in crate::verbs::backup) fn probes(
    keeper: &Keeper<'_>,
    history: &History,
    now: Timestamp,
) -> Result<Vec<Probe>, Report> {
    let disks = Disks::read(&keeper.dir.backup_disks()).map_err(listed)?;
    let places = of(keeper, &disks)?;
    let rotated: Vec<Rotated<'_>> = disks
        .active()
        .map(|disk| Rotated {
            disk,
            is_away: places.get(&disk.mark) == Some(&Place::Away),
            home_since: home_since(disk),
        })
        .collect();
    let alarm = keeper.site.backup.alarm();
    let thresholds = RotationThresholds {
        rotate_days_max: alarm.rotate_days_max,
        home_hours_max: alarm.disks_home_hours_max,
    };
    Ok(of_disks(&rotated, history, &thresholds, now))
}

fn home_since(disk: &Disk) -> Option<Timestamp> {
    let saved = disk.saved.as_ref().map(|saved| saved.at);
    saved.max(Some(disk.enrolled_at))
}
