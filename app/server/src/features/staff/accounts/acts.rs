//! What an administrator does, whether at a page or at the console: one transaction, one entry.

use std::fmt;

use jiff::civil::Date;
use store::{
    Actor, Audited, Db, Event, Operation, ReadTx, RecordKind, StaffId, StoreError, WriteTx,
};

use super::form::{FieldProblem, NewAccount};
use super::model::{
    Account, Fit, NewEnd, NewPost, Post, PostId, Term, always_administered, fit, leaving,
};
use super::{store as sql, view};
use crate::features::staff::model::NewStaff;
use crate::features::staff::password;
use crate::features::staff::store as staff_sql;
use crate::web::{Problem, Role, session};

/// Who acts on which database.
#[derive(Debug, Clone, Copy)]
pub struct Hand<'h> {
    /// The database.
    pub db: &'h Db,
    /// Somebody signed in, or the system for the console.
    pub actor: &'h Actor,
    /// Name of whoever sits at the console.
    pub operator: Option<&'h str>,
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
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({}, …)", self.id)
    }
}

/// What a form for a new post carries beside the post.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'o> {
    /// [`Account::seen`] when it was opened.
    pub seen: &'o str,
    /// The post whose end was shown, and its last day, as [`shown_key`] writes it.
    pub shown: &'o str,
}

/// How a form remembers which end it showed.
pub fn shown_key(post: PostId, last: Date) -> String {
    format!("{post}:{last}")
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
        let operator = self.operator.map(|name| format!("／操作者＝{name}"));
        event
            .on(RecordKind::Staff, id.0)
            .detail(format!("{text}{}", operator.unwrap_or_default()))
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
            | Refusal::Field(_) => "",
        };
        tx.audited(
            self.detail(Event::refused(operation), id, why),
            Err(refusal),
        )
    }

    /// Runs an act on somebody else's account; on one's own it is refused, and that written down.
    fn act<T>(
        &self,
        operation: Operation,
        id: StaffId,
        act: impl FnOnce(&WriteTx<'_>, &Account) -> Judged<T>,
    ) -> Result<T, Undone> {
        let result = self.db.write(self.actor, |tx| match self.other(tx, id)? {
            Ok(account) => act(tx, &account),
            Err(refusal) => Ok(self.refuse(tx, operation, id, refusal)),
        })?;
        result.map_err(Undone::Refused)
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

/// Registers somebody; the first password is told once.
///
/// # Errors
/// [`Refusal::Again`], [`Refusal::Field`] for an ID that is or was somebody's, and the store's.
pub fn register(hand: &Hand<'_>, new: NewAccount) -> Result<Given, Undone> {
    let password = one_time()?;
    let hash = password::hash(&password)?;
    let now = hand.now();
    let post = &new.post;
    let staff = NewStaff {
        login: new.login.clone(),
        name: new.name.clone(),
        kana: new.kana.clone(),
        role: post.role,
        job: post.job.clone(),
        centre_id: post.centre.as_ref().map(|centre| centre.id),
        starts_on: post.starts_on,
        password: String::new(),
        must_change_password: true,
    };
    hand.db
        .write(hand.actor, |tx| {
            if let Some(known) = sql::find(tx, new.login.as_str())? {
                return Err(taken(hand, &known, &new).into());
            }
            let id = staff_sql::insert(tx, &staff, &hash, hand.actor.staff_id, &now)?;
            let text = format!("前＝なし／後＝{}", view::post_in_log(&new.post));
            let event = hand.detail(Event::done(Operation::StaffAdd), id, &text);
            Ok(tx.audited(event, id))
        })
        .map(|id| Given { id, password })
}

/// The same form sent twice is the same person; anything else is another who had the ID first.
fn taken(hand: &Hand<'_>, known: &Account, new: &NewAccount) -> Refusal {
    let same = known.posts.first().is_some_and(|post| {
        known.name == new.name
            && known.kana == new.kana
            && post.made.by == hand.actor.staff_id
            && says(post, &new.post)
    });
    if same {
        return Refusal::Again(known.id);
    }
    let text = "この職員IDはすでに使われています。一度使ったIDは、ほかの人には使えません。";
    Refusal::Field(FieldProblem {
        field: "login",
        text: text.to_owned(),
    })
}

fn says(post: &Post, new: &NewPost) -> bool {
    post.role == new.role.code()
        && post.job == new.job
        && post.centre == new.centre
        && post.term.starts_on == new.starts_on
}

/// Adds a post; an open one before it ends on the day before, if the form has shown that.
///
/// # Errors
/// Any [`Refusal`] but `Field`, and the store's.
pub fn add_post(
    hand: &Hand<'_>,
    id: StaffId,
    new: &NewPost,
    opened: Opened<'_>,
) -> Result<(), Undone> {
    let operation = Operation::StaffPostAdd;
    let now = hand.now();
    hand.act(operation, id, |tx, account| {
        if account.seen != opened.seen {
            return Err(late_post(hand, account, new).into());
        }
        let ended = match fit(&account.posts, new.starts_on) {
            Fit::Free => None,
            Fit::Overlaps(post) => return Err(overlap(account, post, open_from(new)).into()),
            Fit::Ends(post, last) if shown_key(post, last) == opened.shown => Some((post, last)),
            Fit::Ends(post, last) => return Err(Refusal::Ends(post, last).into()),
        };
        let end = ended.map(|(post, last)| NewEnd {
            post,
            ends_on: Some(last),
        });
        if leaves_nobody(tx, hand.today(), account, end.as_slice(), Some(new))? {
            return Ok(hand.refuse(tx, operation, id, Refusal::LastAdministrator));
        }
        let stamp = (hand.actor.staff_id, now.as_str());
        if let Some(end) = end {
            sql::end_post(tx, end, &new.reason, stamp)?;
        }
        let post = staff_sql::Post {
            role: new.role.code(),
            job: &new.job,
            centre_id: new.centre.as_ref().map(|centre| centre.id),
            starts_on: new.starts_on,
            reason: &new.reason,
        };
        staff_sql::insert_post(tx, id, &post, stamp.0, stamp.1)?;
        let before = ended.and_then(|(post, _)| account.post(post));
        let text = view::move_in_log(before, ended.map(|(_, last)| last), new);
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })
}

fn open_from(new: &NewPost) -> Term {
    Term {
        starts_on: new.starts_on,
        ends_on: None,
    }
}

fn overlap(account: &Account, post: PostId, wanted: Term) -> Refusal {
    account.post(post).map_or(Refusal::Absent, |post| {
        Refusal::Overlap(wanted, Box::new(post.clone()))
    })
}

fn late_post(hand: &Hand<'_>, account: &Account, new: &NewPost) -> Refusal {
    let newest = account.posts.iter().max_by_key(|post| post.id);
    let again = newest.is_some_and(|post| {
        post.made.by == hand.actor.staff_id && post.made.reason == new.reason && says(post, new)
    });
    if again {
        Refusal::Again(account.id)
    } else {
        Refusal::Late(Box::new(account.clone()))
    }
}

/// Changes the last day of posts of one person.
///
/// # Errors
/// Any [`Refusal`] but `Field` and `Ends`, and the store's.
pub fn end_posts(
    hand: &Hand<'_>,
    id: StaffId,
    (ends, reason): (&[NewEnd], &str),
    seen: &str,
) -> Result<(), Undone> {
    let operation = Operation::StaffPostEnd;
    let now = hand.now();
    hand.act(operation, id, |tx, account| {
        if account.seen != seen {
            return Err(late_end(hand, account, ends, reason).into());
        }
        for end in ends {
            if let Some(refusal) = stands_in_way(account, *end) {
                return Err(refusal.into());
            }
        }
        if leaves_nobody(tx, hand.today(), account, ends, None)? {
            return Ok(hand.refuse(tx, operation, id, Refusal::LastAdministrator));
        }
        for end in ends {
            sql::end_post(tx, *end, reason, (hand.actor.staff_id, &now))?;
        }
        let text = view::ends_in_log(account, ends, reason);
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })
}

/// A changed period that reaches into another one of the same person.
fn stands_in_way(account: &Account, end: NewEnd) -> Option<Refusal> {
    let Some(post) = account.post(end.post) else {
        return Some(Refusal::Absent);
    };
    let wanted = Term {
        ends_on: end.ends_on,
        ..post.term
    };
    let mut others = account.posts.iter().filter(|other| other.id != post.id);
    let other = others.find(|other| other.term.overlaps(wanted))?;
    Some(Refusal::Overlap(wanted, Box::new(other.clone())))
}

fn late_end(hand: &Hand<'_>, account: &Account, ends: &[NewEnd], reason: &str) -> Refusal {
    let done = |end: &NewEnd| {
        account.post(end.post).is_some_and(|post| {
            let same =
                |e: &super::model::Written| e.by == hand.actor.staff_id && e.reason == reason;
            post.term.ends_on == end.ends_on && post.ending.as_ref().is_some_and(same)
        })
    };
    if ends.iter().all(done) {
        Refusal::Again(account.id)
    } else {
        Refusal::Late(Box::new(account.clone()))
    }
}

/// Lets somebody go after that day: what is in force ends, what is planned never begins.
///
/// # Errors
/// As [`end_posts`]; `Field` for a day before the post in force began.
pub fn leave(
    hand: &Hand<'_>,
    account: &Account,
    (last, reason): (Date, &str),
) -> Result<(), Undone> {
    let ends = leaving(account, last);
    let today = hand.today();
    let began_later = |end: &NewEnd| {
        let post = account.post(end.post);
        post.is_some_and(|p| p.term.starts_on > last && p.term.starts_on <= today)
    };
    // What was in force is not taken back as if it had never been.
    if ends.iter().any(began_later) {
        let text = "最後の日が、いまの所属の始まりの日より前です。".to_owned();
        let field = "ends_on";
        return Err(Refusal::Field(FieldProblem { field, text }).into());
    }
    end_posts(hand, account.id, (&ends, reason), &account.seen)
}

/// Would some day be without a system administrator after these changes? Asked only when the
/// changed posts are such posts: nothing else can take one away.
fn leaves_nobody(
    tx: &ReadTx<'_>,
    today: Date,
    account: &Account,
    ends: &[NewEnd],
    new: Option<&NewPost>,
) -> Result<bool, StoreError> {
    let admin = Role::SystemAdmin.code();
    let concerned = ends.iter().any(|end| {
        account
            .post(end.post)
            .is_some_and(|post| post.role == admin)
    });
    if !concerned {
        return Ok(false);
    }
    let known = sql::administrators(tx, admin)?;
    let changed = |(id, term): (PostId, Term)| {
        let end = ends.iter().find(|end| end.post == id);
        end.map_or(term, |end| Term {
            ends_on: end.ends_on,
            ..term
        })
    };
    let mut terms: Vec<Term> = known.into_iter().map(changed).collect();
    terms.extend(new.filter(|new| new.role.code() == admin).map(open_from));
    Ok(!always_administered(&terms, today))
}

/// Gives out a new password: every session ends, failures are forgiven. `seen` is the password
/// that the form was opened on; nothing asks for none in particular.
///
/// # Errors
/// `Absent`, `Own`, `Late`, and the store's.
pub fn reset(hand: &Hand<'_>, id: StaffId, seen: Option<i64>) -> Result<Given, Undone> {
    let operation = Operation::PasswordReset;
    let password = one_time()?;
    let hash = password::hash(&password)?;
    let at = hand.db.clock().now();
    hand.act(operation, id, |tx, account| {
        let newest = sql::password(tx, id)?;
        let by_another = newest
            .as_ref()
            .is_some_and(|p| seen.is_some_and(|seen| p.id != seen) && p.by != hand.actor.staff_id);
        if by_another {
            return Err(Refusal::Late(Box::new(account.clone())).into());
        }
        let given = staff_sql::Password {
            hash: &hash,
            must_change: true,
            by: hand.actor.staff_id,
        };
        staff_sql::insert_password(tx, id, &given, &hand.now())?;
        let ended = session::end_all(tx, id, None, "password", at)?;
        let failures = forgive(tx, account)?;
        let text = format!("終えたセッション＝{ended}／失敗の回数：前＝{failures}／後＝0");
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })?;
    Ok(Given { id, password })
}

fn forgive(tx: &WriteTx<'_>, account: &Account) -> Result<i64, StoreError> {
    let subject = staff_sql::login_subject(&account.login);
    let (failures, _) = staff_sql::failures(tx, &subject)?;
    staff_sql::forgive(tx, &subject)?;
    Ok(failures)
}

/// Forgives an ID its failures, so that nobody has to wait.
///
/// # Errors
/// `Absent`, `Own`, and the store's.
pub fn unlock(hand: &Hand<'_>, id: StaffId) -> Result<(), Undone> {
    let operation = Operation::StaffUnlock;
    hand.act(operation, id, |tx, account| {
        let failures = forgive(tx, account)?;
        let text = format!("失敗の回数：前＝{failures}／後＝0");
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })
}

/// Signs somebody out everywhere.
///
/// # Errors
/// `Absent`, `Own`, and the store's.
pub fn end_sessions(hand: &Hand<'_>, id: StaffId) -> Result<(), Undone> {
    let operation = Operation::SessionsEnd;
    let at = hand.db.clock().now();
    hand.act(operation, id, |tx, _| {
        let ended = session::end_all(tx, id, None, "administrator", at)?;
        let text = format!("終えたセッション＝{ended}");
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })
}

fn one_time() -> Result<String, Problem> {
    session::one_time_password().ok_or(Problem::Fault("no randomness for a password"))
}
