//! The menu of the console, typed at as an operator types: a recovery sheet copied by hand, a machine whose main
//! board was replaced, and a blank machine that gets the records of the lost one by disk A and the paper.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::assemble::Made;
use crate::boot::{Trial, blank, prepare_as, serves};
use crate::disk_a::{DISK_BYTES, SITE, must};
use crate::problem::Problem;
use crate::room::Room;
use crate::vm::{Machine, Parts};
use crate::{say, trial};

/// One answer of the machine; keys are derived slowly on emulated processors.
const ANSWER_MAX: Duration = Duration::from_secs(15 * 60);
/// Words of a sheet.
const WORDS: usize = 18;
/// Questions of the menu.
pub(crate) const MENU: &str = "番号（表示を新しく";
const PAPER: &str = "復旧シートのことば（";
pub(crate) const SCRIPT: &str = r#"
is_well() { as_service hokatsu --json ship status 2>/dev/null | grep --quiet '"well":true'; }
until_it_is systemctl --quiet is-active hokatsu.service
until_it_is is_well
systemctl start hokatsu-backup.service
say backup $(systemctl show --property=Result --value hokatsu-backup.service)
say log $(as_service hokatsu --json audit verify 2>/dev/null | tr -d '\n')
"#;
/// After the records came back: are they the same, and does everything go on?
const AFTER: &str = r#"
is_well() { as_service hokatsu --json ship status 2>/dev/null | grep --quiet '"well":true'; }
until_it_is systemctl --quiet is-active hokatsu.service
until_it_is is_well
say ship $(as_service hokatsu --json ship status 2>/dev/null | tr -d '\n')
say log $(as_service hokatsu --json audit verify 2>/dev/null | tr -d '\n')
systemctl start hokatsu-backup.service
say backup $(systemctl show --property=Result --value hokatsu-backup.service)
say slots $(cryptsetup luksDump /dev/disk/by-partlabel/hokatsu-disk-a |
  grep --only-matching '^  [0-9]*: luks2' | tr '\n' ' ')
say site $(stat --format='%U:%G %a' /etc/hokatsu/site.toml)
say owners $(find /var/lib/hokatsu /srv ! -user hokatsu | head -5 | tr '\n' ' ')
"#;

/// # Errors
/// What did not hold, with the end of the console.
pub fn console(room: &Room, made: &Made) -> Result<(), Problem> {
    let vm = room.dir("vm")?;
    let mut all = prepare_as(room, &made.part("raw"), SITE)?;
    let disk = vm.join("disk-a.raw");
    blank(&disk, DISK_BYTES)?;
    let [before, after, menu] =
        ["before.smbios", "after.smbios", "menu.smbios"].map(|name| vm.join(name));
    trial::with_menu(Some(SCRIPT), &before)?;
    trial::with_menu(Some(AFTER), &after)?;
    trial::with_menu(None, &menu)?;
    all.parts.trial = Some(before);
    all.parts.disk_a = Some(disk);
    let words = first_machine(room, &all, &vm)?;
    all.parts.trial = Some(menu);
    all.parts.stick = None;
    new_board(room, &all, &words, &vm)?;
    new_machine(room, &all, (&words, after), &vm)
}

/// A sheet is made at its console and tried; then its power is cut.
fn first_machine(room: &Room, all: &Trial, vm: &Path) -> Result<Vec<String>, Problem> {
    let mut machine = Machine::start(room, &all.parts)?;
    let second = serves(room, &mut machine, all)?;
    machine.picture(&vm.join("console.png"))?;
    ended(&mut machine)?;
    told_well(&machine, "backup", "success")?;
    say::line(&format!(
        "first machine: serves after {second:.0} s, saved to disk A after {:.0} s",
        machine.second()
    ));
    let mut operator = Operator::of(&mut machine);
    // The menu was drawn when the machine had just started: once more, with all that it has now.
    operator.answer(MENU, "")?;
    operator.choose("復旧シートを作る")?;
    operator.answer("保管する人", "Ishikawa")?;
    operator.answer("操作する人の氏名", "Ishikawa")?;
    operator.answer("操作の理由", "first sheet")?;
    operator.answer("作りますか", "y")?;
    operator.until("番号とことばを")?;
    let words = operator.words()?;
    operator.answer("書き終えたら", "")?;
    operator.answer("メニューに戻ります", "")?;
    operator.choose("復旧シートのことばを確かめる")?;
    operator.answer(PAPER, &words.join(" "))?;
    operator.answer("操作する人の氏名", "Ishikawa")?;
    operator.answer("操作の理由", "trying the sheet")?;
    operator.until("データ領域も、この用紙のことばで開きます")?;
    say::line(&format!(
        "a sheet of {} words, tried: opens the backups, disk A and the data volume",
        words.len()
    ));
    machine.cut_off()?;
    Ok(words)
}

/// The same disks behind a TPM that knows nothing.
fn new_board(room: &Room, all: &Trial, words: &[String], vm: &Path) -> Result<(), Problem> {
    let board = Parts {
        tpm: Some(room.empty_dir("vm/tpm-new")?),
        log: vm.join("console-board.log"),
        ..all.parts.clone()
    };
    let mut machine = Machine::start(room, &board)?;
    let mut operator = Operator::of(&mut machine);
    operator.until("この装置のTPMでは開けません")?;
    operator.choose("データ領域を、復旧シートのことばで開く")?;
    operator.answer(PAPER, &words.join(" "))?;
    operator.until("サービスは動いています")?;
    let second = serves(room, &mut machine, all)?;
    machine.cut_off()?;
    let again = Parts {
        log: vm.join("console-board-again.log"),
        ..board
    };
    let mut machine = Machine::start(room, &again)?;
    let later = serves(room, &mut machine, all)?;
    say::line(&format!(
        "a new main board: serves by the words after {second:.0} s, the next time by itself after {later:.0} s"
    ));
    machine.cut_off()
}

/// Nothing is left but disk A and the paper.
fn new_machine(
    room: &Room,
    all: &Trial,
    (words, script): (&[String], PathBuf),
    vm: &Path,
) -> Result<(), Problem> {
    let disks = ["data-3.raw", "data-4.raw"].map(|name| vm.join(name));
    for disk in &disks {
        blank(disk, DISK_BYTES)?;
    }
    let blank_machine = Parts {
        data: disks.map(Some),
        tpm: Some(room.empty_dir("vm/tpm-other")?),
        log: vm.join("console-other.log"),
        ..all.parts.clone()
    };
    let mut machine = Machine::start(room, &blank_machine)?;
    let mut operator = Operator::of(&mut machine);
    operator.until("まだ記録がありません")?;
    operator.choose("前の装置の記録を、ディスクAから戻す")?;
    let begun = operator.machine.second();
    // Four letters are enough.
    let short = words
        .iter()
        .map(|word| word.chars().take(4).collect::<String>());
    operator.answer(PAPER, &short.collect::<Vec<_>>().join(" "))?;
    operator.answer("操作する人の氏名", "Ishikawa")?;
    operator.answer("操作の理由", "the machine burnt")?;
    operator.answer("どれに戻しますか", "1")?;
    operator.answer("この計画で戻しますか", "y")?;
    operator.until("記録は戻りました")?;
    let restored = operator.machine.second();
    let second = serves(room, &mut machine, all)?;
    say::line(&format!(
        "a blank machine, disk A and the paper: {:.0} s from the menu to the records, sign-in page after {second:.0} s",
        restored - begun
    ));
    machine.power_off(crate::boot::OFF_MAX)?;
    let again = Parts {
        trial: Some(script),
        log: vm.join("console-other-again.log"),
        ..blank_machine
    };
    let mut machine = Machine::start(room, &again)?;
    let second = serves(room, &mut machine, all)?;
    ended(&mut machine)?;
    for name in ["ship", "log", "slots", "site", "owners"] {
        let found = trial::found(&machine, name).unwrap_or_default();
        say::line(&format!("  {name}: {found}"));
    }
    told_well(&machine, "backup", "success")?;
    say::line(&format!(
        "started again: serves after {second:.0} s, saves and ships"
    ));
    machine.cut_off()
}

pub(crate) fn ended(machine: &mut Machine) -> Result<(), Problem> {
    machine
        .wait("what was found", 2 * ANSWER_MAX, |machine| {
            Ok(trial::has_ended(machine).then_some(()))
        })
        .map(drop)
}

fn told_well(machine: &Machine, name: &str, wanted: &str) -> Result<(), Problem> {
    let found = trial::found(machine, name).unwrap_or_default();
    must(found == wanted, name, &found)
}

/// Whoever sits at the console: reads what came since the last answer, and answers.
pub(crate) struct Operator<'m> {
    pub(crate) machine: &'m mut Machine,
    /// Lines that were read.
    read: usize,
}

impl<'m> Operator<'m> {
    pub(crate) fn of(machine: &'m mut Machine) -> Self {
        Self { machine, read: 0 }
    }

    /// Reads on to the next line with these words.
    pub(crate) fn until(&mut self, words: &str) -> Result<String, Problem> {
        let from = self.read;
        let (at, line) = self.machine.wait(words, ANSWER_MAX, |machine| {
            let lines = machine.lines_from(from);
            let found = lines.iter().position(|line| line.contains(words));
            Ok(found.and_then(|at| Some((at, lines.get(at)?.clone()))))
        })?;
        self.read = from + at + 1;
        Ok(line)
    }

    /// The number that stands before these words in the menu.
    pub(crate) fn choose(&mut self, words: &str) -> Result<(), Problem> {
        let line = self.until(words)?;
        let number = line
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        must(number.parse::<u8>().is_ok(), words, &line)?;
        self.answer(MENU, &number)
    }

    pub(crate) fn answer(&mut self, question: &str, answer: &str) -> Result<(), Problem> {
        self.until(question)?;
        self.machine.enter(answer)
    }

    /// The words of a sheet on the screen, a line each.
    fn words(&mut self) -> Result<Vec<String>, Problem> {
        let mut words = Vec::new();
        for at in 1..=WORDS {
            let line = self.until(&format!("{at}  "))?;
            let word = line.split_whitespace().nth(1).unwrap_or_default();
            words.push(word.to_owned());
        }
        Ok(words)
    }
}
