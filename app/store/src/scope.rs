//! The one predicate that decides who sees whom, and the guard that makes it unavoidable.
//!
//! Shape: each connection carries a [`Viewer`]; the SQL functions `in_scope`, `record_in_scope`,
//! `writable`, `is_shielded`, `is_excluded`, `viewer_staff`, `may_inquire` and `may_protect` read it,
//! for abuse cases `in_abuse_case`, `writes_abuse_case`, `reads_abuse_reporter`, `keeps_abuse`,
//! `may_meet`, `record_open` and `record_taken`; the temporary views of `scope.sql` use them, and an
//! authorizer refuses every read of a person table that does not come out of one of these views. A new
//! connection, and every transaction that names no scope, sees nobody; the system's own work sees
//! everybody, through the views too. What depends on rows (grants, exclusions, transfers, teams of
//! abuse cases) is in [`Reach`].

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::actor::{AbuseSight, Actor, Scope};
use crate::error::StoreError;
use crate::reach::Reach;
use crate::statements::{self, PersonRead};

/// Tables that hold residents' data. Everything here is readable only through `scope.sql`.
pub const PERSON_TABLES: &[&str] = &[
    "abuse_bar_endings",
    "abuse_bars",
    "abuse_case_versions",
    "abuse_case_withdrawals",
    "abuse_cases",
    "abuse_member_endings",
    "abuse_members",
    "abuse_reporter_looks",
    "abuse_reporters",
    "abuse_step_withdrawals",
    "abuse_steps",
    "abuse_taking_endings",
    "abuse_takings",
    "assignment_endings",
    "assignments",
    "attachment_scans",
    "attachment_versions",
    "attachment_withdrawal_endings",
    "attachment_withdrawals",
    "attachments",
    "case_grant_endings",
    "case_grants",
    "centre_transfers",
    "certifications",
    "consultation_categories",
    "consultation_clients",
    "consultation_follow_ups",
    "consultation_responses",
    "consultation_versions",
    "consultation_withdrawal_endings",
    "consultation_withdrawals",
    "consultations",
    "drafts",
    "exclusion_endings",
    "exclusions",
    "household_members",
    "import_conflicts",
    "insured_persons",
    "resident_changes",
    "resident_corrections",
    "resident_names",
    "resident_places",
    "residents",
    "shield_endings",
    "shield_grant_endings",
    "shield_grants",
    "shields",
    "transfer_endings",
    "transfer_notes",
    "transfer_receipts",
];

/// State of work under way, which changes without an audit entry of its own.
const OPERATIONAL_TABLES: &[&str] = &[
    "drafts",
    "second_factor_uses",
    "sessions",
    "sign_in_failures",
];

const VIEWS: &str = include_str!("scope.sql");

const CITY: i64 = 0;
const NOTHING: i64 = -1;
const ASSIGNED: i64 = -2;

/// Whose eyes a connection looks through just now.
#[derive(Debug)]
pub(crate) struct Viewer {
    scope: AtomicI64,
    staff: AtomicI64,
    reach: Mutex<Arc<Reach>>,
    inquire: AtomicBool,
    protect: AtomicBool,
    keeps_abuse: AtomicBool,
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
            reach: Mutex::default(),
            inquire: AtomicBool::new(false),
            protect: AtomicBool::new(false),
            keeps_abuse: AtomicBool::new(false),
            unscoped: AtomicBool::new(false),
            housekeeping: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            refused: Mutex::new(None),
        }
    }

    /// Looks through this actor's eyes until [`Viewer::clear`].
    pub(crate) fn set(&self, actor: &Actor, reach: Arc<Reach>) {
        let scope = match actor.scope {
            Scope::Nothing => NOTHING,
            Scope::Assigned(_) => ASSIGNED,
            Scope::Centre(id) => id.0,
            Scope::City => CITY,
        };
        self.scope.store(scope, Ordering::SeqCst);
        self.staff
            .store(actor.staff_id.map_or(0, |id| id.0), Ordering::SeqCst);
        self.inquire.store(actor.may_inquire, Ordering::SeqCst);
        self.protect.store(actor.may_protect, Ordering::SeqCst);
        let keeps = actor.abuse == AbuseSight::Keeper;
        self.keeps_abuse.store(keeps, Ordering::SeqCst);
        *self.reach() = reach;
    }

    fn reach(&self) -> MutexGuard<'_, Arc<Reach>> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clear(&self) {
        self.scope.store(NOTHING, Ordering::SeqCst);
        self.staff.store(0, Ordering::SeqCst);
        self.inquire.store(false, Ordering::SeqCst);
        self.protect.store(false, Ordering::SeqCst);
        self.keeps_abuse.store(false, Ordering::SeqCst);
        *self.reach() = Arc::default();
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

    /// A record of no person, by the centre that wrote it; the city's own has none.
    fn reaches_centre(&self, centre: Option<i64>) -> bool {
        match self.scope.load(Ordering::SeqCst) {
            NOTHING | ASSIGNED => false,
            CITY => true,
            own => centre == Some(own),
        }
    }

    fn allows(&self, person: i64, centre: Option<i64>, in_register: bool) -> bool {
        self.is_unscoped() || self.sees(&self.reach(), (person, centre, in_register))
    }

    /// A person: her id, her centre, and whether the register says 支援措置.
    fn sees(&self, reach: &Reach, (person, centre, in_register): Person) -> bool {
        (self.reaches_centre(centre) || reach.is_lent(person)) && meets(reach, person, in_register)
    }

    /// A consultation: for whoever sees its person, and for those who wrote it; one that belongs to an
    /// abuse case for those of them who know of the case.
    fn allows_record(
        &self,
        id: i64,
        person: Option<Person>,
        written: (Option<i64>, Option<i64>),
    ) -> bool {
        if self.is_unscoped() {
            return true;
        }
        let reach = self.reach();
        reach.opens_record(id)
            && (person.is_some_and(|person| self.sees(&reach, person))
                || self.wrote(&reach, person, written))
    }

    /// A record that this centre wrote about somebody whom it need not look after (any more). Who sees
    /// only whom she is in charge of goes on seeing what she wrote herself.
    fn wrote(
        &self,
        reach: &Reach,
        person: Option<Person>,
        (centre, author): (Option<i64>, Option<i64>),
    ) -> bool {
        let hidden = person.is_some_and(|(person, _, in_register)| {
            reach.excludes(person) || reach.is_shielded(person, in_register)
        });
        let own = self.scope.load(Ordering::SeqCst) == ASSIGNED
            && author == Some(self.staff.load(Ordering::SeqCst));
        !hidden && (own || self.reaches_centre(centre))
    }

    fn opens_record(&self, id: i64) -> bool {
        self.is_unscoped() || self.reach().opens_record(id)
    }

    fn may_meet(&self, person: i64, in_register: bool) -> bool {
        self.is_unscoped() || meets(&self.reach(), person, in_register)
    }

    /// The one question about an abuse case: is the viewer named in it or its keeper, neither barred
    /// nor excluded, and free to meet whom it is about?
    fn in_abuse_case(&self, case: i64, person: Option<i64>, in_register: bool) -> bool {
        let named = self.is_unscoped() || self.reach().abuse_case(case).is_some();
        named && person.is_none_or(|person| self.may_meet(person, in_register))
    }

    fn may_write(&self, person: i64, centre: Option<i64>) -> bool {
        self.reaches_centre(centre) || self.reach().is_lent_for_writing(person)
    }
}

/// A person as a row tells of her: id, centre, whether the register says 支援措置.
type Person = (i64, Option<i64>, bool);

/// Excluded people are met by nobody, shielded ones by whom somebody named.
fn meets(reach: &Reach, person: i64, in_register: bool) -> bool {
    !reach.excludes(person) && (!reach.is_shielded(person, in_register) || reach.opens(person))
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
    connection.create_scalar_function("in_scope", 3, flags, move |context| {
        Ok(eyes.allows(context.get(0)?, context.get(1)?, context.get(2)?))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("record_in_scope", 6, flags, move |context| {
        let person = match context.get::<Option<i64>>(1)? {
            Some(person) => Some((person, context.get(2)?, context.get(3)?)),
            None => None,
        };
        let written = (context.get(4)?, context.get(5)?);
        Ok(eyes.allows_record(context.get(0)?, person, written))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("writable", 2, flags, move |context| {
        Ok(eyes.may_write(context.get(0)?, context.get(1)?))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("is_shielded", 2, flags, move |context| {
        Ok(eyes.reach().is_shielded(context.get(0)?, context.get(1)?))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("is_excluded", 1, flags, move |context| {
        Ok(eyes.reach().excludes(context.get(0)?))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("viewer_staff", 0, flags, move |_| {
        Ok(eyes.staff.load(Ordering::SeqCst))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("sees_city", 0, flags, move |_| {
        Ok(eyes.is_unscoped() || eyes.scope.load(Ordering::SeqCst) == CITY)
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("may_inquire", 0, flags, move |_| {
        Ok(eyes.inquire.load(Ordering::SeqCst))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("may_protect", 0, flags, move |_| {
        Ok(eyes.protect.load(Ordering::SeqCst))
    })?;
    register_abuse(connection, viewer, flags)
}

/// What the views of abuse cases, and of consultations that belong to one, ask.
fn register_abuse(
    connection: &Connection,
    viewer: &Arc<Viewer>,
    flags: FunctionFlags,
) -> Result<(), StoreError> {
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("in_abuse_case", 3, flags, move |context| {
        let in_register: Option<bool> = context.get(2)?;
        let in_register = in_register.unwrap_or_default();
        Ok(eyes.in_abuse_case(context.get(0)?, context.get(1)?, in_register))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("writes_abuse_case", 1, flags, move |context| {
        let case = eyes.reach().abuse_case(context.get(0)?);
        Ok(case.is_some_and(|case| case.writes))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("reads_abuse_reporter", 1, flags, move |context| {
        let case = eyes.reach().abuse_case(context.get(0)?);
        Ok(case.is_some_and(|case| case.reads_reporter))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("keeps_abuse", 0, flags, move |_| {
        Ok(eyes.keeps_abuse.load(Ordering::SeqCst))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("may_meet", 2, flags, move |context| {
        Ok(eyes.may_meet(context.get(0)?, context.get(1)?))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("record_open", 1, flags, move |context| {
        Ok(eyes.opens_record(context.get(0)?))
    })?;
    let eyes = Arc::clone(viewer);
    connection.create_scalar_function("record_taken", 1, flags, move |context| {
        Ok(eyes.reach().has_taken(context.get(0)?))
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
