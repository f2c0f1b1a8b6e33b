//! What is wrong with the hardware and the system area of the appliance, from one place for pages, console and probes.
//!
//! Shape: the kernel says how the array is ([`Array`]); what only root can ask lies as a small file in [`STATE_DIR`],
//! one for each matter, written by the units of the image and gone with the power. [`Machine::look`] joins them to
//! [`Condition`]s: a sentence each that says what to do.
//! Invariant: a file that is missing or bent is a condition too, never an error: whoever looks sees all the rest.
//! Source: docs/decisions/0050-condition-of-the-machine.md.

mod array;
mod smart;
#[cfg(test)]
mod tests;
mod versions;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use array::Array;
pub use versions::{Reading, readings, runs};

use crate::report::{Runbook, chain};
use crate::small_file;
use crate::update::Expected;

/// Below the root of the machine. In memory: what lies there holds until the machine is started anew.
pub const STATE_DIR: &str = "run/hokatsu-machine";
const ARRAY: &str = "array.json";
const NEXT: &str = "next.json";
const BLOCK: &str = "sys/class/block";
const DISK_A: &str = "PARTNAME=hokatsu-disk-a";

/// How bad it is, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// All is well.
    Sound,
    /// Nobody knows, or somebody may look when there is time.
    Unclear,
    /// Administrators have to know; nothing is broken.
    Notice,
    /// Something is broken, and somebody has to act.
    Bad,
}

impl Grade {
    /// As people read it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Sound => "正常",
            Self::Unclear => "不明",
            Self::Notice => "注意",
            Self::Bad => "異常",
        }
    }
}

/// How one matter of the machine stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// What it is about.
    pub matter: String,
    /// How bad it is.
    pub grade: Grade,
    /// What is the case and what to do.
    pub text: String,
    /// When that was seen; nothing: just now.
    pub at: Option<Timestamp>,
    /// Where the way out is written down.
    pub runbook: Option<Runbook>,
}

/// The appliance, as far as it can be known without being root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The version that runs.
    pub running: String,
    /// The version that should.
    pub expected: Option<String>,
    /// The version of the next start, when that is decided to be another one.
    pub next: Option<String>,
    /// The mirror of the data disks.
    pub array: Array,
    /// Disk A is plugged in.
    pub disk_a: bool,
    /// Each matter.
    pub conditions: Vec<Condition>,
}

/// Why the array was not begun or not completed, as the script of the image says.
#[derive(Debug, Default, Deserialize)]
struct Reasons {
    reasons: Vec<String>,
}

impl Machine {
    /// Looks at the machine below `root`, which runs this version; `update` says which one should.
    #[must_use]
    pub fn look(root: &Path, running: &str, update: &Path) -> Self {
        let mut conditions = Vec::new();
        let told = &mut conditions;
        let file = root.join(STATE_DIR).join(ARRAY);
        let reasons: Option<Reasons> = lenient(&file, "データディスクの記録", told);
        let expected: Option<Expected> = lenient(update, "装置の版の記録", told);
        let next: Option<Expected> = lenient(&next_file(root), "次に動く版の記録", told);
        let array = Array::look(root);
        let disk_a = has_disk_a(root);
        let mut all = vec![runs(running, expected.as_ref(), next.as_ref())];
        all.extend(versions::system_area(root, running, next.as_ref()));
        all.push(of_array(array, &reasons.unwrap_or_default().reasons));
        all.extend(smart::disks(root));
        all.push(of_disk_a(disk_a));
        all.extend(conditions);
        Self {
            running: running.to_owned(),
            expected: expected.map(|one| one.version),
            next: next.map(|one| one.version),
            array,
            disk_a,
            conditions: all,
        }
    }

    /// Is there nothing that somebody has to mend?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.conditions.iter().all(|one| one.grade != Grade::Bad)
    }

    /// What administrators must not overlook.
    pub fn alarms(&self) -> impl Iterator<Item = &Condition> {
        let all = self.conditions.iter();
        all.filter(|one| one.grade >= Grade::Notice)
    }
}

impl Condition {
    fn sound(matter: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            matter: matter.into(),
            grade: Grade::Sound,
            text: text.into(),
            at: None,
            runbook: None,
        }
    }

    fn graded(self, grade: Grade, runbook: Runbook) -> Self {
        let runbook = Some(runbook);
        Self {
            grade,
            runbook,
            ..self
        }
    }

    fn seen(self, at: Timestamp) -> Self {
        Self {
            at: Some(at),
            ..self
        }
    }
}

/// Where it is noted that the next start takes another version.
#[must_use]
pub fn next_file(root: &Path) -> PathBuf {
    root.join(STATE_DIR).join(NEXT)
}

/// What the file says. A bent one is a condition of its own.
fn lenient<T: DeserializeOwned>(
    file: &Path,
    matter: &str,
    conditions: &mut Vec<Condition>,
) -> Option<T> {
    small_file::read(file).unwrap_or_else(|error| {
        let text = format!(
            "{matter}を読めません（{}）。再起動しても同じなら、保守の会社に連絡してください。",
            chain(&error)
        );
        let one = Condition::sound(matter, text);
        conditions.push(one.graded(Grade::Unclear, Runbook::Console));
        None
    })
}

fn of_array(array: Array, reasons: &[String]) -> Condition {
    let condition = |text: String| Condition::sound("データディスク（2台の鏡）", text);
    let wrong = |grade, text: String| condition(text).graded(grade, Runbook::RaidDisk);
    let because = reasons.concat();
    match array {
        Array::Whole { mismatches: 0 } => condition("2台とも正常です。".to_owned()),
        Array::Whole { mismatches } => wrong(
            Grade::Unclear,
            format!(
                "2台とも動いています。月に一度の読み直しで、中身の違いが{mismatches}セクタありました。\
                 保守の会社に伝えてください。"
            ),
        ),
        Array::Checking { permille } => condition(format!(
            "2台とも正常です（月に一度の読み直し中{}）。",
            far(permille)
        )),
        Array::Resyncing { permille } => condition(format!(
            "2台とも動いています（中身をそろえています{}）。",
            far(permille)
        )),
        Array::Rebuilding { permille } => wrong(
            Grade::Notice,
            format!(
                "新しいディスクに写しています（1台だけで動作中{}）。終わるまで、どちらのディスクも\
                 抜かないでください。仕事は続けられます。",
                far(permille)
            ),
        ),
        Array::Degraded => wrong(
            Grade::Bad,
            format!(
                "1台だけで動いています。残った1台まで壊れると、装置の中の記録は失われます。\
                 替えのディスクを急いで用意してください。{because}"
            ),
        ),
        Array::Absent | Array::Inactive => wrong(
            Grade::Bad,
            format!("2台の鏡が動いていません。ディスクに触れず、手順書を見てください。{because}"),
        ),
        Array::Unreadable => wrong(
            Grade::Bad,
            "状態を読めません。再起動しても同じなら、保守の会社に連絡してください。".to_owned(),
        ),
    }
}

/// `、37.5 %`
fn far(permille: Option<u16>) -> String {
    permille.map_or_else(String::new, |parts| {
        format!("、{}.{} %", parts / 10, parts % 10)
    })
}

/// By the name of its partition: the service sees no device.
fn has_disk_a(root: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(root.join(BLOCK)) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let told = std::fs::read_to_string(entry.path().join("uevent"));
        told.is_ok_and(|text| text.lines().any(|line| line == DISK_A))
    })
}

/// That it is missing is told by whoever copies to it (`ship status`); here it is only seen.
fn of_disk_a(is_here: bool) -> Condition {
    if is_here {
        Condition::sound("ディスクA（外付け）", "つながっています。")
    } else {
        Condition::sound(
            "ディスクA（外付け）",
            "つながっていません。使う設定なら、つないでください。",
        )
        .graded(Grade::Unclear, Runbook::ShippingBehind)
    }
}
