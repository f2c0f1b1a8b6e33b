//! Preparing a pair of envelopes, and opening it.

use std::fmt;

use jiff::SignedDuration;
use store::{Actor, Db, Event, Operation, RecordKind, StaffId, StoreError};

use super::store as sql;
use super::{PASSWORD_HOURS, view};
use crate::features::staff::accounts;
use crate::features::staff::model::{Login, NewStaff};
use crate::features::staff::{factors, password, store as staff_sql};
use crate::web::{Problem, Role, session};

/// One sealed secret, to be printed once.
#[derive(Clone)]
pub struct Envelope {
    /// First or second.
    pub position: i64,
    /// Who keeps it.
    pub holder: String,
    /// Which pair it belongs to.
    pub pair: String,
    /// The secret.
    pub secret: String,
    /// When it was made, stored form.
    pub made_at: String,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({}, …)", self.position)
    }
}

/// Makes a new pair; an older one that nobody opened opens nothing any more.
///
/// # Errors
/// [`Problem`] of the store, or no randomness.
pub fn prepare(db: &Db, actor: &Actor, holders: [&str; 2]) -> Result<[Envelope; 2], Problem> {
    let secret =
        || session::one_time_password().ok_or(Problem::Fault("no randomness for an envelope"));
    let now = format!("{:.6}", db.clock().now());
    // To the millisecond: hashing the secrets takes longer, so no two pairs are called the same.
    let pair: String = now.chars().filter(char::is_ascii_digit).take(17).collect();
    let envelope = |position: i64, holder: &str, secret: String| Envelope {
        position,
        holder: holder.to_owned(),
        pair: pair.clone(),
        secret,
        made_at: now.clone(),
    };
    let [first, second] = holders;
    let made = [
        envelope(1, first, secret()?),
        envelope(2, second, secret()?),
    ];
    let hashes = [
        password::hash(&made[0].secret)?,
        password::hash(&made[1].secret)?,
    ];
    db.write(actor, |tx| {
        for (envelope, hash) in made.iter().zip(&hashes) {
            sql::insert_envelope(tx, envelope, hash, actor)?;
        }
        let text = format!("組＝{pair}／持つ人＝{first}、{second}");
        let event = Event::done(Operation::BreakGlassPrepare);
        Ok::<_, Problem>(tx.audited(event.detail(text), ()))
    })?;
    Ok(made)
}

/// Somebody who is not registered yet.
#[derive(Debug, Clone)]
pub struct NewAdministrator {
    /// Name.
    pub name: String,
    /// Reading.
    pub kana: String,
}

/// What two persons bring.
#[derive(Clone)]
pub struct Opening {
    /// Whose account gets the password.
    pub login: Login,
    /// When the account is to be made.
    pub new: Option<NewAdministrator>,
    /// The two who open, in the order of their secrets.
    pub persons: [String; 2],
    /// Both secrets as typed.
    pub secrets: [String; 2],
    /// Why.
    pub reason: String,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({:?}, …)", self.login)
    }
}

/// A password for some hours, to be told once.
pub struct Opened {
    /// The password.
    pub password: String,
    /// Until when, in words.
    pub valid_until: String,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(…)")
    }
}

/// Why nothing was opened.
#[derive(Debug)]
pub enum Refused {
    /// No pair is waiting: none was made, or it was used.
    NoEnvelopes,
    /// At least one secret is wrong.
    WrongSecret,
    /// One person brought both.
    SamePerson,
    /// The ID is somebody's who is no system administrator today.
    NotAdministrator,
    /// The ID is nobody's, and no name was given for a new account.
    Unknown,
    /// The ID is taken, and a name for a new account was given.
    Taken,
    /// For another reason.
    Failed(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Refused {
    fn word(&self) -> &'static str {
        match self {
            Self::NoEnvelopes => "有効な封筒がない",
            Self::WrongSecret => "封筒の文字が違う",
            Self::SamePerson => "一人で開けようとした",
            Self::NotAdministrator => "システム管理者ではない職員ID",
            Self::Unknown => "登録のない職員ID",
            Self::Taken => "使われている職員ID",
            Self::Failed(_) => "",
        }
    }
}

/// Opens the waiting pair. Every try leaves an entry.
///
/// # Errors
/// [`Refused`].
pub fn open(db: &Db, actor: &Actor, opening: &Opening) -> Result<Opened, Refused> {
    match try_open(db, actor, opening) {
        Err(Refused::Failed(problem)) => Err(Refused::Failed(problem)),
        Err(refused) => {
            let [first, second] = &opening.persons;
            let text = format!("{}／開けようとした人＝{first}、{second}", refused.word());
            db.write(actor, |tx| {
                let event = Event::refused(Operation::BreakGlassOpen).detail(text);
                Ok::<_, Problem>(tx.audited(event, ()))
            })?;
            Err(refused)
        }
        Ok(opened) => Ok(opened),
    }
}

fn try_open(db: &Db, actor: &Actor, opening: &Opening) -> Result<Opened, Refused> {
    let [first, second] = &opening.persons;
    let plain = |name: &str| -> String { name.chars().filter(|c| !c.is_whitespace()).collect() };
    if plain(first) == plain(second) {
        return Err(Refused::SamePerson);
    }
    let waiting = db.read(actor, sql::waiting)?;
    let Some((pair, hashes)) = waiting else {
        return Err(Refused::NoEnvelopes);
    };
    if !fit(&opening.secrets, &hashes)? {
        return Err(Refused::WrongSecret);
    }
    let given = session::one_time_password().ok_or(Problem::Fault("no randomness"))?;
    let hash = password::hash(&given)?;
    let at = db.clock().now();
    let valid = at.saturating_add(SignedDuration::from_hours(PASSWORD_HOURS));
    let valid_until = valid.map_or_else(|_| String::new(), |until| format!("{until:.6}"));
    let now = format!("{at:.6}");
    db.write(actor, |tx| {
        let (id, held) = account(tx, db, opening, &hash, &now)?;
        session::end_all(tx, id, None, "password", at)?;
        staff_sql::forgive(tx, &staff_sql::login_subject(opening.login.as_str()))?;
        let done = sql::insert_opening(tx, &pair, id, opening, (&valid_until, &now))?;
        let text = format!(
            "組＝{pair}／職員番号＝{id}／開けた人＝{first}、{second}／理由＝{}／有効＝{}まで／\
             本人確認の方法：前＝{held}／後＝なし",
            opening.reason,
            view::moment(&valid_until)
        );
        let event = Event::done(Operation::BreakGlassOpen).on(RecordKind::BreakGlass, done);
        Ok::<_, Refused>(tx.audited(event.detail(text), ()))
    })?;
    Ok(Opened {
        password: given,
        valid_until: view::moment(&valid_until),
    })
}

/// Both secrets, whichever way round they were brought.
fn fit(secrets: &[String; 2], hashes: &[String; 2]) -> Result<bool, Problem> {
    let plain = |typed: &str| -> String {
        let kept = typed.chars().filter(|c| c.is_ascii_alphanumeric());
        kept.collect::<String>().to_lowercase()
    };
    let [one, two] = [plain(&secrets[0]), plain(&secrets[1])];
    let straight = password::fits(&one, &hashes[0])? && password::fits(&two, &hashes[1])?;
    let crossed = password::fits(&two, &hashes[0])? && password::fits(&one, &hashes[1])?;
    Ok(straight || crossed)
}

/// The account with its new password: one of today's administrators, or a new one; and what it held
/// besides, which is taken back.
fn account(
    tx: &store::WriteTx<'_>,
    db: &Db,
    opening: &Opening,
    hash: &str,
    now: &str,
) -> Result<(StaffId, String), Refused> {
    let today = db.clock().today();
    let known = accounts::find(tx, opening.login.as_str())?;
    match (known, &opening.new) {
        (Some(_), Some(_)) => Err(Refused::Taken),
        (None, None) => Err(Refused::Unknown),
        (Some(account), None) => {
            let post = account.post_on(today);
            if post.is_none_or(|post| post.role != Role::SystemAdmin.code()) {
                return Err(Refused::NotAdministrator);
            }
            let given = staff_sql::Password {
                hash,
                must_change: true,
                by: None,
            };
            staff_sql::insert_password(tx, account.id, &given, now)?;
            // The telephone may be what was lost; whoever has the envelopes enrols another.
            let held = factors::store::held(tx, account.id)?;
            if let Some(last) = held.last() {
                factors::store::reset(tx, account.id, last.id, ("非常用の封筒", None), now)?;
            }
            Ok((account.id, factors::words(&held)))
        }
        (None, Some(new)) => {
            let staff = NewStaff {
                login: opening.login.clone(),
                name: new.name.clone(),
                kana: new.kana.clone(),
                role: Role::SystemAdmin,
                job: "システム管理者".to_owned(),
                centre_id: None,
                starts_on: today,
                password: String::new(),
                must_change_password: true,
            };
            let id = staff_sql::insert(tx, &staff, hash, None, now)?;
            Ok((id, factors::words(&[])))
        }
    }
}
