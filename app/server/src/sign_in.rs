//! How staff sign in: the rules that an installation may set, as the service uses them.

use std::collections::BTreeMap;

use base::report::{Kind, Report};
use base::settings::{Factor, SignInSettings};
use jiff::SignedDuration;

use crate::web::{Role, TerminalKind};

/// Words that a password must not be built of, one a line.
const WORDS: &str = include_str!("../data/password_words.txt");

/// How long somebody stays signed in.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// Without a touch: then the password is asked for.
    pub idle: SignedDuration,
    /// At most, whatever happens.
    pub absolute: SignedDuration,
    /// The same for what is carried to people's homes.
    pub tablet: Limits,
    /// A password older than this must be changed, days; `None`: never by age.
    pub password_days_max: Option<u16>,
}

/// Limits of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Without a touch.
    pub idle: SignedDuration,
    /// At most, whatever happens.
    pub absolute: SignedDuration,
}

impl SessionSettings {
    /// The limits at this kind of machine; one that nobody registered counts as a PC.
    pub fn limits(&self, kind: Option<TerminalKind>) -> Limits {
        match kind {
            Some(TerminalKind::Tablet) => self.tablet,
            Some(TerminalKind::Pc) | None => Limits {
                idle: self.idle,
                absolute: self.absolute,
            },
        }
    }
}

/// What a new password must be like.
#[derive(Debug, Clone)]
pub struct PasswordRules {
    /// Shortest, characters.
    pub length_min: usize,
    /// How many former ones may not come back.
    pub history: i64,
    /// Words that it must not be built of, lower case.
    pub words: Vec<String>,
}

/// How guessing gets slower.
#[derive(Debug, Clone, Copy)]
pub struct GuessingRules {
    /// Failures in a row before waiting starts.
    pub free: i64,
    /// First wait, seconds; it doubles with every further failure.
    pub wait_seconds: i64,
    /// Longest wait, seconds.
    pub wait_seconds_max: i64,
}

/// The settings name a role that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("sign_in.second_factor の「{0}」という役割はありません。")]
struct UnknownRole(String);

/// All of it.
#[derive(Debug, Clone)]
pub struct SignInRules {
    /// What a new password must be like.
    pub password: PasswordRules,
    /// How guessing gets slower.
    pub guessing: GuessingRules,
    /// The host name that security keys are bound to.
    pub webauthn_host: Option<String>,
    factors: BTreeMap<Role, Vec<Factor>>,
}

impl Default for SignInRules {
    fn default() -> Self {
        Self::with(&SignInSettings::default(), BTreeMap::new())
    }
}

impl SignInRules {
    /// The rules that the settings ask for.
    ///
    /// # Errors
    /// A [`Report`] when they name a role that does not exist.
    pub fn new(asked: &SignInSettings) -> Result<Self, Report> {
        let mut factors = BTreeMap::new();
        for (code, accepted) in &asked.second_factor {
            let unknown = || Report::new(Kind::Settings, UnknownRole(code.clone()));
            let role = Role::from_code(code).ok_or_else(unknown)?;
            factors.insert(role, accepted.clone());
        }
        Ok(Self::with(asked, factors))
    }

    fn with(asked: &SignInSettings, factors: BTreeMap<Role, Vec<Factor>>) -> Self {
        let shipped = WORDS.lines().map(str::trim).filter(|line| !line.is_empty());
        let words = shipped.chain(asked.password_words.iter().map(String::as_str));
        Self {
            password: PasswordRules {
                length_min: usize::from(asked.password_length_min),
                history: i64::from(asked.password_history),
                words: words.map(str::to_lowercase).collect(),
            },
            guessing: GuessingRules {
                free: i64::from(asked.failures_free),
                wait_seconds: i64::from(asked.wait_seconds),
                wait_seconds_max: i64::from(asked.wait_seconds_max),
            },
            webauthn_host: asked.webauthn_host.clone(),
            factors,
        }
    }

    /// What this role may show besides the password; empty: nothing is asked for.
    pub fn factors(&self, role: Role) -> &[Factor] {
        self.factors.get(&role).map_or(&[], Vec::as_slice)
    }
}

impl From<&SignInSettings> for SessionSettings {
    fn from(asked: &SignInSettings) -> Self {
        let minutes = |minutes: u16| SignedDuration::from_mins(i64::from(minutes));
        let hours = |hours: u16| SignedDuration::from_hours(i64::from(hours));
        Self {
            idle: minutes(asked.idle_minutes),
            absolute: hours(asked.hours_max),
            tablet: Limits {
                idle: minutes(asked.tablet_idle_minutes),
                absolute: hours(asked.tablet_hours_max),
            },
            password_days_max: asked.password_days_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use base::settings::{Factor, SignInSettings};

    use super::{SessionSettings, SignInRules};
    use crate::web::{Role, TerminalKind};

    #[test]
    fn a_role_that_does_not_exist_is_told_by_its_name() {
        let mut asked = SignInSettings::default();
        asked
            .second_factor
            .insert("hausmeister".to_owned(), vec![Factor::Totp]);
        let report = SignInRules::new(&asked).unwrap_err();
        assert!(report.for_developer().contains("hausmeister"));
    }

    #[test]
    fn only_the_roles_that_are_named_show_more_than_a_password() {
        let mut asked = SignInSettings::default();
        asked
            .second_factor
            .insert("nurse".to_owned(), vec![Factor::Totp]);
        let rules = SignInRules::new(&asked).unwrap();
        assert_eq!(rules.factors(Role::Nurse), [Factor::Totp]);
        assert!(rules.factors(Role::Clerk).is_empty());
    }

    #[test]
    fn the_first_site_file_asks_every_role_for_more_and_lets_the_first_administrator_in() {
        let place = std::path::Path::new("/x");
        let site = base::settings::Site::parse(&base::settings::first_site(place), place);
        let rules = SignInRules::new(&site.unwrap().sign_in()).unwrap();
        for role in Role::ALL {
            assert!(!rules.factors(*role).is_empty(), "{role:?}");
        }
        // Nobody has registered a terminal yet.
        assert!(rules.factors(Role::SystemAdmin).contains(&Factor::Totp));
    }

    #[test]
    fn a_tablet_has_the_shorter_limits() {
        let limits = SessionSettings::from(&SignInSettings::default());
        let minutes = |kind| limits.limits(kind).idle.as_mins();
        assert_eq!(minutes(None), 30);
        assert_eq!(minutes(Some(TerminalKind::Pc)), 30);
        assert_eq!(minutes(Some(TerminalKind::Tablet)), 10);
    }
}
