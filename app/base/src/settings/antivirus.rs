//! `[antivirus]`: the scanner that looks through what comes in from outside.
//!
//! Invariant: without the section nothing is looked through, and pages of administrators say so.

use std::path::PathBuf;

use serde::Deserialize;

/// Of the appliance's own scanner.
const SOCKET: &str = "/run/clamav/clamd.ctl";
const SIGNATURES: &str = "/volume/signatures";
const RESTART: [&str; 3] = ["systemctl", "restart", "hokatsu-clamd.service"];
/// Below the directory of signatures: those in use.
const IN_USE: &str = "now";

/// `[antivirus]`. What is not said keeps its default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AntivirusSettings {
    /// Where `clamd` listens.
    pub socket: PathBuf,
    /// Where signatures are kept: those in use, and those before them.
    pub signatures: PathBuf,
    /// The program that has the scanner load its signatures anew, with its words.
    pub restart: Vec<String>,
}

impl Default for AntivirusSettings {
    fn default() -> Self {
        Self {
            socket: PathBuf::from(SOCKET),
            signatures: PathBuf::from(SIGNATURES),
            restart: RESTART.map(str::to_owned).to_vec(),
        }
    }
}

impl AntivirusSettings {
    /// The directory that the scanner loads.
    #[must_use]
    pub fn installed(&self) -> PathBuf {
        self.signatures.join(IN_USE)
    }

    /// What cannot be meant, in the operator's words.
    pub(super) fn problem(&self) -> Option<String> {
        (self.restart.first().is_none_or(String::is_empty))
            .then(|| "restart に、検査のサービスを始め直すプログラムを書いてください。".to_owned())
    }
}
