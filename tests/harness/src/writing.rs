//! Staff who write consultations over HTTP until the service dies, and what is there afterwards.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use base::clock::Clock;
use store::{Actor, DataDir, Db, Event, Operation, Scope, StoreError, SystemReason};
use ureq::Body;
use ureq::http::Response;

use crate::process::Client;

/// Staff of two centres of the demonstration, and their centres' numbers.
pub const WRITERS: [(&str, &str); 2] = [("ch.nurse1", "0101"), ("mi.nurse1", "0103")];
const WHEN_ASKED_TOO_OFTEN: Duration = Duration::from_millis(20);

/// What became of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is the record of this number.
    Saved(i64),
    /// Status and page.
    Refused(u16, String),
    /// Nobody answered.
    Nobody,
}

/// Somebody who writes consultations about one resident of her centre. Her session lives in the database, so
/// she signs in once and goes on after each start of the service.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    resident: String,
}

impl Writer {
    /// Signs in at `base` as one of the demonstration's staff.
    pub fn sign_in(ca_file: impl Into<PathBuf>, base: &str, login: &str, resident: i64) -> Self {
        let mut client = Client::trusting(ca_file);
        let password = demo::staff::password(login);
        assert!(
            client.sign_in(base, login, &password),
            "{login} cannot sign in"
        );
        Self {
            client,
            resident: resident.to_string(),
        }
    }

    /// Writes one record; its number once it was acknowledged (303), nothing once nobody answers.
    pub fn write(&self, base: &str, form: u64) -> Option<i64> {
        match self.ask(base, form) {
            Answer::Saved(id) => Some(id),
            Answer::Nobody => None,
            Answer::Refused(status, said) => {
                assert_eq!(status, 303, "a good form was refused: {said}");
                None
            }
        }
    }

    /// The same, of a service that may refuse it.
    pub fn ask(&self, base: &str, form: u64) -> Answer {
        let submission = format!("{form:064x}");
        let fields = [
            ("submission", submission.as_str()),
            ("resident", self.resident.as_str()),
            ("received_on", "今日"),
            ("channel", "01"),
            ("caller_kind", "01"),
            ("urgency", "C"),
            ("categories", "01"),
            ("content", "停電の試験。"),
            ("outcome", "01"),
        ];
        let Some(mut answer) = self.post(base, &fields) else {
            return Answer::Nobody;
        };
        // A machine that saves faster than one person may ask says so, and has done nothing.
        while answer.status() == 429 {
            std::thread::park_timeout(WHEN_ASKED_TOO_OFTEN);
            let Some(again) = self.post(base, &fields) else {
                return Answer::Nobody;
            };
            answer = again;
        }
        let place = answer.headers().get("location");
        let place = place.and_then(|place| place.to_str().ok());
        let id = place.and_then(|place| {
            let rest = place.strip_prefix("/consultations/")?;
            rest.split('?').next()?.parse().ok()
        });
        let status = answer.status().as_u16();
        match id.filter(|_| status == 303) {
            Some(id) => Answer::Saved(id),
            None => Answer::Refused(
                status,
                answer.body_mut().read_to_string().unwrap_or_default(),
            ),
        }
    }

    fn post(&self, base: &str, fields: &[(&str, &str)]) -> Option<Response<Body>> {
        self.client.post(&format!("{base}/consultations"), fields)
    }
}

fn city() -> Actor {
    Actor {
        scope: Scope::City,
        ..Actor::system("test")
    }
}

/// One more entry of the access log.
pub fn add_entry(db: &Db) {
    let event = Event::done(Operation::SetUp).detail("試験。".repeat(200));
    let written = db.write(&Actor::system("test"), |tx| {
        Ok::<_, StoreError>(tx.audited(event, ()))
    });
    written.expect("the log takes an entry");
}

/// How many entries the access log has.
pub fn entries(db: &Db) -> i64 {
    let count = "select count(*) from audit_entries";
    let found = db.system_read(SystemReason::Backup, |tx| tx.count(count, []));
    found.expect("the log can be read")
}

/// Somebody whom this centre looks after.
pub fn resident_of(db: &Db, centre: &str) -> i64 {
    let sql =
        "select min(r.id) from visible_residents r join support_centres c on c.id = r.centre_id
        where c.code = ?1 and r.resident_state = '1' and r.shielded = 0";
    let found: Result<i64, StoreError> = db.read(&city(), |tx| tx.count(sql, [centre]));
    found.expect("a resident of this centre")
}

/// Opens the database as the next start would; the records in it, and how many are there by half.
pub fn kept(data: &DataDir) -> (BTreeSet<i64>, i64) {
    let db = Db::open(data, Clock::system()).expect("the next start works");
    let read = db.read(&city(), |tx| {
        let ids = tx.all("select id from visible_consultations", [], |row| row.get(0))?;
        let half = "select count(*) from visible_consultations c
            where (select count(*) from visible_consultation_versions v where v.consultation_id = c.id) <> 1
               or c.resident_id is null";
        let half = tx.count(half, [])?;
        Ok::<_, StoreError>((ids.into_iter().collect(), half))
    });
    read.expect("the records can be read")
}
