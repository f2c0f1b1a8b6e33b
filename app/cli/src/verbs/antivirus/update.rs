//! `antivirus update`: signatures from a stick, checked, exchanged with those in use, and proven by the scanner.
//!
//! Shape: copies in a directory of their own, of which ClamAV's `sigtool` says whether their maker signed them; what
//! the stick does not bring is taken over from those in use. One exchange of names; the former ones stay beside.
//! Invariant: a scanner that does not come up with the new ones gets the former ones back.
//! Limits: [`FILE_BYTES_MAX`], [`CHECK_MAX`], [`START_MAX`].

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use base::antivirus::Scanner;
use base::antivirus::signatures::{self, DAILY, EXTENSION, NAMES, NEEDED, Signature, file_of};
use base::clock::Clock;
use base::command::{self, CommandError, Spec};
use base::paths::{MODE_PUBLIC, sync_dir};
use base::report::{Kind, Report, Runbook};
use base::settings::{AntivirusSettings, Site};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::Serialize;
use store::{DataDir, Operator};

use super::{in_words, unreadable};
use crate::arguments::AntivirusUpdateArguments;
use crate::output::Voice;
use crate::verbs::update::noted;

/// The largest of today has 170 MB.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Reading and hashing one file.
const CHECK_MAX: Duration = Duration::from_secs(300);
const RESTART_MAX: Duration = Duration::from_secs(120);
/// A slow machine reads all signatures for a minute or two.
const START_MAX: Duration = Duration::from_secs(300);
const ASK_EVERY: Duration = Duration::from_secs(1);
const PROOF: &str = "Verification OK";
/// Copies that are not in use yet, and those that were before.
const INCOMING: &str = "incoming";
const BEFORE: &str = "before";
/// Everybody on the machine may read what everybody in the world may.
const MODE_DIR: u32 = 0o755;

#[derive(Serialize)]
struct Outcome {
    signatures: Vec<Signature>,
    changed: bool,
}

/// The directories of signatures.
pub(super) struct Places {
    dir: PathBuf,
    now: PathBuf,
    incoming: PathBuf,
    pub(super) before: PathBuf,
}

impl Places {
    pub(super) fn of(settings: &AntivirusSettings) -> Self {
        let dir = settings.signatures.clone();
        Self {
            now: settings.installed(),
            incoming: dir.join(INCOMING),
            before: dir.join(BEFORE),
            dir,
        }
    }
}

pub(crate) fn run(
    asked: &AntivirusUpdateArguments,
    (site, data): (&Site, &DataDir),
    operator: Option<Operator>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let Some(settings) = site.antivirus() else {
        voice.say("設定ファイルに [antivirus] がありません。何も変えていません。");
        return Err(Report::bare(Kind::Usage));
    };
    let places = Places::of(settings);
    voice.say("ウイルス定義を確かめています。");
    let gathered = gather(&asked.from, &places, is_signed);
    let outcome = match gathered {
        Ok(Some(signatures)) => taken(asked, (signatures, operator), (settings, data), voice),
        Ok(None) => {
            voice.say("入っているものと同じ版です。何も変えていません。");
            let signatures = signatures::installed(&places.now).map_err(unreadable)?;
            Ok(Outcome {
                signatures,
                changed: false,
            })
        }
        Err(report) => Err(report),
    };
    // Whatever came of it: nothing half-checked stays.
    emptied(&places.incoming)?;
    voice.result(&outcome?)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what would be taken, asks, and takes it.
fn taken(
    asked: &AntivirusUpdateArguments,
    (signatures, operator): (Vec<Signature>, Option<Operator>),
    (settings, data): (&AntivirusSettings, &DataDir),
    voice: &Voice,
) -> Result<Outcome, Report> {
    let places = Places::of(settings);
    let now = Clock::system().now();
    voice.say("製作者の署名は、正しいものです。");
    for one in &signatures {
        voice.say(&format!("  {}", in_words(one, now)));
    }
    let Some(operator) = operator else {
        return Ok(Outcome {
            signatures,
            changed: false,
        });
    };
    voice.confirm(
        "このウイルス定義に入れ替えますか。検査は数分止まり、その間の添付には「未検査」の印が付きます。",
        asked.yes,
    )?;
    let version = signatures.iter().find(|one| one.name == DAILY);
    let version = version.map_or(0, |daily| daily.version);
    noted(
        data,
        format!("antivirus update 始め／版＝{version}"),
        operator.clone(),
    )?;
    let had_before = exchange(&places)?;
    voice.say("検査を始め直しています。数分かかることがあります。");
    if let Err(report) = proven(settings, version, START_MAX) {
        turn_back(&places, had_before)?;
        // Without any there is nothing to start it with.
        if had_before {
            restart(settings)?;
        }
        noted(data, "antivirus update 元に戻した".to_owned(), operator)?;
        return Err(report);
    }
    noted(
        data,
        format!("antivirus update 終わり／版＝{version}"),
        operator,
    )?;
    voice.say("入れ替えました。新しいウイルス定義で検査しています。");
    Ok(Outcome {
        signatures,
        changed: true,
    })
}

/// Copies what the stick brings, checks the copies, and completes them; nothing when there is nothing newer.
pub(super) fn gather(
    from: &Path,
    places: &Places,
    is_signed: impl Fn(&Path) -> Result<bool, Report>,
) -> Result<Option<Vec<Signature>>, Report> {
    emptied(&places.incoming)?;
    let made = fs::create_dir_all(&places.incoming);
    made.map_err(|e| unwritten(&places.incoming, e))?;
    opened_to_all(&places.incoming, MODE_DIR)?;
    let (mut all, mut newer, mut brought) = (Vec::new(), false, false);
    for name in NAMES {
        let installed = signatures::read(&places.now, name).map_err(unreadable)?;
        let offered = file_of(from, name);
        let signature = if offered.exists() {
            brought = true;
            let copy = copied(&offered, &places.incoming, name)?;
            let signed = is_signed(&copy)?;
            let read = signatures::read(&places.incoming, name);
            let Ok(Some(new)) = read.map(|found| found.filter(|_| signed)) else {
                return Err(unsigned(name).at(&offered));
            };
            let old = installed.as_ref().map_or(0, |old| old.version);
            if new.version < old {
                return Err(refused(format!(
                    "{name} は版 {} で、入っている版 {old} より古いものです。入れません",
                    new.version
                ))
                .at(&offered));
            }
            newer |= new.version > old;
            Some(new)
        } else if let Some(old) = installed {
            copied(&file_of(&places.now, name), &places.incoming, name)?;
            Some(old)
        } else {
            None
        };
        all.extend(signature);
    }
    if !brought {
        return Err(refused(format!(
            "main.{EXTENSION}、daily.{EXTENSION} がありません。.cld など、製作者の署名のないものは入れられません"
        ))
        .at(from));
    }
    for name in NEEDED {
        if !all.iter().any(|one| one.name == name) {
            return Err(refused(format!("{name}.{EXTENSION} がありません。入れません")).at(from));
        }
    }
    sync_dir(&places.incoming).map_err(|e| Report::new(Kind::Disk, e))?;
    Ok(newer.then_some(all))
}

/// Did its maker sign what lies there, all of it?
pub(super) fn is_signed(copy: &Path) -> Result<bool, Report> {
    let spec = Spec::new("sigtool", CHECK_MAX).arg("--info").arg(copy);
    let output = command::run(&spec).map_err(unasked)?;
    let said = output.stdout.text();
    Ok(output.status.success() && said.lines().any(|line| line.starts_with(PROOF)))
}

fn copied(from: &Path, dir: &Path, name: &str) -> Result<PathBuf, Report> {
    let to = file_of(dir, name);
    let size = fs::metadata(from).map_err(|e| unwritten(from, e))?.len();
    if size > FILE_BYTES_MAX {
        return Err(refused("ファイルが大きすぎます。入れません".to_owned()).at(from));
    }
    fs::copy(from, &to).map_err(|e| unwritten(&to, e))?;
    opened_to_all(&to, MODE_PUBLIC)?;
    let flushed = File::open(&to).and_then(|file| file.sync_all());
    flushed.map_err(|e| unwritten(&to, e))?;
    Ok(to)
}

fn opened_to_all(path: &Path, mode: u32) -> Result<(), Report> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(|e| unwritten(path, e))
}

/// The checked ones into use; were there others, which now stand beside?
pub(super) fn exchange(places: &Places) -> Result<bool, Report> {
    emptied(&places.before)?;
    let had_before = places.now.exists();
    if had_before {
        swap(&places.now, &places.incoming)?;
        renamed(&places.incoming, &places.before)?;
    } else {
        renamed(&places.incoming, &places.now)?;
    }
    sync_dir(&places.dir).map_err(|e| Report::new(Kind::Disk, e))?;
    Ok(had_before)
}

/// What did not prove itself goes; those before it come back.
pub(super) fn turn_back(places: &Places, had_before: bool) -> Result<(), Report> {
    emptied(&places.now)?;
    if had_before {
        renamed(&places.before, &places.now)?;
    }
    sync_dir(&places.dir).map_err(|e| Report::new(Kind::Disk, e))
}

fn swap(one: &Path, other: &Path) -> Result<(), Report> {
    let swapped = renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
    swapped.map_err(|e| unwritten(one, e.into()))
}

fn renamed(from: &Path, to: &Path) -> Result<(), Report> {
    fs::rename(from, to).map_err(|e| unwritten(from, e))
}

fn emptied(dir: &Path) -> Result<(), Report> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(unwritten(dir, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The scanner comes up and says this version.
pub(super) fn proven(
    settings: &AntivirusSettings,
    version: u32,
    wait: Duration,
) -> Result<(), Report> {
    restart(settings)?;
    let scanner = Scanner::new(settings);
    let begun = Instant::now();
    loop {
        let answer = scanner.version();
        match answer {
            Ok(loaded) if loaded == version => return Ok(()),
            Ok(_) | Err(_) if begun.elapsed() < wait => thread::sleep(ASK_EVERY),
            Ok(_) | Err(_) => {
                return Err(Report::bare(Kind::CheckFailed).operator(
                    "検査が、新しいウイルス定義で始まりませんでした。入れ替えは取り消しました。\
                     ウイルス定義を入手し直してください",
                    Runbook::VirusSignatures,
                ));
            }
        }
    }
}

fn restart(settings: &AntivirusSettings) -> Result<(), Report> {
    let mut words = settings.restart.iter();
    let program = words.next().map(String::as_str).unwrap_or_default();
    let spec = Spec::new(program, RESTART_MAX).args(words);
    let output = command::run(&spec).and_then(|output| output.success(&spec));
    output.map(drop).map_err(|e| {
        Report::new(Kind::Child, e).operator(
            "検査のサービスを始め直せませんでした",
            Runbook::VirusSignatures,
        )
    })
}

fn unsigned(name: &str) -> Report {
    refused(format!(
        "{name}.{EXTENSION} は、製作者の署名が正しくないか、途中までしか写っていません。入れません。\
         入手し直してください"
    ))
}

fn refused(words: String) -> Report {
    Report::bare(Kind::InputFile).operator(
        format!("{words}。何も変えていません"),
        Runbook::VirusSignatures,
    )
}

fn unasked(error: CommandError) -> Report {
    Report::new(Kind::Child, error).operator(
        "ウイルス定義を確かめる sigtool を使えません。何も変えていません",
        Runbook::VirusSignatures,
    )
}

fn unwritten(path: &Path, error: io::Error) -> Report {
    Report::new(Kind::Disk, error)
        .operator(
            "ウイルス定義を写せませんでした。入っているものはそのままです",
            Runbook::VirusSignatures,
        )
        .at(path)
}
