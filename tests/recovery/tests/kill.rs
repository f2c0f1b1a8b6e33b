//! A real server process is killed at random moments while staff write consultations: no
//! acknowledged record is lost, none is there by half, the access log is whole, the next start works.
//!
//! A record is acknowledged when its writer was sent on to its page (303). Sessions live in the
//! database, so the writers sign in once and go on after each kill.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::clock::Clock;
use harness::process::{Server, listen_anywhere};
use harness::writing::{Writer, kept, resident_of};
use store::{DataDir, Db};
use tempfile::TempDir;

/// Kills in CI, and with `--long`.
const KILLS: u64 = 100;
const KILLS_LONG: u64 = 1_000;
/// Longest life of a process after its first acknowledged record, milliseconds.
const LIFE_MS: u64 = 120;
/// Who writes: nurses of three centres, by the codes of these.
const WRITERS: [(&str, &str); 3] = [
    ("ch.nurse1", "0101"),
    ("mi.nurse1", "0103"),
    ("ki.nurse1", "0104"),
];

/// What the writers were told is saved.
#[derive(Debug, Default)]
struct Acknowledged {
    ids: Mutex<BTreeSet<i64>>,
    /// Set once a record of the process that lives now was acknowledged.
    first: AtomicBool,
    /// Tells the forms apart.
    forms: AtomicU64,
}

/// A town that was built once and is served again and again.
struct Town {
    data: DataDir,
    site: PathBuf,
}

impl Town {
    /// Its first life ends like all others.
    fn build(dir: PathBuf) -> Self {
        let (server, _) = Server::demo(&dir);
        server.kill();
        let site = dir.join("site.toml");
        listen_anywhere(&site);
        Self {
            data: DataDir::new(dir.join("data")),
            site,
        }
    }

    fn serve(&self) -> (Server, String) {
        Server::serve(&self.site)
    }
}

/// Writes until the process dies.
fn write_until_dead(writer: &Writer, address: &str, acknowledged: &Acknowledged) {
    loop {
        let form = acknowledged.forms.fetch_add(1, Ordering::SeqCst);
        let Some(id) = writer.write(address, form) else {
            return;
        };
        assert!(
            acknowledged.ids.lock().unwrap().insert(id),
            "record {id} was given out twice"
        );
        acknowledged.first.store(true, Ordering::SeqCst);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the runner says how large the numbers are"
)]
fn kills() -> u64 {
    if std::env::var("HOKATSU_LONG").is_ok() {
        KILLS_LONG
    } else {
        KILLS
    }
}

#[test]
fn no_acknowledged_record_is_lost_or_half_and_the_chain_is_whole() {
    let root = TempDir::new().unwrap();
    let town = Town::build(root.path().join("town"));
    let (delivered, half_before) = kept(&town.data);
    let db = Db::open(&town.data, Clock::system()).unwrap();
    let residents = WRITERS.map(|(_, centre)| resident_of(&db, centre));
    db.close().unwrap();
    let (server, address) = town.serve();
    let mut writers = Vec::new();
    for ((login, _), resident) in WRITERS.into_iter().zip(residents) {
        let writer = Writer::sign_in(town.data.tls().join("ca.pem"), &address, login, resident);
        writers.push(Arc::new(writer));
    }
    server.kill();
    let acknowledged = Arc::new(Acknowledged::default());
    for kill in 0..kills() {
        let (server, address) = town.serve();
        acknowledged.first.store(false, Ordering::SeqCst);
        let mut writing = Vec::new();
        for writer in &writers {
            let (writer, address) = (Arc::clone(writer), address.clone());
            let acknowledged = Arc::clone(&acknowledged);
            writing.push(std::thread::spawn(move || {
                write_until_dead(&writer, &address, &acknowledged);
            }));
        }
        while !acknowledged.first.load(Ordering::SeqCst) {
            std::thread::park_timeout(Duration::from_micros(200));
            assert!(
                writing.iter().any(|thread| !thread.is_finished()),
                "nobody could write after kill {kill}"
            );
        }
        // A different moment each time: the golden ratio spreads them over the whole life.
        let moment = kill.wrapping_mul(11_400_714_819_323_198_485) % (LIFE_MS * 1000);
        std::thread::park_timeout(Duration::from_micros(moment));
        server.kill();
        for thread in writing {
            thread.join().unwrap();
        }
        let verdict = store::audit::verify(&town.data, None).unwrap();
        assert_eq!(verdict.findings, [], "after kill {kill}");
        let (records, half) = kept(&town.data);
        let sure = acknowledged.ids.lock().unwrap();
        let lost: Vec<_> = sure.difference(&records).collect();
        assert_eq!(lost, Vec::<&i64>::new(), "lost by kill {kill}");
        assert_eq!(half, half_before, "half records after kill {kill}");
        assert!(records.is_superset(&delivered));
    }
    let sure = acknowledged.ids.lock().unwrap().len();
    println!(
        "kills: {}, acknowledged records: {sure}, lost: 0, half: 0",
        kills()
    );
    assert!(
        u64::try_from(sure).unwrap() >= kills(),
        "too few records to prove anything: {sure}"
    );
}
