//! The states of the disks that are carried away: visits, whereabouts, and strangers.

use base::disks::Disk;
use jiff::{SignedDuration, Timestamp};

use super::{DAY_SECONDS, Page, Probe};
use crate::records::{History, Job, Outcome, Record};

const HOUR_SECONDS: i64 = 3_600;
/// A stranger is told for so long: over a week-end.
const STRANGER_HOURS: i64 = 72;

/// From when on something does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationThresholds {
    pub rotate_days_max: u16,
    pub home_hours_max: u16,
}

/// A disk that takes part, and whether the register says that it is out.
#[derive(Debug, Clone, Copy)]
pub struct Rotated<'d> {
    pub disk: &'d Disk,
    /// Unplugged since its last visit, and not entered as returned.
    pub is_away: bool,
    /// Since when it is in the house, when it is.
    pub home_since: Option<Timestamp>,
}

/// The probes of all of them; none when no disk takes part and no stranger came.
#[must_use]
pub fn of_disks(
    disks: &[Rotated<'_>],
    history: &History,
    thresholds: &RotationThresholds,
    now: Timestamp,
) -> Vec<Probe> {
    let mut probes = Vec::new();
    if !disks.is_empty() {
        probes.push(rotation(disks, thresholds, now));
        probes.push(whereabouts(disks, thresholds, now));
    }
    for one in disks {
        probes.push(verified(one.disk, disks.len(), thresholds, now));
        probes.push(last_visit(one.disk, history));
    }
    probes.extend(stranger(history, now));
    probes
}

fn probe(name: &'static str, repository: Option<&str>, unit: &'static str) -> Probe {
    Probe::new(name, repository, unit, Page::DiskRotate)
}

fn days_since(at: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(at).as_secs() / DAY_SECONDS
}

/// The youngest visit of any of them; before the first, since the first was enrolled.
fn rotation(disks: &[Rotated<'_>], thresholds: &RotationThresholds, now: Timestamp) -> Probe {
    let saved = |one: &Rotated<'_>| one.disk.saved.as_ref().map(|saved| saved.at);
    let youngest = disks.iter().filter_map(saved).max();
    let enrolled = disks.iter().map(|one| one.disk.enrolled_at).min();
    let days = youngest.or(enrolled).map(|at| days_since(at, now));
    let most = i64::from(thresholds.rotate_days_max);
    Probe {
        holds: days.is_some_and(|days| days <= most),
        value: days,
        threshold: Some(most),
        words: match (youngest, days) {
            (Some(_), Some(days)) => format!(
                "持ち出すディスクに最後に控えを取ってから {days}日。次のディスクをつないでください。"
            ),
            _ => "登録した持ち出すディスクに、まだ控えを取っていません。".to_owned(),
        },
        ..probe("backup_disk_rotation_days", None, "days")
    }
}

/// Somewhere else is one at least, but for the hours in which they are exchanged.
fn whereabouts(disks: &[Rotated<'_>], thresholds: &RotationThresholds, now: Timestamp) -> Probe {
    let away = disks.iter().filter(|one| one.is_away).count();
    // All of them at home since the last one came.
    let since = disks.iter().filter_map(|one| one.home_since).max();
    let hours = since.map(|at| now.duration_since(at).as_secs() / HOUR_SECONDS);
    let most = i64::from(thresholds.home_hours_max);
    Probe {
        holds: away > 0 || hours.is_some_and(|hours| hours <= most),
        value: i64::try_from(away).ok(),
        threshold: Some(1),
        words: if away > 0 {
            format!(
                "持ち出すディスク {}台のうち {away}台が建物の外にあります。",
                disks.len()
            )
        } else {
            format!(
                "持ち出すディスク {}台がすべて建物の中にあります（{}時間前から）。火災や盗難で一度に失われます。\
                 1台を別の建物へ移してください。",
                disks.len(),
                hours.unwrap_or(0)
            )
        },
        ..probe("backup_disks_away", None, "disks")
    }
}

/// Read back after it was written; each has its turn once in a round.
fn verified(disk: &Disk, disks: usize, thresholds: &RotationThresholds, now: Timestamp) -> Probe {
    let round = i64::try_from(disks).unwrap_or(1).max(1);
    let most = i64::from(thresholds.rotate_days_max).saturating_mul(round);
    let saved = disk.saved.as_ref().map(|saved| saved.at);
    let days = days_since(saved.unwrap_or(disk.enrolled_at), now);
    let name = &disk.name;
    Probe {
        holds: if saved.is_some() {
            days <= most
        } else {
            days < 1
        },
        value: Some(days),
        threshold: Some(if saved.is_some() { most } else { 0 }),
        words: match saved {
            Some(_) => format!("ディスク「{name}」に控えを取り、読み直してから {days}日。"),
            None => format!("ディスク「{name}」は登録してから一度も控えを取っていません。"),
        },
        ..probe("backup_disk_verified_days", Some(name), "days")
    }
}

fn last_visit(disk: &Disk, history: &History) -> Probe {
    let last = history.last(Job::Disk, &disk.name, |one| {
        one.began_at >= disk.enrolled_at
    });
    let bad = last.filter(|one| one.outcome != Outcome::Ok);
    let said = bad.and_then(|one| one.said.first());
    Probe {
        holds: bad.is_none(),
        value: Some(i64::from(bad.is_some())),
        threshold: Some(0),
        words: match bad {
            None => format!(
                "ディスク「{}」の最後の控えは終わりまで進みました。",
                disk.name
            ),
            Some(_) => format!(
                "ディスク「{}」に最後につないだとき、控えを取れませんでした。{}",
                disk.name,
                said.map_or("", String::as_str)
            ),
        },
        ..probe("backup_disk_failed_visits", Some(&disk.name), "visits")
    }
}

/// Something that is not ours was plugged in, within the last days.
fn stranger(history: &History, now: Timestamp) -> Option<Probe> {
    let foreign = |one: &&Record| one.job == Job::Disk && one.repository.is_empty();
    let last = history.records.iter().rev().find(foreign)?;
    let since = now.duration_since(last.ended_at);
    if since > SignedDuration::from_hours(STRANGER_HOURS) {
        return None;
    }
    let hours = since.as_secs() / HOUR_SECONDS;
    Some(Probe {
        holds: false,
        value: Some(hours),
        threshold: Some(STRANGER_HOURS),
        words: format!(
            "{hours}時間前に、控えに使わないディスクがつながれました。{}",
            last.said.first().map_or("", String::as_str)
        ),
        runbook: Page::DiskForeign,
        ..probe("backup_disk_foreign_hours", None, "hours")
    })
}

#[cfg(test)]
mod tests {
    use base::disks::Saved;

    use super::*;

    const THRESHOLDS: RotationThresholds = RotationThresholds {
        rotate_days_max: 10,
        home_hours_max: 24,
    };

    fn now() -> Timestamp {
        "2026-11-29T03:00:00Z".parse().unwrap()
    }

    fn ago(hours: i64) -> Timestamp {
        now() - SignedDuration::from_hours(hours)
    }

    fn disk(name: &str, saved_hours_ago: Option<i64>) -> Disk {
        Disk {
            name: name.to_owned(),
            uuid: name.to_owned(),
            mark: name.to_owned(),
            enrolled_at: ago(24 * 100),
            ended: None,
            saved: saved_hours_ago.map(|hours| Saved {
                at: ago(hours),
                taken_at: ago(hours),
                snapshot: String::new(),
            }),
            left_at: None,
        }
    }

    fn failing(
        disks: &[(&Disk, bool)],
        records: Vec<Record>,
    ) -> Vec<(&'static str, Option<String>)> {
        let rotated: Vec<Rotated<'_>> = disks
            .iter()
            .map(|(disk, is_away)| Rotated {
                disk,
                is_away: *is_away,
                home_since: disk.saved.as_ref().map(|saved| saved.at),
            })
            .collect();
        let history = History {
            records,
            unreadable: 0,
        };
        let probes = of_disks(&rotated, &history, &THRESHOLDS, now());
        let failing = probes.into_iter().filter(|one| !one.holds);
        failing.map(|one| (one.name, one.repository)).collect()
    }

    fn record(name: &str, hours_ago: i64, outcome: Outcome) -> Record {
        let mut record = Record::new(Job::Disk, name, ago(hours_ago), ago(hours_ago));
        record.outcome = outcome;
        record
    }

    #[test]
    fn one_disk_away_and_one_visit_in_time_is_well_and_no_disk_at_all_says_nothing() {
        let (b, c) = (disk("B", Some(1)), disk("C", Some(24 * 7)));
        let well = vec![
            record("B", 1, Outcome::Ok),
            record("C", 24 * 7, Outcome::Ok),
        ];
        assert_eq!(failing(&[(&b, false), (&c, true)], well), []);
        assert_eq!(failing(&[], Vec::new()), []);
    }

    #[test]
    fn a_rotation_that_stands_still_is_told_and_then_each_disk_that_missed_its_turn() {
        let hours = 24 * 11;
        let (b, c) = (disk("B", Some(hours)), disk("C", Some(24 * 21)));
        assert_eq!(
            failing(&[(&b, true), (&c, true)], Vec::new()),
            [
                ("backup_disk_rotation_days", None),
                ("backup_disk_verified_days", Some("C".to_owned())),
            ]
        );
    }

    #[test]
    fn all_disks_in_the_house_is_told_once_they_had_time_to_be_exchanged() {
        let (b, c) = (disk("B", Some(24)), disk("C", Some(24 * 7)));
        assert_eq!(failing(&[(&b, false), (&c, false)], Vec::new()), []);
        let (b, c) = (disk("B", Some(25)), disk("C", Some(24 * 7)));
        let told = failing(&[(&b, false), (&c, false)], Vec::new());
        assert_eq!(told, [("backup_disks_away", None)]);
    }

    #[test]
    fn a_disk_that_was_enrolled_and_never_saved_to_is_told() {
        let (b, c) = (disk("B", None), disk("C", Some(1)));
        let told = failing(&[(&b, false), (&c, true)], Vec::new());
        assert_eq!(told, [("backup_disk_verified_days", Some("B".to_owned()))]);
    }

    #[test]
    fn a_visit_that_went_wrong_is_told_until_one_goes_well_and_a_stranger_for_three_days() {
        let b = disk("B", Some(2));
        let wrong = record("B", 1, Outcome::Failed);
        let told = failing(&[(&b, true)], vec![wrong.clone()]);
        assert_eq!(told, [("backup_disk_failed_visits", Some("B".to_owned()))]);
        let well = record("B", 0, Outcome::Ok);
        assert_eq!(failing(&[(&b, true)], vec![wrong, well]), []);
        let told = failing(&[], vec![record("", 72, Outcome::NotHeld)]);
        assert_eq!(told, [("backup_disk_foreign_hours", None)]);
        assert_eq!(failing(&[], vec![record("", 73, Outcome::NotHeld)]), []);
    }
}
