//! What disks say of themselves (SMART), as smartd tells it: a file for each disk and matter, the first of a disk when
//! its watch begins.
//!
//! Source: smartd.conf(5), `-M exec` (the words of `SMARTD_FAILTYPE`).

use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Condition, Grade, STATE_DIR, lenient};
use crate::report::Runbook;

const PREFIX: &str = "smart-";
/// smartd's word for "this disk is watched from now on".
const WATCHED: &str = "EmailTest";

#[derive(Debug, Deserialize)]
struct Told {
    /// Its place, or the kernel's name.
    disk: String,
    /// smartd's word.
    kind: String,
    at: Timestamp,
}

pub(super) fn disks(root: &Path) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let dir = root.join(STATE_DIR);
    let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(PREFIX) && name.ends_with(".json"))
        .collect();
    names.sort();
    let mut all: Vec<Told> = names
        .iter()
        .filter_map(|name| lenient(&dir.join(name), "ディスクの自己診断の記録", &mut conditions))
        .collect();
    let in_trouble: Vec<String> = all
        .iter()
        .filter(|told| told.kind != WATCHED)
        .map(|told| told.disk.clone())
        .collect();
    // That it is watched goes without saying when it has something to tell.
    all.retain(|told| told.kind != WATCHED || !in_trouble.contains(&told.disk));
    if all.is_empty() && conditions.is_empty() {
        let words = "自己診断（SMART）を見張れるディスクが、見つかっていません。";
        let one = Condition::sound("ディスクの自己診断", words);
        conditions.push(one.graded(Grade::Unclear, Runbook::SmartDisk));
    }
    conditions.extend(all.into_iter().map(of_disk));
    conditions
}

fn of_disk(told: Told) -> Condition {
    let matter = format!("ディスクの自己診断（{}）", place(&told.disk));
    if told.kind == WATCHED {
        let words = "見張っています。壊れる前ぶれは知らされていません。";
        return Condition::sound(matter, words).seen(told.at);
    }
    let (grade, words) = match told.kind.as_str() {
        "Health" | "Usage" => (
            Grade::Bad,
            "まもなく壊れると、ディスク自身が知らせています。新しいディスクを用意して、替えてください。",
        ),
        "SelfTest" => (
            Grade::Bad,
            "自己診断の試験に失敗しました。新しいディスクを用意して、替えてください。",
        ),
        "CurrentPendingSector" | "OfflineUncorrectableSector" => (
            Grade::Bad,
            "読めない場所があります。新しいディスクを用意して、替えてください。",
        ),
        "ErrorCount" => (
            Grade::Notice,
            "読み書きの誤りが増えています。ケーブルを確かめ、続くなら替えてください。",
        ),
        "Temperature" => (
            Grade::Notice,
            "熱くなりすぎています。装置の吸気口と、部屋の空調を確かめてください。",
        ),
        // What cannot be asked (Failed…), and words of later versions.
        _ => (
            Grade::Notice,
            "自己診断の結果を読めません。続くなら、保守の会社に連絡してください。",
        ),
    };
    let one = Condition::sound(matter, words).seen(told.at);
    one.graded(grade, Runbook::SmartDisk)
}

fn place(disk: &str) -> String {
    match disk {
        "data-1" => "データディスク1".to_owned(),
        "data-2" => "データディスク2".to_owned(),
        "disk-a" => "ディスクA".to_owned(),
        other => other.to_owned(),
    }
}
