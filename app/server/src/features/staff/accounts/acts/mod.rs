//! What an administrator does, whether at a page or at the console: one transaction, one entry.

mod access;
mod factors;
mod posts;
mod registering;

use std::fmt;

use jiff::civil::Date;
use store::{
    Actor, Audited, Db, Event, Operation, ReadTx, RecordKind, StaffId, StoreError, WriteTx,
};

use super::form::FieldProblem;
use super::model::{Account, NewPost, Post, PostId, Term};
use super::store as sql;
use crate::features::approvals::ApprovalId;
use crate::features::staff::rights::acts as rights;
use crate::features::staff::rights::administration::Administration;
use crate::features::staff::rights::model::Change;
use crate::web::{Problem, Role, session};

pub use access::{end_sessions, reset, unlock};
pub use factors::reset_factors;
pub use posts::{Opened, add_post, end_posts, leave, shown_key};
pub use registering::register;

/// Who acts on which database.
#[derive(Debug, Clone, Copy)]
pub struct Hand<'h> {
    /// The database.
    pub db: &'h Db,
    /// Somebody signed in, or the system with the name of whoever sits at the console.
    pub actor: &'h Actor,
}

/// Why an act was not done; nothing changed.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody with that id.
    Absent,
    /// It concerns the administrator's own account.
    Own,
    /// Nobody would administer the system on some day.
    LastAdministrator,
    /// The periods share days: the wanted one and the one in its way.
    Overlap(Term, Box<Post>),
    /// It ends another post; that was not shown yet.
    Ends(PostId, Date),
    /// Somebody else changed the account since the form was opened.
    Late(Box<Account>),
    /// It was done before: the same form twice.
    Again(StaffId),
    /// It makes a system administrator: a second person is asked.
    Asked(ApprovalId),
    /// A field is wrong in a way that only the database knows.
    Field(FieldProblem),
}

/// Refused, or the world is in the way.
#[derive(Debug)]
pub enum Undone {
    /// For a reason of ours.
    Refused(Refusal),
    /// For another.
    Failed(Problem),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Problem> for Undone {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<Refusal> for Undone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Somebody's first or new password, to be told once.
pub struct Given {
    /// Whose.
    pub id: StaffId,
    /// The password.
    pub password: String,
    /// The post waits for this approval.
    pub asked: Option<ApprovalId>,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({}, …)", self.id)
    }
}

/// An act's result, or a refusal that is written down all the same.
type Judged<T> = Result<Audited<Result<T, Refusal>>, Undone>;

impl Hand<'_> {
    fn now(&self) -> String {
        format!("{:.6}", self.db.clock().now())
    }

    fn today(&self) -> Date {
        self.db.clock().today()
    }

    fn detail(&self, event: Event, id: StaffId, text: &str) -> Event {
        event.on(RecordKind::Staff, id.0).detail(text)
    }

    /// The person, unless it is the administrator herself.
    fn other(&self, tx: &ReadTx<'_>, id: StaffId) -> Result<Result<Account, Refusal>, Undone> {
        let account = sql::account(tx, id)?.ok_or(Refusal::Absent)?;
        let own = self.actor.staff_id == Some(id);
        Ok(if own { Err(Refusal::Own) } else { Ok(account) })
    }

    fn refuse<T>(
        &self,
        tx: &WriteTx<'_>,
        operation: Operation,
        id: StaffId,
        refusal: Refusal,
    ) -> Audited<Result<T, Refusal>> {
        let why = match refusal {
            Refusal::Own => "自分のアカウント",
            Refusal::LastAdministrator => "最後のシステム管理者",
            Refusal::Absent
            | Refusal::Overlap(..)
            | Refusal::Ends(..)
            | Refusal::Late(_)
            | Refusal::Again(_)
            | Refusal::Asked(_)
            | Refusal::Field(_) => "",
        };
        tx.audited(
            self.detail(Event::refused(operation), id, why),
            Err(refusal),
        )
    }

    /// Who is signed in makes a system administrator only together with somebody else; the console
    /// is root's, whose name stands in the log.
    fn ask_second(
        &self,
        tx: &WriteTx<'_>,
        staff: StaffId,
        new: &NewPost,
    ) -> Result<Option<(ApprovalId, Event)>, Undone> {
        let (Role::SystemAdmin, Some(by)) = (new.role, self.actor.staff_id) else {
            return Ok(None);
        };
        let change = Change::Post {
            staff,
            role: new.role,
            centre: new.centre.as_ref().map(|centre| centre.code.clone()),
            job: new.job.clone(),
            starts_on: new.starts_on,
            reason: new.reason.clone(),
        };
        match rights::ask(tx, &change, by, self) {
            Ok(asked) => Ok(Some(asked)),
            Err(rights::Undone::Failed(problem)) => Err(problem.into()),
            Err(rights::Undone::Refused(_)) => Err(Problem::Fault("a request about nobody").into()),
        }
    }

    /// Runs an act on somebody else's account; on one's own it is refused, and so is what would
    /// leave a day without anybody who may administer staff. Both are written down.
    fn act<T>(
        &self,
        operation: Operation,
        id: StaffId,
        act: impl FnOnce(&WriteTx<'_>, &Account) -> Judged<T>,
    ) -> Result<T, Undone> {
        let result = self.db.write(self.actor, |tx| match self.other(tx, id)? {
            Ok(account) => {
                let before = Administration::read(tx)?;
                let done = act(tx, &account)?;
                let lost = Administration::read(tx)?.lost_since(&before, self.today());
                // An error undoes what the act wrote.
                lost.map_or(Ok(done), |_| Err(Refusal::LastAdministrator.into()))
            }
            Err(refusal) => Ok(self.refuse(tx, operation, id, refusal)),
        });
        if let Err(Undone::Refused(Refusal::LastAdministrator)) = &result {
            let note = |tx: &WriteTx<'_>| {
                let refusal = Refusal::LastAdministrator;
                Ok::<_, Undone>(self.refuse::<()>(tx, operation, id, refusal))
            };
            self.db.write(self.actor, note).map(drop)?;
        }
        result?.map_err(Undone::Refused)
    }
}

/// Writes down a try at one's own account, whatever was typed.
///
/// # Errors
/// Those of the store.
pub fn note_own(hand: &Hand<'_>, operation: Operation, id: StaffId) -> Result<(), Problem> {
    hand.db
        .write(hand.actor, |tx| {
            let refused = hand.refuse::<()>(tx, operation, id, Refusal::Own);
            Ok::<_, Problem>(refused)
        })
        .map(drop)
}

/// Does a stored post say what a form says?
fn says(post: &Post, new: &NewPost) -> bool {
    post.role == new.role.code()
        && post.job == new.job
        && post.centre == new.centre
        && post.term.starts_on == new.starts_on
}

fn one_time() -> Result<String, Problem> {
    session::one_time_password().ok_or(Problem::Fault("no randomness for a password"))
}
