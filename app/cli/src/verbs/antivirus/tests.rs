//! Signatures from a stick: what is refused, what is taken over, and what is given back.
//!
//! Nobody here has files that their maker signed: the stock `sigtool` says no to all of these, and where it is to say
//! yes a stand-in does.

use std::path::Path;

use base::paths::write_atomic;
use base::settings::AntivirusSettings;
use clamd::Scripted;
use tempfile::TempDir;

use base::antivirus::signatures::{self, DAILY};
use base::report::Report;

use super::update::{Places, exchange, gather, is_signed, proven, turn_back};

struct Lab {
    root: TempDir,
    settings: AntivirusSettings,
}

fn header(version: u32) -> String {
    format!("ClamAV-VDB:07 Nov 2026 08-45 -0500:{version}:1:90:d41d8cd9:abc:nobody:1794000000")
}

/// Whoever looks at a copy finds nothing wrong.
fn signed(_: &Path) -> Result<bool, Report> {
    Ok(true)
}

impl Lab {
    fn new(restart: &str) -> Self {
        let root = TempDir::new().unwrap();
        let settings = AntivirusSettings {
            socket: root.path().join("clamd.ctl"),
            signatures: root.path().join("signatures"),
            restart: vec![restart.to_owned()],
        };
        std::fs::create_dir(&settings.signatures).unwrap();
        Self { root, settings }
    }

    /// A stick with these.
    fn stick(&self, files: &[(&str, u32)]) -> std::path::PathBuf {
        let stick = self.root.path().join("stick");
        drop(std::fs::remove_dir_all(&stick));
        std::fs::create_dir(&stick).unwrap();
        for (name, version) in files {
            let text = format!("{:<512}packed", header(*version));
            write_atomic(&stick.join(name), text.as_bytes(), 0o600).unwrap();
        }
        stick
    }

    fn places(&self) -> Places {
        Places::of(&self.settings)
    }

    fn versions(&self) -> Vec<(String, u32)> {
        let all = signatures::installed(&self.settings.installed()).unwrap();
        all.into_iter().map(|one| (one.name, one.version)).collect()
    }

    fn take(&self, files: &[(&str, u32)]) -> Result<bool, Report> {
        let stick = self.stick(files);
        let places = self.places();
        let gathered = gather(&stick, &places, signed)?;
        if gathered.is_some() {
            exchange(&places)?;
        }
        Ok(gathered.is_some())
    }
}

fn words(report: &Report) -> String {
    report.for_operator().unwrap().text.to_owned()
}

#[test]
fn what_its_maker_did_not_sign_is_refused_by_the_stock_tool() {
    let lab = Lab::new("true");
    let stick = lab.stick(&[("main.cvd", 62), ("daily.cvd", 27_800)]);
    let refused = gather(&stick, &lab.places(), is_signed).unwrap_err();
    assert!(
        words(&refused).contains("署名が正しくない"),
        "{}",
        words(&refused)
    );
    assert_eq!(lab.versions(), []);
}

#[test]
fn a_stick_without_what_is_needed_is_refused() {
    let lab = Lab::new("true");
    for (files, word) in [
        (&[][..], "main.cvd"),
        (&[("daily.cld", 27_800)], "署名のない"),
        (&[("daily.cvd", 27_800)], "main.cvd がありません"),
    ] {
        let refused = lab.take(files).unwrap_err();
        assert!(words(&refused).contains(word), "{}", words(&refused));
    }
    assert_eq!(lab.versions(), []);
}

#[test]
fn newer_ones_are_taken_what_is_missing_stays_and_older_ones_are_refused() {
    let lab = Lab::new("true");
    assert!(
        lab.take(&[("main.cvd", 62), ("daily.cvd", 27_800)])
            .unwrap()
    );
    assert!(lab.take(&[("daily.cvd", 27_830)]).unwrap());
    let now = [("main".to_owned(), 62), ("daily".to_owned(), 27_830)];
    assert_eq!(lab.versions(), now);
    let before = signatures::read(&lab.places().before, DAILY).unwrap();
    assert_eq!(before.unwrap().version, 27_800);
    assert!(
        !lab.take(&[("daily.cvd", 27_830)]).unwrap(),
        "the same again"
    );
    let refused = lab.take(&[("daily.cvd", 27_829)]).unwrap_err();
    assert!(words(&refused).contains("古いもの"), "{}", words(&refused));
    assert_eq!(lab.versions(), now);
}

#[test]
fn the_scanner_has_to_come_up_with_the_new_ones() {
    let clamd = Scripted::start(27_800);
    let mut lab = Lab::new("true");
    lab.settings.socket = clamd.socket();
    assert!(
        lab.take(&[("main.cvd", 62), ("daily.cvd", 27_800)])
            .unwrap()
    );
    proven(&lab.settings, 27_800, std::time::Duration::ZERO).unwrap();
    assert!(lab.take(&[("daily.cvd", 27_801)]).unwrap());
    proven(&lab.settings, 27_801, std::time::Duration::ZERO).unwrap_err();
    turn_back(&lab.places(), true).unwrap();
    assert_eq!(lab.versions().pop(), Some(("daily".to_owned(), 27_800)));
    lab.settings.restart = vec!["false".to_owned()];
    proven(&lab.settings, 27_800, std::time::Duration::ZERO).unwrap_err();
}
