//! `backup sheet` and `backup key`: the words that open the backups, and the machine's own password.
//!
//! Shape: a new sheet opens beside the old one until somebody has typed its words from the paper
//! (`key prove`); only then the old one's keys are taken away. The words are in memory and on the
//! paper, never in a file of a disk: the place that the PDF is written to must be memory. [`disks`] are
//! the encrypted disks, which the same words open.

mod disks;
mod passwords;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use backup::sheet::{self as keys, Lock, Sheet, Sheets, Words};
use backup::{BackupError, RepositorySettings};
use base::clock::{Clock, japan};
use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use base::report::{Kind, Report, Runbook};
use base::settings::Site;
pub(super) use disks::locked;
use disks::{Found, Gone, LuksDisks};
use forms::{Fonts, RecoverySheet, SheetRepository, recovery_sheet};
use jiff::Timestamp;
use serde::Serialize;
use store::{DataDir, Operation, Operator};

use super::need_some;
use crate::arguments::{KeyVerb, SheetArguments, WordsArguments};
use crate::output::Voice;
use crate::verbs::words::{read, told};
use crate::{operator, site};

/// Longest name of a holder, characters.
const NAME_CHARS_MAX: usize = 100;
/// Most holders of one sheet.
const HOLDERS_MAX: usize = 5;
/// What `statfs` calls memory.
const TMPFS: i64 = 0x0102_1994;
const RAMFS: i64 = 0x8584_58f6;
/// Characters of a repository's id that people compare.
const ID_CHARS: usize = 8;

#[derive(Serialize)]
struct Made {
    number: u32,
    files: Vec<String>,
    repositories: Vec<String>,
    /// Encrypted disks that its words open.
    disks: Vec<String>,
}

#[derive(Serialize)]
struct Proven {
    number: Option<u32>,
    opened: Vec<String>,
    shut: Vec<String>,
    /// Key files of older sheets that open nothing any more.
    removed: usize,
    /// Encrypted disks that the words open.
    disks: Vec<String>,
    disks_shut: Vec<String>,
    /// Older sheets' words that open a disk no more.
    disk_slots_removed: usize,
}

/// Who asks, and where the answer is written down.
pub(crate) struct Desk<'d> {
    site: &'d Site,
    repositories: Vec<RepositorySettings>,
    dir: DataDir,
    operator: Operator,
    voice: &'d Voice,
}

impl<'d> Desk<'d> {
    /// # Errors
    /// When there are no repositories, and those of asking who asks.
    pub(crate) fn new(
        site: &'d Site,
        dir: DataDir,
        operator: impl FnOnce() -> Result<Operator, Report>,
        voice: &'d Voice,
    ) -> Result<Self, Report> {
        let repositories = site::repositories(site, &dir);
        need_some(&repositories, voice)?;
        Ok(Self {
            site,
            repositories,
            dir,
            operator: operator()?,
            voice,
        })
    }

    fn file(&self) -> PathBuf {
        self.dir.recovery_sheets()
    }

    fn note(&self, detail: String) -> Result<(), Report> {
        let operator = Some(self.operator.clone());
        operator::note(&self.dir, Operation::Backup, detail, operator)
    }

    fn named(&self, name: &str) -> Option<&RepositorySettings> {
        self.repositories.iter().find(|one| one.name == name)
    }
}

pub(crate) fn key(what: &KeyVerb, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    match what {
        KeyVerb::Prove(asked) => prove(asked, desk),
        KeyVerb::Admit(asked) => passwords::let_in(asked, desk),
        KeyVerb::Rotate { yes } => passwords::rotate(*yes, desk),
    }
}

pub(crate) fn sheet(asked: &SheetArguments, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    let voice = desk.voice;
    let holders = holders(asked, voice)?;
    let paper = Paper::of(asked, voice)?;
    let mut sheets = Sheets::read(&desk.file()).map_err(Report::from)?;
    let here = here(desk)?;
    let disks = LuksDisks::of(desk)?;
    let plugged = disks.here(voice);
    let plugged_names: Vec<&str> = plugged.iter().map(Found::name).collect();
    let names: Vec<&str> = here.iter().map(|(one, _)| one.name.as_str()).collect();
    voice.say(&format!(
        "保管先「{}」{}を開く新しいことばを作り、{}。\
         今の復旧シートは、新しい用紙のことばを確かめる（hokatsu backup key prove）まで使えます。",
        names.join("」「"),
        and_disks(&plugged_names),
        paper.plan()
    ));
    voice.confirm("作りますか。", asked.yes)?;
    let now = Clock::system().now();
    let removed = drop_slots(&mut sheets, desk, now, |sheet, _| sheet.proven_at.is_none())?;
    let taken_back = disks.drop_slots(&plugged, &mut sheets, desk, |sheet, _| {
        sheet.proven_at.is_none()
    })?;
    if removed + taken_back.removed > 0 {
        voice.say("前に作って確かめなかった用紙は、もう開きません。捨ててください。");
    }
    sheets.last += 1;
    let number = sheets.last;
    desk.note(format!(
        "backup sheet／番号＝{number}／保管先＝{}／ディスク＝{}／保管する人＝{}",
        names.join("、"),
        plugged_names.join("、"),
        holders.join("、")
    ))?;
    let words = Words::fresh().map_err(Report::from)?;
    let password = words.password().map_err(|error| told(&error, voice))?;
    sheets.sheets.push(Sheet {
        number,
        made_at: format!("{now:.0}"),
        holders: holders.clone(),
        is_split: asked.split,
        slots: Vec::new(),
        disks: Vec::new(),
        proven_at: None,
    });
    for (repository, _) in &here {
        admit(&password, &mut sheets, (number, repository), desk)?;
    }
    let mut let_in = Vec::new();
    for found in &plugged {
        if disks.admit((found, &password), &mut sheets, number, desk)? {
            let_in.push(found.name().to_owned());
        }
    }
    let form = form(&here, !disks.is_empty(), number, desk);
    let files = match &paper {
        Paper::Printed { to, fonts } => {
            let made = draw(fonts, (&words, &form), (&holders, asked.split, to), desk)?;
            voice.say(
                "印刷したら、用紙のファイルを消してください。印刷した紙を見ながら hokatsu backup key prove \
                 を実行し、開くことを確かめたら、封をして保管します。",
            );
            made
        }
        Paper::ByHand => {
            voice.show_once(&by_hand(&words, number))?;
            voice.say(
                "紙を見ながらことばを打って（hokatsu backup key prove）、\
                 開くことを確かめたら、封をして保管します。",
            );
            Vec::new()
        }
    };
    voice.result(&Made {
        number,
        files,
        repositories: names.iter().map(|name| (*name).to_owned()).collect(),
        disks: let_in,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// How the words get onto a paper.
enum Paper<'a> {
    /// A PDF in memory.
    Printed { to: &'a Path, fonts: Box<Fonts> },
    /// From the screen; where nothing prints.
    ByHand,
}

impl<'a> Paper<'a> {
    /// # Errors
    /// When there is no way to it; nothing was changed.
    fn of(asked: &'a SheetArguments, voice: &Voice) -> Result<Self, Report> {
        let Some(to) = &asked.to else {
            if voice.can_ask() {
                return Ok(Self::ByHand);
            }
            voice.say("--by-hand は、ことばを書き写す人が画面の前にいるときだけ使えます。何も変えていません。");
            return Err(Report::bare(Kind::Usage));
        };
        create_private_dir(to).map_err(|error| unwritten(to, error))?;
        if !is_memory(to).map_err(|error| unwritten(to, error))? {
            voice.say(
                "復旧シートのファイルは、ディスクには書けません（消しても読み出せるため）。\
                 --to /dev/shm/sheet のように、メモリ上の場所を指定してください。何も変えていません。",
            );
            return Err(Report::bare(Kind::Usage));
        }
        let fonts = Fonts::discover().map_err(|missing| {
            Report::new(Kind::Fault, missing).operator(
                "用紙の文字の書体がないため、復旧シートを作れません。何も変えていません",
                Runbook::RecoverySheet,
            )
        })?;
        let fonts = Box::new(fonts);
        Ok(Self::Printed { to, fonts })
    }

    fn plan(&self) -> String {
        match self {
            Self::Printed { to, .. } => format!("{} に用紙を書きます", to.display()),
            Self::ByHand => "画面に1度だけ出します（紙とペンを用意してください）".to_owned(),
        }
    }
}

/// One word a line: nobody has to guess in which direction to read.
fn by_hand(words: &Words, number: u32) -> String {
    let list = words.list();
    let lines = list
        .iter()
        .zip(1..)
        .map(|(word, at)| format!("{at:>4}  {word}"));
    let lines: Vec<String> = lines.collect();
    format!(
        "復旧シート {number}\n番号とことばを、このとおり紙に書いてください。\
         日付と、保管する人の氏名も書きます。\n\n{}\n",
        lines.join("\n")
    )
}

fn and_disks(names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("とディスク「{}」", names.join("」「"))
}

/// The repositories that are here, and how they name themselves. A disk that is away gets the words when
/// they are tried while it is plugged in.
fn here<'d>(desk: &'d Desk<'_>) -> Result<Vec<(&'d RepositorySettings, String)>, Report> {
    let mut found = Vec::new();
    let mut away = None;
    for repository in &desk.repositories {
        match keys::id(repository) {
            Ok(id) => found.push((repository, id)),
            Err(error @ BackupError::NotThere { .. }) => {
                desk.voice.say(&format!(
                    "保管先「{}」は、つながっていません。つないで hokatsu backup key prove を実行すると、\
                     この用紙のことばで開くようになります。",
                    repository.name
                ));
                away = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match away {
        Some(error) if found.is_empty() => Err(error.into()),
        Some(_) | None => Ok(found),
    }
}

/// Lets the words into one repository; it is written down each time, so that a sheet that was cut short
/// is taken back by the next.
fn admit(
    password: &str,
    sheets: &mut Sheets,
    (number, repository): (u32, &RepositorySettings),
    desk: &Desk<'_>,
) -> Result<(), Report> {
    let slot = keys::add(repository, password, Clock::system().now()).map_err(Report::from)?;
    if let Some(sheet) = sheets.numbered(number) {
        sheet.slots.push(Lock {
            repository: repository.name.clone(),
            repository_id: slot.repository_id,
            key_id: slot.key_id,
        });
    }
    sheets.write(&desk.file()).map_err(Report::from)
}

/// Takes key files away, and the sheets of which none is left; how many key files there were. One whose
/// repository is not there just now stays on the list.
fn drop_slots(
    sheets: &mut Sheets,
    desk: &Desk<'_>,
    now: Timestamp,
    goes: impl Fn(&Sheet, &Lock) -> bool,
) -> Result<usize, Report> {
    let mut removed = 0;
    for sheet in &mut sheets.sheets {
        let (going, mut left): (Vec<Lock>, Vec<Lock>) = sheet
            .slots
            .clone()
            .into_iter()
            .partition(|lock| goes(sheet, lock));
        for lock in going {
            let Some(repository) = desk.named(&lock.repository) else {
                left.push(lock);
                continue;
            };
            match keys::remove(repository, &lock.slot(), now) {
                Ok(()) => removed += 1,
                Err(error) => {
                    desk.voice.say(&format!(
                        "保管先「{}」に届かないため、番号 {} の用紙はそこではまだ開きます。",
                        repository.name, sheet.number
                    ));
                    log::warn!("a key of sheet {} stays: {error}", sheet.number);
                    left.push(lock);
                }
            }
        }
        sheet.slots = left;
    }
    sheets.forget_spent();
    sheets.write(&desk.file()).map_err(Report::from)?;
    Ok(removed)
}

/// What stands on every paper of one sheet.
struct Form {
    number: u32,
    repositories: Vec<SheetRepository>,
    opens_disks: bool,
    command_path: Option<String>,
    elsewhere: Vec<String>,
    printed_at: Timestamp,
    printed_by: String,
}

fn form(
    here: &[(&RepositorySettings, String)],
    opens_disks: bool,
    number: u32,
    desk: &Desk<'_>,
) -> Form {
    let repositories = here.iter().map(|(one, id)| SheetRepository {
        name: one.name.clone(),
        id: id.chars().take(ID_CHARS).collect(),
        path: one.location.for_restic(),
    });
    // The words open it, and a login lets in; only the first stands on this paper.
    let is_elsewhere = |one: &&(&RepositorySettings, String)| one.0.location.directory().is_none();
    let elsewhere = here.iter().filter(is_elsewhere);
    let at_home = here.iter().find_map(|(one, _)| one.location.directory());
    Form {
        number,
        repositories: repositories.collect(),
        opens_disks,
        command_path: at_home.map(|path| path.display().to_string()),
        elsewhere: elsewhere
            .map(|(one, _)| one.location.for_restic())
            .collect(),
        printed_at: Clock::system().now(),
        printed_by: desk.operator.name.clone(),
    }
}

impl Form {
    fn of(&self, words: &Words, holders: Vec<String>) -> Result<RecoverySheet, Report> {
        let list = words.list();
        let printed = self.printed_at.to_zoned_datetime(japan());
        Ok(RecoverySheet {
            record_id: format!("復旧シート {}", self.number),
            kind: match words.share() {
                None => "この1枚で開きます。".to_owned(),
                Some(share) => {
                    format!("3枚のうち、どれか2枚がそろうと開きます（これは{share}枚目）。")
                }
            },
            holders,
            words: list.iter().map(|word| (*word).to_owned()).collect(),
            picture: picture(&list.join(" "))?,
            command_path: self.command_path.clone(),
            elsewhere: self.elsewhere.clone(),
            repositories: self.repositories.clone(),
            opens_disks: self.opens_disks,
            is_whole: words.share().is_none(),
            printed_at: self.printed_at,
            printed_on: printed.strftime("%Y-%m-%d %H:%M").to_string(),
            printed_by: self.printed_by.clone(),
        })
    }
}

fn draw(
    fonts: &Fonts,
    (words, form): (&Words, &Form),
    (holders, split, to): (&[String], bool, &Path),
    desk: &Desk<'_>,
) -> Result<Vec<String>, Report> {
    let papers = if split {
        let shares = words.split().map_err(|error| told(&error, desk.voice))?;
        let each = shares.into_iter().zip(holders);
        each.map(|(share, holder)| (share, vec![holder.clone()]))
            .collect()
    } else {
        vec![(words.clone(), holders.to_vec())]
    };
    let mut files = Vec::new();
    for (words, holders) in papers {
        let name = match words.share() {
            None => format!("recovery-sheet-{}.pdf", form.number),
            Some(share) => format!("recovery-sheet-{}-{share}.pdf", form.number),
        };
        let path = to.join(name);
        let pdf = recovery_sheet(fonts, &form.of(&words, holders)?);
        let pdf = pdf.map_err(|e| Report::new(Kind::Fault, e))?;
        let written = write_atomic(&path, &pdf.bytes, MODE_PRIVATE);
        written.map_err(|error| unwritten(&path, error))?;
        desk.voice.say(&format!("用紙: {}", path.display()));
        files.push(path.display().to_string());
    }
    Ok(files)
}

fn picture(text: &str) -> Result<Vec<Vec<bool>>, Report> {
    let code = qrcode::QrCode::new(text).map_err(|e| Report::new(Kind::Fault, e))?;
    let dark = |color: &qrcode::Color| *color == qrcode::Color::Dark;
    let colors = code.to_colors();
    let rows = colors.chunks(code.width());
    Ok(rows.map(|row| row.iter().map(dark).collect()).collect())
}

fn prove(asked: &WordsArguments, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    let voice = desk.voice;
    let words = read(asked, voice)?;
    let password = words.password().map_err(|error| told(&error, voice))?;
    let mut sheets = Sheets::read(&desk.file()).map_err(Report::from)?;
    let mut number = None;
    let (mut opened, mut unknown, mut shut) = (Vec::new(), Vec::new(), Vec::new());
    for repository in &desk.repositories {
        match keys::prove(repository, &password) {
            Ok(found) => {
                let of = |sheet: &&Sheet| sheet.slots.iter().any(|lock| lock.slot() == found.slot);
                number = number.or(sheets.sheets.iter().find(of).map(|sheet| sheet.number));
                let (name, snapshots) = (&repository.name, found.snapshots);
                voice.say(&format!(
                    "保管先「{name}」が開きました（控え {snapshots}個）。"
                ));
                opened.push(name.clone());
            }
            Err(error @ BackupError::PasswordWrong { .. }) => unknown.push((repository, error)),
            Err(error) => {
                voice.report(&Report::from(error));
                shut.push(repository.name.clone());
            }
        }
    }
    for (repository, error) in unknown {
        // Words of a sheet of ours: the disk was away when it was made.
        if let Some(number) = number {
            admit(&password, &mut sheets, (number, repository), desk)?;
            keys::prove(repository, &password).map_err(Report::from)?;
            let name = &repository.name;
            voice.say(&format!(
                "保管先「{name}」も、この用紙のことばで開くようにしました。"
            ));
            opened.push(name.clone());
        } else {
            voice.report(&Report::from(error));
            shut.push(repository.name.clone());
        }
    }
    let disks = LuksDisks::of(desk)?;
    let plugged = disks.here(voice);
    let tried = disks.prove(&plugged, &password, (&mut sheets, number), desk)?;
    let now = Clock::system().now();
    let (mut removed, mut of_disks) = (0, Gone::default());
    if let Some(number) = number {
        if let Some(sheet) = sheets.numbered(number) {
            let at = format!("{now:.0}");
            tried.note(sheet, &at);
            sheet.proven_at = Some(at);
        }
        removed = drop_slots(&mut sheets, desk, now, |sheet, lock| {
            sheet.number != number
                && opened.contains(&lock.repository)
                && !tried.is_behind_shut(&lock.repository)
        })?;
        of_disks = disks.drop_slots(&plugged, &mut sheets, desk, |sheet, lock| {
            sheet.number != number && tried.opens_all_of(&lock.uuid, &opened)
        })?;
    }
    let said = number.map_or("不明".to_owned(), |number| number.to_string());
    desk.note(format!(
        "backup key prove／番号＝{said}／開いた保管先＝{}／開かない保管先＝{}／開いたディスク＝{}／\
         開かないディスク＝{}",
        opened.join("、"),
        shut.join("、"),
        tried.opened().join("、"),
        tried.shut().join("、")
    ))?;
    let is_well = shut.is_empty() && tried.shut().is_empty() && of_disks.left == 0;
    voice.say(if !is_well {
        "紙のことばで開かない保管先やディスク、前の用紙でまだ開くディスクがあります。つないでから、\
         もう一度確かめてください。手順書: runbooks/recovery-sheet.md"
    } else if number.is_some() {
        "紙のことばだけで、すべての保管先が開きました。前の用紙は、もう開きません。\
         封をして保管してください。"
    } else {
        "紙のことばだけで、すべての保管先が開きました。この用紙の番号は記録にありません。\
         新しい復旧シートを作り直してください。"
    });
    voice.result(&Proven {
        number,
        opened,
        shut,
        removed,
        disks: tried.opened(),
        disks_shut: tried.shut(),
        disk_slots_removed: of_disks.removed,
    })?;
    Ok(ExitCode::from(u8::from(!is_well)))
}

fn holders(asked: &SheetArguments, voice: &Voice) -> Result<Vec<String>, Report> {
    let names: Vec<String> = asked
        .holder
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    let fits = |name: &String| {
        !name.is_empty()
            && name.chars().count() <= NAME_CHARS_MAX
            && !name.chars().any(char::is_control)
    };
    let mut different = names.clone();
    different.sort();
    different.dedup();
    let count = if asked.split {
        names.len() == keys::SHARES
    } else {
        (1..=HOLDERS_MAX).contains(&names.len())
    };
    if count && names.iter().all(fits) && different.len() == names.len() {
        return Ok(names);
    }
    voice.say(if asked.split {
        "3枚に分けるときは、--holder に、別々の3人の氏名を指定してください。"
    } else {
        "--holder に、用紙を保管する人の氏名を5人までで指定してください。"
    });
    Err(Report::bare(Kind::Usage))
}

fn is_memory(path: &Path) -> std::io::Result<bool> {
    let kind = rustix::fs::statfs(path)?.f_type;
    Ok(kind == TMPFS || kind == RAMFS)
}

fn unwritten(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Report {
    Report::new(Kind::Disk, error)
        .operator(
            "用紙を書けません。--to で書ける場所を指定してください",
            Runbook::RecoverySheet,
        )
        .at(path)
}
