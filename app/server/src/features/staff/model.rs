//! Rules about IDs and passwords; no I/O.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use store::CentreId;

use crate::sign_in::{GuessingRules, PasswordRules};
use crate::web::Role;

/// Longest password, characters; more is a mistake or an attack on the hash.
pub(super) const PASSWORD_LENGTH_MAX: usize = 256;
/// Characters that must be left of a password without the words that everybody tries first.
const OWN_CHARS_MIN: usize = 8;
/// Shorter parts of a name are in many words.
const NAME_CHARS_MIN: usize = 2;

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
    /// Fewer characters than the rules ask for.
    TooShort,
    /// More than [`PASSWORD_LENGTH_MAX`] characters.
    TooLong,
    /// Holds the ID or the name, or is built of what everybody tries first.
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

/// Whose password it is to be.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) login: String,
    pub(super) name: String,
    pub(super) kana: String,
}

impl Owner {
    /// What must not be in their password, lower case.
    fn words(&self) -> impl Iterator<Item = String> {
        let login = Some(self.login.as_str()).filter(|login| login.len() >= 3);
        let names = [&self.name, &self.kana].into_iter();
        let names = names.flat_map(|name| name.split_whitespace());
        let names = names.filter(|part| part.chars().count() >= NAME_CHARS_MIN);
        login.into_iter().chain(names).map(str::to_lowercase)
    }
}

/// What is left of a password without the words that everybody tries first.
fn without_words(lower: &str, words: &[String]) -> usize {
    let rest = words
        .iter()
        .fold(lower.to_owned(), |rest, word| rest.replace(word, ""));
    rest.chars().count()
}

/// Checks a new password by itself.
///
/// # Errors
/// The first [`PasswordProblem`] that applies.
pub(super) fn check_password(
    rules: &PasswordRules,
    new: &str,
    again: &str,
    owner: &Owner,
) -> Result<(), PasswordProblem> {
    let length = new.chars().count();
    let lower = new.to_lowercase();
    let guessable = owner.words().any(|word| lower.contains(&word))
        || without_words(&lower, &rules.words) < OWN_CHARS_MIN;
    let mut distinct: Vec<char> = new.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if length < rules.length_min {
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
pub(super) fn wait_after(rules: GuessingRules, failures: i64) -> SignedDuration {
    let over = failures - rules.free;
    if over < 0 {
        return SignedDuration::ZERO;
    }
    let doubled = u32::try_from(over.min(10)).map_or(rules.wait_seconds_max, |n| {
        rules.wait_seconds.saturating_mul(1_i64 << n)
    });
    SignedDuration::from_secs(doubled.min(rules.wait_seconds_max))
}

/// May somebody try now?
pub(super) fn may_try(
    rules: GuessingRules,
    failures: i64,
    last: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let waited = last.map_or(SignedDuration::MAX, |last| now.duration_since(last));
    // A clock that was set back must not lock anybody out for a year.
    waited.is_negative() || waited >= wait_after(rules, failures)
}

#[cfg(test)]
mod tests {
    use super::{Owner, PasswordProblem, check_password, wait_after};
    use crate::sign_in::SignInRules;

    fn check(new: &str) -> Result<(), PasswordProblem> {
        let owner = Owner {
            login: "sato".to_owned(),
            name: "佐藤　春香".to_owned(),
            kana: "サトウ　ハルカ".to_owned(),
        };
        check_password(&SignInRules::default().password, new, new, &owner)
    }

    #[test]
    fn a_password_built_of_words_that_everybody_tries_is_refused() {
        for bad in [
            "wako-hokatsu-2026",
            "わこうセンター和光市12345",
            "Reiwa8-kaigo!!",
            "春香の長いパスフレーズです",
        ] {
            assert_eq!(check(bad), Err(PasswordProblem::Guessable), "{bad}");
        }
        // The words may be in it, if enough of it is one's own.
        assert_eq!(check("和光の坂を朝に自転車で下る"), Ok(()));
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
        let rules = SignInRules::default().guessing;
        let seconds: Vec<i64> = [4, 5, 6, 7, 50]
            .map(|n| wait_after(rules, n).as_secs())
            .to_vec();
        assert_eq!(seconds, [0, 30, 60, 120, 900]);
    }
}
