//! `backup disk`: disks that are carried away are enrolled, saved to when they are plugged in, released.
//!
//! Shape: [`Rotation`] knows the settings and the opener; [`visit`] is what happens to a disk that was
//! plugged in, [`tell`] says how it stands where people look: console, lamp, pages, monitoring.
//! Invariant: only a disk that is enrolled and bears our mark is written to, and only here; a disk that
//! ended is not even opened.

mod doubts;
mod enrol;
mod list;
mod opened;
mod release;
mod stranger;
mod tell;
mod visit;
mod whereabouts;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use backup::RepositorySettings;
use backup::disks::{DiskError, Opener, Place};
use base::disks::Disks;
use base::report::{Kind, Report};
use base::settings::DiskSettings;
use base::small_file::SmallFileError;

pub(super) use whereabouts::probes;

use super::Keeper;
use crate::arguments::DiskVerb;

/// What every verb here needs.
pub(super) struct Rotation<'k> {
    keeper: &'k Keeper<'k>,
    settings: DiskSettings,
    opener: Opener,
}

/// A repository of the settings that lies on a disk of the rotation.
struct Kept {
    repository: RepositorySettings,
    /// Opens its LUKS.
    key: PathBuf,
    place: Place,
}

pub(crate) fn disk(what: &DiskVerb, keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let settings = keeper.site.backup.disks();
    let rotation = Rotation {
        keeper,
        opener: Opener::new(&settings.opener),
        settings,
    };
    match what {
        DiskVerb::Enrol(asked) => enrol::enrol(asked, &rotation),
        DiskVerb::List => list::list(&rotation),
        DiskVerb::Release(asked) => release::release(asked, &rotation),
        DiskVerb::Run(asked) => visit::run(asked, &rotation),
        DiskVerb::Unplugged(asked) => tell::unplugged(&asked.device, &rotation),
    }
}

impl Rotation<'_> {
    fn disks(&self) -> Result<Disks, Report> {
        Disks::read(&self.keeper.dir.backup_disks()).map_err(listed)
    }

    /// The repository of this name, when the settings say that it lies on a disk of the rotation.
    fn kept(&self, name: &str) -> Result<Kept, Report> {
        let site = self.keeper.site;
        let all = site.backup.repositories.iter();
        let with_keys: Vec<_> = all
            .filter_map(|one| {
                let disk = one.removable.as_ref()?;
                Some((one.name(), disk.key_file.clone()?))
            })
            .collect();
        let found = with_keys.iter().find(|(known, _)| *known == name);
        let settings = self.keeper.known(name);
        let (Some((_, key)), Some(repository)) = (found, settings) else {
            let known: Vec<&str> = with_keys.iter().map(|(known, _)| *known).collect();
            self.keeper.voice.say(&format!(
                "持ち出すディスクの保管先「{name}」が設定ファイルにありません（[backup.repositories.removable] に \
                 key_file のあるもの）。使えるもの: {}",
                known.join("、")
            ));
            return Err(Report::bare(Kind::Settings));
        };
        let directory = repository.location.directory();
        // The settings refuse one that is carried away and has no directory.
        let directory = directory.unwrap_or(Path::new(""));
        Ok(Kept {
            place: Place::of(directory).map_err(Report::from)?,
            repository,
            key: key.clone(),
        })
    }
}

fn listed(error: SmallFileError) -> Report {
    DiskError::from(error).into()
}
