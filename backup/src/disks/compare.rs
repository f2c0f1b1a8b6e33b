//! Is what lies on a disk what we left there, and would what we bring be as much? Nothing is changed.
//!
//! Shape: each [`Doubt`] is a sentence with what to do. None is needed for a disk to be refused; somebody
//! with a name and a reason may say that it is right all the same.

use jiff::Timestamp;

use crate::check::{CheckDepth, check};
use crate::error::BackupError;
use crate::settings::RepositorySettings;
use crate::snapshots::{self, SnapshotInfo};

/// Findings that are told; the rest is counted.
const FINDINGS_TOLD: usize = 3;

/// How many there are, by the tables of the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub people: i64,
    pub consultations: i64,
    pub attachments: i64,
}

impl Counts {
    /// Of a snapshot's facts; a table that they do not name has no rows.
    #[must_use]
    pub fn of(facts: &serde_json::Value) -> Self {
        let rows = |table: &str| {
            let rows = facts.get("rows").and_then(|rows| rows.get(table));
            rows.and_then(serde_json::Value::as_i64).unwrap_or(0)
        };
        Self {
            people: rows("residents"),
            consultations: rows("consultations"),
            attachments: rows("attachments"),
        }
    }
}

/// Why a disk is not written to before somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Its newest snapshot is not the one that was saved on it last: a copy of the disk, a disk that was
    /// set back, or one that another machine wrote to.
    NotWhatWasSaved {
        known: Option<String>,
        found: Option<String>,
    },
    /// What lies there is not whole.
    Damaged { findings: Vec<String> },
    /// Much less than the disk holds: an emptied or wrong database.
    Fewer {
        what: &'static str,
        held: i64,
        brought: i64,
        percent_min: u8,
    },
}

impl Doubt {
    /// What the operator is told, one sentence or two.
    #[must_use]
    pub fn in_words(&self) -> String {
        let short = |id: &Option<String>| {
            let short = id.as_ref().map(|id| id.chars().take(8).collect());
            short.unwrap_or_else(|| "なし".to_owned())
        };
        match self {
            Self::NotWhatWasSaved { known, found } => format!(
                "ディスクの最新の控え（{}）が、この装置が最後に取ったもの（{}）と違います。\
                 複製されたディスクか、ほかの装置で書かれたディスクかもしれません。",
                short(found),
                short(known)
            ),
            Self::Damaged { findings } => {
                let told: Vec<&str> = findings
                    .iter()
                    .take(FINDINGS_TOLD)
                    .map(String::as_str)
                    .collect();
                format!(
                    "ディスクの控えに異常が{}件あります（{}）。",
                    findings.len(),
                    told.join("、")
                )
            }
            Self::Fewer {
                what,
                held,
                brought,
                percent_min,
            } => format!(
                "{what}が、ディスクの控えでは{held}件、今は{brought}件です（{percent_min}%を下回っています）。\
                 データが失われていないか確かめてください。"
            ),
        }
    }
}

/// Looks at the repository on a disk that is mounted read-only.
///
/// Shape: `known` is the snapshot that was saved on it last and when its state was frozen, by the
/// machine's list; nothing before the first. `is_ours` knows a snapshot for a former state of this very
/// database: a visit that was killed had saved and not told. `counts` is what would be saved now, and
/// which share of the former it must reach, percent.
/// # Errors
/// What stopped the repository from being opened or read.
pub fn compare(
    settings: &RepositorySettings,
    known: Option<(&str, Timestamp)>,
    is_ours: impl Fn(&SnapshotInfo) -> bool,
    (brought, percent_min): (&Counts, u8),
) -> Result<Vec<Doubt>, BackupError> {
    let newest = snapshots::list(settings)?.pop();
    let mut doubts = Vec::new();
    doubts.extend(not_what_was_saved(newest.as_ref(), known, is_ours));
    let checked = check(settings, CheckDepth::Structure)?;
    let serious = checked.findings.into_iter().filter(|one| one.serious);
    let findings: Vec<String> = serious.map(|one| one.text).collect();
    if !findings.is_empty() {
        doubts.push(Doubt::Damaged { findings });
    }
    if let Some(newest) = newest {
        doubts.extend(fewer(&Counts::of(&newest.facts), brought, percent_min));
    }
    Ok(doubts)
}

fn not_what_was_saved(
    newest: Option<&SnapshotInfo>,
    known: Option<(&str, Timestamp)>,
    is_ours: impl Fn(&SnapshotInfo) -> bool,
) -> Option<Doubt> {
    let right = match (newest, known) {
        (None, None) => true,
        (Some(found), Some((id, _))) if found.id == id => true,
        // Older than what was told: a copy, or a disk that was set back.
        (Some(found), Some((_, told))) => found.taken_at > told && is_ours(found),
        (Some(found), None) => is_ours(found),
        (None, Some(_)) => false,
    };
    (!right).then(|| Doubt::NotWhatWasSaved {
        known: known.map(|(id, _)| id.to_owned()),
        found: newest.map(|one| one.id.clone()),
    })
}

fn fewer(held: &Counts, brought: &Counts, percent_min: u8) -> Vec<Doubt> {
    let all = [
        ("住民", held.people, brought.people),
        ("相談記録", held.consultations, brought.consultations),
        ("添付ファイル", held.attachments, brought.attachments),
    ];
    let too_few = all.into_iter().filter(|(_, held, brought)| {
        i128::from(*brought) * 100 < i128::from(*held) * i128::from(percent_min)
    });
    too_few
        .map(|(what, held, brought)| Doubt::Fewer {
            what,
            held,
            brought,
            percent_min,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(id: &str, taken_at: &str) -> SnapshotInfo {
        SnapshotInfo {
            id: id.to_owned(),
            label: String::new(),
            host: String::new(),
            taken_at: taken_at.parse().unwrap(),
            bytes: 0,
            files: 0,
            facts: serde_json::Value::Null,
        }
    }

    #[test]
    fn a_newer_one_of_our_own_is_a_visit_that_was_killed_and_an_older_one_is_a_copy() {
        let (before, told, after) = (
            "2026-11-01T00:00:00Z",
            "2026-11-08T00:00:00Z",
            "2026-11-15T00:00:00Z",
        );
        let known = Some(("b", told.parse().unwrap()));
        let doubted = |found: Option<SnapshotInfo>, known, ours: bool| {
            not_what_was_saved(found.as_ref(), known, |_| ours).is_some()
        };
        assert!(!doubted(Some(snapshot("b", told)), known, false));
        assert!(!doubted(Some(snapshot("c", after)), known, true));
        assert!(doubted(Some(snapshot("c", after)), known, false));
        assert!(doubted(Some(snapshot("a", before)), known, true));
        assert!(doubted(None, known, true));
        assert!(!doubted(None, None, false));
        assert!(!doubted(Some(snapshot("a", before)), None, true));
        assert!(doubted(Some(snapshot("a", before)), None, false));
    }

    fn counts(people: i64, consultations: i64, attachments: i64) -> Counts {
        Counts {
            people,
            consultations,
            attachments,
        }
    }

    #[test]
    fn what_falls_below_the_share_is_doubted_each_by_its_name_and_what_grows_is_not() {
        let held = counts(2_000, 100, 10);
        assert_eq!(fewer(&held, &counts(1_800, 90, 9), 90), []);
        assert_eq!(fewer(&held, &counts(3_000, 200, 20), 90), []);
        let doubts = fewer(&held, &counts(1_799, 100, 0), 90);
        let words: Vec<String> = doubts.iter().map(Doubt::in_words).collect();
        assert_eq!(words.len(), 2);
        assert!(words[0].contains("住民が、ディスクの控えでは2000件、今は1799件"));
        assert!(words[1].starts_with("添付ファイル"));
        assert_eq!(fewer(&counts(0, 0, 0), &counts(0, 0, 0), 90), []);
    }

    #[test]
    fn counts_are_read_from_the_facts_of_a_snapshot() {
        let facts = serde_json::json!({"rows": {"residents": 7, "consultations": 2}});
        assert_eq!(Counts::of(&facts), counts(7, 2, 0));
        assert_eq!(Counts::of(&serde_json::Value::Null), counts(0, 0, 0));
    }
}
