//! Two gigabytes as some years leave them, and a day's work on them.

use std::path::PathBuf;

use base::clock::Clock;
use server::features::attachments::{Invented, Owner, insert_history};
use server::web::Problem as PageProblem;
use store::{Actor, DataDir, Db, Event, Operation, ResidentId, StaffId, SystemReason, WriteTx};

use crate::house::House;
use crate::problem::Problem;
use crate::report::progress;
use crate::{log, save};

/// Entries of the access log that the years left.
const ENTRIES: u64 = 2_400_000;
/// Of these so many come one by one: indexes that were made at the end are full to the brim, and the next
/// days would split every page of them once.
const SETTLING_ENTRIES: u64 = 100_000;
/// Papers that were scanned, each of [`PAPER_BYTES`], which do not compress.
const PAPERS: u64 = 1_600;
const PAPER_BYTES: usize = 512 * 1024;
/// Of one day: pages looked at, consultations written, papers scanned.
const DAY_ENTRIES: f64 = 10_000.0;
const DAY_CONSULTATIONS: f64 = 150.0;
const DAY_PAPERS: f64 = 20.0;
const PAPERS_AT_ONCE: u64 = 100;

/// Makes the years; returns one of the papers as it lies on the shelf.
pub(super) fn grow(data: &DataDir) -> Result<PathBuf, Problem> {
    progress("the years of two gigabytes …");
    let db = Db::open(data, Clock::system())?;
    let now = db.clock().now();
    let mut written = 0;
    while written < PAPERS {
        papers(&db, written..(written + PAPERS_AT_ONCE).min(PAPERS))?;
        written += PAPERS_AT_ONCE;
    }
    db.close()?;
    log::generate(data, ENTRIES, now)?;
    log::go_on(data, SETTLING_ENTRIES, now)?;
    let shelf = data.attachments();
    let mut dirs = vec![shelf.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).map_err(Problem::file(&dir))? {
            let entry = entry.map_err(Problem::file(&dir))?;
            let data = entry.metadata().map_err(Problem::file(&dir))?;
            if data.is_dir() {
                dirs.push(entry.path());
            } else if data.len() == PAPER_BYTES as u64 {
                return Ok(entry.path());
            }
        }
    }
    Err(Problem::Empty(shelf.display().to_string()))
}

/// A part of a day: through the product where it is fast enough, and closed afterwards.
pub(super) fn work(data: &DataDir, part: f64) -> Result<(), Problem> {
    let scratch = tempfile_beside(data)?;
    let house = House::open(DataDir::new(data.path()), &scratch)?;
    save::write(&house, whole(DAY_CONSULTATIONS * part))?;
    let db = house.app.db();
    let count = db.system_read(SystemReason::Backup, |tx| {
        tx.count("select count(*) from attachments", [])
    });
    let first: u64 = count?.try_into().unwrap_or(0);
    papers(db, first..first + whole(DAY_PAPERS * part))?;
    let now = db.clock().now();
    drop(house);
    log::go_on(data, whole(DAY_ENTRIES * part), now)
}

fn whole(number: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number, rounded"
    )]
    let rounded = number.round().max(1.0) as u64;
    rounded
}

fn tempfile_beside(data: &DataDir) -> Result<PathBuf, Problem> {
    let place = data.path().with_file_name("scratch");
    std::fs::create_dir_all(&place).map_err(Problem::file(&place))?;
    Ok(place)
}

fn papers(db: &Db, numbers: std::ops::Range<u64>) -> Result<(), Problem> {
    let actor = Actor::system("bench");
    let now = format!("{:.6}", db.clock().now());
    let shelf = db.shelf();
    let written = db.system(&actor, SystemReason::Demo, |tx| {
        let (resident, nurse) = somebody(tx)?;
        for number in numbers.clone() {
            let bytes = paper(number);
            let file = Invented {
                owner: Owner::Resident(resident),
                bytes: &bytes,
                name: "scan.pdf",
                title: "",
            };
            insert_history(tx, &shelf, &file, (None, nurse, &now))?;
        }
        Ok::<_, PageProblem>(tx.audited(Event::done(Operation::SetUp), ()))
    });
    written.map_err(|problem| Problem::Page(format!("{problem:?}")))
}

fn somebody(tx: &WriteTx<'_>) -> Result<(ResidentId, StaffId), store::StoreError> {
    let sql = "select (select min(id) from residents where resident_state = '1'),
                      (select min(id) from staff)";
    tx.one(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?
        .ok_or(store::StoreError::Bytes)
}

/// Begins as a PDF; what follows looks like chance and is the same every time.
fn paper(number: u64) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut word = number << 32;
    while bytes.len() < PAPER_BYTES {
        word += 1;
        bytes.extend_from_slice(&log::mixed(word).to_le_bytes());
    }
    bytes.truncate(PAPER_BYTES);
    bytes
}
