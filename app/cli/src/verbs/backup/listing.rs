//! `backup init` and `backup list`: repositories are made, snapshots are shown.

use std::process::ExitCode;

use backup::{RepositorySettings, SnapshotInfo};
use base::report::Report;
use serde::Serialize;

use super::{Keeper, need_some};
use crate::output::Voice;

#[derive(Clone, Serialize)]
struct Listed {
    repository: String,
    snapshot: String,
    taken_at: String,
    files: u64,
    bytes: u64,
}

/// Makes all of them, or the one that was named: on a machine that was set up again the disk has one already.
pub(crate) fn init(name: Option<&str>, keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let repositories = keeper.chosen(name)?;
    need_some(&repositories, keeper.voice)?;
    let names: Vec<&str> = repositories.iter().map(|r| r.name.as_str()).collect();
    // Before it is done: of several, the first may be made and the second fail.
    keeper.note(&format!("backup init／保管先＝{}", names.join("、")))?;
    for repository in &repositories {
        if let Ok(id) = backup::sheet::id(repository) {
            let name = &repository.name;
            keeper
                .voice
                .say(&format!("保管先「{name}」はもうあります（{id}）。"));
            continue;
        }
        let made = backup::init(repository).map_err(Report::from)?;
        keeper.voice.say(&format!(
            "保管先「{}」を作りました（{}）。",
            repository.name, made.repository_id
        ));
    }
    keeper.result(&names)?;
    Ok(ExitCode::SUCCESS)
}

/// Every snapshot that can be listed. A repository that cannot be read hides none of the others, for people as for
/// machines; the first that could not decides how this ends.
pub(crate) fn list(keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let voice = keeper.voice;
    let (mut all, mut exit_code) = (Vec::new(), 0);
    for repository in &keeper.repositories {
        if keeper.is_rotated(&repository.name) && !backup::is_here(repository) {
            voice.say(&format!(
                "{}（つながっていない持ち出すディスク。hokatsu backup disk list で最後の控えが分かります）",
                repository.name
            ));
            continue;
        }
        match backup::list(repository) {
            Ok(found) => all.extend(found.iter().map(|one| listed(repository, one, voice))),
            Err(error) => {
                let report = Report::from(error);
                voice.report(&report);
                if exit_code == 0 {
                    exit_code = report.exit_code();
                }
            }
        }
    }
    voice.result(&all)?;
    Ok(ExitCode::from(exit_code))
}

fn listed(repository: &RepositorySettings, snapshot: &SnapshotInfo, voice: &Voice) -> Listed {
    let taken_at = snapshot
        .taken_at_in_japan()
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string();
    let (files, bytes) = (snapshot.files, snapshot.bytes);
    voice.say(&format!(
        "{} {} {} {files}個 {bytes}バイト",
        repository.name, snapshot.id, taken_at
    ));
    Listed {
        repository: repository.name.clone(),
        snapshot: snapshot.id.clone(),
        taken_at,
        files,
        bytes,
    }
}
