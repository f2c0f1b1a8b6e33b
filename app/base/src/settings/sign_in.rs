//! `[sign_in]`: how staff show who they are, and for how long that holds.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::Deserialize;

/// Something that is shown besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// The certificate of a registered terminal.
    Terminal,
    /// A code of six digits that a telephone shows (RFC 6238).
    Totp,
    /// A security key, or what is built into the machine (WebAuthn).
    Webauthn,
}

/// `[sign_in]`. What is not said keeps its default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInSettings {
    /// Shortest password, characters.
    pub password_length_min: u16,
    /// A password must be changed after so many days; absent: never by age.
    pub password_days_max: Option<u16>,
    /// Former passwords that may not come back.
    pub password_history: u16,
    /// Words that a password must not be built of, besides those shipped.
    pub password_words: Vec<String>,
    /// Failures in a row before waiting starts.
    pub failures_free: u16,
    /// First wait, seconds; it doubles with every further failure.
    pub wait_seconds: u16,
    /// Longest wait, seconds.
    pub wait_seconds_max: u16,
    /// A session that nobody touched for so many minutes asks for the password.
    pub idle_minutes: u16,
    /// A session is over after so many hours, whatever happens.
    pub hours_max: u16,
    /// As `idle_minutes`, at a registered tablet.
    pub tablet_idle_minutes: u16,
    /// As `hours_max`, at a registered tablet.
    pub tablet_hours_max: u16,
    /// The host name that security keys are bound to; without it there are none.
    pub webauthn_host: Option<String>,
    /// The file with the keys of second factors; absent: beside the database. A systemd credential
    /// named `factor-keys` wins.
    pub factor_key_file: Option<PathBuf>,
    /// `[sign_in.second_factor]`: role = what is accepted, one of them is asked for.
    pub second_factor: BTreeMap<String, Vec<Factor>>,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self {
            password_length_min: 12,
            password_days_max: None,
            password_history: 5,
            password_words: Vec::new(),
            failures_free: 5,
            wait_seconds: 30,
            wait_seconds_max: 900,
            idle_minutes: 30,
            hours_max: 12,
            tablet_idle_minutes: 10,
            tablet_hours_max: 10,
            webauthn_host: None,
            factor_key_file: None,
            second_factor: BTreeMap::new(),
        }
    }
}

impl SignInSettings {
    /// What is out of its range, in the operator's words.
    pub(super) fn problem(&self) -> Option<String> {
        let ranges: [(&str, u16, RangeInclusive<u16>); 10] = [
            ("password_length_min", self.password_length_min, 8..=64),
            (
                "password_days_max",
                self.password_days_max.unwrap_or(1),
                1..=3650,
            ),
            ("password_history", self.password_history, 1..=24),
            ("failures_free", self.failures_free, 3..=20),
            ("wait_seconds", self.wait_seconds, 1..=900),
            ("wait_seconds_max", self.wait_seconds_max, 30..=3600),
            ("idle_minutes", self.idle_minutes, 1..=240),
            ("hours_max", self.hours_max, 1..=24),
            ("tablet_idle_minutes", self.tablet_idle_minutes, 1..=240),
            ("tablet_hours_max", self.tablet_hours_max, 1..=24),
        ];
        let wrong = ranges
            .into_iter()
            .find(|(_, value, range)| !range.contains(value));
        if let Some((name, _, range)) = wrong {
            let (low, high) = range.into_inner();
            return Some(format!("{name} は {low} から {high} までにしてください。"));
        }
        let keys = self.second_factor.values().flatten();
        let keys_wanted = keys.copied().any(|factor| factor == Factor::Webauthn);
        if keys_wanted && self.webauthn_host.is_none() {
            return Some("webauthn を使うには、webauthn_host にホスト名が必要です。".to_owned());
        }
        let empty = self.second_factor.iter().find(|(_, any)| any.is_empty());
        empty.map(|(role, _)| {
            format!("second_factor の {role} に、terminal・totp・webauthn のどれかが必要です。")
        })
    }
}
