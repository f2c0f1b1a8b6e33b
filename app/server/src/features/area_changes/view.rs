//! Plans in words.

use jiff::civil::Date;

use super::model::{Area, Centre, Change, Counts, Move, State};
pub(super) use crate::web::Choice;
use crate::web::Fields;
use crate::web::days::{day_long, day_short, moment};

/// The areas, one group for each centre.
pub(super) struct Group {
    pub(super) centre: String,
    pub(super) areas: Vec<Choice>,
}

pub(super) fn groups(areas: &[Area], typed: &Fields) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for area in areas {
        let planned = area
            .planned
            .map(|(_, on)| format!("（{}から予定あり）", day_short(on)));
        let choice = Choice {
            value: area.code.clone(),
            label: format!("{}{}", area.name, planned.unwrap_or_default()),
            selected: typed.all("area").any(|code| code == area.code),
        };
        match groups
            .last_mut()
            .filter(|group| group.centre == area.centre_name)
        {
            Some(group) => group.areas.push(choice),
            None => groups.push(Group {
                centre: area.centre_name.clone(),
                areas: vec![choice],
            }),
        }
    }
    groups
}

pub(super) fn centres(centres: &[Centre], typed: &Fields) -> Vec<Choice> {
    let first = Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: false,
    };
    let known = centres.iter().map(|centre| Choice {
        value: centre.id.to_string(),
        label: centre.name.clone(),
        selected: typed.trimmed("to") == centre.id.to_string(),
    });
    std::iter::once(first).chain(known).collect()
}

/// Numbers in words, one row of a table.
pub(super) struct Row {
    pub(super) area: String,
    pub(super) from: String,
    pub(super) counts: Counts,
}

pub(super) fn rows(moves: &[Move]) -> Vec<Row> {
    let row = |one: &Move| Row {
        area: one.area.clone(),
        from: one.from.clone(),
        counts: one.counts,
    };
    moves.iter().map(row).collect()
}

/// A plan in the list and on its page.
pub(super) struct ChangeWords {
    pub(super) id: i64,
    pub(super) areas: String,
    pub(super) to: String,
    pub(super) on: String,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) at: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    pub(super) what: String,
    pub(super) applied: Option<Counts>,
}

pub(super) fn change(change: &Change, today: Date) -> ChangeWords {
    let names: Vec<&str> = change.areas.iter().map(|(_, name)| name.as_str()).collect();
    let (css, state, what, applied) = match &change.state {
        State::Planned if change.on <= today => ("warn", "まもなく切替え", String::new(), None),
        State::Planned => ("info", "予定", String::new(), None),
        State::Withdrawn { by, at, reason } => {
            let what = format!("{} {by}：{reason}", moment(at));
            ("", "取りやめ", what, None)
        }
        State::Applied { at, counts } => ("ok", "切替え済み", moment(at), Some(*counts)),
    };
    ChangeWords {
        id: change.id,
        areas: names.join("、"),
        to: change.to_name.clone(),
        on: day_long(change.on),
        reason: change.reason.clone(),
        by: change.by.clone(),
        at: moment(&change.at),
        css,
        state,
        what,
        applied,
    }
}
