//! The invented town: prepared once a build, copied for every test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use base::clock::{Clock, ClockHand};
use demo::town::{Size, generate};
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use rustix::fs::{FlockOperation, flock};
use server::app::{App, ServerSettings};
use server::factor_keys::FactorKeys;
use server::features::imports::{self, EncodingChoice, ImportOptions};
use server::features::maintenance::{self, NewGrant};
use server::features::masters::{self, Masters};
use server::features::staff::{self, Login, NewStaff};
use server::web::Role;
use store::{Actor, DataDir, Db, Scope, StaffId};
use tempfile::TempDir;

use crate::browser::{Browser, Page};

/// The day on which all suites happen.
pub const TODAY: Date = date(2026, 11, 20);
const SEED: u64 = 1;

/// A town of about 2,000 residents with staff of every role, on files of its own.
#[derive(Debug)]
pub struct Town {
    /// The running application.
    pub app: App,
    /// Moves time.
    pub hand: ClockHand,
    dir: TempDir,
}

impl Town {
    /// A fresh copy.
    pub fn new() -> Self {
        Self::with(ServerSettings::standard())
    }

    /// A fresh copy with other settings.
    pub fn with(mut settings: ServerSettings) -> Self {
        if settings.factor_keys.is_empty() {
            settings.factor_keys = FactorKeys::fresh().expect("a key");
        }
        let dir = TempDir::new().expect("a temporary directory");
        copy(&template(), dir.path());
        let (clock, hand) = Clock::stepped(Clock::on_day(TODAY).now());
        let db = Db::open(&DataDir::new(dir.path()), clock).expect("the copied town opens");
        Self {
            app: App::new(db, settings),
            hand,
            dir,
        }
    }

    /// Its data directory.
    pub fn dir(&self) -> DataDir {
        DataDir::new(self.dir.path())
    }

    /// A browser that was never here.
    pub fn browser(&self) -> Browser {
        Browser::new(server::web::router(&self.app, &App::routes()))
    }

    /// Somebody of this role (and centre, by its code) who is signed in.
    pub fn signed_in(&self, role: Role, centre: Option<&str>) -> Browser {
        let (browser, page) = self.after_password(role, centre);
        assert!(
            browser.is_signed_in(),
            "{role:?} cannot sign in: {}",
            page.text()
        );
        browser
    }

    /// The same after the right password, let in or not, with the page that answered.
    pub fn after_password(&self, role: Role, centre: Option<&str>) -> (Browser, Page) {
        let member = member(role, centre);
        if role == Role::Vendor {
            self.let_in(member.login);
        }
        let mut browser = self.browser();
        let page = browser.sign_in(member.login, &demo::staff::password(member.login));
        (browser, page)
    }

    /// Opens a window of an hour for somebody of the vendor.
    fn let_in(&self, login: &str) {
        let db = self.app.db();
        let city = member(Role::CityLongevity, None);
        let id = |login: &str| {
            let sql = "select id from staff where login = ?1";
            let found = db.read(&Actor::system("test"), |tx| {
                tx.one(sql, [login], |row| row.get::<_, StaffId>(0))
            });
            let found = found.map_err(|e: store::StoreError| e);
            found
                .expect("staff can be read")
                .expect("somebody with this login")
        };
        let actor = Actor {
            staff_id: Some(id(city.login)),
            ..Actor::system("test")
        };
        let now = db.clock().now();
        let new = NewGrant {
            staff: id(login),
            purpose: "試験".to_owned(),
            starts_at: now,
            ends_at: now
                .saturating_add(SignedDuration::from_hours(1))
                .expect("an hour"),
            submission: format!(
                "{login}-{}",
                self.count("select count(*) from maintenance_grants")
            ),
        };
        maintenance::grant(db, &actor, &new).expect("a window can be opened");
    }

    /// Ids of residents that this scope shows, at most `limit`.
    pub fn residents(&self, scope: Scope, limit: i64) -> Vec<i64> {
        let actor = Actor {
            scope,
            ..Actor::system("test")
        };
        let sql =
            "select id from visible_residents where resident_state = '1' order by id limit ?1";
        let read = self
            .app
            .db()
            .read(&actor, |tx| tx.all(sql, [limit], |row| row.get(0)));
        read.map_err(|e: store::StoreError| e)
            .expect("residents can be listed")
    }

    /// One number out of the database, seen by the city.
    pub fn count(&self, sql: &str) -> i64 {
        let actor = Actor {
            scope: Scope::City,
            ..Actor::system("test")
        };
        let read = self.app.db().read(&actor, |tx| tx.count(sql, []));
        read.map_err(|e: store::StoreError| e).expect("a count")
    }
}

impl Default for Town {
    fn default() -> Self {
        Self::new()
    }
}

fn member(role: Role, centre: Option<&str>) -> demo::staff::Member {
    let all = demo::staff::all().expect("the table of staff");
    let found = all
        .into_iter()
        .find(|m| m.role == role.code() && (centre.is_none() || m.centre == centre));
    found.expect("staff of every role")
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the template") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).expect("a directory");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a copied file");
        }
    }
}

/// The prepared town; whoever needs it first makes it, the others wait.
fn template() -> PathBuf {
    let build = std::env::current_exe().expect("this test's file");
    let stamp = fs::metadata(&build)
        .and_then(|m| m.modified())
        .expect("its time");
    let age = stamp
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a time after 1970")
        .as_millis();
    let root = build.parent().expect("its directory").join("towns");
    fs::create_dir_all(&root).expect("a directory for towns");
    let lock = File::create(root.join("lock")).expect("a lock file");
    flock(&lock, FlockOperation::LockExclusive).expect("the lock");
    let name = build
        .file_name()
        .expect("its name")
        .to_string_lossy()
        .into_owned();
    let place = root.join(format!("{name}-{age}"));
    if !place.exists() {
        let draft = root.join(format!("{name}-draft"));
        if draft.exists() {
            fs::remove_dir_all(&draft).expect("the old draft goes");
        }
        make(&draft);
        fs::rename(&draft, &place).expect("the draft becomes the template");
    }
    place
}

fn make(place: &Path) {
    let delivered = TempDir::new().expect("a temporary directory");
    let town = generate(Size::Small, SEED, TODAY, delivered.path()).expect("a town");
    let db = Db::create(&DataDir::new(place), Clock::on_day(TODAY)).expect("a database");
    let actor = Actor::system("test");
    masters::load(&db, &actor, &Masters::shipped().expect("masters")).expect("masters load");
    for member in demo::staff::all().expect("staff") {
        let centre_id = member
            .centre
            .and_then(|code| masters::centre_id(&db, code).expect("a centre"));
        let new = NewStaff {
            login: Login::new(member.login),
            name: member.name.to_owned(),
            kana: member.kana.to_owned(),
            role: Role::from_code(member.role).expect("a role"),
            job: member.job.to_owned(),
            centre_id,
            starts_on: date(2020, 4, 1),
            password: demo::staff::password(member.login),
            must_change_password: false,
        };
        staff::add(&db, &actor, &new).expect("staff can be added");
    }
    let options = ImportOptions {
        encoding: EncodingChoice::Auto,
        mapping: None,
        today: TODAY,
        reject_dir: delivered.path().to_path_buf(),
    };
    let plan = imports::plan(&db, &town.files, &options, &mut |_| {}).expect("a plan");
    imports::apply(&db, &actor, plan, &mut |_| {}).expect("the town loads");
    db.close().expect("a clean stop");
}
