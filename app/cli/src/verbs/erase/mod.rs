//! `erase`: the end of the contract. What is erased is decided on paper, done disk by disk, and proven.
//!
//! Shape: one file a verb; [`Desk`] holds what all of them need. None of them opens the database: where there
//! still is one, a note is left beside it (who, why, which item), and at the end there is none.

mod certificate;
mod plan;
mod record;
mod run;

use std::path::{Path, PathBuf};

use ::erase::{EraseError, Item, Plan, Record, Sealed};
use base::clock::{Clock, japanese_day};
use base::paths::{MODE_PRIVATE, PathError, create_private_dir, write_atomic};
use base::report::{Kind, Report, Runbook};
use base::wareki::Wareki;
use forms::{Fonts, Pdf};
use jiff::Timestamp;
use jiff::civil::Date;
use store::{DataDir, Operation, Operator};

pub(crate) use certificate::certificate;
pub(crate) use plan::plan;
pub(crate) use record::record;
pub(crate) use run::run;

use crate::arguments::WitnessArguments;
use crate::operator;
use crate::output::Voice;

/// Longest name or reason, characters.
const CHARS_MAX: usize = 200;
/// Of the hash, between two gaps on paper.
const GROUP_CHARS: usize = 8;

/// What every verb needs.
pub(crate) struct Desk<'a> {
    dir: DataDir,
    operator: Operator,
    voice: &'a Voice,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(dir: DataDir, operator: Operator, voice: &'a Voice) -> Self {
        Self {
            dir,
            operator,
            voice,
        }
    }

    fn now(&self) -> Timestamp {
        Clock::system().now()
    }

    /// An entry without content, where there is still a log.
    fn note(&self, what: &str) -> Result<(), Report> {
        let who = Some(self.operator.clone());
        operator::note(
            &self.dir,
            Operation::ConsoleUse,
            format!("erase {what}"),
            who,
        )
    }

    /// The plan, if it is the one of the paper that was agreed to.
    fn agreed(&self, path: &Path, sha256: Option<&str>) -> Result<Sealed, Report> {
        let sealed = Sealed::read(path).map_err(EraseError::report)?;
        let typed = match sha256 {
            Some(typed) => typed.to_owned(),
            None => self.typed(
                "承諾された申請書のSHA-256の、最初の8文字: ",
                "承諾された申請書のSHA-256を、--sha256 で指定してください。",
            )?,
        };
        if sealed.is_of(&typed) {
            return Ok(sealed);
        }
        let words = "この計画は、承諾された申請書のものではありません（SHA-256が違います）。作ったあとに書き換え\
                     られたか、別の計画です。何も消していません。";
        let report = Report::bare(Kind::CheckFailed).operator(words, Runbook::EndOfContract);
        Err(report.at(path))
    }

    /// Asks on a terminal; without one, says which option is missing.
    fn typed(&self, question: &str, missing: &str) -> Result<String, Report> {
        if self.voice.can_ask() {
            return self.voice.ask(question);
        }
        self.voice.say(missing);
        Err(Report::bare(Kind::Usage))
    }

    /// Who stood by, or why nobody did although the plan says so.
    fn witnessed(
        &self,
        item: &Item,
        asked: &WitnessArguments,
        record: &mut Record,
    ) -> Result<(), Report> {
        self.need_witness(item, asked)?;
        record.attendants.clone_from(&asked.attendant);
        record.unattended.clone_from(&asked.unattended);
        Ok(())
    }

    fn need_witness(&self, item: &Item, asked: &WitnessArguments) -> Result<(), Report> {
        let given = asked.attendant.iter().chain(asked.unattended.iter());
        for text in given {
            self.line(text, "--attendant と --unattended")?;
        }
        if item.attendants.is_empty() || !asked.attendant.is_empty() || asked.unattended.is_some() {
            return Ok(());
        }
        self.voice.say(&format!(
            "計画では {} が立ち会います。立ち会った人を --attendant 氏名 で、立会いがなければ理由を --unattended で\
             書いてください。",
            item.attendants.join("、")
        ));
        Err(Report::bare(Kind::Usage))
    }

    /// One line that a paper can hold.
    fn line(&self, text: &str, option: &str) -> Result<(), Report> {
        let trimmed = text.trim();
        let fits = !trimmed.is_empty()
            && trimmed.chars().count() <= CHARS_MAX
            && !trimmed.chars().any(char::is_control);
        if fits {
            return Ok(());
        }
        self.voice.say(&format!(
            "{option} は、空欄でない1行を {CHARS_MAX} 文字までで書いてください。"
        ));
        Err(Report::bare(Kind::Usage))
    }
}

/// Beside the plan, unless somewhere else is named.
fn records_dir(named: Option<&PathBuf>, plan: &Path) -> PathBuf {
    named.cloned().unwrap_or_else(|| {
        let beside = plan.parent().unwrap_or(Path::new(""));
        beside.join("records")
    })
}

fn fonts() -> Result<Fonts, Report> {
    Fonts::discover().map_err(|missing| {
        let words = format!("印刷用の書体がないので、書類を作れません。{missing}");
        Report::bare(Kind::Disk).operator(words, Runbook::EndOfContract)
    })
}

fn drawn(pdf: Result<Pdf, forms::FormError>) -> Result<Vec<u8>, Report> {
    let pdf = pdf.map_err(|error| Report::new(Kind::Fault, error))?;
    Ok(pdf.bytes)
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Report> {
    let path = dir.join(name);
    let written: Result<(), PathError> =
        create_private_dir(dir).and_then(|()| write_atomic(&path, bytes, MODE_PRIVATE));
    written.map_err(|error| EraseError::Files(error).report())?;
    Ok(path)
}

/// 令和9年3月31日.
fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::long)
}

fn day_of(at: Timestamp) -> String {
    day(japanese_day(at))
}

/// 4,000,787,030,016 バイト（4.0 TB）, as on the label of a disk.
fn size(bytes: u64) -> String {
    let digits = bytes.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} バイト（{}）", indicatif::DecimalBytes(bytes))
}

fn groups(sha256: &str) -> Vec<String> {
    let digits: Vec<char> = sha256.chars().collect();
    let groups = digits.chunks(GROUP_CHARS);
    groups.map(|group| group.iter().collect()).collect()
}

/// The plan's short name on papers and in file names.
fn numbered(plan: &Plan, number: u16) -> String {
    format!("{}-{number:03}", plan.id)
}
