//! What is done behind each number.
//!
//! Whatever reads or writes what belongs to the service runs under its account; whatever exchanges the data
//! directory or a disk runs as root, as this menu itself does.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use backup::sheet::{Sheets, Words};
use base::command::{self, Spec};
use base::report::{Kind, Report, Runbook, chain};
use base::settings::{RepositoryPlace, Site};
use rustix::fs::{MemfdFlags, memfd_create};

use super::exchange as new_disk;
use super::machine::{Machine, UNITS, is_active, systemctl};
use super::{Act, clock};
use crate::arguments::WordsArguments;
use crate::output::Voice;
use crate::site;
use crate::verbs::{restore, runbook, words};

const ACCOUNT: &str = "hokatsu";
/// What reads the header of a disk's lock and writes into it.
const DISK_RIGHTS: &str = "+dac_override,+sys_admin";
const OWN: &str = "/usr/lib/hokatsu";
const DISK_A_MOUNT: &str = "srv-disk\\x2da.mount";
const OPENER: &str = "/usr/libexec/hokatsu/disk-opener";
/// Stopping waits for the requests under way; starting may migrate a database.
const START_MAX: Duration = Duration::from_secs(300);
const DISK_MAX: Duration = Duration::from_secs(600);
/// Mounted in the menu's own view: nobody else sees it.
const STICK: &str = "/run/hokatsu-update";
/// The second one names disks and makes no site.
const STICK_FILES: [&str; 2] = ["site.toml", "disks.toml"];
const PULL_IT: &str = "USBメモリは、抜いてかまいません。";
const STICK_OPTIONS: &str = "ro,nodev,nosuid,noexec";
const JOURNAL_MAX: Duration = Duration::from_secs(10);
const JOURNAL_LINES: &str = "--lines=40";
/// What lasts ten minutes is seen in less than three.
const OUTAGE_SPEED: &str = "--speed=4";

pub(super) fn perform(act: Act, machine: &Machine, voice: &Voice) -> Result<(), Report> {
    match act {
        Act::Look => look(machine, voice),
        Act::Stick => check_stick(machine, voice),
        Act::Exchange => new_disk::run(machine, voice),
        Act::Serve => serve(voice),
        Act::Restore => exchange(&["restore"], machine, voice),
        Act::Undo => exchange(&["restore", "undo"], machine, voice),
        Act::Refill => refill(machine, voice),
        Act::Unlock => unlock(machine, voice),
        Act::Sheet => sheet(machine, voice),
        Act::Prove => prove(machine, voice),
        Act::Journal => {
            let words = ["--boot", "--priority=warning", "--no-pager", JOURNAL_LINES];
            attend("journalctl", words).map(drop)
        }
        Act::Update => update(machine, voice),
        Act::Rollback => {
            if attend_hokatsu(&["update", "rollback"])?.success() {
                restart(voice)?;
            }
            Ok(())
        }
        Act::PowerOff => power(
            "電源を切りますか。職員の画面も止まります。",
            "poweroff",
            voice,
        ),
        Act::Reboot => power(
            "再起動しますか。職員の画面は数分止まります。",
            "reboot",
            voice,
        ),
        // In the directory of the watcher, which the service's account does not own.
        Act::Signatures => signatures(machine, voice),
        Act::Outage => attend_hokatsu(&["ups", "simulate", OUTAGE_SPEED]).map(drop),
        Act::Runbooks => runbook::read(voice),
    }
}

/// Any error below: what the machine itself refused. The screen names the record of warnings, so it is there.
pub(super) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Report {
    let words = ["--identifier=console", "--priority=warning", "echo"];
    let spec = Spec::new("systemd-cat", JOURNAL_MAX).args(words);
    // Where there is no journal the screen alone says it.
    drop(command::run(&spec.arg(chain(&error))));
    Report::new(Kind::Fault, error).operator(
        "装置の中の操作が、途中で止まりました。「警告とエラーの記録」を見てください",
        Runbook::RestoreFailed,
    )
}

fn look(machine: &Machine, voice: &Voice) -> Result<(), Report> {
    voice.say("■ 装置、電源、控え");
    attend_hokatsu(&["status"])?;
    voice.say("\n■ バックアップ");
    attend_as_service(&["backup", "status"])?;
    voice.say("\n■ 逐次複製");
    attend_as_service(&["ship", "status"])?;
    voice.say("\n■ ウイルス対策");
    // The socket of the scanner is not that account's.
    attend_hokatsu(&["antivirus", "status"])?;
    voice.say("\n■ 装置の版");
    attend_hokatsu(&["update", "status"])?;
    voice.say("\n■ ネットワーク");
    attend("ip", ["-brief", "address"])?;
    attend("ip", ["route", "show", "default"])?;
    for line in clock::told() {
        voice.say(&line);
    }
    if machine.site_file().exists() {
        attend_as_service(&["site", "check"])?;
    }
    voice.say("\n■ 失敗した処理（なければ空）");
    attend(
        "systemctl",
        ["--failed", "--plain", "--no-legend", "--no-pager"],
    )
    .map(drop)
}

fn serve(voice: &Voice) -> Result<(), Report> {
    voice.say("サービスを始めます。");
    let words: Vec<&str> = ["start"].into_iter().chain(UNITS).collect();
    systemctl(&words, START_MAX)?;
    if is_active("hokatsu.service") {
        voice.say("サービスは動いています。職員のブラウザでサインインして、確かめてください。");
        return Ok(());
    }
    voice.say("サービスが始まりません。「警告とエラーの記録」を見てください。");
    Err(Report::bare(Kind::CheckFailed))
}

/// Another state gets the place of the data. The mount in front of it shows the former one until it is made anew.
fn exchange(verb: &[&str], machine: &Machine, voice: &Voice) -> Result<(), Report> {
    voice.confirm(
        "終わるまで、職員の画面は使えません。サービスを止めますか。",
        false,
    )?;
    let words: Vec<&str> = ["stop"].into_iter().chain(UNITS).collect();
    systemctl(&words, START_MAX)?;
    let done = attend_with_data(machine, verb);
    // Whatever came of it: nobody is left without the service.
    let shown = show_what_is_there();
    let served = serve(voice);
    let ended = done?;
    shown?;
    served?;
    if !ended.success() {
        voice.say("戻していません。上に出たことを読んで、もう一度選んでください。");
    }
    Ok(())
}

/// The bind mount is made anew; nothing that needs it is started again by that, the verdict on this start least of all.
fn show_what_is_there() -> Result<(), Report> {
    let mode = "--job-mode=ignore-dependencies";
    systemctl(&[mode, "restart", "var-lib-hokatsu.mount"], START_MAX)
}

/// A new machine gets the records of the one before, by disk A and the paper.
fn refill(machine: &Machine, voice: &Voice) -> Result<(), Report> {
    let device = machine.disk_a();
    if !device.exists() {
        voice.say("ディスクAがつながっていません。つないで、もう一度選んでください。");
        return Err(Report::bare(Kind::Usage));
    }
    let held = OnPaper::ask(voice)?;
    // What was cut short behind the records goes on there.
    let data = machine.data();
    if restore::refuse_unfinished(&data).is_err() || !data.database().exists() {
        bring_back(machine, &held, voice)?;
    }
    settle(machine, &held, voice)?;
    serve(voice)?;
    voice.say(
        "記録は戻りました。このあと「復旧シートを作る」で、新しい紙を作ってください。前の装置が見つかっても、\
         つながないでください（手順書 machine-fenced）。",
    );
    Ok(())
}

/// Read-only to the end of it: it may be the last copy.
fn bring_back(machine: &Machine, held: &OnPaper, voice: &Voice) -> Result<(), Report> {
    close_opened()?;
    let (disk, file) = (text(&machine.disk_a()), held.file());
    let words = [
        "restore",
        "unlock",
        "--device",
        &disk,
        "--words-file",
        &file,
    ];
    if !attend_hokatsu(&words)?.success() {
        return Err(Report::bare(Kind::CheckFailed));
    }
    let restored = restore_from_opened(machine, &file, voice);
    close_opened()?;
    restored
}

fn restore_from_opened(machine: &Machine, words_file: &str, voice: &Voice) -> Result<(), Report> {
    let Some(repository) = machine.opened_repository() else {
        voice.say("このディスクに、控えがありません。別のディスクか確かめてください。");
        return Err(Report::bare(Kind::CheckFailed));
    };
    let from = repository.display().to_string();
    let words = ["restore", "--from", &from, "--words-file", words_file];
    let ended = attend_with_data(machine, &words)?;
    if ended.success() {
        return Ok(());
    }
    voice.say("戻していません。上に出たことを読んで、もう一度選んでください。");
    Err(Report::bare(Kind::CheckFailed))
}

fn close_opened() -> Result<(), Report> {
    for step in ["unmount", "close"] {
        own(OPENER, &[step, "sheet"], "")?;
    }
    Ok(())
}

/// This machine's own keys, disk A for good, and at the very end the settings that came back: while they are missing
/// all of this is offered again.
fn settle(machine: &Machine, held: &OnPaper, voice: &Voice) -> Result<(), Report> {
    voice.say("ディスクAをこの装置のものにし、設定ファイルを戻します。");
    let data = machine.data();
    own(
        "chown",
        &["--recursive", "hokatsu:hokatsu", &text(data.path())],
        "",
    )?;
    show_what_is_there()?;
    own(&format!("{OWN}/disk-a-adopt"), &[], &held.words)?;
    systemctl(&["start", DISK_A_MOUNT, "disk-a-layout.service"], START_MAX)?;
    let kept = data.path().join("site.toml");
    let settings = Site::read(&kept).map_err(|problem| problem.report())?;
    let kept = text(&kept);
    let who = [
        "--site",
        &kept,
        "--operator",
        "装置",
        "--reason",
        "新しい装置に記録を戻した",
    ];
    let mut all_open = true;
    for repository in &settings.backup.repositories {
        let RepositoryPlace::Directory(place) = &repository.place else {
            continue;
        };
        // What lies on disk A is there already, and is opened by the words.
        if !place.join("config").exists() {
            let words = ["backup", "init", "--repository", repository.name()];
            all_open &= attend_as_service(&[who.as_slice(), &words].concat())?.success();
        }
    }
    let file = held.file();
    let words = ["backup", "key", "admit", "--words-file", &file];
    all_open &= attend_with_disks(&[who.as_slice(), &words].concat())?.success();
    if !all_open {
        voice.say(
            "開かない保管先があります。あとで「状態をくわしく見る」を選び、手順書を見てください。",
        );
    }
    let in_use = text(&machine.site_file());
    own(
        "install",
        &["--mode=0640", "--group=hokatsu", &kept, &in_use],
        "",
    )
}

/// A new main board, or a TPM that forgot.
fn unlock(machine: &Machine, voice: &Voice) -> Result<(), Report> {
    let held = OnPaper::ask(voice)?;
    let volume = text(&machine.locked_volume());
    if own(&format!("{OWN}/volume-unlock"), &[&volume], &held.words).is_err() {
        voice.say("データ領域は、このことばでは開きません。いちばん新しい復旧シートか、確かめてください。");
        return Err(Report::bare(Kind::CheckFailed));
    }
    voice.say("開きました。次からは、この装置のTPMで開きます。");
    systemctl(
        &[
            "start",
            "var-lib-hokatsu.mount",
            "etc-hokatsu.mount",
            "srv-array.mount",
        ],
        START_MAX,
    )?;
    // Its key lies on the data volume.
    if machine.disk_a().exists()
        && let Err(report) = systemctl(&["start", DISK_A_MOUNT], START_MAX)
    {
        voice.say("ディスクAが開きません。サービスは、ディスクAなしで始めます。");
        log::warn!("disk A: {}", report.for_developer());
    }
    serve(voice)
}

/// On paper, by hand: nothing prints here. Whoever stands here gets no new words but by the old ones.
fn sheet(machine: &Machine, voice: &Voice) -> Result<(), Report> {
    let sheets = Sheets::read(&machine.data().recovery_sheets()).map_err(Report::from)?;
    if let Some(known) = sheets.proven() {
        voice.say(&format!(
            "今の復旧シート（番号 {}）のことばを先に打ちます。紙をなくしたときは、保守の会社に連絡してください。",
            known.number
        ));
        let held = OnPaper::ask(voice)?;
        if !held.opens_a_repository(machine)? {
            voice.say("このことばでは、どの保管先も開きません。新しい復旧シートは作れません。");
            return Err(Report::bare(Kind::CheckFailed));
        }
    }
    let holder = voice.ask("復旧シートを保管する人の氏名: ")?;
    let made = attend_with_disks(&["backup", "sheet", "--by-hand", "--holder", &holder])?;
    if made.success() {
        voice.say("続けて、メニューの「復旧シートのことばを確かめる」を選んでください。");
    }
    Ok(())
}

/// From the paper: then the words open the backups, disk A and the data volume.
fn prove(machine: &Machine, voice: &Voice) -> Result<(), Report> {
    let held = OnPaper::ask(voice)?;
    let file = held.file();
    let proven = attend_with_disks(&["backup", "key", "prove", "--words-file", &file])?;
    if !proven.success() {
        return Err(Report::bare(Kind::CheckFailed));
    }
    let volume = machine.locked_volume();
    if !volume.exists() {
        voice.say("データ領域は暗号化されていません（TPMのない装置）。");
        return Ok(());
    }
    own(
        &format!("{OWN}/volume-admit"),
        &[&text(&volume)],
        &held.words,
    )?;
    voice.say("データ領域も、この用紙のことばで開きます（基板を替えたときのため）。");
    Ok(())
}

/// From a stick, which is only read. What it holds is believed when its signature is.
fn update(machine: &Machine, voice: &Voice) -> Result<(), Report> {
    let is_in = on_stick(machine, "更新のファイル", voice, |place| {
        update_from(place, voice)
    })?;
    if is_in {
        voice.say(PULL_IT);
        restart(voice)?;
    }
    Ok(())
}

fn signatures(machine: &Machine, voice: &Voice) -> Result<(), Report> {
    let what = "ウイルス定義（main.cvd、daily.cvd、bytecode.cvd）";
    let words = |place: &Path| attend_hokatsu(&["antivirus", "update", &text(place)]);
    if on_stick(machine, what, voice, words)?.success() {
        voice.say(PULL_IT);
    }
    Ok(())
}

/// Told on this very screen: what the first start has to say is long gone from it.
fn check_stick(machine: &Machine, voice: &Voice) -> Result<(), Report> {
    on_stick(machine, "site.toml", voice, |place| {
        let files = STICK_FILES.map(|name| place.join(name));
        let file = files.iter().find(|file| file.exists());
        let Some(site) = file.map(|file| text(file)) else {
            voice.say("このUSBメモリに、site.toml がありません。");
            return Err(Report::bare(Kind::Usage));
        };
        attend_hokatsu(&["--site", &site, "site", "check"]).map(drop)
    })?;
    voice.say("\nこの装置のディスクと製造番号:");
    attend("lsblk", ["--nodeps", "--output", "SERIAL,MODEL,SIZE,TRAN"])?;
    voice.say("直したら、USBメモリを挿したまま再起動します（手順書 first-boot）。");
    Ok(())
}

/// Mounts the stick for one deed.
fn on_stick<T>(
    machine: &Machine,
    what: &str,
    voice: &Voice,
    deed: impl FnOnce(&Path) -> Result<T, Report>,
) -> Result<T, Report> {
    let Some(stick) = machine.stick() else {
        voice.say(&format!(
            "USBメモリがありません。名前（ボリュームラベル）が HOKATSU のUSBメモリに{what}を入れて挿し、\
             もう一度選んでください。"
        ));
        return Err(Report::bare(Kind::Usage));
    };
    let place = Path::new(STICK);
    std::fs::create_dir_all(place).map_err(failed)?;
    let (device, at) = (text(&stick), text(place));
    own("mount", &["-o", STICK_OPTIONS, &device, &at], "")?;
    let done = deed(place);
    // Whatever came of it: it can be pulled.
    let put_away = own("umount", &[&at], "");
    let done = done?;
    put_away?;
    Ok(done)
}

fn update_from(place: &Path, voice: &Voice) -> Result<bool, Report> {
    let entries = std::fs::read_dir(place).map_err(failed)?;
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == bundle::EXTENSION))
        .collect();
    files.sort();
    if files.is_empty() {
        voice.say(&format!(
            "このUSBメモリに、更新のファイル（.{}）がありません。",
            bundle::EXTENSION
        ));
        return Err(Report::bare(Kind::Usage));
    }
    for (file, number) in files.iter().zip(1..) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        voice.say(&format!("{number:>3}  {name}"));
    }
    let chosen = voice.pick("どれを入れますか。", files.len())?;
    let file = chosen.checked_sub(1).and_then(|at| files.get(at));
    let file = file.ok_or_else(|| Report::bare(Kind::Usage))?;
    Ok(attend_hokatsu(&["update", "apply", &text(file)])?.success())
}

fn restart(voice: &Voice) -> Result<(), Report> {
    let question = "再起動しますか。職員の画面は数分止まります。あとでもできます。";
    voice.confirm(question, false)?;
    systemctl(&["--no-block", "reboot"], START_MAX)
}

fn power(question: &str, verb: &str, voice: &Voice) -> Result<(), Report> {
    voice.confirm(question, false)?;
    systemctl(&["--no-block", verb], START_MAX)
}

/// The words of a sheet that somebody typed, for as long as one deed takes: in memory, which whatever is started
/// meanwhile inherits.
struct OnPaper {
    words: String,
    memory: File,
}

impl OnPaper {
    fn ask(voice: &Voice) -> Result<Self, Report> {
        let asked = WordsArguments {
            words_file: None,
            second_words_file: None,
        };
        let typed: Words = words::read(&asked, voice)?;
        let words = typed
            .password()
            .map_err(|error| words::told(&error, voice))?;
        let made = memfd_create("words", MemfdFlags::empty());
        let mut memory = made.map(File::from).map_err(failed)?;
        memory.write_all(words.as_bytes()).map_err(failed)?;
        Ok(Self {
            words: words.to_string(),
            memory,
        })
    }

    /// Under this name this process and its children read them.
    fn file(&self) -> String {
        format!("/proc/self/fd/{}", self.memory.as_raw_fd())
    }

    /// Of those on this machine and its disks; one that is away or broken is only not opened.
    fn opens_a_repository(&self, machine: &Machine) -> Result<bool, Report> {
        let read = Site::read(&machine.site_file());
        let settings = read.map_err(|problem| problem.report())?;
        let mut repositories = site::repositories(&settings, &machine.data());
        repositories.retain(|one| one.location.directory().is_some());
        Ok(repositories.iter().any(|one| {
            let proven = backup::sheet::prove(one, &self.words);
            if let Err(error) = &proven {
                log::warn!("the words do not open {}: {error}", one.name);
            }
            proven.is_ok()
        }))
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A small program of the appliance.
pub(super) fn own(program: &str, words: &[&str], input: &str) -> Result<(), Report> {
    let spec = Spec::new(program, DISK_MAX).args(words).input(input);
    let output = command::run(&spec).map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = output.stderr.text();
    let said = said.lines().next().unwrap_or_default();
    Err(failed(std::io::Error::other(format!(
        "{program} ended with {}: {said}",
        output.status
    ))))
}

fn attend_hokatsu(words: &[&str]) -> Result<ExitStatus, Report> {
    let program = std::env::current_exe().map_err(failed)?;
    attend(program, words)
}

fn attend_with_data(machine: &Machine, words: &[&str]) -> Result<ExitStatus, Report> {
    let data = text(machine.data().path());
    attend_hokatsu(&[&["--data", &data], words].concat())
}

fn attend_as_service(words: &[&str]) -> Result<ExitStatus, Report> {
    under_account(&[], words)
}

/// Under the service's account, which may read and write the locks of disks for this once.
fn attend_with_disks(words: &[&str]) -> Result<ExitStatus, Report> {
    let inherited = format!("--inh-caps={DISK_RIGHTS}");
    let ambient = format!("--ambient-caps={DISK_RIGHTS}");
    under_account(&[&inherited, &ambient], words)
}

fn under_account(rights: &[&str], words: &[&str]) -> Result<ExitStatus, Report> {
    let program = std::env::current_exe().map_err(failed)?;
    let program = text(&program);
    let (user, group) = (format!("--reuid={ACCOUNT}"), format!("--regid={ACCOUNT}"));
    let account = [user.as_str(), &group, "--clear-groups"];
    attend("setpriv", [&account, rights, &[&program], words].concat())
}

/// On this very terminal, and without a limit: somebody sits there.
#[expect(
    clippy::disallowed_methods,
    reason = "base::command has no terminal to hand over; who sits at the keyboard is the time limit"
)]
fn attend(
    program: impl AsRef<OsStr>,
    words: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<ExitStatus, Report> {
    Command::new(program).args(words).status().map_err(failed)
}
