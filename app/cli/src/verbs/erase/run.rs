//! `erase run`: one disk of an agreed plan. Plan, show, the serial number typed, perform, record.

use std::cell::RefCell;
use std::path::Path;
use std::process::ExitCode;

use ::erase::{
    Device, Done, EraseError, Item, Medium, Outcome, Progress, Record, Sealed, Step, Unfinished,
    erase,
};
use base::clock::Clock;
use base::report::{Kind, Report, Runbook};
use serde::Serialize;

use super::{Desk, records_dir, size};
use crate::arguments::EraseRunArguments;
use crate::progress::Bar;

#[derive(Serialize)]
struct Ran<'a> {
    dry_run: bool,
    item: u16,
    device: &'a Path,
    record_file: Option<String>,
    record: Option<&'a Record>,
}

pub(crate) fn run(asked: &EraseRunArguments, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    let sealed = desk.agreed(&asked.plan, asked.sha256.as_deref())?;
    let item = sealed.item(asked.item).map_err(EraseError::report)?;
    let medium = Medium::of(item, asked.image).map_err(EraseError::report)?;
    let Some(device) = &item.device else {
        return Err(Report::bare(Kind::Fault));
    };
    desk.need_witness(item, &asked.witness)?;
    let dir = records_dir(asked.records.as_ref(), &asked.plan);
    show(&sealed, item, (&medium, device), &dir, desk)?;
    if asked.dry_run {
        desk.voice.result(&Ran {
            dry_run: true,
            item: item.number,
            device: medium.path(),
            record_file: None,
            record: None,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    serial_typed(asked.confirm.as_deref(), device, desk)?;
    desk.voice
        .confirm("元に戻せません。消去しますか。", asked.yes)?;
    let about = format!("計画＝{}／番号＝{}", sealed.plan.id, item.number);
    desk.note(&format!("run 開始／{about}"))?;

    let meter = Meter::new(desk);
    let done = erase(
        &medium,
        device,
        (&sealed, item.number),
        &dir,
        &Clock::system(),
        &meter,
    );
    meter.bar.borrow().done();
    let (measured, began_at) = done.map_err(EraseError::report)?;
    let outcome = measured.outcome.clone();
    let times = (began_at, desk.now());
    let of = (&sealed, item.number);
    let mut record = Record::new(of, &desk.operator.name, times, Done::Measured(measured));
    desk.witnessed(item, &asked.witness, &mut record)?;
    let file = record.write(&dir).map_err(EraseError::report)?;
    Unfinished::remove(&dir, item.number).map_err(EraseError::report)?;
    let word = match &outcome {
        Outcome::Erased => "消去を確認",
        Outcome::NotErased { .. } => "消去できず",
    };
    desk.note(&format!("run 終了／{about}／{word}"))?;
    desk.voice.result(&Ran {
        dry_run: false,
        item: item.number,
        device: medium.path(),
        record_file: Some(file.display().to_string()),
        record: Some(&record),
    })?;
    tell(&outcome, item, &file, desk)
}

fn show(
    sealed: &Sealed,
    item: &Item,
    (medium, device): (&Medium, &Device),
    dir: &Path,
    desk: &Desk<'_>,
) -> Result<(), Report> {
    let voice = desk.voice;
    voice.say(&format!(
        "計画 {} の番号 {}: {}（{}）",
        sealed.plan.id, item.number, item.medium, item.contents
    ));
    voice.say(&format!(
        "  装置 {}　{}　製造番号 {}　{}",
        medium.path().display(),
        device.model,
        device.serial,
        size(device.size_bytes)
    ));
    voice.say(&match medium.locked().len() {
        0 => "  1. 暗号化の鍵: 見えるところにはない".to_owned(),
        count => format!("  1. 暗号化の鍵をすべて破棄する（{count}か所）"),
    });
    voice.say("  2. 全体を0で上書きする");
    voice.say("  3. 全体を読み戻し、すべて0であることを確かめる");
    voice.say(&format!("  記録 {}", dir.display()));
    let begun = Unfinished::read(dir, item.number).map_err(EraseError::report)?;
    let begun = begun.filter(|one| one.goes_on(sealed, &device.serial, device.size_bytes));
    if let Some(begun) = begun {
        voice.say(&format!(
            "  前回の続きから上書きします（{}まで済み）。読み戻しは最初から行います。",
            size(begun.written_bytes)
        ));
    }
    Ok(())
}

/// The number on the label of the disk in somebody's hand, not the one on the screen.
fn serial_typed(given: Option<&str>, device: &Device, desk: &Desk<'_>) -> Result<(), Report> {
    let typed = match given {
        Some(typed) => typed.to_owned(),
        None => desk.typed(
            "装置のラベルの製造番号: ",
            "消す装置の製造番号を、--confirm で指定してください。",
        )?,
    };
    if typed.trim() == device.serial {
        return Ok(());
    }
    let words = "入力された製造番号が、計画の装置と違います。何も消していません。";
    Err(Report::bare(Kind::Usage).operator(words, Runbook::EndOfContract))
}

fn tell(outcome: &Outcome, item: &Item, file: &Path, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    match outcome {
        Outcome::Erased => {
            desk.voice.say(&format!(
                "番号 {}（{}）を消去し、全体が0であることを確かめました。記録 {}",
                item.number,
                item.medium,
                file.display()
            ));
            Ok(ExitCode::SUCCESS)
        }
        Outcome::NotErased { step, at_byte, .. } => {
            let doing = if step == "verify" {
                "読み戻し"
            } else {
                "上書き"
            };
            let words = format!(
                "番号 {}（{}）は消去できていません。{doing}が {} のところで失敗しました。この装置を外に出さず、\
                 物理的に破壊し、hokatsu erase record で記録してください。",
                item.number,
                item.medium,
                size(*at_byte)
            );
            let report = Report::bare(Kind::CheckFailed);
            Err(report.operator(words, Runbook::EndOfContract).at(file))
        }
    }
}

/// Tells how far it is.
struct Meter {
    bar: RefCell<Bar>,
}

impl Meter {
    fn new(desk: &Desk<'_>) -> Self {
        Self {
            bar: RefCell::new(Bar::bytes(desk.voice)),
        }
    }
}

impl Progress for Meter {
    fn at(&self, step: Step, from: u64, done: u64, total: u64) {
        let step = match step {
            Step::Overwrite => "上書きしています",
            Step::Verify => "読み戻しています",
        };
        self.bar.borrow_mut().moved(step, (from, done, total));
    }
}
