//! A log as large as years make it, with a chain that holds: for `log` and for its suite.
//!
//! Shape: rows are written by a bare connection, hashed and signed here a second time, as anybody
//! could who knows the format; that `audit verify` calls the result whole proves both. Indexes are
//! made at the end, and it stops before the disk is full.
//! Source: app/store/src/audit/chain.rs, seal.rs (`hokatsu audit entry 1`, `hokatsu audit head 1`).

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use base::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use ring::signature::Ed25519KeyPair;
use rusqlite::{Connection, params};
use server::app::{App, ServerSettings};
use server::features::masters::{self, Masters};
use server::features::staff::{Login, NewStaff, add};
use server::web::Role;
use store::{Actor, DataDir, Db, Operation, Scope, statements};
use tokio::runtime::{Builder, Runtime};

use crate::bare::{Bare, questions};
use crate::figure::{Figure, Measured};
use crate::problem::Problem;
use crate::visitor::{Inside, Visitor, refused};

/// The staff, terminals and residents that take turns: of terminals there are as many as the city ordered.
const STAFF: u64 = 60;
const TERMINALS: u64 = 33;
const RESIDENTS: u64 = 15_438;
/// A day's work of all of them, and how many residents each of them has to do with in it: an assumption.
const DAY: u64 = 10_000;
const RESIDENTS_A_DAY: u64 = 12;
/// The whole log spans this long, whatever its length.
const SPAN: SignedDuration = SignedDuration::from_hours(24 * 365 * 3);
const MENUS: [&str; 8] = [
    "個人画面",
    "住民をさがす",
    "相談",
    "今日の予定",
    "照会",
    "異動と食い違い",
    "アクセスログ",
    "件数とマスタ",
];
const OPERATIONS: [Operation; 8] = [
    Operation::ResidentView,
    Operation::ResidentFind,
    Operation::ConsultationView,
    Operation::ConsultationCreate,
    Operation::ResidentInquiry,
    Operation::ChangeConfirm,
    Operation::AccessLogView,
    Operation::ConsultationPrint,
];

/// One entry's fields, as text where they are hashed.
struct Entry {
    at: String,
    staff: i64,
    centre: i64,
    menu: &'static str,
    operation: &'static str,
    resident: Option<i64>,
    record: Option<(&'static str, i64)>,
    terminal: String,
    outcome: &'static str,
    detail: &'static str,
}

/// A number that looks like chance and is the same every time (splitmix64).
pub(crate) fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Everybody has one, and now and then sits at another.
fn desk(staff: u64, chance: u64) -> u64 {
    let elsewhere = (chance >> 32).is_multiple_of(16);
    let other = if elsewhere { chance >> 36 } else { 0 };
    (staff + other) % TERMINALS
}

fn small(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(0)
}

impl Entry {
    fn of(number: u64, at: Timestamp) -> Self {
        let chance = mixed(number);
        let staff = chance % STAFF + 1;
        // Most work is looking at people; the rarest kinds are one in some hundreds.
        let kind = usize::try_from((chance >> 8) % 512).unwrap_or(0);
        let kind = [0, 0, 0, 1, 1, 2, 2, 3].get(kind % 8).filter(|_| kind > 24);
        let kind = kind
            .copied()
            .unwrap_or_else(|| usize::try_from((chance >> 20) % 8).unwrap_or(0));
        let case = staff * RESIDENTS_A_DAY + (chance >> 24) % RESIDENTS_A_DAY;
        let resident = mixed(number / DAY * STAFF * RESIDENTS_A_DAY + case) % RESIDENTS + 1;
        let resident = small(resident);
        let about = kind != 1 && kind < 6;
        Self {
            at: format!("{at:.6}"),
            staff: small(staff),
            centre: small(staff % 5 + 1),
            menu: MENUS.get(kind).copied().unwrap_or("個人画面"),
            operation: OPERATIONS.get(kind).map_or("resident_view", |o| o.code()),
            resident: about.then_some(resident),
            // Of each resident there are some.
            record: (kind == 2 || kind == 3)
                .then(|| ("consultation", resident * 13 + small((chance >> 40) % 13))),
            terminal: format!("10.20.{}.{}", staff % 5, desk(staff, chance)),
            outcome: if chance.is_multiple_of(997) {
                "refused"
            } else {
                "done"
            },
            detail: if kind == 1 {
                "kana+born 3 terms=0123456789"
            } else {
                ""
            },
        }
    }

    fn hash(&self, before: &[u8; 32], buffer: &mut Vec<u8>) -> [u8; 32] {
        buffer.clear();
        buffer.extend_from_slice(b"hokatsu audit entry 1");
        buffer.extend_from_slice(before);
        let number = |value: Option<i64>| value.map_or_else(String::new, |v| v.to_string());
        for field in [
            self.at.as_str(),
            &number(Some(self.staff)),
            &number(Some(self.centre)),
            self.menu,
            self.operation,
            &number(self.resident),
            self.record.map_or("", |(kind, _)| kind),
            &number(self.record.map(|(_, id)| id)),
            &self.terminal,
            self.outcome,
            self.detail,
        ] {
            buffer.extend_from_slice(&u64::try_from(field.len()).unwrap_or(0).to_be_bytes());
            buffer.extend_from_slice(field.as_bytes());
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, buffer).as_ref());
        hash
    }
}

const INSERT: &str = "insert into audit_entries values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INDEXES: &str = "select name, sql from sqlite_schema
    where type = 'index' and tbl_name = 'audit_entries' and sql is not null";
const END: &str = "select id, at, hash from audit_entries order by id desc limit 1";
/// Entries in one transaction.
const STEP: u64 = 100_000;

/// Adds `count` entries behind those of a data directory that nobody has open, from three years
/// before `until`. Time must not run backwards, so entries that are there are moved behind nothing:
/// the new ones begin where they end if that is later.
pub(crate) fn generate(dir: &DataDir, count: u64, until: Timestamp) -> Result<(), Problem> {
    let connection = open(&dir.database())?;
    let indexes: Vec<(String, String)> = connection
        .prepare(INDEXES)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (name, _) in &indexes {
        connection.execute_batch(&format!("drop index {name}"))?;
    }
    let (id, hash) = append(&connection, count, until)?;
    for (_, sql) in &indexes {
        connection.execute_batch(sql)?;
    }
    sign(&connection, dir, id, hash)?;
    connection.execute_batch("pragma wal_checkpoint(truncate)")?;
    Ok(())
}

/// As [`generate`], a day's work: its indexes grow entry by entry, as they do in use.
pub(crate) fn go_on(dir: &DataDir, count: u64, until: Timestamp) -> Result<(), Problem> {
    let connection = open(&dir.database())?;
    let (id, hash) = append(&connection, count, until)?;
    sign(&connection, dir, id, hash)?;
    connection.execute_batch("pragma wal_checkpoint(truncate)")?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "writes a log that no product could have written so fast"
)]
fn open(path: &Path) -> Result<Connection, Problem> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "cache_size", -200_000)?;
    connection.pragma_update(None, "temp_store", "file")?;
    Ok(connection)
}

fn append(
    connection: &Connection,
    count: u64,
    until: Timestamp,
) -> Result<(i64, [u8; 32]), Problem> {
    let end = connection.query_row(END, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get(2)?))
    });
    let (mut id, last_at, mut hash) = end.unwrap_or((0, String::new(), [0; 32]));
    let begins = until.checked_sub(SPAN).unwrap_or(until);
    let begins = last_at
        .parse()
        .map_or(begins, |last: Timestamp| last.max(begins));
    let pace = until.duration_since(begins).as_nanos() / i128::from(count.max(1));
    let mut buffer = Vec::new();
    let mut number = 0;
    while number < count {
        connection.execute_batch("begin")?;
        let mut insert = connection.prepare_cached(INSERT)?;
        for _ in 0..STEP.min(count - number) {
            let passed = SignedDuration::from_nanos_i128(pace * i128::from(number));
            let chance = u64::try_from(id).unwrap_or(number);
            let entry = Entry::of(chance, begins.checked_add(passed).unwrap_or(until));
            hash = entry.hash(&hash, &mut buffer);
            id += 1;
            insert.execute(params![
                id,
                entry.at,
                entry.staff,
                entry.centre,
                entry.menu,
                entry.operation,
                entry.resident,
                entry.record.map(|(kind, _)| kind),
                entry.record.map(|(_, id)| id),
                entry.terminal,
                entry.outcome,
                entry.detail,
                hash
            ])?;
            number += 1;
        }
        connection.execute_batch("commit")?;
    }
    Ok((id, hash))
}

fn sign(connection: &Connection, dir: &DataDir, id: i64, hash: [u8; 32]) -> Result<(), Problem> {
    let path = dir.audit_key();
    let bytes = std::fs::read(&path).map_err(Problem::file(&path))?;
    let key = Ed25519KeyPair::from_pkcs8(&bytes).or(Err(Problem::Thread))?;
    let mut message = b"hokatsu audit head 1".to_vec();
    message.extend_from_slice(&id.to_be_bytes());
    message.extend_from_slice(&hash[..]);
    let signature = key.sign(&message);
    connection.execute(
        "insert into audit_head (id, entries, hash, signature) values (1, ?1, ?2, ?3)
         on conflict (id) do update set entries = ?1, hash = ?2, signature = ?3",
        params![id, hash, signature.as_ref()],
    )?;
    Ok(())
}

/// What is asked of the log: every field alone, and the combinations that hurt.
pub(crate) fn searches(today: jiff::civil::Date) -> Vec<(&'static str, String)> {
    let past = today.saturating_sub(SignedDuration::from_hours(24 * 400));
    let far = today.saturating_sub(SignedDuration::from_hours(24 * 900));
    let menu = "%E7%85%A7%E4%BC%9A";
    vec![
        ("newest", String::new()),
        ("by person", "person=1".to_owned()),
        ("by staff", "staff=staff7".to_owned()),
        ("by day", format!("from={past}&to={past}")),
        ("by menu", format!("menu={menu}")),
        ("by operation", "operation=consultation_print".to_owned()),
        ("refused", "outcome=refused".to_owned()),
        ("by terminal", "terminal=10.20.2.17".to_owned()),
        ("by record", "record=consultation&record_id=77".to_owned()),
        ("person and staff", "person=1&staff=staff7".to_owned()),
        (
            "staff, menu, terminal, refused",
            format!("staff=staff7&menu={menu}&terminal=10.20.2.17&outcome=refused"),
        ),
        (
            "staff at a terminal where they never sit",
            "staff=staff7&terminal=10.20.4.17".to_owned(),
        ),
        (
            "far back, operation and day",
            format!("operation=resident_inquiry&from={far}&to={far}"),
        ),
        ("several of a name", "staff=%E8%A9%A6%E9%A8%93".to_owned()),
    ]
}

/// An application on a log of its own, with whoever may ask it.
pub(crate) struct Large {
    pub(crate) dir: DataDir,
    app: App,
    runtime: Arc<Runtime>,
}

const PASSWORD: &str = "試験のためだけの長い合言葉";

impl Large {
    /// Makes an empty office of sixty staff and a log of `count` entries.
    pub(crate) fn make(place: &Path, count: u64) -> Result<Self, Problem> {
        let dir = DataDir::new(place.join("large"));
        let db = Db::create(&dir, Clock::system())?;
        let console = Actor::system("試験");
        let shipped = Masters::shipped().or(Err(Problem::Thread))?;
        masters::load(&db, &console, &shipped).or(Err(Problem::Thread))?;
        for number in 1..=STAFF {
            let role = if number == 1 {
                Role::SystemAdmin
            } else {
                Role::CityLongevity
            };
            add(&db, &console, &member(number, role)).or(Err(Problem::Thread))?;
        }
        let now = db.clock().now();
        db.close()?;
        generate(&dir, count, now)?;
        Self::open(dir)
    }

    pub(crate) fn open(dir: DataDir) -> Result<Self, Problem> {
        let db = Db::open(&dir, Clock::system())?;
        let settings = ServerSettings {
            requests_per_second: std::num::NonZeroU32::MAX,
            ..ServerSettings::standard()
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            app: App::new(db, settings),
            runtime: Arc::new(runtime.map_err(Problem::file(dir.path()))?),
            dir,
        })
    }

    fn administrator(&self) -> Result<Visitor<Inside>, Problem> {
        let carrier = Inside {
            router: server::web::router(&self.app, &App::routes()),
            runtime: Arc::clone(&self.runtime),
        };
        Visitor::sign_in(carrier, "staff1", PASSWORD)
    }
}

fn member(number: u64, role: Role) -> NewStaff {
    NewStaff {
        login: Login::new(&format!("staff{number}")),
        name: format!("試験 {number}"),
        kana: String::new(),
        role,
        job: String::new(),
        centre_id: None,
        starts_on: jiff::civil::date(2020, 4, 1),
        password: PASSWORD.to_owned(),
        must_change_password: false,
    }
}

/// Entries that `log` measures with; the suite's big number takes hours.
const ENTRIES: u64 = 1_000_000;
const ROUNDS: usize = 40;
const CEILING: &str = "the recorded statements, bare";

/// `log`: each search of the log through its page, against its statements asked bare.
pub(crate) fn measure(place: &Path) -> Result<Vec<Figure>, Problem> {
    let large = Large::make(place, ENTRIES)?;
    let visitor = large.administrator()?;
    let scratch = place.join("entries.db");
    let bare = Bare::beside(&large.dir.database(), Scope::Nothing, &scratch)?;
    let mut figures = Vec::new();
    for (name, query) in searches(large.app.clock().today()) {
        let mut measured = Measured::new("log", name, CEILING, "requests")?;
        let address = format!("/access-log?{query}");
        let (answer, recorded) = statements::record(|| visitor.get(&address));
        let recorded = questions(recorded);
        answer?;
        for _ in 0..ROUNDS {
            let (took, answer) = visitor.get(&address)?;
            if answer.status == StatusCode::OK {
                measured.ours.add(took, 1);
            } else {
                measured.failures.add(refused(&address, &answer).told());
            }
            let started = Instant::now();
            bare.ask(&recorded)?;
            measured.ceiling.add(started.elapsed(), 1);
        }
        figures.push(measured.into());
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use store::audit::{Extent, Finding, verify_extent};

    use super::*;
    use crate::memory;
    use crate::series::Series;

    /// Entries of the everyday run and of `--long`; a number in its place is taken as it is.
    #[expect(
        clippy::disallowed_methods,
        reason = "set by `cargo xtask test --long`"
    )]
    fn size() -> u64 {
        let asked = std::env::var("HOKATSU_LONG").ok();
        let number = asked.map(|asked| asked.parse().unwrap_or(1));
        number.map_or(ENTRIES, |n| if n == 1 { LONG_ENTRIES } else { n })
    }

    const LONG_ENTRIES: u64 = 50_000_000;
    /// What the big number wants free before it begins, bytes.
    const FREE_BYTES_MIN: u64 = 40_000_000_000;

    /// Bytes free where the log would lie.
    fn free_bytes(path: &Path) -> Result<u64, Problem> {
        let stat = rustix::fs::statvfs(path).map_err(|error| Problem::File {
            path: path.to_owned(),
            cause: error.into(),
        })?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// How long each search takes through the page, `rounds` times each.
    fn search(large: &Large, rounds: usize) -> Result<Vec<(&'static str, Series)>, Problem> {
        let visitor = large.administrator()?;
        let today = large.app.clock().today();
        let mut all = Vec::new();
        for (name, query) in searches(today) {
            let mut series = Series::new()?;
            for _ in 0..rounds {
                let (took, answer) = visitor.get(&format!("/access-log?{query}"))?;
                if answer.status != StatusCode::OK {
                    return Err(refused("/access-log", &answer));
                }
                series.add(took, 1);
            }
            all.push((name, series));
        }
        Ok(all)
    }

    fn said(what: &str, took: std::time::Duration) {
        println!("{what}: {:.3} s", took.as_secs_f64());
    }

    #[test]
    fn a_log_of_years_is_whole_and_every_search_of_it_is_answered() {
        let count = size();
        // Of twenty the p99 is the slowest, and one cold page of the disk is not the search.
        let rounds = if count < LONG_ENTRIES { 20 } else { 200 };
        // On the disk of the build: /tmp may be memory.
        let own = std::env::current_exe().unwrap();
        let place = tempfile::tempdir_in(own.parent().unwrap()).unwrap();
        let free = free_bytes(place.path()).unwrap();
        assert!(
            count < LONG_ENTRIES || free >= FREE_BYTES_MIN,
            "refused: {free} bytes free, {FREE_BYTES_MIN} wanted"
        );
        let started = Instant::now();
        let large = Large::make(place.path(), count).unwrap();
        said(&format!("{count} entries made"), started.elapsed());
        // What making the log left behind is not what verifying takes.
        memory::forget_own_peak();
        println!("memory held before: {:?} bytes", memory::own_peak());
        let started = Instant::now();
        let verdict = verify_extent(&large.dir, None, Extent::Everything).unwrap();
        said("verified", started.elapsed());
        println!("peak memory: {:?} bytes", memory::own_peak());
        assert_eq!(verdict.findings, []);
        assert!(verdict.walked >= i64::try_from(count).unwrap());
        for (name, series) in search(&large, rounds).unwrap() {
            let at = |part| series.quantile(part).unwrap().as_secs_f64() * 1000.0;
            println!("search {name}: p50 {:.1}, p99 {:.1} ms", at(0.5), at(0.99));
        }
        // A bent entry deep inside another section than the first is named.
        drop(large.app);
        let bent = i64::try_from(count / 2).unwrap();
        let connection = open(&large.dir.database()).unwrap();
        let sql = format!(
            "drop trigger audit_entries_freeze;
             update audit_entries set detail = 'bent' where id = {bent}"
        );
        connection.execute_batch(&sql).unwrap();
        let verdict = verify_extent(&large.dir, None, Extent::Everything).unwrap();
        assert_eq!(verdict.findings, [Finding::Changed { id: bent }]);
    }
}
