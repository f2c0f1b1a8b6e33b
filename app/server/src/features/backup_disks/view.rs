//! Disks → words.

use std::collections::BTreeMap;

use base::clock::japanese_day;
use base::disks::{Disk, Disks, How, Plugged, State};
use base::wareki::Wareki;
use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::features::carried_out::Out;
use crate::web::banner::moment;

/// Enough of a disk's number to tell two apart.
const NUMBER_CHARS: usize = 8;

/// One disk.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) number: String,
    pub(super) css: &'static str,
    pub(super) state: String,
    pub(super) saved: String,
    pub(super) place: String,
    /// The entry of the register.
    pub(super) entry: Option<i64>,
    pub(super) due: String,
    pub(super) is_overdue: bool,
}

/// The line on paper.
pub(super) fn cells(line: Line) -> Vec<String> {
    let due = if line.is_overdue {
        format!("期限切れ {}", line.due)
    } else {
        line.due
    };
    let entry = line
        .entry
        .map_or_else(String::new, |id| format!("番号 {id}"));
    vec![
        line.name,
        line.number,
        line.state,
        line.saved,
        line.place,
        due,
        entry,
    ]
}

/// Which disk is to be brought, and until when.
pub(super) struct Next {
    pub(super) name: String,
    pub(super) until: String,
    pub(super) is_late: bool,
}

/// Those that take part first.
pub(super) fn lines(
    disks: &Disks,
    here: &BTreeMap<String, Plugged>,
    out: &BTreeMap<String, Out>,
    today: Date,
) -> Vec<Line> {
    let active = disks.active();
    let ended = disks.disks.iter().filter(|disk| disk.ended.is_some());
    let all = active.chain(ended);
    let plugged = |disk: &Disk| {
        let mut all = here.values();
        all.find(|one| one.name.as_deref() == Some(&disk.name))
    };
    all.map(|disk| line(disk, plugged(disk), out.get(&disk.name), today))
        .collect()
}

fn line(disk: &Disk, plugged: Option<&Plugged>, out: Option<&Out>, today: Date) -> Line {
    // An entry of the same name may be that of the disk that took its place.
    let is_active = disk.ended.is_none();
    let plugged = plugged.filter(|_| is_active);
    let out = out.filter(|_| is_active);
    let (css, state) = state(disk, plugged, out);
    let saved = disk.saved.as_ref();
    Line {
        name: disk.name.clone(),
        number: disk.uuid.chars().take(NUMBER_CHARS).collect(),
        css,
        state,
        saved: saved.map_or_else(
            || "まだない".to_owned(),
            |saved| moment(&saved.at.to_string()),
        ),
        place: place(disk, plugged, out),
        entry: out.map(|out| out.id.0),
        due: out.and_then(|out| out.due_on).map_or_else(String::new, day),
        is_overdue: out
            .and_then(|out| out.due_on)
            .is_some_and(|due| due < today),
    }
}

fn state(disk: &Disk, plugged: Option<&Plugged>, out: Option<&Out>) -> (&'static str, String) {
    if let Some(ended) = disk.ended {
        let at = moment(&ended.at.to_string());
        return match ended.how {
            How::Released => ("", format!("使用終了（{at}）")),
            How::Lost => ("error", format!("紛失（{at}）")),
        };
    }
    let (css, words) = match plugged.map(|plugged| plugged.state) {
        Some(State::Working) => ("warn", "控えを取っています（抜かない）"),
        Some(State::Free) => ("ok", "取り外してよい"),
        Some(State::Refused) => ("error", "控えを取れませんでした"),
        None if disk.saved.is_none() => ("warn", "控えがまだない"),
        None if is_away(disk, out) => ("ok", "持出し中"),
        None => ("warn", "建物の中"),
    };
    (css, words.to_owned())
}

/// Unplugged since its last visit, and nobody has entered that it came back.
fn is_away(disk: &Disk, out: Option<&Out>) -> bool {
    disk.left_at.is_some() && out.is_some()
}

fn place(disk: &Disk, plugged: Option<&Plugged>, out: Option<&Out>) -> String {
    match (disk.ended, plugged, out) {
        (Some(ended), ..) => match ended.how {
            How::Released => String::new(),
            How::Lost => "分からない".to_owned(),
        },
        (None, Some(_), _) => "装置につながっている".to_owned(),
        (None, None, Some(out)) if is_away(disk, Some(out)) => {
            format!("{}（{}）", out.destination, out.carried_by)
        }
        (None, None, _) => "建物の中".to_owned(),
    }
}

/// The one whose backup is oldest; due so many days after the youngest of all.
pub(super) fn next(disks: &Disks, days_max: u16, today: Date) -> Option<Next> {
    let saved = |disk: &Disk| disk.saved.as_ref().map(|saved| saved.at);
    let next = disks.active().min_by_key(|disk| saved(disk))?;
    let last = disks.active().filter_map(saved).max();
    let from = japanese_day(last.unwrap_or(next.enrolled_at));
    let until = from.saturating_add(i64::from(days_max).days());
    Some(Next {
        name: next.name.clone(),
        until: day(until),
        is_late: until < today,
    })
}

fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}
