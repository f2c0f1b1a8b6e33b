//! What the product costs above what the machine can do: `cargo xtask bench [NAME] [--json]`.
//!
//! Shape: every figure measures two sides by turns in the same run and on the same disk, ours and a
//! ceiling (bare SQL, a bare handler, a bare insert, a bare CSV reader, a static file), and says
//! what part of the ceiling ours reaches: 100 % is as fast as bare. Times vary with the machine,
//! shares far less, so that two runs can be compared; on a busy machine p99 of both is noise, and a
//! share may pass 100 %. No test asserts any of them.
//! What pages ask is not copied here: `store::statements::record` takes the statements of the real
//! answer, with their values, and the bare connection repeats them over the views of `scope.sql`.
//! `find`, `person` and `save` call the router in this process (no socket, no TLS; the limiter of
//! 50 requests a second is lifted there); `import` and `clients` run the real `hokatsu` of the same
//! build as a process of its own, limits and all.
//! `backup` has no ceiling but rivals: see its module.
//! Peak memory is the kernel's mark of the process that did our side, since the figure began; in
//! this process that includes what the bench itself holds.
//! Exit code: 0 measured; 1 something failed, so that a number is missing; 3 the world is in the way.
//! Not here: thresholds. Alarms about a slow appliance are monitoring's.

mod backup;
mod bare;
mod city;
mod clients;
mod entry;
mod figure;
mod find;
mod house;
mod import;
mod log;
mod machine;
mod memory;
mod person;
mod predicate;
mod problem;
mod program;
mod report;
mod save;
mod series;
mod typed;
mod visitor;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use crate::city::City;
use crate::figure::Figure;
use crate::house::House;
use crate::machine::Machine;
use crate::problem::Problem;
use crate::program::Program;
use crate::report::{Report, progress};

/// Measures hokatsu against ceilings found in the same run.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// Measure this alone; without it, everything.
    name: Option<Name>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Find,
    Person,
    Save,
    Scope,
    Entry,
    Log,
    Import,
    Clients,
    Backup,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => {
            progress(&format!("bench: {}", problem.told()));
            ExitCode::from(3)
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, Problem> {
    let own = std::env::current_exe().map_err(Problem::file(Path::new("bench")))?;
    let room = Room::beside(&own)?;
    let program = Program::beside(&own, room.dir.join("hokatsu.log"))?;
    progress("the city of 84,677 residents: built by `hokatsu demo`, or taken from an earlier run");
    let mut city = City::prepare(&room.dir, &program)?;
    if let Some(seconds) = city.facts.built_in_seconds {
        progress(&format!("the city was built in {seconds:.1} s"));
    }
    city.count_residents(&room.fresh("count")?)?;
    let (mut figures, mut problems) = (Vec::new(), Vec::new());
    let (mut comparison, mut lags) = (None, Vec::new());
    for name in Name::value_variants() {
        if arguments.name.is_some_and(|asked| asked != *name) {
            continue;
        }
        progress(&format!("{name:?} …"));
        if *name == Name::Backup {
            match backup::measure(&city, &program, &room.fresh("run")?) {
                Ok(found) => (comparison, lags) = (Some(found.0), found.1),
                Err(problem) => problems.push(format!("{name:?}: {}", problem.told())),
            }
            room.fresh("run")?;
            continue;
        }
        match measure(*name, &room, &city, &program) {
            Ok(found) => figures.extend(found),
            Err(problem) => problems.push(format!("{name:?}: {}", problem.told())),
        }
    }
    let report = Report {
        machine: Machine::look(room.profile),
        city: city.facts,
        figures,
        comparison,
        lags,
        problems,
    };
    report::write(&report, arguments.json)?;
    Ok(report.holds())
}

fn measure(
    name: Name,
    room: &Room,
    city: &City,
    program: &Program,
) -> Result<Vec<Figure>, Problem> {
    let place = room.fresh("run")?;
    let house = || House::open(city.copy_to(&place)?, &place);
    let figures = match name {
        Name::Find => find::measure(&house()?),
        Name::Person => person::measure(&house()?),
        Name::Save => save::measure(&house()?),
        Name::Scope => predicate::measure(&house()?),
        Name::Entry => entry::measure(&house()?),
        Name::Log => log::measure(&place),
        Name::Import => import::measure(city, program, &place),
        Name::Clients => {
            city.copy_to(&place)?;
            clients::measure(program, &place)
        }
        // Side by side with other tools, not with a ceiling.
        Name::Backup => Ok(Vec::new()),
    };
    room.fresh("run")?;
    figures
}

/// Where cities, copies and logs lie: `target/bench`, on the disk that the build is on.
struct Room {
    dir: PathBuf,
    profile: String,
}

impl Room {
    fn beside(own: &Path) -> Result<Self, Problem> {
        let profile = own.parent().unwrap_or(Path::new("."));
        let dir = profile.parent().unwrap_or(profile).join("bench");
        std::fs::create_dir_all(&dir).map_err(Problem::file(&dir))?;
        let name = profile.file_name().unwrap_or_default();
        Ok(Self {
            dir,
            profile: name.to_string_lossy().into_owned(),
        })
    }

    /// A directory with nothing in it.
    fn fresh(&self, name: &str) -> Result<PathBuf, Problem> {
        city::empty(&self.dir.join(name))
    }
}
