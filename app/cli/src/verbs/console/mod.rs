//! `console`: what an operator does at the screen and keyboard of the appliance, by numbers.
//!
//! Shape: [`machine`] looks what state the machine is in, [`acts`] does what was chosen. It does it by the verbs
//! that a command line has, each a process of its own: one that dies leaves the menu alone.
//! Invariant: whoever stands there sees no resident, and gets nothing opened that this machine does not open by
//! itself, but by the words of a recovery sheet.
//! Source: docs/decisions/0041-operator-console.md.

mod acts;
mod clock;
mod exchange;
mod machine;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use base::report::{Kind, Report};
pub(super) use machine::is_active;
use machine::{Machine, Stage};

use crate::output::Voice;

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Look,
    Stick,
    Exchange,
    Serve,
    Restore,
    Undo,
    Refill,
    Unlock,
    Sheet,
    Prove,
    Journal,
    Update,
    Rollback,
    PowerOff,
    Reboot,
    Outage,
    Runbooks,
    Signatures,
}

impl Act {
    fn words(self) -> &'static str {
        match self {
            Self::Look => "状態をくわしく見る",
            Self::Stick => "USBメモリの site.toml を確かめる",
            Self::Exchange => "データディスクの交換（新しいディスクをアレイに入れる）",
            Self::Serve => "サービスを始める",
            Self::Restore => "バックアップから、前の状態に戻す",
            Self::Undo => "戻したのを取り消す",
            Self::Refill => "前の装置の記録を、ディスクAから戻す（復旧シートが要ります）",
            Self::Unlock => "データ領域を、復旧シートのことばで開く",
            Self::Sheet => "復旧シートを作る（紙に書き写す）",
            Self::Prove => "復旧シートのことばを確かめる",
            Self::Journal => "警告とエラーの記録を見る",
            Self::Update => "装置を新しい版にする（USBメモリから）",
            Self::Rollback => "前の版に戻す",
            Self::PowerOff => "電源を切る",
            Self::Reboot => "再起動する",
            Self::Outage => "停電の訓練をする（全員の画面に【訓練】と出るだけ）",
            Self::Runbooks => "手順書を読む",
            Self::Signatures => "ウイルス定義を新しくする（USBメモリから）",
        }
    }
}

/// What makes sense in this state; the same number never means another deed within one.
fn offered(stage: Stage) -> &'static [Act] {
    match stage {
        Stage::NoVolume => &[
            Act::Look,
            Act::Stick,
            Act::Journal,
            Act::PowerOff,
            Act::Reboot,
            Act::Runbooks,
        ],
        Stage::Locked => &[
            Act::Look,
            Act::Unlock,
            Act::Journal,
            Act::PowerOff,
            Act::Reboot,
            Act::Runbooks,
        ],
        Stage::Empty | Stage::Unsettled => &[
            Act::Look,
            Act::Stick,
            Act::Refill,
            Act::Journal,
            Act::PowerOff,
            Act::Reboot,
            Act::Runbooks,
        ],
        Stage::Used => &[
            Act::Look,
            Act::Restore,
            Act::Undo,
            Act::Sheet,
            Act::Prove,
            Act::Journal,
            Act::Serve,
            Act::Update,
            Act::Rollback,
            Act::Exchange,
            Act::PowerOff,
            Act::Reboot,
            Act::Outage,
            Act::Runbooks,
            Act::Signatures,
        ],
    }
}

/// Shows the menu again and again; ends when nobody can answer any more.
pub(crate) fn run(voice: &Voice) -> Result<ExitCode, Report> {
    let machine = Machine::here();
    if !machine.is_appliance() {
        voice.say(
            "この命令は、装置の画面とキーボードのためのものです。この機械は装置ではありません。",
        );
        return Err(Report::bare(Kind::Usage));
    }
    loop {
        let stage = machine.stage();
        show(&machine, stage, voice);
        let answer = voice.ask("番号（表示を新しくするときは Enter だけ）: ")?;
        if answer.is_empty() {
            continue;
        }
        let chosen = answer.parse::<usize>().ok();
        let chosen = chosen.and_then(|number| offered(stage).get(number.checked_sub(1)?));
        let Some(act) = chosen else {
            voice.say("一覧にある番号を、半角の数字で打ってください。");
            continue;
        };
        // A state may have changed while the menu stood there.
        if machine.stage() != stage {
            voice.say("装置の状態が変わりました。もう一度選んでください。");
            continue;
        }
        if let Err(report) = acts::perform(*act, &machine, voice) {
            voice.report(&report);
        }
        voice.ask("Enter を押すと、メニューに戻ります。")?;
    }
}

fn show(machine: &Machine, stage: Stage, voice: &Voice) {
    // Words of a sheet that were typed go with it.
    voice.clear();
    voice.say("地域包括支援システム　装置の操作\n");
    for line in machine.standing(stage) {
        voice.say(&format!("  {line}"));
    }
    voice.say("");
    for (act, number) in offered(stage).iter().zip(1..) {
        voice.say(&format!("{number:>3}  {}", act.words()));
    }
    voice.say("");
}
