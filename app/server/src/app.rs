//! The application: database, clock, settings and the tables read once, shared by every request.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use base::antivirus::Scanner;
use base::clock::Clock;
use base::machine::Machine;
use base::report::Report;
use base::settings::{AlarmSettings, SignInSettings};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use store::{Actor, Db};

use crate::factor_keys::FactorKeys;
use crate::features;
use crate::features::former_states::{FormerSource, Openings};
use crate::sign_in::{SessionSettings, SignInRules};
use crate::web::limits::{MAINTENANCE_HOURS_MAX, UPLOAD_BYTES_MAX};
use crate::web::work::Desk;
use crate::web::{Problem, Routes, Visit, rights};

/// As the stylesheet names it.
const SCREEN_FONT: &str = "bizud-gothic.ttf";

/// What the service is told at start.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Session limits.
    pub session: SessionSettings,
    /// What is asked for at the door.
    pub sign_in: SignInRules,
    /// What seals the secrets of second factors; without one nobody enrols a telephone.
    pub factor_keys: FactorKeys,
    /// The certificate that the service shows; nothing: the one of its own authority.
    pub server_certificate: Option<PathBuf>,
    /// Directory of our own authority, which issues the terminals' certificates.
    pub authority: Option<PathBuf>,
    /// Requests a second that one session may keep up.
    pub requests_per_second: NonZeroU32,
    /// Longest window for the vendor, hours; longer work asks again.
    pub maintenance_hours_max: i64,
    /// Largest file that may be attached, bytes.
    pub upload_bytes_max: u64,
    /// A line for everybody, e.g. that this is a demonstration.
    pub notice: Option<String>,
    /// So many days the oldest backup is kept, as `site.toml` says; nothing: it does not say.
    pub backup_days_kept: Option<u32>,
    /// Administrators are told when the newest backup is older than so many hours; nothing: there is
    /// nowhere to put any.
    pub backup_hours_max: Option<u16>,
    /// So many days after the last visit the next disk that is carried away is due.
    pub rotate_days_max: u16,
    /// The version of the appliance that runs; nothing: this is none.
    pub image: Option<String>,
    /// Where that machine's files begin.
    pub machine_root: PathBuf,
    /// What reaches backups of the past; nothing: there are none.
    pub former_source: Option<FormerSource>,
    /// Where the watcher of the power supplies tells how they stand; nothing: there are none.
    pub ups_state_dir: Option<PathBuf>,
    /// What looks through files that come in; nothing: nobody does.
    pub scanner: Option<Scanner>,
}

impl ServerSettings {
    /// What holds when nobody said anything else.
    pub fn standard() -> Self {
        let asked = SignInSettings::default();
        Self {
            session: SessionSettings::from(&asked),
            sign_in: SignInRules::default(),
            factor_keys: FactorKeys::none(),
            server_certificate: None,
            authority: None,
            requests_per_second: NonZeroU32::MIN.saturating_add(49),
            maintenance_hours_max: MAINTENANCE_HOURS_MAX,
            upload_bytes_max: UPLOAD_BYTES_MAX,
            notice: None,
            backup_days_kept: None,
            backup_hours_max: None,
            rotate_days_max: AlarmSettings::default().rotate_days_max,
            image: None,
            machine_root: PathBuf::from("/"),
            former_source: None,
            ups_state_dir: None,
            scanner: None,
        }
    }

    /// The same with what an installation says about signing in.
    ///
    /// # Errors
    /// A [`Report`] when that names a role which does not exist.
    pub fn signing_in(asked: &SignInSettings) -> Result<Self, Report> {
        Ok(Self {
            session: SessionSettings::from(asked),
            sign_in: SignInRules::new(asked)?,
            ..Self::standard()
        })
    }
}

/// Shared by every request; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    db: Db,
    settings: ServerSettings,
    desk: Desk,
    openings: Openings,
    rate: DefaultKeyedRateLimiter<String>,
    fonts: Result<forms::Fonts, forms::FontsMissing>,
    pages: Vec<&'static str>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(db: Db, settings: ServerSettings) -> Self {
        let burst = settings
            .requests_per_second
            .saturating_mul(NonZeroU32::MIN.saturating_add(3));
        let quota = Quota::per_second(settings.requests_per_second).allow_burst(burst);
        let fonts = forms::Fonts::discover();
        if fonts.is_err() {
            log::warn!("fonts for printing are missing; printing will say so");
        }
        // Without its rows nobody may do anything: that is the safe side of a full disk.
        if let Err(problem) = rights::load(&db, &Actor::system("起動")) {
            problem.log("start");
        }
        let rate = RateLimiter::keyed(quota);
        let routes = Self::routes();
        let gets = routes
            .table()
            .iter()
            .filter(|route| route.method == axum::http::Method::GET);
        let pages = gets.map(|route| route.path).collect();
        let desk = Desk::new();
        let openings = Openings::new(db.dir(), settings.former_source.clone());
        Self(Arc::new(Inner {
            db,
            settings,
            desk,
            openings,
            rate,
            fonts,
            pages,
        }))
    }

    /// Is there a page at this address? The menu shows no other.
    pub(crate) fn has_page(&self, path: &str) -> bool {
        self.0.pages.contains(&path)
    }

    /// What waits for this person, by the address of the page where it does.
    pub(crate) fn waiting(&self, visit: &Visit) -> Vec<(&'static str, i64)> {
        features::waiting(visit)
    }

    /// Every route of the product.
    pub fn routes() -> Routes {
        features::routes()
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        self.0.db.clock()
    }

    /// How the appliance stands just now; nothing: this is none.
    pub fn machine(&self) -> Option<Machine> {
        let settings = self.settings();
        let running = settings.image.as_deref()?;
        let update = self.db().dir().update();
        Some(Machine::look(&settings.machine_root, running, &update))
    }

    /// What the service was told at start.
    pub fn settings(&self) -> &ServerSettings {
        &self.0.settings
    }

    /// Does what is due on this day; true when nothing failed. What failed is tried again soon.
    pub fn begin_day(&self) -> bool {
        let tasks = features::daily().iter();
        let failed = tasks.filter_map(|task| task(self).err());
        failed.inspect(|problem| problem.log("(daily)")).count() == 0
    }

    /// Looks for viruses in files that nobody looked into yet.
    pub(crate) fn scan_due(&self) -> Result<(), Problem> {
        features::scan_due(self)
    }

    /// Copies of the past that are looked into.
    pub(crate) fn openings(&self) -> &Openings {
        &self.0.openings
    }

    /// Fonts for printing, or what is missing.
    ///
    /// # Errors
    /// The packages to install, in words.
    pub fn fonts(&self) -> Result<&forms::Fonts, &forms::FontsMissing> {
        self.0.fonts.as_ref()
    }

    /// Leaves the database in order at a clean stop.
    ///
    /// # Errors
    /// Those of the store.
    pub fn settle(&self) -> Result<(), store::StoreError> {
        self.0.db.settle()
    }

    /// The face of the screens, for terminals that do not have it.
    pub(crate) fn screen_font(&self, file: &str) -> Option<Vec<u8>> {
        let fonts = self.fonts().ok().filter(|_| file == SCREEN_FONT)?;
        fonts.screen_face()
    }

    /// What looks through files that come in; nothing: nobody does.
    pub fn scanner(&self) -> Option<&Scanner> {
        self.settings().scanner.as_ref()
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.0.desk
    }

    pub(crate) fn may_ask(&self, key: &str) -> bool {
        self.0.rate.check_key(&key.to_owned()).is_ok()
    }

    pub(crate) fn is_alive(&self) -> bool {
        let asked: Result<i64, store::StoreError> = self
            .0
            .db
            .read(&Actor::system("監視"), |tx| tx.count("select 1", []));
        asked.is_ok()
    }
}
