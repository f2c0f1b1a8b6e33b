//! Rules about IDs and passwords; no I/O.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use store::CentreId;

use crate::web::Role;

/// Shortest password, characters. Length first: no rules about kinds of characters.
pub(super) const PASSWORD_LENGTH_MIN: usize = 12;
/// Longest password, characters; more is a mistake or an attack on the hash.
pub(super) const PASSWORD_LENGTH_MAX: usize = 256;
/// Failures in a row before waiting starts.
const FAILURES_FREE: i64 = 5;
/// First wait, seconds; it doubles with every further failure.
const WAIT_SECONDS: i64 = 30;
/// Longest wait, seconds.
const WAIT_SECONDS_MAX: i64 = 900;

/// Parts of passwords that everybody tries first.
const KNOWN_BAD: &[&str] = &[
    "password",
    "123456789",
    "qwerty",
    "hokatsu",
    "wako",
    "admin",
];

/// An ID as typed: trimmed, lower case, bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login(String);

impl Login {
    /// Takes what was typed; anything is an ID until it is looked up.
    pub fn new(typed: &str) -> Self {
        Self(typed.trim().to_lowercase().chars().take(64).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Somebody to be added.
#[derive(Debug, Clone)]
pub struct NewStaff {
    /// ID for signing in.
    pub login: Login,
    /// Name.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// What they may do.
    pub role: Role,
    /// Profession or post.
    pub job: String,
    /// `None`: the city.
    pub centre_id: Option<CentreId>,
    /// First day.
    pub starts_on: Date,
    /// First password.
    pub password: String,
    /// Must it be replaced at the first sign-in?
    pub must_change_password: bool,
}

/// Why a new password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Fewer than [`PASSWORD_LENGTH_MIN`] characters.
    TooShort,
    /// More than [`PASSWORD_LENGTH_MAX`] characters.
    TooLong,
    /// Holds the ID, or what everybody tries first.
    Guessable,
    /// One character over and over.
    Monotonous,
    /// The second time typed differs.
    Differs,
    /// It was in use before.
    UsedBefore,
    /// The present password was typed wrong.
    WrongPresent,
}

/// Checks a new password by itself.
///
/// # Errors
/// The first [`PasswordProblem`] that applies.
pub(super) fn check_password(new: &str, again: &str, login: &Login) -> Result<(), PasswordProblem> {
    let length = new.chars().count();
    let lower = new.to_lowercase();
    let guessable = KNOWN_BAD.iter().any(|bad| lower.starts_with(bad))
        || (login.as_str().len() >= 3 && lower.contains(login.as_str()));
    let mut distinct: Vec<char> = new.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if length < PASSWORD_LENGTH_MIN {
        Err(PasswordProblem::TooShort)
    } else if length > PASSWORD_LENGTH_MAX {
        Err(PasswordProblem::TooLong)
    } else if distinct.len() < 4 {
        Err(PasswordProblem::Monotonous)
    } else if guessable {
        Err(PasswordProblem::Guessable)
    } else if new != again {
        Err(PasswordProblem::Differs)
    } else {
        Ok(())
    }
}

/// How long nobody may try after so many failures, counted from the last.
pub(super) fn wait_after(failures: i64) -> SignedDuration {
    let over = failures - FAILURES_FREE;
    if over < 0 {
        return SignedDuration::ZERO;
    }
    let doubled = u32::try_from(over.min(10)).map_or(WAIT_SECONDS_MAX, |n| WAIT_SECONDS << n);
    SignedDuration::from_secs(doubled.min(WAIT_SECONDS_MAX))
}

/// May somebody try now?
pub(super) fn may_try(failures: i64, last: Option<Timestamp>, now: Timestamp) -> bool {
    let waited = last.map_or(SignedDuration::MAX, |last| now.duration_since(last));
    // A clock that was set back must not lock anybody out for a year.
    waited.is_negative() || waited >= wait_after(failures)
}

#[cfg(test)]
mod tests {
    use super::{Login, PasswordProblem, check_password, wait_after};

    fn check(new: &str) -> Result<(), PasswordProblem> {
        check_password(new, new, &Login::new("sato"))
    }

    #[test]
    fn a_long_sentence_is_a_password() {
        assert_eq!(check("さくら並木を朝に歩く七時"), Ok(()));
        assert_eq!(check("river stone lantern"), Ok(()));
    }

    #[test]
    fn short_guessable_and_monotonous_ones_are_refused_with_their_reason() {
        assert_eq!(check("kurz"), Err(PasswordProblem::TooShort));
        assert_eq!(check("password-password"), Err(PasswordProblem::Guessable));
        assert_eq!(check("my name is sato"), Err(PasswordProblem::Guessable));
        assert_eq!(check("abababababababab"), Err(PasswordProblem::Monotonous));
        assert_eq!(check(&"abcdef".repeat(100)), Err(PasswordProblem::TooLong));
    }

    #[test]
    fn waiting_starts_after_five_failures_doubles_and_has_an_end() {
        let seconds: Vec<i64> = [4, 5, 6, 7, 50].map(|n| wait_after(n).as_secs()).to_vec();
        assert_eq!(seconds, [0, 30, 60, 120, 900]);
    }
}
