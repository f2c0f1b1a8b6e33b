//! The one predicate that decides who sees whom, and the guard that makes it unavoidable.
//!
//! Shape: each connection carries a [`Viewer`]; the SQL functions `in_scope`, `viewer_staff` and
//! `may_inquire` read it, the temporary views of `scope.sql` use them, and an authorizer refuses
//! every read of a person table that does not come out of one of these views. A new connection, and
//! every transaction that names no scope, sees nobody.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::actor::{Actor, Scope};
use crate::error::StoreError;
use crate::statements::{self, PersonRead};

/// Tables that hold residents' data. Everything here is readable only through `scope.sql`.
pub const PERSON_TABLES: &[&str] = &[
    "certifications",
    "consultation_categories",
    "consultation_clients",
    "consultation_follow_ups",
    "consultation_responses",
    "consultation_versions",
    "consultation_withdrawals",
    "consultations",
    "drafts",
    "household_members",
    "import_conflicts",
    "insured_persons",
    "resident_changes",
    "resident_corrections",
    "resident_names",
    "resident_places",
    "residents",
];

/// State of work under way, which changes without an audit entry of its own.
const OPERATIONAL_TABLES: &[&str] = &["drafts", "sessions", "sign_in_failures"];

const VIEWS: &str = include_str!("scope.sql");

const CITY: i64 = 0;
const NOTHING: i64 = -1;

/// Is somebody under 支援措置?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shield {
    Open,
    Shielded,
}

/// Whose eyes a connection looks through just now.
#[derive(Debug)]
pub(crate) struct Viewer {
    scope: AtomicI64,
    staff: AtomicI64,
    inquire: AtomicBool,
    unscoped: AtomicBool,
    housekeeping: AtomicBool,
    writing: AtomicBool,
    refused: Mutex<Option<String>>,
}

impl Viewer {
    fn new() -> Self {
        Self {
            scope: AtomicI64::new(NOTHING),
            staff: AtomicI64::new(0),
            inquire: AtomicBool::new(false),
            unscoped: AtomicBool::new(false),
            housekeeping: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            refused: Mutex::new(None),
        }
    }

    /// Looks through this actor's eyes until [`Viewer::clear`].
    pub(crate) fn set(&self, actor: &Actor) {
        let scope = match actor.scope {
            Scope::Nothing => NOTHING,
            Scope::Centre(id) => id.0,
            Scope::City => CITY,
        };
        self.scope.store(scope, Ordering::SeqCst);
        self.staff
            .store(actor.staff_id.map_or(0, |id| id.0), Ordering::SeqCst);
        self.inquire.store(actor.may_inquire, Ordering::SeqCst);
    }

    pub(crate) fn clear(&self) {
        self.scope.store(NOTHING, Ordering::SeqCst);
        self.staff.store(0, Ordering::SeqCst);
        self.inquire.store(false, Ordering::SeqCst);
        self.unscoped.store(false, Ordering::SeqCst);
        self.housekeeping.store(false, Ordering::SeqCst);
        self.writing.store(false, Ordering::SeqCst);
    }

    /// The system's own work: every table may be read, until [`Viewer::clear`].
    pub(crate) fn set_unscoped(&self) {
        self.unscoped.store(true, Ordering::SeqCst);
    }

    /// Only operational state may be changed, until [`Viewer::clear`].
    pub(crate) fn set_housekeeping(&self) {
        self.housekeeping.store(true, Ordering::SeqCst);
    }

    /// A changing statement is being prepared and run, until [`Viewer::end_writing`].
    pub(crate) fn begin_writing(&self) {
        self.writing.store(true, Ordering::SeqCst);
    }

    /// The statement is done.
    pub(crate) fn end_writing(&self) {
        self.writing.store(false, Ordering::SeqCst);
    }

    /// Statements judged in these modes must not be kept for another.
    pub(crate) fn is_special(&self) -> bool {
        self.is_unscoped() || self.housekeeping.load(Ordering::SeqCst)
    }

    pub(crate) fn is_unscoped(&self) -> bool {
        self.unscoped.load(Ordering::SeqCst)
    }

    /// The table that the last refused statement reached for.
    pub(crate) fn take_refused(&self) -> Option<String> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn allows(&self, centre: i64, shield: Shield) -> bool {
        match self.scope.load(Ordering::SeqCst) {
            NOTHING => false,
            CITY => true,
            // A shielded person (DV等支援措置) is the city's to show until grants exist.
            own => own == centre && shield == Shield::Open,
        }
    }
}

/// Prepares one connection: functions, views, guard. Call after migrating.
pub(crate) fn install(connection: &mut Connection) -> Result<Arc<Viewer>, StoreError> {
    let viewer = Arc::new(Viewer::new());
    register_functions(connection, &viewer)?;
    connection.execute_batch(VIEWS)?;
    let views = view_names(connection)?;
    let guard = Arc::clone(&viewer);
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        guard.judge(&context, &views)
    }))?;
    Ok(viewer)
}

fn register_functions(connection: &Connection, viewer: &Arc<Viewer>) -> Result<(), StoreError> {
    // Not deterministic: the answer changes with the viewer, and SQLite must not keep it.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("in_scope", 2, flags, move |context| {
        let centre: Option<i64> = context.get(0)?;
        let shielded: i64 = context.get(1)?;
        Ok(centre.map_or_else(
            // A record of the city itself has no centre.
            || eyes.scope.load(Ordering::SeqCst) == CITY,
            |centre| {
                eyes.allows(
                    centre,
                    if shielded == 0 {
                        Shield::Open
                    } else {
                        Shield::Shielded
                    },
                )
            },
        ))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("viewer_staff", 0, flags, move |_| {
        Ok(eyes.staff.load(Ordering::SeqCst))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("may_inquire", 0, flags, move |_| {
        Ok(eyes.inquire.load(Ordering::SeqCst))
    })?;
    Ok(())
}

fn view_names(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement =
        connection.prepare("select name from temp.sqlite_schema where type = 'view'")?;
    let names = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    Ok(names)
}

impl Viewer {
    fn judge(&self, context: &AuthContext<'_>, views: &[String]) -> Authorization {
        let AuthAction::Read {
            table_name,
            column_name,
        } = context.action
        else {
            return self.judge_change(context);
        };
        if !PERSON_TABLES.contains(&table_name) {
            return Authorization::Allow;
        }
        // A foreign key looks up the id it points to, and nothing else of the row.
        let looks_up = self.writing.load(Ordering::SeqCst)
            && context.accessor.is_none()
            && column_name == "id";
        if looks_up {
            return Authorization::Allow;
        }
        statements::note_read(PersonRead {
            table: table_name.to_owned(),
            view: context.accessor.map(str::to_owned),
            unscoped: self.is_unscoped(),
        });
        let through_view = context
            .accessor
            .is_some_and(|name| views.iter().any(|v| v == name));
        // Who wrote a draft at which form is no person's data; the words are.
        let own_key = table_name == "drafts" && column_name != "body";
        if through_view || own_key || self.is_unscoped() {
            return Authorization::Allow;
        }
        self.refuse(table_name)
    }

    fn judge_change(&self, context: &AuthContext<'_>) -> Authorization {
        let (table, inserts) = if let AuthAction::Insert { table_name } = context.action {
            (table_name, true)
        } else if let AuthAction::Update { table_name, .. } | AuthAction::Delete { table_name } =
            context.action
        {
            (table_name, false)
        } else {
            // Functions, transactions, schema: none of them reaches a person.
            return Authorization::Allow;
        };
        let operational = OPERATIONAL_TABLES.contains(&table);
        if self.housekeeping.load(Ordering::SeqCst) {
            return if operational {
                Authorization::Allow
            } else {
                self.refuse(table)
            };
        }
        // What is recorded about people is added to, never edited.
        let frozen = PERSON_TABLES.contains(&table) && !operational && !inserts;
        if frozen && !self.is_unscoped() {
            return self.refuse(table);
        }
        Authorization::Allow
    }

    fn refuse(&self, table: &str) -> Authorization {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(table.to_owned());
        Authorization::Deny
    }
}
