//! The table of everything that can be asked for. A route without a permission cannot be written.

use axum::http::Method;

use crate::web::answer::Answer;
use crate::web::permission::Permission;
use crate::web::visit::Visit;

/// A page function: everything it needs is in the visit.
pub type Handler = fn(&Visit) -> Answer;

/// One thing that can be asked for.
#[derive(Debug, Clone)]
pub struct Route {
    /// GET or POST.
    pub method: Method,
    /// Path with `{name}` for its parts.
    pub path: &'static str,
    /// What it takes to get in.
    pub permission: Permission,
    /// The menu as the access log prints it (操作メニュー).
    pub menu: &'static str,
    /// Its form may bring files; every other form brings text only, and little of it.
    pub(crate) takes_files: bool,
    pub(crate) handler: Handler,
}

/// The routes of one slice, or of all.
///
/// ```compile_fail
/// use server::web::{Routes, Visit, Answer};
/// fn page(visit: &Visit) -> Answer { unimplemented!() }
/// let routes = Routes::new("相談").get("/consultations", page); // no permission, no route
/// ```
#[derive(Debug, Clone)]
pub struct Routes {
    menu: &'static str,
    routes: Vec<Route>,
}

impl Routes {
    /// An empty table; `menu` names the slice in the access log.
    pub fn new(menu: &'static str) -> Self {
        Self {
            menu,
            routes: Vec::new(),
        }
    }

    /// Adds a page.
    #[must_use]
    pub fn get(self, path: &'static str, permission: Permission, handler: Handler) -> Self {
        self.add(Method::GET, path, permission, false, handler)
    }

    /// Adds something that can be created, or a decision that can be made.
    #[must_use]
    pub fn post(self, path: &'static str, permission: Permission, handler: Handler) -> Self {
        self.add(Method::POST, path, permission, false, handler)
    }

    /// Adds a form that brings files: they are in [`Visit::files`].
    #[must_use]
    pub fn upload(self, path: &'static str, permission: Permission, handler: Handler) -> Self {
        self.add(Method::POST, path, permission, true, handler)
    }

    /// Takes in another slice's table.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        self
    }

    /// Every route, for the dispatcher and for the access suite.
    pub fn table(&self) -> &[Route] {
        &self.routes
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        permission: Permission,
        takes_files: bool,
        handler: Handler,
    ) -> Self {
        self.routes.push(Route {
            method,
            path,
            permission,
            menu: self.menu,
            takes_files,
            handler,
        });
        self
    }
}
