//! `status`: how the machine is, in one answer: its parts, its supply, its backups and its service.
//!
//! Shape: the parts are looked at by `base::machine`, the supplies by `ups status`; of backups only the newest is told
//! here, the rest by `backup status`. Works for root and on any machine: what is none of an appliance says so.
//! Source: docs/decisions/0050-condition-of-the-machine.md.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use base::clock::{Clock, japan};
use base::machine::{Condition, Machine};
use base::report::{Report, Runbook};
use base::settings::Site;
use base::small_file;
use base::update::running;
use jiff::Timestamp;
use serde::Serialize;
use server::web::overdue;
use store::DataDir;

use super::console::is_active;
use super::ups;
use crate::output::Voice;

const SERVICE: &str = "hokatsu.service";

#[derive(Serialize)]
struct Status {
    appliance: bool,
    /// Nothing where there is no appliance.
    machine: Option<Machine>,
    /// Does the service run? Nothing: this is no appliance, or it holds no records yet.
    service: Option<bool>,
    /// Nothing without a site file.
    ups: Option<ups::Status>,
    /// By repository.
    backups: BTreeMap<String, Timestamp>,
    /// Why the newest backup is too old.
    overdue: Option<String>,
    holds: bool,
}

pub(crate) fn run(
    site: Option<&Site>,
    dir: &DataDir,
    root: &Path,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let status = look(site, dir, root, voice);
    say(&status, voice);
    voice.result(&status)?;
    Ok(ExitCode::from(u8::from(!status.holds)))
}

fn look(site: Option<&Site>, dir: &DataDir, root: &Path, voice: &Voice) -> Status {
    let machine = running(root).map(|version| Machine::look(root, &version, &dir.update()));
    let serves = machine.is_some() && dir.database().exists();
    let service = serves.then(|| is_active(SERVICE));
    // What cannot be read is said and hides nothing else.
    let (ups, ups_is_well) = match site.map(ups::look) {
        Some(Ok(status)) => (Some(status), None),
        Some(Err(report)) => {
            voice.report(&report);
            (None, Some(false))
        }
        None => (None, None),
    };
    let ups_is_well = ups.as_ref().map(|ups| ups.well).or(ups_is_well);
    let file = dir.newest_backups();
    let backups = small_file::read(&file).unwrap_or_else(|error| {
        log::warn!("when backups were made cannot be read: {error}");
        None
    });
    let overdue = site.and_then(|site| {
        let hours_max = i64::from(site.backup.alarm().run_hours_max);
        let has_place = !site.backup.repositories.is_empty();
        let told = has_place.then(|| overdue(&file, Clock::system().now(), hours_max));
        told.flatten()
    });
    let holds = machine.as_ref().is_none_or(Machine::holds)
        && service != Some(false)
        && ups_is_well != Some(false)
        && overdue.is_none();
    Status {
        appliance: machine.is_some(),
        machine,
        service,
        ups,
        backups: backups.unwrap_or_default(),
        overdue,
        holds,
    }
}

fn say(status: &Status, voice: &Voice) {
    match &status.machine {
        Some(machine) => {
            for one in &machine.conditions {
                voice.say(&in_words(one));
            }
        }
        None => voice.say("この機械は装置ではありません。部品の状態は分かりません。"),
    }
    match status.service {
        Some(true) => voice.say("［正常］サービス: 動いています。"),
        Some(false) => voice.say("［異常］サービス: 止まっています。手順書: runbooks/console.md"),
        None => {}
    }
    if let Some(ups) = &status.ups {
        ups::say(ups, voice);
    }
    for (name, at) in &status.backups {
        voice.say(&format!("控え（{name}）: {}", local(*at)));
    }
    if let Some(words) = &status.overdue {
        let page = Runbook::BackupFailed.stem();
        voice.say(&format!("［異常］{words}手順書: runbooks/{page}.md"));
    }
    if status.holds {
        voice.say("すぐに直すものはありません。");
    }
}

fn in_words(one: &Condition) -> String {
    let at = one
        .at
        .map_or_else(String::new, |at| format!("（{}）", local(at)));
    let page = one.runbook.map_or_else(String::new, |page| {
        format!("手順書: runbooks/{}.md", page.stem())
    });
    format!(
        "［{}］{}: {}{at}{page}",
        one.grade.label(),
        one.matter,
        one.text
    )
}

fn local(at: Timestamp) -> String {
    if at == Timestamp::UNIX_EPOCH {
        return "まだない".to_owned();
    }
    let at = at.to_zoned_datetime(japan());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use base::paths::{MODE_PUBLIC, write_atomic};
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        let at = root.join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        write_atomic(&at, text.as_bytes(), MODE_PUBLIC).unwrap();
    }

    fn told(root: &Path) -> (Status, Value) {
        let dir = DataDir::new(root.join("data"));
        let status = look(None, &dir, root, &Voice::new(true, true));
        let value = serde_json::to_value(&status).unwrap();
        (status, value)
    }

    #[test]
    fn a_machine_that_is_no_appliance_says_so_and_nothing_is_wrong_with_it() {
        let root = TempDir::new().unwrap();
        let (_, value) = told(root.path());
        assert_eq!(
            value,
            json!({
                "appliance": false, "machine": null, "service": null, "ups": null, "backups": {}, "overdue": null,
                "holds": true,
            })
        );
    }

    #[test]
    fn an_appliance_tells_each_matter_for_people_and_for_machines() {
        let root = TempDir::new().unwrap();
        put(
            root.path(),
            "etc/os-release",
            "IMAGE_ID=hokatsu\nIMAGE_VERSION=0.1.1\n",
        );
        let md = |name: &str| format!("sys/class/block/md127/md/{name}");
        put(root.path(), &md("degraded"), "1\n");
        put(root.path(), &md("sync_action"), "recover\n");
        put(root.path(), &md("sync_completed"), "384 / 1024\n");
        let slots = r#"{"0.1.1":{"sound":false,"at":"2026-12-01T00:00:00Z"}}"#;
        put(
            root.path(),
            &format!("{}/slots.json", base::machine::STATE_DIR),
            slots,
        );
        let (status, value) = told(root.path());
        assert!(!status.holds);
        let machine = &value["machine"];
        assert_eq!(machine["running"], "0.1.1");
        assert_eq!(
            machine["array"],
            json!({"state": "rebuilding", "permille": 375})
        );
        let bent = json!({
            "matter": "システム領域（版 0.1.1）",
            "grade": "bad",
            "text": "動いている版 0.1.1 の中身が壊れています。記録は無事です。代わりに動かせる版がありません。\
                     電源を切らずに、保守の会社に連絡してください。",
            "at": "2026-12-01T00:00:00Z",
            "runbook": "update",
        });
        let conditions = machine["conditions"].as_array().unwrap();
        assert!(conditions.contains(&bent), "{machine}");
        let lines: Vec<String> = status
            .machine
            .unwrap()
            .conditions
            .iter()
            .map(in_words)
            .collect();
        let mirror = "［注意］データディスク（2台の鏡）: 新しいディスクに写しています（1台だけで動作中、37.5 %）。\
                      終わるまで、どちらのディスクも抜かないでください。仕事は続けられます。\
                      手順書: runbooks/raid-disk.md";
        assert!(lines.contains(&mirror.to_owned()), "{lines:?}");
        let read = lines
            .iter()
            .find(|line| line.contains("システム領域"))
            .unwrap();
        assert!(
            read.contains("（2026-12-01 09:00）手順書: runbooks/update.md"),
            "{read}"
        );
    }
}
