//! A new data disk for one that broke, on a real server: nothing there says that a blank disk is meant for us, so
//! whoever stands before it types its serial number.
//!
//! Invariant: only a disk inside the machine that nobody uses and that is large enough, and only a blank one unless
//! its number was typed once more. What is on the other half is never touched.

use std::time::Duration;

use base::command::{self, Spec};
use base::report::{Kind, Report};
use base::site_files::remember;
use erase::{Found, Role};
use indicatif::HumanBytes;

use super::acts::{failed, own};
use super::machine::{Machine, systemctl};
use crate::output::Voice;

const EXCHANGE: &str = "/usr/lib/hokatsu/disk-exchange";
const LOOK_MAX: Duration = Duration::from_secs(60);
const APPLY_MAX: Duration = Duration::from_secs(120);
/// What `blkid` answers when there is nothing.
const NOTHING: i32 = 2;

/// A disk that could be meant.
pub(super) struct Candidate {
    pub(super) found: Found,
    /// In words; nothing for a blank one.
    pub(super) holds: Option<String>,
}

pub(super) fn run(machine: &Machine, voice: &Voice) -> Result<(), Report> {
    let Some(bytes_min) = machine.lacks_a_disk() else {
        voice.say("データディスクは2台ともそろっています。または、アレイが始まっていません（手順書 raid-disk）。");
        return Err(Report::bare(Kind::Usage));
    };
    let all = candidates(machine)?;
    if all.is_empty() {
        voice.say("使われていない内蔵ディスクがありません。新しいディスクを入れてから、もう一度選んでください。");
        return Err(Report::bare(Kind::Usage));
    }
    voice.say("使われていない内蔵ディスク:");
    for one in &all {
        voice.say(&format!("  {}", in_words(one)));
    }
    let serial = voice.ask("アレイに入れるディスクの製造番号（やめるなら Enter だけ）: ")?;
    if serial.is_empty() {
        voice.say("何も変えずに終わりました。");
        return Err(Report::bare(Kind::Interrupted));
    }
    let chosen = all.iter().find(|one| one.found.device.serial == serial);
    let refusal = chosen.map_or(Some(NO_SUCH.to_owned()), |one| refusal(one, bytes_min));
    let (Some(chosen), None) = (chosen, &refusal) else {
        voice.say(&refusal.unwrap_or_default());
        return Err(Report::bare(Kind::Usage));
    };
    let device = chosen.found.device.path.display().to_string();
    let mut words = vec![device.as_str()];
    if let Some(holds) = &chosen.holds {
        voice.say(&format!(
            "このディスクには何か入っています（{holds}）。続けると、すべて消えます。"
        ));
        let again = voice.ask("消してよければ、製造番号をもう一度打ってください: ")?;
        if again != serial {
            voice.say("何も変えずに終わりました。");
            return Err(Report::bare(Kind::Interrupted));
        }
        words.push("give-up");
    }
    own(EXCHANGE, &words, "")?;
    voice.say("アレイに加え、写しはじめました。進みぐあいは、メニューの上の行に出ます。");
    remember_members(machine)
}

const NO_SUCH: &str = "その製造番号のディスクは、上の一覧にありません。何も変えていません。";

fn candidates(machine: &Machine) -> Result<Vec<Candidate>, Report> {
    let found = erase::disks().map_err(|error| error.report())?;
    let free = found.into_iter().filter(|one| {
        let inside = !machine.hangs_on_usb(&one.device.path);
        inside && one.users.is_empty() && one.role != Role::System
    });
    let looked = free.map(|found| {
        let holds = contents(&found)?;
        Ok(Candidate { found, holds })
    });
    looked.collect()
}

/// What is found on it, by `blkid`. One that cannot be read holds something.
fn contents(found: &Found) -> Result<Option<String>, Report> {
    let spec = Spec::new("blkid", LOOK_MAX).args(["--probe", "--output", "export"]);
    let output = command::run(&spec.arg(&found.device.path)).map_err(failed)?;
    if output.status.code() == Some(NOTHING) {
        return Ok(None);
    }
    let told = output.stdout.text();
    let kinds = told.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        matches!(key, "TYPE" | "PTTYPE" | "LABEL").then_some(value)
    });
    let kinds: Vec<&str> = kinds.collect();
    Ok(Some(if kinds.is_empty() {
        "読み取れません".to_owned()
    } else {
        kinds.join("、")
    }))
}

fn in_words(one: &Candidate) -> String {
    let device = &one.found.device;
    let (serial, holds) = (&device.serial, one.holds.as_deref());
    format!(
        "{} {}、{}、{}",
        if serial.is_empty() {
            "（製造番号なし）"
        } else {
            serial
        },
        device.model,
        HumanBytes(device.size_bytes),
        holds.map_or_else(
            || "空".to_owned(),
            |holds| format!("何か入っています（{holds}）")
        )
    )
}

/// Why it cannot become half of the array.
pub(super) fn refusal(one: &Candidate, bytes_min: u64) -> Option<String> {
    let device = &one.found.device;
    if one.found.read_only {
        return Some("このディスクは書き込めない状態です。何も変えていません。".to_owned());
    }
    (device.size_bytes < bytes_min).then(|| {
        format!(
            "このディスク（{} バイト）は、今のディスク（{bytes_min} バイト）より小さいので使えません。\
             何も変えていません。",
            device.size_bytes
        )
    })
}

/// The numbers of today's halves, so that a disk that was taken out is nobody's any more.
fn remember_members(machine: &Machine) -> Result<(), Report> {
    let members = machine.members();
    let found = erase::disks().map_err(|error| error.report())?;
    let theirs = found
        .into_iter()
        .filter(|one| members.contains(&one.device.path));
    let serials: Vec<String> = theirs.map(|one| one.device.serial).collect();
    remember(&machine.site_file(), &serials).map_err(failed)?;
    systemctl(&["restart", "hokatsu-site.service"], APPLY_MAX)
}
