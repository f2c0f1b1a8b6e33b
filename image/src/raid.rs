//! The data volume in a machine: two blank disks become an array, one of them is missed, comes back, is replaced;
//! and what is not for the machine to decide is left as it is.

use std::path::PathBuf;
use std::time::Duration;

use crate::assemble::Made;
use crate::boot::{SERVES_MAX, Trial, blank, prepare, serves};
use crate::disk_a::{PLAIN, must, times};
use crate::problem::Problem;
use crate::room::Room;
use crate::vm::{Machine, Parts};
use crate::{say, store, tree, trial};

use Disk::{Five, Foreign, Four, New, One, Two};
use End::{Half, Says, Whole};

/// A whole mirror of the small disks, on two emulated and busy processors.
const FOUND_MAX: Duration = Duration::from_secs(15 * 60);
/// Small, so that a mirror of it takes seconds.
const DISK_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const LIMIT: Duration = Duration::from_secs(60);
/// Writes what has to be the same ever after, and at each start a little, so that an absent disk falls behind.
const SCRIPT: &str = r#"
until_it_is systemctl --quiet is-active hokatsu.service
md=/sys/class/block/$(basename $(readlink -f /dev/hokatsu/array))
state() { echo $(cat $md/md/degraded $md/md/sync_action); }
is_whole() { [ "$(state)" = "0 idle" ]; }
say begun $(state)
date >>/volume/trial.starts
[ -e /volume/trial ] || head -c 8388608 /dev/urandom >/volume/trial
sync
say file $(sha256sum </volume/trial)
say mount $(findmnt --noheadings --output SOURCE,FSTYPE,OPTIONS /volume)
say below $(lsblk --noheadings --inverse --list --output TYPE /dev/hokatsu/data | sort -u)
say audit $(as_service hokatsu audit verify >/dev/null 2>&1 && echo well)
if [ "$(ls $md/slaves | wc -l)" = 2 ]; then
  until_it_is is_whole
fi
say last $(state)
sleep 12
say monitor $(journalctl --boot --unit=mdmonitor.service --identifier=mdadm --output=cat | tr '\n' ';')
say priorities $(journalctl --boot --unit=mdmonitor.service --output=json --output-fields=PRIORITY,MESSAGE |
  grep --only-matching '"PRIORITY":"[0-9]"' | sort | uniq -c | tr '\n' ';')
say timers $(systemctl list-timers --plain --no-legend | grep --only-matching 'md[a-z_-]*\.timer' | sort | tr '\n' ' ')
"#;
/// How the appliance says it, as far as it is looked for here.
const MADE: &str = "空の2台でアレイを作りました";
const NOT_MADE: &str = "空の2台がそろうまで作りません";
const MISSING: &str = "が見つかりません。1台で動いています";
const BACK: &str = "が戻りました";
const ADDED: &str = "は空です。アレイに加え";
const HOLDS: &str = "には何か入っています。触れません";
const STALE: &str = "は別のアレイのもの、または古すぎるものです";
const SPLIT: &str = "2台は別々に使われ";
const OTHERS: &str = "2台は別々のアレイのものです";
const MOUNTED: &str = "Mounted volume.mount";
const IN_CLEAR: &str = "TPM2がないため、暗号化せずに作ります";

/// A disk of this trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    One,
    Two,
    /// Blank, in the place of the second.
    New,
    /// Holds something else.
    Foreign,
    /// Two more, for an array of their own.
    Four,
    Five,
}

impl Disk {
    const ALL: [Self; 6] = [
        Self::One,
        Self::Two,
        Self::New,
        Self::Foreign,
        Self::Four,
        Self::Five,
    ];

    fn file(self) -> &'static str {
        match self {
            Self::One => "data-1.raw",
            Self::Two => "data-2.raw",
            Self::New => "data-3.raw",
            Self::Foreign => "foreign.raw",
            Self::Four => "data-4.raw",
            Self::Five => "data-5.raw",
        }
    }
}

/// How a start has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Serves from both disks, and nothing is left to copy.
    Whole,
    /// Serves from one disk.
    Half,
    /// Says what is the matter, and no more is waited for.
    Says,
}

/// One start of the machine.
struct Start {
    question: &'static str,
    disks: [Option<Disk>; 2],
    says: &'static [&'static str],
    end: End,
    /// Disks that have the same bytes afterwards.
    kept: &'static [Disk],
}

const fn start(
    question: &'static str,
    disks: [Option<Disk>; 2],
    says: &'static [&'static str],
    end: End,
    kept: &'static [Disk],
) -> Start {
    Start {
        question,
        disks,
        says,
        end,
        kept,
    }
}

/// In this order: each begins with what the one before has left.
#[rustfmt::skip]
const STARTS: [Start; 11] = [
    start("two blank disks", [Some(One), Some(Two)], &[MADE], Whole, &[]),
    start("disk 2 missing", [Some(One), None], &[MISSING], Half, &[]),
    start("disk 2 back", [Some(One), Some(Two)], &[BACK], Whole, &[]),
    start("a disk that holds something", [Some(One), Some(Foreign)], &[HOLDS], Half, &[Foreign]),
    start("a blank disk for it", [Some(One), Some(New)], &[ADDED], Whole, &[]),
    start("disk 1 missing", [None, Some(New)], &[MISSING], Half, &[]),
    start("places exchanged", [Some(New), Some(One)], &[BACK], Whole, &[]),
    start("the replaced disk again", [Some(New), Some(Two)], &[STALE, MOUNTED], Says, &[Two]),
    start("the other half alone", [Some(One), None], &[MISSING, MOUNTED], Says, &[]),
    start("halves that were both alone", [Some(One), Some(New)], &[SPLIT], Says, &[One, New]),
    start("first start with one disk", [Some(Four), None], &[NOT_MADE], Says, &[Four]),
];
/// The same of a machine without a TPM.
#[rustfmt::skip]
const STARTS_WITHOUT_TPM: [Start; 2] = [
    start("two blank disks, no TPM", [Some(Four), Some(Five)], &[MADE, IN_CLEAR], Says, &[]),
    start("halves of two arrays", [Some(New), Some(Four)], &[OTHERS], Says, &[New, Four]),
];

/// A machine that goes through all of it, and what it had at first.
struct Life<'r> {
    room: &'r Room,
    trial: Trial,
    vm: PathBuf,
    file: Option<String>,
}

/// # Errors
/// What did not hold, with what the machine said.
pub fn raid(room: &Room, made: &Made) -> Result<(), Problem> {
    let mut trial = prepare(room, &made.part("raw"))?;
    let vm = room.dir("vm")?;
    let script = vm.join("trial.smbios");
    trial::hand_over(SCRIPT, &script)?;
    trial.parts.trial = Some(script);
    for disk in Disk::ALL {
        blank(&vm.join(disk.file()), DISK_BYTES)?;
    }
    let foreign = vm.join(Foreign.file());
    let words = ["mkfs.vfat", "-n", "FOREIGN", &foreign.to_string_lossy()];
    tree::inside(room, &words, LIMIT).must("preparing a disk")?;
    let mut life = Life {
        room,
        trial,
        vm,
        file: None,
    };
    say::line("question | serves, says so after s | array at first > in the end | all of it s");
    for start in &STARTS {
        life.goes_through(start)?;
        life.trial.parts.stick = None;
    }
    life.trial.parts.tpm = None;
    for start in &STARTS_WITHOUT_TPM {
        life.goes_through(start)?;
    }
    Ok(())
}

impl Life<'_> {
    fn goes_through(&mut self, start: &Start) -> Result<(), Problem> {
        let hashes = || -> Result<Vec<String>, Problem> {
            let kept = start.kept.iter();
            kept.map(|disk| store::sha256(&self.vm.join(disk.file())))
                .collect()
        };
        let before = hashes()?;
        let log = format!(
            "console-raid-{}.log",
            start.question.replace([' ', ','], "-")
        );
        let parts = Parts {
            data: start
                .disks
                .map(|disk| disk.map(|disk| self.vm.join(disk.file()))),
            log: self.vm.join(log),
            ..self.trial.parts.clone()
        };
        let mut machine = Machine::start(self.room, &parts)?;
        if start.end != Says {
            self.file = Some(self.serves(&mut machine, start)?);
        }
        for words in start.says {
            machine.wait(words, SERVES_MAX, |machine| Ok(machine.shown(words)))?;
        }
        if start.end == Says {
            let second = machine.second();
            say::line(&format!("{} | {second:.0} | |", start.question));
        }
        machine.cut_off()?;
        must(
            hashes()? == before,
            "what is not ours is as it was",
            start.question,
        )?;
        if start.end == Whole {
            self.is_locked(start)?;
        }
        Ok(())
    }

    /// Serves, ends in this state, and has what it had: the file that is there from the first start on.
    fn serves(&self, machine: &mut Machine, start: &Start) -> Result<String, Problem> {
        let second = serves(self.room, machine, &self.trial)?;
        machine.wait("what was found", FOUND_MAX, |machine| {
            Ok(trial::has_ended(machine).then_some(()))
        })?;
        let told = |name: &str| trial::found(machine, name).unwrap_or_default();
        let (begun, ended) = (told("begun"), told("last"));
        let all = machine.shown("TRIAL last").unwrap_or_default();
        let question = start.question;
        say::line(&format!(
            "{question} | {second:.0} | {begun} > {ended} | {all:.0}"
        ));
        say::line(&format!(
            "  monitor: {} {}",
            told("monitor"),
            told("priorities")
        ));
        let state = if start.end == Whole {
            "0 idle"
        } else {
            "1 idle"
        };
        if start.end == Half {
            let monitor = told("monitor");
            must(monitor.contains("DegradedArray"), "mdadm tells", &monitor)?;
        }
        let below = told("below") + &told("mount");
        let has = |words: &[&str]| words.iter().all(|word| below.contains(word));
        let (file, audit, timers) = (told("file"), told("audit"), told("timers"));
        must(ended == state, state, &ended)?;
        must(audit == "well", "the access log is whole", &audit)?;
        must(has(&["crypt", "raid1", "disk"]), "RAID1, LUKS2", &below)?;
        must(
            has(&["volume", "xfs", "nosuid", "nodev", "noexec"]),
            "XFS",
            &below,
        )?;
        must(
            timers.contains("mdcheck_start.timer"),
            "a reading each month",
            &timers,
        )?;
        let first = self.file.as_ref().unwrap_or(&file);
        must(
            file.len() > 64 && file == *first,
            "the file is as it was",
            &file,
        )?;
        Ok(file)
    }

    fn is_locked(&self, start: &Start) -> Result<(), Problem> {
        for disk in start.disks.iter().flatten() {
            let clear = times(&self.vm.join(disk.file()), PLAIN)?;
            must(clear == 0, "no database lies on a disk in clear", clear)?;
        }
        Ok(())
    }
}
