//! Which snapshot somebody means: by time and place, or by its number in a list.

use backup::{RepositorySettings, Selector, SnapshotInfo};
use base::clock::{Clock, age, japan};
use base::report::{Kind, Report, Runbook};
use indicatif::HumanBytes;
use jiff::Timestamp;
use jiff::civil::Weekday;

use crate::arguments::RestoreArguments;
use crate::output::Voice;
use crate::verbs;
use crate::verbs::restore::facts::Told;

/// Lines of the list; older ones are reached by `--at`.
const LISTED_MAX: usize = 30;

/// A snapshot and where it lies.
pub(super) struct Choice<'r> {
    pub(super) repository: &'r RepositorySettings,
    pub(super) snapshot: SnapshotInfo,
    pub(super) told: Told,
}

impl Choice<'_> {
    pub(super) fn selector(&self) -> Selector {
        Selector::Id(self.snapshot.id.clone())
    }

    /// As it stands in the log and on the page of restores.
    pub(super) fn source(&self) -> String {
        let short: String = self.snapshot.id.chars().take(12).collect();
        format!("保管先 {} の控え {short}", self.repository.name)
    }
}

/// The one that was asked for; without a word about it, the number that somebody types.
pub(super) fn choose<'r>(
    asked: &RestoreArguments,
    repositories: &'r [RepositorySettings],
    voice: &Voice,
) -> Result<Choice<'r>, Report> {
    let wanted: Vec<&RepositorySettings> = match &asked.repository {
        Some(name) => vec![named(name, repositories, voice)?],
        None => repositories.iter().collect(),
    };
    let until = asked.at.as_deref().map(|text| verbs::moment(text, voice));
    let until = until.transpose()?;
    let mut all = everything(&wanted, voice)?;
    all.retain(|(_, snapshot)| until.is_none_or(|at| snapshot.taken_at <= at));
    // Newest first; of one moment in the order of the settings.
    all.sort_by_key(|(_, snapshot)| std::cmp::Reverse(snapshot.taken_at));
    if all.is_empty() {
        voice.say(
            "その時刻までのバックアップはありません。`hokatsu backup list` で確かめてください。",
        );
        return Err(Report::bare(Kind::Usage));
    }
    let meant = asked.repository.is_some() || asked.at.is_some() || asked.to.is_some();
    let place = if meant {
        0
    } else {
        show(&all, voice);
        if !voice.can_ask() {
            voice.say("どれに戻すかを、--repository 名前 と --at 時刻 で指定してください。");
            return Err(Report::bare(Kind::Usage));
        }
        voice.pick("どれに戻しますか。", all.len().min(LISTED_MAX))? - 1
    };
    let (repository, snapshot) = all.swap_remove(place);
    with_facts(repository, snapshot)
}

/// The same one again, when a run was cut short.
pub(super) fn again<'r>(
    (repository, id): (&str, &str),
    repositories: &'r [RepositorySettings],
    voice: &Voice,
) -> Result<Choice<'r>, Report> {
    let repository = named(repository, repositories, voice)?;
    let all = backup::list(repository).map_err(Report::from)?;
    let found = all.into_iter().find(|snapshot| snapshot.id == id);
    let snapshot = found.ok_or_else(|| {
        voice.say(
            "途中だった復元の控えが見つかりません。`hokatsu restore undo` で取りやめてください。",
        );
        Report::bare(Kind::Usage)
    })?;
    with_facts(repository, snapshot)
}

fn with_facts(
    repository: &RepositorySettings,
    snapshot: SnapshotInfo,
) -> Result<Choice<'_>, Report> {
    let told = serde_json::from_value(snapshot.facts.clone());
    let told = told.map_err(|e| {
        Report::new(Kind::Restore, e).operator(
            "このバックアップには照合用の記録がありません",
            Runbook::RestoreFailed,
        )
    })?;
    Ok(Choice {
        repository,
        snapshot,
        told,
    })
}

/// The snapshots of all that open; one disk that is away must not hide the others.
fn everything<'r>(
    wanted: &[&'r RepositorySettings],
    voice: &Voice,
) -> Result<Vec<(&'r RepositorySettings, SnapshotInfo)>, Report> {
    let mut all = Vec::new();
    let mut failed = None;
    for repository in wanted {
        match backup::list(repository).map_err(Report::from) {
            Ok(found) => all.extend(found.into_iter().map(|one| (*repository, one))),
            Err(report) => {
                if wanted.len() > 1 {
                    voice.report(&report);
                }
                failed = Some(report);
            }
        }
    }
    match failed {
        Some(report) if all.is_empty() => Err(report),
        Some(_) | None => Ok(all),
    }
}

fn named<'r>(
    name: &str,
    repositories: &'r [RepositorySettings],
    voice: &Voice,
) -> Result<&'r RepositorySettings, Report> {
    let mut all = repositories.iter();
    all.find(|repository| repository.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = repositories.iter().map(|r| r.name.as_str()).collect();
            voice.say(&format!(
                "その名前の保管先はありません。使えるもの: {}",
                known.join("、")
            ));
            Report::bare(Kind::Usage)
        })
}

fn show(all: &[(&RepositorySettings, SnapshotInfo)], voice: &Voice) {
    let now = Clock::system().now();
    for (number, (repository, snapshot)) in all.iter().take(LISTED_MAX).enumerate() {
        voice.say(&format!(
            "{:>3}. {}  {}  {}  {}",
            number + 1,
            moment(snapshot.taken_at),
            repository.name,
            HumanBytes(snapshot.bytes),
            age(now, snapshot.taken_at)
        ));
    }
    if all.len() > LISTED_MAX {
        let older = all.len() - LISTED_MAX;
        voice.say(&format!(
            "ほかに古いものが{older}件あります（--at で指定）。"
        ));
    }
}

/// 2026-11-29(日) 03:15, Japanese time.
pub(super) fn moment(at: Timestamp) -> String {
    let local = at.to_zoned_datetime(japan());
    let day = match local.date().weekday() {
        Weekday::Monday => "月",
        Weekday::Tuesday => "火",
        Weekday::Wednesday => "水",
        Weekday::Thursday => "木",
        Weekday::Friday => "金",
        Weekday::Saturday => "土",
        Weekday::Sunday => "日",
    };
    format!(
        "{}({day}) {}",
        local.strftime("%Y-%m-%d"),
        local.strftime("%H:%M")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_with_its_weekday_and_how_long_ago_it_was() {
        let at: Timestamp = "2026-11-28T18:15:00Z".parse().unwrap();
        assert_eq!(moment(at), "2026-11-29(日) 03:15");
    }
}
