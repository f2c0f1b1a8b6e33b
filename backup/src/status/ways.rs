//! The states of the other two ways back: the log of commits on the second disk, and the paper.

use base::shipping::State;
use jiff::Timestamp;

use super::{DAY_SECONDS, Page, Probe};
use crate::records::History;
use crate::sheet::Sheets;

/// How the log of commits stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipping {
    /// As its process says, and since when; nothing when none runs.
    pub state: Option<(State, Timestamp)>,
    /// The second disk lacks so much at most, milliseconds; nothing when that cannot be told.
    pub behind_ms: Option<i64>,
    /// Acknowledged without the second disk, although the settings say otherwise.
    pub unconfirmed_since: Option<Timestamp>,
}

/// Does every commit reach the second disk, and how soon?
#[must_use]
pub fn of_shipping(found: &Shipping, seconds_max: u16) -> Vec<Probe> {
    let follows = matches!(found.state, Some((State::Following, _)));
    let alone = found.unconfirmed_since.is_some();
    let most = i64::from(seconds_max);
    let seconds = found.behind_ms.map(|ms| ms / 1_000);
    let words = match (found.state, alone) {
        (None, _) => "逐次複製が動いていません（hokatsu ship run）。",
        (Some((State::Following, _)), false) => "逐次複製は動いています。",
        (Some((State::Following, _)), true) => "保存が、逐次複製を待たずに終わっています。",
        (Some((State::Copying, _)), _) => "逐次複製は、はじめの写しを作っています。",
        (Some((State::Absent, _)), _) => "逐次複製のディスクがありません。つないでください。",
        (Some((State::Foreign, _)), _) => "逐次複製のディスクが、登録したものではありません。",
        (Some((State::Full, _)), _) => "逐次複製のディスクに空きがありません。",
        (Some((State::Failed, _)), _) => "逐次複製のディスクに書けません。",
        (Some((State::NoDatabase, _)), _) => {
            "逐次複製は、データベースへの最初の記録を待っています。"
        }
    };
    vec![
        Probe {
            holds: follows && !alone,
            value: Some(i64::from(follows && !alone)),
            threshold: Some(1),
            words: words.to_owned(),
            ..Probe::new("ship_following", None, "yes", Page::ShippingBehind)
        },
        Probe {
            holds: seconds.is_some_and(|seconds| seconds <= most),
            value: seconds,
            threshold: Some(most),
            words: match seconds {
                Some(seconds) => format!("逐次複製の遅れは、長くて {seconds}秒。"),
                None => "逐次複製の遅れが分かりません。".to_owned(),
            },
            ..Probe::new("ship_behind_seconds", None, "seconds", Page::ShippingBehind)
        },
    ]
}

/// Was a sheet tried that opens each of these repositories? A new machine has some days for it.
#[must_use]
pub fn of_sheet(
    sheets: &Sheets,
    repositories: &[String],
    history: &History,
    days_max: u16,
    now: Timestamp,
) -> Probe {
    let opens = |name: &String| {
        let proven = sheets
            .sheets
            .iter()
            .filter(|sheet| sheet.proven_at.is_some());
        let mut slots = proven.flat_map(|sheet| &sheet.slots);
        slots.any(|slot| slot.repository == *name)
    };
    let without: Vec<&str> = repositories
        .iter()
        .filter(|name| !opens(name))
        .map(String::as_str)
        .collect();
    // The repositories are as old as the first job that was done to one of them.
    let touched = |name: &str| {
        let of_it = history.records.iter().find(|one| one.repository == name);
        of_it.map(|one| now.duration_since(one.ended_at).as_secs() / DAY_SECONDS)
    };
    let days = without.iter().filter_map(|name| touched(name)).max();
    let words = match (without.as_slice(), sheets.proven()) {
        ([], Some(sheet)) => format!(
            "復旧シート {}番は、用紙のことばで確かめてあります。",
            sheet.number
        ),
        (without, _) => format!(
            "保管先「{}」を開く復旧シートを、まだ確かめていません（hokatsu backup key prove）。",
            without.join("」「")
        ),
    };
    missing("backup_sheet_missing_days", days, days_max, words)
}

/// Something has lacked a tried sheet for so many days; nothing lacks one.
fn missing(name: &'static str, days: Option<i64>, days_max: u16, words: String) -> Probe {
    let most = i64::from(days_max);
    Probe {
        holds: days.is_none_or(|days| days <= most),
        value: Some(days.unwrap_or(0)),
        threshold: Some(most),
        words,
        ..Probe::new(name, None, "days", Page::RecoverySheet)
    }
}

/// An encrypted disk of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedDisk {
    /// As on its label.
    pub name: String,
    /// UUID of its LUKS header; nothing when that cannot be told, and then its name has to do.
    pub uuid: Option<String>,
    /// Since when it is in use, as far as anybody knows.
    pub since: Option<Timestamp>,
}

/// Was a sheet tried that opens each of these disks? Without one, a repository that the words open lies behind a
/// lock that they do not.
#[must_use]
pub fn of_disk_sheet(
    sheets: &Sheets,
    disks: &[LockedDisk],
    days_max: u16,
    now: Timestamp,
) -> Probe {
    let opens = |disk: &&LockedDisk| {
        let mut locks = sheets.sheets.iter().flat_map(|sheet| &sheet.disks);
        locks.any(|lock| {
            let is_it = match &disk.uuid {
                Some(uuid) => lock.uuid == *uuid,
                None => lock.name == disk.name,
            };
            is_it && lock.proven_at.is_some()
        })
    };
    let without: Vec<&LockedDisk> = disks.iter().filter(|disk| !opens(disk)).collect();
    let age = |since: Timestamp| now.duration_since(since).as_secs() / DAY_SECONDS;
    let days = without.iter().filter_map(|disk| disk.since.map(age)).max();
    let words = if disks.is_empty() {
        "暗号化されたディスクは、設定にありません。".to_owned()
    } else if without.is_empty() {
        "暗号化されたディスクは、用紙のことばで開くことを確かめてあります。".to_owned()
    } else {
        let names: Vec<&str> = without.iter().map(|disk| disk.name.as_str()).collect();
        format!(
            "ディスク「{}」の暗号を開く復旧シートを、まだ確かめていません（つないで hokatsu backup key prove）。",
            names.join("」「")
        )
    };
    missing("backup_disk_sheet_missing_days", days, days_max, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Job, Record};
    use crate::sheet::{DiskLock, Lock, Sheet};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn holds(found: Shipping) -> (bool, bool) {
        let [following, behind] = of_shipping(&found, 60).try_into().unwrap();
        (following.holds, behind.holds)
    }

    #[test]
    fn shipping_holds_only_while_it_follows_closely_and_is_waited_for() {
        let since = at("2026-11-30T00:00:00Z");
        let well = Shipping {
            state: Some((State::Following, since)),
            behind_ms: Some(60_999),
            unconfirmed_since: None,
        };
        assert_eq!(holds(well), (true, true));
        let late = Shipping {
            behind_ms: Some(61_000),
            ..well
        };
        assert_eq!(holds(late), (true, false));
        let unknown = Shipping {
            behind_ms: None,
            ..well
        };
        assert_eq!(holds(unknown), (true, false));
        let alone = Shipping {
            unconfirmed_since: Some(since),
            ..well
        };
        assert_eq!(holds(alone), (false, true));
        for state in [
            State::Copying,
            State::Absent,
            State::Foreign,
            State::Full,
            State::Failed,
        ] {
            let state = Some((state, since));
            assert!(!holds(Shipping { state, ..well }).0, "{state:?}");
        }
        assert!(
            !holds(Shipping {
                state: None,
                ..well
            })
            .0
        );
    }

    #[test]
    fn each_repository_wants_a_sheet_that_was_tried_within_days_of_its_first_job() {
        let now = at("2026-11-30T00:00:00Z");
        let done = |name: &str, when: &str| Record::new(Job::Run, name, at(when), at(when));
        let history = History {
            records: vec![
                done("raid", "2026-11-01T00:00:00Z"),
                done("disk-a", "2026-11-28T00:00:00Z"),
            ],
            ..History::default()
        };
        let names = ["raid", "disk-a"].map(str::to_owned);
        let look = |sheets: &Sheets| of_sheet(sheets, &names, &history, 7, now);
        let none = look(&Sheets::default());
        assert!(!none.holds && none.value == Some(29), "{none:?}");
        let lock = |repository: &str| Lock {
            repository: repository.to_owned(),
            repository_id: String::new(),
            key_id: String::new(),
        };
        let mut sheets = Sheets {
            last: 1,
            sheets: vec![Sheet {
                number: 1,
                made_at: String::new(),
                holders: Vec::new(),
                is_split: false,
                slots: vec![lock("raid")],
                disks: Vec::new(),
                proven_at: None,
            }],
        };
        assert!(!look(&sheets).holds, "printed is not tried");
        sheets.sheets[0].proven_at = Some("2026-11-02T00:00:00Z".to_owned());
        let young = look(&sheets);
        assert!(young.holds && young.value == Some(2), "{young:?}");
        assert!(young.words.contains("「disk-a」"), "{young:?}");
        sheets.sheets[0].slots.push(lock("disk-a"));
        let all = look(&sheets);
        assert!(
            all.holds && all.value == Some(0) && all.words.contains("1番"),
            "{all:?}"
        );
    }

    #[test]
    fn each_encrypted_disk_wants_words_that_opened_it_and_not_those_of_the_disk_before() {
        let now = at("2026-11-30T00:00:00Z");
        let disk = |name: &str, uuid: Option<&str>, since: &str| LockedDisk {
            name: name.to_owned(),
            uuid: uuid.map(str::to_owned),
            since: Some(at(since)),
        };
        let disks = [
            disk("A", None, "2026-11-01T00:00:00Z"),
            disk("B", Some("b"), "2026-11-20T00:00:00Z"),
        ];
        let lock = |name: &str, uuid: &str, is_proven: bool| DiskLock {
            name: name.to_owned(),
            uuid: uuid.to_owned(),
            slot: 2,
            proven_at: is_proven.then(String::new),
        };
        let look = |disks: &[LockedDisk], locks: Vec<DiskLock>| {
            let sheet = Sheet {
                number: 1,
                made_at: String::new(),
                holders: Vec::new(),
                is_split: false,
                slots: Vec::new(),
                disks: locks,
                // The sheet opened the repositories: that says nothing of the disks.
                proven_at: Some(String::new()),
            };
            let sheets = Sheets {
                last: 1,
                sheets: vec![sheet],
            };
            of_disk_sheet(&sheets, disks, 7, now)
        };
        assert!(look(&[], Vec::new()).holds);
        let none = look(&disks, Vec::new());
        assert!(!none.holds && none.value == Some(29), "{none:?}");
        assert!(none.words.contains("「A」「B」"), "{none:?}");
        let noted = look(&disks, vec![lock("A", "a", false), lock("B", "b", true)]);
        assert!(!noted.holds && !noted.words.contains("「B」"), "{noted:?}");
        let other = look(&disks, vec![lock("A", "a", true), lock("B", "c", true)]);
        assert!(!other.holds && other.value == Some(10), "{other:?}");
        let all = look(&disks, vec![lock("A", "a", true), lock("B", "b", true)]);
        assert!(all.holds && all.value == Some(0), "{all:?}");
    }
}
