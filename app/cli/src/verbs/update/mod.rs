//! `update`: another version of the appliance, from a signed bundle, into the slot that does not run.
//!
//! Shape: [`apply`] reads the bundle through, shows the plan, has everything saved, and writes ([`slots`]); the next
//! start takes it, and three in vain take this one again. [`rollback`] gives that up by hand; [`status`] tells.
//! Invariant: the version that runs is never written to, and nothing is written before all of the bundle was read.
//! Source: docs/decisions/0048-update-bundle.md.

mod slots;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use base::command::{self, Spec};
use base::machine::{Grade, next_file, readings, runs};
use base::paths::MODE_PUBLIC;
use base::report::{Kind, Report, Runbook, chain};
use base::small_file::{self, SmallFileError};
use base::update::{Expected, Why};
use bundle::{Bundle, BundleError, Manifest};
use indicatif::HumanBytes;
use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};
use store::{DataDir, Operation, Operator, SCHEMA_VERSION};

use self::slots::{Slot, System};
use super::restore::owner;
use crate::arguments::{RollbackArguments, UpdateApplyArguments};
use crate::operator;
use crate::output::Voice;
use crate::progress::Bar;

/// What signatures are held against; part of the verified root.
const KEY: &str = "usr/share/hokatsu/update.pub";
/// Versions that came up whole on this machine, a file each (`slot-good.service`).
const PROVEN: &str = "volume/proven";
/// What each version that was ever here makes of the database, a file each.
const VERSIONS: &str = "volume/versions";
const BACKUP: &str = "hokatsu-backup.service";
const BACKUP_MAX: Duration = Duration::from_secs(60 * 60);

/// Where this is done, and by whom.
pub(crate) struct Desk<'d> {
    pub(crate) root: &'d Path,
    pub(crate) dir: &'d DataDir,
    pub(crate) now: Timestamp,
    pub(crate) voice: &'d Voice,
}

/// What another version makes of the database.
#[derive(Debug, Serialize, Deserialize)]
struct Leaves {
    schema: i64,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Plan {
    from: String,
    to: String,
    /// What lies in the slot that is written to.
    replaces: Option<String>,
    bytes: u64,
    /// Once the new version has run, this one cannot read the database any more.
    point_of_no_return: bool,
}

#[derive(Serialize)]
struct Standing {
    running: String,
    slots: Vec<Option<String>>,
    /// Version and tries left.
    kernels: Vec<(String, u32)>,
    proven: bool,
    expected: Option<String>,
    /// The version of the next start, when it is another one.
    next: Option<String>,
    holds: bool,
    #[serde(skip)]
    words: Option<String>,
}

/// Takes a bundle.
pub(crate) fn apply(
    asked: &UpdateApplyArguments,
    operator: Option<Operator>,
    desk: &Desk<'_>,
) -> Result<ExitCode, Report> {
    let voice = desk.voice;
    let system = System::look(desk.root)?;
    let bundle = opened(&asked.bundle, desk.root)?;
    let manifest = bundle.manifest();
    may_follow(manifest, &system, &desk.root.join(PROVEN))?;
    let idle = system.idle();
    let slot = idle.ok_or_else(|| slots::strange("no idle slot"))?;
    if !system.takes(slot, &bundle) {
        return Err(slots::strange("a part is larger than its slot"));
    }
    read_through(&bundle, voice)?;
    let plan = planned(manifest, &system, slot);
    show(&plan, voice);
    let Some(operator) = operator else {
        voice.result(&plan)?;
        return Ok(ExitCode::SUCCESS);
    };
    voice.confirm("この更新を入れますか。", asked.yes)?;
    if asked.without_backup {
        voice.say("控えを取らずに進みます。");
    } else {
        save(voice)?;
    }
    let detail = format!("update apply 始め／版＝{}→{}", plan.from, plan.to);
    noted(desk.dir, detail, operator.clone())?;
    leaves(desk.root, &system.running, SCHEMA_VERSION)?;
    leaves(desk.root, &manifest.version, manifest.schema)?;
    let mut bar = Bar::bytes(voice);
    let (mut done, total) = (0, manifest.bytes());
    system.write(&bundle, |bytes| {
        done += bytes;
        bar.moved("待機側に書き込んでいます", (0, done, total));
    })?;
    bar.done();
    expect(desk, &plan.from, &plan.to, Why::Update)?;
    noted(
        desk.dir,
        format!("update apply 終わり／版＝{}", plan.to),
        operator,
    )?;
    voice.say(&format!(
        "版 {} を入れました。再起動すると、この版で始まります。3回続けて始まらないときは、\
         自動で版 {} に戻ります。",
        plan.to, plan.from
    ));
    voice.result(&plan)?;
    Ok(ExitCode::SUCCESS)
}

/// From the next start on the version before.
pub(crate) fn rollback(
    asked: &RollbackArguments,
    operator: Operator,
    desk: &Desk<'_>,
) -> Result<ExitCode, Report> {
    let voice = desk.voice;
    let system = System::look(desk.root)?;
    if asked.if_bent {
        return leave_bent(&system, operator, desk);
    }
    let other = way_back(&system, desk)?;
    voice.say(&format!(
        "次の起動から、版 {other} に戻します（今は {}）。記録はそのままです。",
        system.running
    ));
    voice.confirm("戻しますか。", asked.yes)?;
    turn(&system, other, (Why::Operator, operator), desk)?;
    voice.say("戻す用意ができました。再起動すると、その版で始まります。");
    Ok(ExitCode::SUCCESS)
}

/// The other version, when it can be started and reads today's records.
fn way_back<'s>(system: &'s System, desk: &Desk<'_>) -> Result<&'s Version, Report> {
    let other = system.other().filter(|one| one.left > 0);
    let Some(other) = other else {
        desk.voice
            .say("戻せる版が、この装置にありません。何も変えていません。");
        return Err(Report::bare(Kind::CheckFailed));
    };
    match schema_of(desk.root, &other.version)? {
        Some(schema) if schema >= SCHEMA_VERSION => Ok(&other.version),
        Some(_) | None => Err(Report::bare(Kind::CheckFailed).operator(
            format!(
                "版 {} は、今の形の記録を読めません。何も変えていません。先に、更新の前に取った控えを、\
                 「バックアップから、前の状態に戻す」で戻してください",
                other.version
            ),
            Runbook::Update,
        )),
    }
}

/// What nobody is asked about: only away from blocks that are known to be bent, and only to a version that was read
/// and found sound, and has come up whole here before. Nothing is restarted: staff are at work.
fn leave_bent(system: &System, operator: Operator, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    let voice = desk.voice;
    let running = system.running.to_string();
    let read = readings(desk.root).map_err(|e| unread(&e))?;
    let is_bent = read.get(&running).is_some_and(|reading| !reading.sound);
    let next = Expected::read(&next_file(desk.root)).map_err(|e| unread(&e))?;
    if !is_bent || next.is_some_and(|next| next.version != running) {
        voice.say("システム領域: 次の起動の版は、変えるまでもありません。");
        return Ok(ExitCode::SUCCESS);
    }
    let other = way_back(system, desk)?;
    let name = other.to_string();
    let is_sound = read.get(&name).is_some_and(|reading| reading.sound);
    if !is_sound || !desk.root.join(PROVEN).join(&name).exists() {
        return Err(Report::bare(Kind::CheckFailed).operator(
            format!(
                "システム領域: 版 {other} は、壊れていないと確かめられていないか、この装置で動いたことがありません。\
                 版 {running} のまま動きます"
            ),
            Runbook::Update,
        ));
    }
    turn(system, other, (Why::Bent, operator), desk)?;
    voice.say(&format!(
        "システム領域: 動いている版 {running} の中身が壊れています。次の起動から版 {name} で動きます。手順書 update"
    ));
    Ok(ExitCode::SUCCESS)
}

fn turn(
    system: &System,
    to: &Version,
    (why, operator): (Why, Operator),
    desk: &Desk<'_>,
) -> Result<(), Report> {
    let (from, to) = (system.running.to_string(), to.to_string());
    noted(
        desk.dir,
        format!("update rollback／版＝{from}→{to}"),
        operator,
    )?;
    system.turn_back()?;
    expect(desk, &from, &to, why)
}

/// What is there, and whether it is what should be.
pub(crate) fn status(desk: &Desk<'_>) -> Result<ExitCode, Report> {
    let system = System::look(desk.root)?;
    let expected = Expected::read(&desk.dir.update()).map_err(|e| unread(&e))?;
    let running = system.running.to_string();
    let proven = desk.root.join(PROVEN).join(&running).exists();
    let next = Expected::read(&next_file(desk.root)).map_err(|e| unread(&e))?;
    // Nobody has started yet what is to be started.
    let is_due = |one: &Expected| one.version == running || next.is_some();
    let holds = expected.as_ref().is_none_or(is_due);
    let told = runs(&running, expected.as_ref(), next.as_ref());
    let words = (told.grade > Grade::Sound).then_some(told.text);
    let standing = Standing {
        slots: system
            .slots
            .iter()
            .map(|slot| slot.version.as_ref().map(Version::to_string))
            .collect(),
        kernels: system
            .kernels
            .iter()
            .map(|one| (one.version.to_string(), one.left))
            .collect(),
        expected: expected.map(|one| one.version),
        next: next.map(|one| one.version),
        running,
        proven,
        holds,
        words,
    };
    tell(&standing, desk.voice);
    desk.voice.result(&standing)?;
    Ok(ExitCode::from(u8::from(!holds)))
}

fn tell(standing: &Standing, voice: &Voice) {
    let proven = if standing.proven {
        "起動の合否: 合格"
    } else {
        "起動の合否: まだ"
    };
    voice.say(&format!("動いている版: {}（{proven}）", standing.running));
    for (version, left) in &standing.kernels {
        voice.say(&format!("起動できる版: {version}（残り {left}回）"));
    }
    if let Some(words) = &standing.words {
        voice.say(&format!("{words}手順書: runbooks/update.md"));
    }
}

/// Its signature holds; its parts were not read yet.
fn opened(path: &Path, root: &Path) -> Result<Bundle, Report> {
    let key = root.join(KEY);
    // Without it nothing is signed by anybody.
    let key = std::fs::read_to_string(&key).unwrap_or_default();
    Bundle::open(path, &key).map_err(|error| refused(&error).at(path))
}

fn may_follow(manifest: &Manifest, system: &System, proven: &Path) -> Result<(), Report> {
    let (running, new) = (&system.running, &manifest.version);
    let no = |words: String| Report::bare(Kind::InputFile).operator(words, Runbook::Update);
    if new == running {
        return Err(no(format!(
            "版 {running} は、もう動いています。何も変えていません"
        )));
    }
    if new < running {
        return Err(no(format!(
            "この更新（版 {new}）は、動いている版 {running} より古いものです。入れません。\
             前の版に戻すときは hokatsu update rollback を使ってください"
        )));
    }
    if manifest.schema < SCHEMA_VERSION {
        return Err(no(format!(
            "この更新（版 {new}）は、今の形の記録を読めません。入れません"
        )));
    }
    // The other slot is the way back until this one has come up whole.
    if !proven.join(running.to_string()).exists() {
        return Err(no(format!(
            "動いている版 {running} は、まだ起動の合否が出ていません。戻り先を残すため、入れません。\
             数分待って、もう一度実行してください"
        )));
    }
    Ok(())
}

fn read_through(bundle: &Bundle, voice: &Voice) -> Result<(), Report> {
    let mut bar = Bar::bytes(voice);
    let (mut done, total) = (0, bundle.manifest().bytes());
    let read = bundle.verify(|bytes| {
        done += bytes;
        bar.moved("更新のファイルを確かめています", (0, done, total));
    });
    bar.done();
    read.map_err(|error| refused(&error))
}

fn planned(manifest: &Manifest, system: &System, slot: &Slot) -> Plan {
    Plan {
        from: system.running.to_string(),
        to: manifest.version.to_string(),
        replaces: slot.version.as_ref().map(Version::to_string),
        bytes: manifest.bytes(),
        point_of_no_return: manifest.schema > SCHEMA_VERSION,
    }
}

fn show(plan: &Plan, voice: &Voice) {
    voice.say(&format!(
        "更新: 版 {} → {}（{}）。署名と中身は、正しいものです。",
        plan.from,
        plan.to,
        HumanBytes(plan.bytes)
    ));
    if let Some(old) = &plan.replaces {
        voice.say(&format!(
            "待機側にある版 {old} は消えます。動いている版は消えません。"
        ));
    }
    voice.say(if plan.point_of_no_return {
        "注意: 新しい版は記録の形を変えます。新しい版で一度始まったあとに前の版へ戻すには、\
         いま取る控えから「前の状態に戻す」が要り、そのあとに入力した記録は手で写すことになります。"
    } else {
        "記録の形は変わりません。前の版にいつでも戻せます。"
    });
}

/// Everything is saved before, into every repository.
fn save(voice: &Voice) -> Result<(), Report> {
    voice.say("更新の前に、控えを取ります。");
    let spec = Spec::new("systemctl", BACKUP_MAX).args(["--no-ask-password", "start", BACKUP]);
    let output = command::run(&spec).and_then(|output| output.success(&spec));
    output.map(drop).map_err(|e| {
        Report::new(Kind::BackupTarget, e).operator(
            "更新の前の控えが取れませんでした。更新は入れていません。控えを直すか、急ぐときは \
             --without-backup を付けてください",
            Runbook::BackupFailed,
        )
    })
}

/// Leaves a note of what root did, for the service to take in.
pub(super) fn noted(dir: &DataDir, detail: String, operator: Operator) -> Result<(), Report> {
    operator::note(dir, Operation::ConsoleUse, detail, Some(operator))?;
    let notes = dir.console_notes();
    if notes.exists() {
        owner::hand_over(&notes, dir.path())?;
    }
    Ok(())
}

/// For good beside the records, and until the next start in memory: only that file tells a version that did not come
/// up from one that nobody has started yet.
fn expect(desk: &Desk<'_>, before: &str, version: &str, why: Why) -> Result<(), Report> {
    let file = desk.dir.update();
    let expected = Expected {
        version: version.to_owned(),
        before: before.to_owned(),
        at: desk.now,
        why,
    };
    expected.write(&file).map_err(|e| unread(&e))?;
    let next = next_file(desk.root);
    if let Some(place) = next.parent() {
        std::fs::create_dir_all(place).map_err(|e| unwritten(place, e))?;
    }
    small_file::write(&next, &expected, MODE_PUBLIC).map_err(|e| unread(&e))?;
    owner::hand_over(&file, desk.dir.path())
}

/// Notes what a version makes of the database, for whoever wants to go back to it.
fn leaves(root: &Path, version: &Version, schema: i64) -> Result<(), Report> {
    let place = root.join(VERSIONS);
    std::fs::create_dir_all(&place).map_err(|e| unwritten(&place, e))?;
    let file = place.join(format!("{version}.json"));
    small_file::write(&file, &Leaves { schema }, MODE_PUBLIC).map_err(|e| unread(&e))
}

fn schema_of(root: &Path, version: &Version) -> Result<Option<i64>, Report> {
    let file: PathBuf = root.join(VERSIONS).join(format!("{version}.json"));
    let read = small_file::read::<Leaves>(&file).map_err(|e| unread(&e))?;
    Ok(read.map(|leaves| leaves.schema))
}

/// Why a file is not taken; nothing was changed.
fn refused(error: &BundleError) -> Report {
    let words = match error {
        BundleError::Io(_) => {
            "更新のファイルを読めません。USBメモリを挿し直し、だめなら別のUSBメモリに写し直してください"
        }
        BundleError::Written(_) => "更新を書き込めません",
        BundleError::NotOne | BundleError::Unclear(_) => {
            "これは更新のファイルではありません。受け取った .hokatsu-update を指定してください"
        }
        BundleError::NoKey => {
            "この装置には、署名を確かめる鍵がありません。更新は入れません。保守の会社に連絡してください"
        }
        BundleError::Signature => {
            "署名が正しくありません。保守の会社が作ったものではないか、途中で変わっています。\
             入れません。受け取り直してください"
        }
        BundleError::Format(_) => {
            "この更新は、もっと新しい版からでないと入れられません。間の版の更新を先に入れてください"
        }
        BundleError::OtherMachine => "この更新は、別の種類の装置のものです。入れません",
        BundleError::Damaged(_) => {
            "更新のファイルが壊れているか、途中までしか写っていません。入れません。USBメモリに写し直してください"
        }
    };
    Report::new(Kind::InputFile, error.to_string())
        .operator(format!("{words}。何も変えていません"), Runbook::Update)
}

fn unwritten(path: &Path, error: io::Error) -> Report {
    Report::new(Kind::Disk, error)
        .operator(
            "更新を書き込めませんでした。動いている版はそのままで、次の起動もその版です",
            Runbook::Update,
        )
        .at(path)
}

fn unread(error: &SmallFileError) -> Report {
    Report::new(Kind::Disk, chain(error)).operator(
        "更新の記録を読み書きできません。動いている版には影響しません",
        Runbook::Update,
    )
}
