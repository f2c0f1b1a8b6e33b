//! `backup disk list`: which disks there are, what was saved on each, and where it is.

use std::process::ExitCode;

use base::clock::japan;
use base::disks::{Disk, How};
use base::report::Report;
use jiff::Timestamp;
use serde::Serialize;

use super::Rotation;
use super::whereabouts::{Place, places};

#[derive(Serialize)]
struct Listed {
    name: String,
    uuid: String,
    enrolled_at: Timestamp,
    ended_at: Option<Timestamp>,
    how: Option<How>,
    snapshot: Option<String>,
    saved_at: Option<Timestamp>,
    /// `here`, `house`, `away`; nothing when it ended.
    place: Option<&'static str>,
}

pub(super) fn list(rotation: &Rotation<'_>) -> Result<ExitCode, Report> {
    let disks = rotation.disks()?;
    let places = places(rotation, &disks)?;
    let voice = rotation.keeper.voice;
    if disks.disks.is_empty() {
        voice.say("登録したディスクはありません。手順書: runbooks/disk-rotate.md");
    }
    let mut all = Vec::new();
    for disk in &disks.disks {
        let place = places.get(&disk.mark).copied();
        voice.say(&line(disk, place));
        all.push(listed(disk, place));
    }
    rotation.keeper.result(&all)?;
    Ok(ExitCode::SUCCESS)
}

fn listed(disk: &Disk, place: Option<Place>) -> Listed {
    Listed {
        name: disk.name.clone(),
        uuid: disk.uuid.clone(),
        enrolled_at: disk.enrolled_at,
        ended_at: disk.ended.map(|ended| ended.at),
        how: disk.ended.map(|ended| ended.how),
        snapshot: disk.saved.as_ref().map(|saved| saved.snapshot.clone()),
        saved_at: disk.saved.as_ref().map(|saved| saved.at),
        place: place.map(Place::code),
    }
}

fn line(disk: &Disk, place: Option<Place>) -> String {
    let saved = disk.saved.as_ref();
    let saved = saved.map_or_else(|| "まだない".to_owned(), |saved| shown(saved.at));
    let place = match (disk.ended, place) {
        (Some(ended), _) => match ended.how {
            How::Released => format!("使い終えた（{}）", shown(ended.at)),
            How::Lost => format!("紛失（{}）", shown(ended.at)),
        },
        (None, Some(place)) => place.words().to_owned(),
        (None, None) => String::new(),
    };
    format!(
        "{} 番号 {} 最後の控え {saved} {place}",
        disk.name,
        short(&disk.uuid)
    )
}

/// Enough of a UUID for a person to tell two disks apart.
pub(super) fn short(uuid: &str) -> String {
    uuid.chars().take(8).collect()
}

fn shown(at: Timestamp) -> String {
    let local = at.to_zoned_datetime(japan());
    local.strftime("%Y-%m-%d %H:%M").to_string()
}
