//! The engine between a request and a slice.
//!
//! Shape: [`Routes`] is a table of method, path, [`Permission`] and a plain function
//! `fn(&Visit) -> Answer`. One dispatcher takes every request through the same gate: body limit,
//! session, permission, cross-site token, rate; then it calls the function on a blocking thread
//! ([`work`]) and dresses the answer (headers, errors for three readers).
//! Invariant: slices see no headers, cookies or sockets, only a [`Visit`]; they are synchronous.
//! Limits: named in [`limits`].

mod answer;
mod assets;
pub(crate) mod banner;
mod checked;
mod choice;
pub(crate) mod coded;
pub(crate) mod cookies;
mod csrf;
pub(crate) mod csv;
pub mod daily;
pub(crate) mod days;
mod dispatch;
mod dress;
mod error_page;
mod fields;
pub mod limits;
mod log_line;
mod menu;
mod paging;
mod permission;
mod power;
pub(crate) mod printing;
mod problem;
pub mod rights;
mod routes;
pub(crate) mod sealed;
pub mod serve;
pub mod session;
mod shell;
mod submission;
pub mod terminal;
pub mod tls;
mod typed;
mod upload;
pub(crate) mod veil;
mod viruses;
mod visit;
pub mod window;
pub(crate) mod work;
pub(crate) mod xlsx;

pub use self::csv::excel_csv;
pub use answer::{Answer, Response, download, opened, redirect};
pub use banner::{Banner, overdue};
pub use checked::{Checked, FieldProblem, problem_of, submission};
pub use choice::Choice;
pub use dispatch::router;
pub(crate) use error_page::locked_again;
pub use fields::Fields;
pub use menu::{MenuGroup, MenuItem};
pub use paging::{PageLink, Pages, page_asked, rows_before};
pub use permission::{Permission, Role};
pub use problem::Problem;
pub use rights::Rights;
pub use routes::{Handler, Route, Routes};
pub use shell::{Crumb, Flash, Shell, StaffBadge};
pub use terminal::{CertificateId, Terminal, TerminalId, TerminalKind};
pub use typed::{Typed, typed_words};
pub use upload::{Content, Upload};
pub use visit::{Halt, Halted, SignedIn, Visit};
pub use xlsx::{Sheet, workbook};
