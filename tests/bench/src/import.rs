//! `import`: the city's files through the real `hokatsu import residents`, against a bare CSV
//! reader that inserts the same rows into one table a file. Both from file to committed row.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::paths::{MODE_PRIVATE, write_atomic};
use encoding_rs::SHIFT_JIS;
use serde::Deserialize;

use crate::bare::Bare;
use crate::city::{City, empty};
use crate::figure::{Figure, Measured};
use crate::problem::Problem;
use crate::program::{Ended, Program};

/// Each import begins with an empty database, this often.
const RUNS: usize = 3;
const CEILING: &str = "csv reader and prepared insert, one commit, WAL, synchronous=FULL";

/// What `import --json` promises, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Loaded {
    files: Vec<LoadedFile>,
}

#[derive(Debug, Deserialize)]
struct LoadedFile {
    counts: Counts,
}

#[derive(Debug, Deserialize)]
struct Counts {
    loaded: u32,
    rejected: u32,
}

pub(crate) fn measure(city: &City, program: &Program, room: &Path) -> Result<Vec<Figure>, Problem> {
    let all = city.delivered();
    let residents = all.iter().take(1).cloned().collect();
    let cases = [("residents feed", residents), ("whole delivery", all)];
    let mut figures = Vec::new();
    for (case, files) in cases {
        figures.push(of_files(case, &files, program, room)?.into());
    }
    Ok(figures)
}

fn of_files(
    case: &str,
    files: &[PathBuf],
    program: &Program,
    room: &Path,
) -> Result<Measured, Problem> {
    let mut measured = Measured::new("import", case, CEILING, "rows")?;
    for _ in 0..RUNS {
        let place = empty(&room.join("import"))?;
        match ours(&place, files, program) {
            Ok((ended, rows)) => {
                measured.ours.add(ended.took, rows);
                measured.peak_memory = measured.peak_memory.max(ended.peak_memory);
            }
            Err(problem) => measured.failures.add(problem.told()),
        }
        let (took, rows) = bare(&place, files)?;
        measured.ceiling.add(took, rows);
    }
    empty(&room.join("import"))?;
    Ok(measured)
}

fn ours(
    place: &Path,
    files: &[PathBuf],
    program: &Program,
) -> Result<(Ended<Loaded>, u32), Problem> {
    let site = place.join("site.toml");
    let data = place.join("data").display().to_string();
    let text = "[server]\nlisten = \"127.0.0.1:0\"\n\
                [organisation]\nname = \"試験\"\ninsurer_no = \"112292\"\n";
    let written = write_atomic(&site, text.as_bytes(), MODE_PRIVATE);
    written.map_err(|error| {
        let cause = std::io::Error::from(error.io().kind());
        Problem::file(&site)(cause)
    })?;
    let site = site.display().to_string();
    let rest = ["--site", &site, "--data", &data, "--json"];
    let init = ["init", "--admin", "admin", "--admin-name", "管理　者"];
    program.run::<serde_json::Value>(&[&init[..], &rest].concat())?;
    let rejects = place.display().to_string();
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    let mut words = vec!["import", "residents", "--yes", "--rejects", &rejects];
    words.extend(["--operator", "計測", "--reason", "計測"]);
    words.extend(rest);
    words.extend(names.iter().map(String::as_str));
    let ended = program.run::<Loaded>(&words)?;
    let counts = ended.said.files.iter().map(|file| &file.counts);
    let rejected: u32 = counts.clone().map(|c| c.rejected).sum();
    let rows = counts.map(|c| c.loaded).sum();
    if rejected == 0 && ended.said.files.len() == files.len() {
        Ok((ended, rows))
    } else {
        Err(Problem::Empty(format!("{rejected} rows were rejected")))
    }
}

fn bare(place: &Path, files: &[PathBuf]) -> Result<(Duration, u32), Problem> {
    let bare = Bare::open(&place.join("bare.db"))?;
    let started = Instant::now();
    let mut rows: u32 = 0;
    for (number, file) in files.iter().enumerate() {
        rows = rows.saturating_add(load(&bare, &format!("feed{number}"), file)?);
    }
    Ok((started.elapsed(), rows))
}

fn load(bare: &Bare, table: &str, file: &Path) -> Result<u32, Problem> {
    let bytes = fs::read(file).map_err(Problem::file(file))?;
    let (text, _, _) = SHIFT_JIS.decode(&bytes);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers()?.len();
    bare.make_table(table, columns)?;
    bare.insert_all(table, columns, &mut reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_reader_loads_what_the_city_delivers() {
        let dir = tempfile::TempDir::new().unwrap();
        let day = jiff::civil::date(2026, 11, 20);
        let town = demo::town::generate(demo::town::Size::Small, 1, day, dir.path()).unwrap();
        let (_, rows) = bare(dir.path(), town.files.get(..1).unwrap()).unwrap();
        assert_eq!(usize::try_from(rows).unwrap(), town.residents + town.gone);
    }
}
