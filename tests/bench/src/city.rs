//! The invented city of 84,677 residents: built once a build by the real `demo`, copied for a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::clock::Clock;
use serde::Serialize;
use store::{Actor, DataDir, Db, Scope, StoreError};

use crate::problem::Problem;
use crate::program::Program;

const PREFIX: &str = "city-";

/// The prepared city; nobody writes to it.
#[derive(Debug)]
pub(crate) struct City {
    dir: PathBuf,
    pub(crate) facts: CityFacts,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct CityFacts {
    pub(crate) residents: i64,
    /// How long `demo` took to build it; nothing when an earlier run did.
    pub(crate) built_in_seconds: Option<f64>,
    pub(crate) build_peak_memory_bytes: Option<u64>,
}

impl City {
    /// Takes the city of this build, or builds it below `room`; cities of other builds are removed.
    pub(crate) fn prepare(room: &Path, program: &Program) -> Result<Self, Problem> {
        let name = format!("{PREFIX}{}", stamp(program.path())?);
        let dir = room.join(&name);
        remove_others(room, &name)?;
        let mut facts = CityFacts {
            residents: 0,
            built_in_seconds: None,
            build_peak_memory_bytes: None,
        };
        if !dir.join("complete").exists() {
            let started = Instant::now();
            let serving = program.demo(&dir)?;
            facts.built_in_seconds = Some(started.elapsed().as_secs_f64());
            facts.build_peak_memory_bytes = serving.peak_memory();
            serving.stop()?;
        }
        Ok(Self { dir, facts })
    }

    /// How many live there, counted in a copy at `place`.
    pub(crate) fn count_residents(&mut self, place: &Path) -> Result<(), Problem> {
        let db = Db::open(&self.copy_to(place)?, Clock::system())?;
        let actor = Actor {
            scope: Scope::City,
            ..Actor::system("bench")
        };
        let sql = "select count(*) from visible_residents where resident_state = '1'";
        self.facts.residents = db.read::<_, StoreError>(&actor, |tx| tx.count(sql, []))?;
        drop(db);
        empty(place)?;
        Ok(())
    }

    /// The files as the city delivered them, in the order of their import.
    pub(crate) fn delivered(&self) -> Vec<PathBuf> {
        let names = [
            "JUKI_KOJIN.csv",
            "JUKI_SETAI.csv",
            "KAIGO_SHIKAKU.csv",
            "KAIGO_RIREKI.csv",
            "SODAN.csv",
        ];
        let file = |name| self.dir.join("delivered").join(name);
        names.into_iter().map(file).collect()
    }

    /// A copy that a run may write to, on the same disk.
    pub(crate) fn copy_to(&self, place: &Path) -> Result<DataDir, Problem> {
        copy(&self.dir.join("data"), &place.join("data"))?;
        let marker = place.join("complete");
        fs::copy(self.dir.join("complete"), &marker).map_err(Problem::file(&marker))?;
        Ok(DataDir::new(place.join("data")))
    }
}

/// Another build may store or invent differently.
fn stamp(binary: &Path) -> Result<String, Problem> {
    let data = fs::metadata(binary).map_err(Problem::file(binary))?;
    let built = data.modified().map_err(Problem::file(binary))?;
    let age = built.duration_since(std::time::UNIX_EPOCH);
    let age = age.unwrap_or(Duration::ZERO).as_millis();
    Ok(format!("{age}-{}", data.len()))
}

fn remove_others(room: &Path, kept: &str) -> Result<(), Problem> {
    for entry in fs::read_dir(room).map_err(Problem::file(room))? {
        let entry = entry.map_err(Problem::file(room))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name != kept {
            fs::remove_dir_all(entry.path()).map_err(Problem::file(&entry.path()))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Problem> {
    fs::create_dir_all(to).map_err(Problem::file(to))?;
    for entry in fs::read_dir(from).map_err(Problem::file(from))? {
        let entry = entry.map_err(Problem::file(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(Problem::file(&target))?;
        }
    }
    Ok(())
}

/// A directory with nothing in it.
pub(crate) fn empty(place: &Path) -> Result<PathBuf, Problem> {
    if place.exists() {
        fs::remove_dir_all(place).map_err(Problem::file(place))?;
    }
    fs::create_dir_all(place).map_err(Problem::file(place))?;
    Ok(place.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cities_of_other_builds_are_removed_and_nothing_else() {
        let room = tempfile::TempDir::new().unwrap();
        for name in ["city-1-1", "city-2-2", "other"] {
            fs::create_dir(room.path().join(name)).unwrap();
        }
        remove_others(room.path(), "city-2-2").unwrap();
        let mut left: Vec<_> = fs::read_dir(room.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["city-2-2", "other"]);
    }
}
