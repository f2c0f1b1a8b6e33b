//! `backup`: two gigabytes saved, saved again, restored and checked, side by side with restic, borg and
//! `cp` in one run; and how far commits are behind on a second device, beside Litestream.
//!
//! Shape: [`set`] makes the data of some years and a day's work on it, [`tools`] says what each tool is
//! told, [`child`] runs it and watches time and memory, [`proof`] compares what came back. A tool whose
//! restore differs from the source has no row. Steps of less than a second are taken [`SAMPLES`] times, and the
//! median counts: one sample tells of the disk's mood. Unchanged runs of one tool follow each other, because ours
//! leave a record in what the others save. Ours are the real commands, which copy the database out of
//! a running service and prove what they did; the others are given files that nobody writes to.
//! The copy that ours keep of the database is out of the others' way. Everything lies on one disk.
//! `cargo xtask bench backup` fetches the tools; one that is not there is a problem of the run, not a
//! shorter table.
//! Limits: [`FREE_BYTES_MIN`] of the disk.

mod child;
mod lag;
mod proof;
mod set;
mod table;
mod tools;

use std::path::{Path, PathBuf};

use base::paths::free_bytes;
use store::DataDir;

use crate::city::{City, empty};
use crate::problem::Problem;
use crate::program::Program;
use crate::report::progress;

pub(crate) use lag::Lag;
pub(crate) use table::{Comparison, Row};

use child::Ran;
use tools::{Room, Tool};

/// The set, a repository of each tool, a copy, and what comes back.
const FREE_BYTES_MIN: u64 = 20 * 1024 * 1024 * 1024;
/// Runs in which a day's work is saved when it is saved each hour.
const HOURS: u32 = 24;
/// Of a step that is over before the disk is quiet. Odd, so that one of them is the median.
const SAMPLES: u32 = 5;

/// All tools on one set, then the lag of commits.
pub(crate) fn measure(
    city: &City,
    program: &Program,
    place: &Path,
) -> Result<(Comparison, Vec<Lag>), Problem> {
    let free = free_bytes(place)?;
    if free < FREE_BYTES_MIN {
        return Err(Problem::NoRoom(FREE_BYTES_MIN));
    }
    let data = city.copy_to(place)?;
    let attached = set::grow(&data)?;
    let room = Room::new(place, program, &attached)?;
    let tools = tools::all(&room)?;
    let mut rows = Vec::new();
    for tool in &tools {
        rows.push(Measuring::begin(tool, &data)?);
    }
    progress("a day's work …");
    set::work(&data, 1.0)?;
    let (floor, _) = proof::end_of(&data)?;
    for measuring in &mut rows {
        measuring.day()?;
        measuring.back(place, floor)?;
    }
    progress("one file, by turns …");
    for _ in 0..SAMPLES {
        for measuring in &mut rows {
            measuring.one_file(place)?;
        }
    }
    for measuring in &rows {
        // Said at once: what was measured is not lost when a later step fails.
        progress(&measuring.row.told());
    }
    progress("a second day, saved each hour …");
    for _ in 0..HOURS {
        set::work(&data, 1.0 / f64::from(HOURS))?;
        for measuring in rows.iter_mut().filter(|one| one.tool.adds) {
            measuring.hour()?;
        }
    }
    let aside = Aside::put(&data)?;
    let bytes = child::bytes_below(data.path())?;
    aside.back()?;
    let comparison = Comparison {
        bytes,
        rows: rows.into_iter().map(|one| one.row).collect(),
    };
    // What a service would have open is closed: the log of commits begins anew for each side.
    let lag = lag::measure(&data, &room)?;
    Ok((comparison, lag))
}

/// One tool on its way through the steps.
struct Measuring<'t> {
    tool: &'t Tool,
    data: &'t DataDir,
    row: Row,
}

impl<'t> Measuring<'t> {
    /// The first run, and those in which nothing changed.
    fn begin(tool: &'t Tool, data: &'t DataDir) -> Result<Self, Problem> {
        progress(&format!("{} …", tool.name));
        let mut row = Row::of(tool.name, child::said(&tool.version)?);
        for line in &tool.prepare {
            child::run(line)?;
        }
        let mut one = Self { tool, data, row };
        let before = one.kept()?;
        row = one.row.clone();
        row.first_seconds = one.save(&mut row)?;
        row.first_bytes = one.kept()?.saturating_sub(before);
        one.row = row;
        for _ in 0..SAMPLES {
            one.unchanged()?;
        }
        Ok(one)
    }

    /// A run in which nothing changed.
    fn unchanged(&mut self) -> Result<(), Problem> {
        let before = self.kept()?;
        let mut row = self.row.clone();
        let took = self.save(&mut row)?;
        row.unchanged_seconds.add(took);
        let added = self.kept()?.saturating_sub(before);
        row.unchanged_bytes = row.unchanged_bytes.max(added);
        self.row = row;
        Ok(())
    }

    fn save(&self, row: &mut Row) -> Result<f64, Problem> {
        let aside = (!self.tool.is_ours).then(|| Aside::put(self.data));
        let aside = aside.transpose()?;
        let mut seconds = 0.0;
        for line in &self.tool.save {
            let ran = child::run(line)?;
            row.met(&ran);
            seconds += ran.seconds;
        }
        aside.map_or(Ok(()), Aside::back)?;
        Ok(seconds)
    }

    /// One run after a day's work.
    fn day(&mut self) -> Result<(), Problem> {
        progress(&format!("{} after a day …", self.tool.name));
        let before = self.kept()?;
        let mut row = self.row.clone();
        row.day_seconds = self.save(&mut row)?;
        row.day_bytes = self.kept()?.saturating_sub(before);
        self.row = row;
        Ok(())
    }

    /// Everything back, and the repository read through.
    fn back(&mut self, place: &Path, floor: i64) -> Result<(), Problem> {
        progress(&format!("{}: restore and check …", self.tool.name));
        let whole = empty(&place.join("back"))?;
        let ran = self.timed(&self.tool.restore)?;
        self.row.restore_seconds = ran;
        proof::same(self.data, floor, &found(&whole)?)?;
        let ran = self.timed(&self.tool.check)?;
        self.row.check_seconds = ran;
        empty(&whole)?;
        Ok(())
    }

    /// One attachment back.
    fn one_file(&mut self, place: &Path) -> Result<(), Problem> {
        let one = empty(&place.join("one"))?;
        let ran = self.timed(&self.tool.one_file)?;
        self.row.one_file_seconds.add(ran);
        proof::same_file(&self.tool.attachment, &one)
    }

    fn timed(&mut self, lines: &[child::Line]) -> Result<f64, Problem> {
        let mut seconds = 0.0;
        for line in lines {
            let ran: Ran = child::run(line)?;
            self.row.met(&ran);
            seconds += ran.seconds;
        }
        Ok(seconds)
    }

    fn hour(&mut self) -> Result<(), Problem> {
        let before = self.kept()?;
        let mut row = self.row.clone();
        let took = self.save(&mut row)?;
        row.hours_seconds = Some(row.hours_seconds.unwrap_or(0.0) + took);
        let added = self.kept()?.saturating_sub(before);
        row.hours_bytes = Some(row.hours_bytes.unwrap_or(0) + added);
        self.row = row;
        Ok(())
    }

    fn kept(&self) -> Result<u64, Problem> {
        child::bytes_below(&self.tool.kept)
    }
}

/// What ours keep between two runs, while another tool saves the directory.
struct Aside {
    kept: PathBuf,
    place: PathBuf,
}

impl Aside {
    fn put(data: &DataDir) -> Result<Self, Problem> {
        let one = Self {
            kept: data.path().join("frozen"),
            place: data.path().with_file_name("frozen-aside"),
        };
        std::fs::rename(&one.kept, &one.place).map_err(Problem::file(&one.kept))?;
        Ok(one)
    }

    fn back(self) -> Result<(), Problem> {
        std::fs::rename(&self.place, &self.kept).map_err(Problem::file(&self.kept))
    }
}

/// Where below a restored tree the database lies: each tool keeps other parts of the path.
fn found(below: &Path) -> Result<PathBuf, Problem> {
    let mut dirs = vec![below.to_owned()];
    while let Some(dir) = dirs.pop() {
        if DataDir::new(&dir).database().is_file() {
            return Ok(dir);
        }
        for entry in std::fs::read_dir(&dir).map_err(Problem::file(&dir))? {
            let entry = entry.map_err(Problem::file(&dir))?;
            if entry.path().is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    Err(Problem::Differs("the database did not come back"))
}
