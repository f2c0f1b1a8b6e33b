//! The versions on the system disk: which one runs and should, and whether every block of each is as it was made.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, Grade, STATE_DIR, lenient};
use crate::report::Runbook;
use crate::small_file::{self, SmallFileError};
use crate::update::{Expected, Why};

const SLOTS: &str = "slots.json";

/// What the last reading of all blocks of a version found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Each is as it was made.
    pub sound: bool,
    /// When it ended.
    pub at: Timestamp,
}

/// By version; nothing before the first reading since the machine was started.
///
/// # Errors
/// As [`small_file::read`].
pub fn readings(root: &Path) -> Result<BTreeMap<String, Reading>, SmallFileError> {
    Ok(small_file::read(&root.join(STATE_DIR).join(SLOTS))?.unwrap_or_default())
}

/// Which version runs, should run, and is to run from the next start on.
#[must_use]
pub fn runs(running: &str, expected: Option<&Expected>, next: Option<&Expected>) -> Condition {
    let notice = |text: String| {
        let one = Condition::sound("装置の版", text);
        one.graded(Grade::Notice, Runbook::Update)
    };
    if let Some(next) = next.filter(|next| next.version != running) {
        return notice(format!(
            "次の起動から版 {} で動きます（今は版 {running}）。職員が使わない時間に、装置を再起動してください。",
            next.version
        ));
    }
    let Some(expected) = expected else {
        return Condition::sound("装置の版", format!("版 {running} で動いています。"));
    };
    let (version, before) = (&expected.version, &expected.before);
    match (version == running, expected.why) {
        (true, Why::Bent) => notice(format!(
            "版 {before} の中身が壊れていたため、版 {running} で動いています。記録は無事です。\
             新しい版の更新を、早めに入れてください。"
        )),
        (true, Why::Update | Why::Operator) => {
            Condition::sound("装置の版", format!("版 {running} で動いています。"))
        }
        (false, Why::Update) => notice(format!(
            "装置の更新（版 {version}）は起動できず、前の版 {running} で動いています。記録は無事です。\
             保守の会社に連絡してください。"
        )),
        (false, Why::Operator | Why::Bent) => notice(format!(
            "版 {version} に替えましたが起動できず、版 {running} で動いています。記録は無事です。\
             保守の会社に連絡してください。"
        )),
    }
}

pub(super) fn system_area(root: &Path, running: &str, next: Option<&Expected>) -> Vec<Condition> {
    let next = next.filter(|next| next.version != running);
    let mut conditions = Vec::new();
    let file = root.join(STATE_DIR).join(SLOTS);
    let read: Option<BTreeMap<String, Reading>> =
        lenient(&file, "システム領域の記録", &mut conditions);
    let mut read = read.unwrap_or_default();
    // What an update was written over since is not there any more.
    read.retain(|version, _| version == running || next.is_none_or(|one| one.version == *version));
    if !read.contains_key(running) {
        let words = "まだ全部を読んでいません。起動の1時間後と、その後7日ごとに読んで確かめます。";
        let one = Condition::sound(format!("システム領域（版 {running}）"), words);
        conditions.push(Condition {
            grade: Grade::Unclear,
            ..one
        });
    }
    let each = read.iter();
    conditions.extend(each.map(|(version, reading)| of_version(version, *reading, running, next)));
    conditions
}

fn of_version(
    version: &str,
    reading: Reading,
    running: &str,
    next: Option<&Expected>,
) -> Condition {
    let condition = |text: String| {
        Condition::sound(format!("システム領域（版 {version}）"), text).seen(reading.at)
    };
    if reading.sound {
        return condition("全部を読み、壊れていないことを確かめました。".to_owned());
    }
    let text = if version != running {
        format!(
            "動いていない版 {version} の中身が壊れています。今の版 {running} は、そのまま使えます。\
             戻る先がないので、新しい版の更新を早めに入れてください。"
        )
    } else if let Some(next) = next {
        format!(
            "動いている版 {version} の中身が壊れています。記録は無事です。次の起動から版 {} で動きます。",
            next.version
        )
    } else {
        format!(
            "動いている版 {version} の中身が壊れています。記録は無事です。代わりに動かせる版がありません。\
             電源を切らずに、保守の会社に連絡してください。"
        )
    };
    condition(text).graded(Grade::Bad, Runbook::Update)
}
