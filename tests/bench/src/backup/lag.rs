//! How long a commit needs to a second place on the same disk, flushed there: ours, Litestream, and a
//! bare write with `fdatasync`.
//!
//! One commit at a time, each waited for, so that a lag is one commit's. Ours says itself when the second
//! place has it (`base::shipping`); of Litestream, which says nothing, the moment is taken when a new file
//! stands in its directory, which is before it is flushed.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use base::clock::Clock;
use base::shipping::{Line as Asking, Request, machine_dir};
use rusqlite::Connection;
use serde::Serialize;
use store::{Actor, DataDir, Db, Event, Operation, StoreError, SystemReason, switch_shipping};

use super::child::start;
use super::tools::{Room, enrol, litestream};
use crate::problem::Problem;
use crate::report::progress;
use crate::series::Series;

const COMMITS: usize = 300;
/// Litestream ships once a second, and so many seconds are enough for a p50 and a p99.
const SLOW_COMMITS: usize = 60;
const PATIENCE: Duration = Duration::from_secs(60);
/// What one of our commits ships, about.
const BARE_BYTES: usize = 40_000;

/// One side's lag.
#[derive(Debug, Serialize)]
pub(crate) struct Lag {
    pub(crate) who: &'static str,
    pub(crate) commits: usize,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
}

impl Lag {
    fn of(who: &'static str, commits: usize, series: &Series) -> Self {
        let at = |part| series.quantile(part).map(|time| time.as_secs_f64() * 1e3);
        Self {
            who,
            commits,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
        }
    }
}

impl Lag {
    /// For people.
    pub(crate) fn line(&self) -> String {
        let ms = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2}"));
        format!(
            "{}: {} commits, on the second place after p50 {} ms, p99 {} ms\n",
            self.who,
            self.commits,
            ms(self.p50_ms),
            ms(self.p99_ms)
        )
    }
}

pub(super) fn measure(data: &DataDir, room: &Room) -> Result<Vec<Lag>, Problem> {
    progress("the lag of commits …");
    let mut lags = ours(data, room)?;
    lags.push(litestreams(room)?);
    Ok(lags)
}

/// Ours and the bare write, by turns.
fn ours(data: &DataDir, room: &Room) -> Result<Vec<Lag>, Problem> {
    switch_shipping(data, true)?;
    enrol(room)?;
    let _shipper = Running(start(&room.ours(&["ship", "run"]))?);
    let db = Db::open(data, Clock::system())?;
    commit(&db)?;
    let begun = Instant::now();
    let mut asking = loop {
        let called = Asking::call(&machine_dir(data.path()));
        match called {
            Ok(line) => break line,
            Err(_early) if begun.elapsed() < PATIENCE => {
                std::thread::park_timeout(Duration::from_millis(20));
            }
            Err(cause) => return Err(Problem::file(data.path())(cause)),
        }
    };
    // Until the base of the first generation is copied.
    let mut answered = |patience| -> Result<bool, Problem> {
        let answer = asking.ask(&Request::Wait, patience);
        Ok(answer.map_err(Problem::file(data.path()))?.yes)
    };
    let begun = Instant::now();
    while !answered(PATIENCE)? {
        if begun.elapsed() > PATIENCE {
            return Err(Problem::Differs("the shipper never caught up"));
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let bare = room.place.join("second").with_file_name("bare");
    let mut file = File::create(&bare).map_err(Problem::file(&bare))?;
    let bytes = vec![7_u8; BARE_BYTES];
    let (mut shipped, mut flushed) = (Series::new()?, Series::new()?);
    for _ in 0..COMMITS {
        commit(&db)?;
        let begun = Instant::now();
        if !answered(PATIENCE)? {
            return Err(Problem::Differs("a commit was not shipped"));
        }
        shipped.add(begun.elapsed(), 1);
        let begun = Instant::now();
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        written.map_err(Problem::file(&bare))?;
        flushed.add(begun.elapsed(), 1);
    }
    db.close()?;
    switch_shipping(data, false)?;
    Ok(vec![
        Lag::of("hokatsu ship", COMMITS, &shipped),
        Lag::of("bare write + fdatasync", COMMITS, &flushed),
    ])
}

fn commit(db: &Db) -> Result<(), StoreError> {
    let actor = Actor::system("bench");
    db.system(&actor, SystemReason::Backup, |tx| {
        Ok(tx.audited(Event::done(Operation::Backup), ()))
    })
}

/// A database of its own: it brings its own tables and its own reader into what it follows.
#[expect(
    clippy::disallowed_methods,
    reason = "the other side's database is no database of ours"
)]
fn litestreams(room: &Room) -> Result<Lag, Problem> {
    let program = litestream(room)?;
    let database = room.place.join("litestream.db");
    let replica = room.place.join("litestream");
    let connection = Connection::open(&database)?;
    connection.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000;
         create table saved (id integer primary key, content blob)",
    )?;
    let url = format!("file://{}", replica.display());
    let words = ["replicate", &database.display().to_string(), &url];
    let _running = Running(start(&room.line(&program, &words))?);
    let mut lag = Series::new()?;
    let mut seen = wait_for_more(&replica, 0)?;
    for _ in 0..SLOW_COMMITS {
        let bytes = vec![7_u8; BARE_BYTES];
        connection.execute("insert into saved (content) values (?1)", [&bytes])?;
        let begun = Instant::now();
        seen = wait_for_more(&replica, seen)?;
        lag.add(begun.elapsed(), 1);
    }
    Ok(Lag::of("litestream", SLOW_COMMITS, &lag))
}

/// Until more whole files lie there than `seen`; what is still being written has another name.
fn wait_for_more(replica: &Path, seen: usize) -> Result<usize, Problem> {
    let begun = Instant::now();
    loop {
        let now = files(&replica.join("ltx").join("0"));
        if now > seen {
            return Ok(now);
        }
        if begun.elapsed() > PATIENCE {
            return Err(Problem::Differs("litestream shipped nothing"));
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

fn files(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "ltx"))
        .count()
}

/// Ended by its own handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
