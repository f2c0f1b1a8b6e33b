//! The application in this process, on a copy of the city, and who is signed in to it.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::clock::Clock;
use server::app::{App, ServerSettings};
use server::features::masters;
use server::web::Role;
use store::{DataDir, Db, Scope};
use tokio::runtime::{Builder, Runtime};

use crate::bare::Bare;
use crate::problem::Problem;
use crate::visitor::{Inside, Visitor};

/// Requests a second that one session may make here. On the appliance it is 50: then the limiter
/// would be what is measured.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(999_999);

/// The application.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) runtime: Arc<Runtime>,
    data: DataDir,
    scratch: PathBuf,
}

/// Through whose eyes the city is looked at.
pub(crate) struct Viewer {
    pub(crate) label: &'static str,
    pub(crate) scope: Scope,
    pub(crate) visitor: Visitor<Inside>,
}

impl House {
    /// Opens the copy; `scratch` is a place on the same disk for what the ceilings write.
    pub(crate) fn open(data: DataDir, scratch: &Path) -> Result<Self, Problem> {
        let db = Db::open(&data, Clock::system())?;
        let settings = ServerSettings {
            requests_per_second: REQUESTS_PER_SECOND,
            ..ServerSettings::standard()
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            app: App::new(db, settings),
            runtime: Arc::new(runtime.map_err(Problem::file(data.path()))?),
            data,
            scratch: scratch.to_owned(),
        })
    }

    /// One of the city's staff, who sees everybody, and one of a centre.
    pub(crate) fn viewers(&self) -> Result<[Viewer; 2], Problem> {
        Ok([
            self.viewer("city", Role::CityLongevity)?,
            self.viewer("centre", Role::SocialWorker)?,
        ])
    }

    fn viewer(&self, label: &'static str, role: Role) -> Result<Viewer, Problem> {
        let staff = demo::staff::all()?;
        let member = staff.into_iter().find(|member| member.role == role.code());
        let member = member.ok_or(Problem::NobodyOf(role.code()))?;
        let centre = match member.centre {
            Some(code) => masters::centre_id(self.app.db(), code)?,
            None => None,
        };
        let carrier = Inside {
            router: server::web::router(&self.app, &App::routes()),
            runtime: Arc::clone(&self.runtime),
        };
        let password = demo::staff::password(member.login);
        Ok(Viewer {
            label,
            scope: role.scope(centre),
            visitor: Visitor::sign_in(carrier, member.login, &password)?,
        })
    }

    /// A bare connection to the same file with the same eyes.
    pub(crate) fn bare(&self, scope: Scope) -> Result<Bare, Problem> {
        let scratch = self.scratch.join("entries.db");
        Ok(Bare::beside(&self.data.database(), scope, &scratch)?)
    }

    /// The same, where the views do not ask the predicate.
    pub(crate) fn bare_without_scope(&self, scope: Scope) -> Result<Bare, Problem> {
        Ok(Bare::without_scope(&self.data.database(), scope)?)
    }

    /// A bare file of its own on the same disk.
    pub(crate) fn bare_file(&self, name: &str) -> Result<Bare, Problem> {
        Ok(Bare::open(&self.scratch.join(name))?)
    }
}
