//! One request as a slice sees it.

use std::str::FromStr;

use axum::http::StatusCode;
use jiff::civil::Date;
use store::{Actor, CentreId, Scope, StaffId};

use crate::app::App;
use crate::web::answer::{Response, html};
use crate::web::fields::Fields;
use crate::web::permission::{Permission, Role};
use crate::web::problem::{Problem, fault};
use crate::web::rights::Rights;
use crate::web::terminal::Terminal;
use crate::web::upload::Upload;
use crate::web::window::Window;
use crate::web::{csrf, session::SessionId};

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The person.
    pub staff_id: StaffId,
    /// Their name as shown in the header.
    pub name: String,
    /// Their role: whom it shows is its scope.
    pub role: Role,
    /// What they may do today.
    pub rights: Rights,
    /// `None`: the city.
    pub centre_id: Option<CentreId>,
    /// Name of the centre or section.
    pub centre_name: String,
    /// The password was given out and must be replaced first.
    pub must_change_password: bool,
    /// The session itself.
    pub session: SessionId,
    pub(crate) csrf_secret: String,
}

/// What somebody whose session holds has to show before being let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// The password once more: nobody touched the session for too long, or it was locked by hand.
    Locked,
    /// The second factor: only the password was shown so far.
    Factor,
}

/// Somebody whose session holds, but who is not let in yet. No page but those that ask for what is
/// missing looks at this, so that what forgets it stays closed.
#[derive(Debug, Clone)]
pub struct Halted {
    /// The person.
    pub staff: SignedIn,
    /// What is missing.
    pub why: Halt,
}

/// One request: who, from where, what was asked and typed.
#[derive(Debug)]
pub struct Visit {
    /// Database, clock, settings.
    pub app: App,
    /// On whose behalf transactions run.
    pub actor: Actor,
    /// `None` on public pages before sign-in.
    pub staff: Option<SignedIn>,
    /// The window through which the vendor works; `None` for everybody else.
    pub window: Option<Window>,
    /// Somebody who has to show something first; then `staff` is `None`.
    pub halted: Option<Halted>,
    /// The registered machine, if it showed a certificate.
    pub terminal: Option<Terminal>,
    /// Path as asked for.
    pub path: String,
    /// What stands behind the `?`.
    pub query: Fields,
    /// What was typed (POST).
    pub form: Fields,
    /// Files that came with what was typed; only on routes that take them.
    pub files: Vec<Upload>,
    /// Report number of this request.
    pub number: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) csrf_secret: String,
    pub(crate) cookies: Vec<(String, String)>,
}

impl Visit {
    /// A part of the path as a number or id type; what is not one does not exist.
    ///
    /// # Errors
    /// [`Problem::NotFound`].
    pub fn param<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self
            .params
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value);
        text.and_then(|text| text.parse().ok())
            .ok_or(Problem::NotFound)
    }

    /// Today in Japan.
    pub fn today(&self) -> Date {
        self.app.clock().today()
    }

    /// Who is signed in; only for routes that ask for more than `Public`.
    ///
    /// # Errors
    /// [`Problem::SignInNeeded`].
    pub fn signed_in(&self) -> Result<&SignedIn, Problem> {
        self.staff.as_ref().ok_or(Problem::SignInNeeded)
    }

    /// Who waits for this to be shown; only for pages that ask for it.
    ///
    /// # Errors
    /// [`Problem::SignInNeeded`].
    pub fn halted_for(&self, why: Halt) -> Result<&SignedIn, Problem> {
        let halted = self.halted.as_ref().filter(|halted| halted.why == why);
        halted.map(|h| &h.staff).ok_or(Problem::SignInNeeded)
    }

    /// May this person do that kind of work? For showing a button or leaving it out.
    pub fn may(&self, permission: Permission) -> bool {
        self.staff
            .as_ref()
            .is_some_and(|staff| staff.rights.has(permission))
    }

    /// May this person write a record about anybody, known or not? Whoever sees only whom others gave
    /// her writes about those.
    pub fn may_record_anybody(&self) -> bool {
        self.may(Permission::ConsultationWrite) && self.actor.scope != Scope::Nothing
    }

    /// A fresh cross-site token for a form on this page.
    pub fn csrf(&self) -> String {
        csrf::token(&self.csrf_secret)
    }

    /// The value of a cookie, or nothing.
    pub fn cookie(&self, name: &str) -> &str {
        self.cookies
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// A page.
    ///
    /// # Errors
    /// [`Problem::Fault`] when the template cannot be drawn.
    pub fn page(&self, template: &impl askama::Template) -> Result<Response, Problem> {
        self.page_as(StatusCode::OK, template)
    }

    /// A page that says "not yet": 422 with the form to correct, 409 with both versions.
    ///
    /// # Errors
    /// As [`Visit::page`].
    pub fn page_as(
        &self,
        status: StatusCode,
        template: &impl askama::Template,
    ) -> Result<Response, Problem> {
        let body = template
            .render()
            .map_err(|error| fault("template cannot be drawn", &error))?;
        Ok(html(status, body))
    }
}
