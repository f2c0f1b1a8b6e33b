//! Assignments in words.

use jiff::civil::Date;
use store::{CentreId, Scope, StaffId};

use super::model::{Assignment, Line, Load, Part, Person, looks_after};
use crate::features::staff::rights::Holder;
pub(super) use crate::web::Choice;
use crate::web::Role;
use crate::web::days::{day_short, moment};

impl Choice {
    pub(super) fn new(value: impl Into<String>, label: impl Into<String>, typed: &str) -> Self {
        let value = value.into();
        Self {
            selected: value == typed,
            label: label.into(),
            value,
        }
    }
}

pub(super) fn person(person: &Person) -> (String, String) {
    let (name, kana) = (person.name.reveal(), person.kana.reveal());
    (name.to_owned(), kana.to_owned())
}

/// Who can be put in charge of people of a centre; of any, for the city.
pub(super) fn members(members: &[Holder], centre: Option<CentreId>, typed: &str) -> Vec<Choice> {
    let fits = |member: &&Holder| match centre {
        Some(centre) => looks_after(member, centre),
        None => member.scope != Scope::Nothing,
    };
    let known = members.iter().filter(fits).map(|member| {
        let role = Role::from_code(&member.role).map_or("", Role::label);
        let centre = member.centre.as_ref().map_or("市", |centre| &centre.name);
        let label = format!("{centre}　{}（{role}）", member.name);
        Choice::new(member.staff.to_string(), label, typed)
    });
    let first = Choice::new("", "選んでください", typed);
    std::iter::once(first).chain(known).collect()
}

pub(super) fn parts(typed: &str) -> Vec<Choice> {
    let all = Part::ALL.into_iter();
    all.map(|part| Choice::new(part.code(), part.label(), typed))
        .collect()
}

/// One row on the page of a person.
pub(super) struct AssignmentWords {
    pub(super) id: i64,
    pub(super) staff: String,
    pub(super) part: &'static str,
    pub(super) period: String,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    pub(super) ending: String,
    pub(super) is_open: bool,
}

fn period(from: Date, to: Option<Date>) -> String {
    let until = to.map_or_else(String::new, day_short);
    format!("{}～{until}", day_short(from))
}

pub(super) fn assignment(row: &Assignment, today: Date) -> AssignmentWords {
    let end = row.ending.as_ref().map(|ending| ending.ends_on);
    let (css, state) = match end {
        Some(end) if end < row.starts_on => ("", "取消し"),
        Some(end) if end < today => ("", "終了"),
        _ if row.starts_on > today => ("info", "予定"),
        Some(_) => ("warn", "終了予定"),
        None => ("ok", "担当中"),
    };
    AssignmentWords {
        id: row.id,
        staff: row.staff_name.clone(),
        part: row.part.label(),
        period: period(row.starts_on, end.filter(|end| *end >= row.starts_on)),
        reason: row.reason.reveal().to_owned(),
        by: format!("{} {}", moment(&row.at), row.by),
        css,
        state,
        ending: row.ending.as_ref().map_or_else(String::new, |ending| {
            let (at, why) = (moment(&ending.at), ending.reason.reveal());
            format!("{at} {}：{why}", ending.by)
        }),
        is_open: row.is_open(),
    }
}

/// One line of somebody's list.
pub(super) struct LineWords {
    pub(super) assignment: i64,
    pub(super) resident: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) about: String,
    pub(super) centre: String,
    pub(super) part: &'static str,
    pub(super) staff: String,
    pub(super) period: String,
    pub(super) last_record: String,
    pub(super) next_due: String,
    pub(super) is_overdue: bool,
    pub(super) selected: bool,
}

pub(super) fn line(line: &Line, today: Date) -> LineWords {
    let born = line.born_on.map_or_else(String::new, day_short);
    let gone = if line.is_living {
        ""
    } else {
        "　転出・死亡など"
    };
    let due = line.next_due_on;
    LineWords {
        assignment: line.assignment,
        resident: line.resident.0,
        name: line.name.reveal().to_owned(),
        kana: line.kana.reveal().to_owned(),
        about: format!("{born}生{gone}"),
        centre: line.centre_name.clone(),
        part: line.part.label(),
        staff: line.staff_name.clone(),
        period: period(line.starts_on, line.ends_on),
        last_record: line
            .last_record
            .map_or_else(|| "なし".to_owned(), day_short),
        next_due: due.map_or_else(String::new, day_short),
        is_overdue: due.is_some_and(|due| due < today),
        selected: true,
    }
}

/// Whose list: oneself first, then everybody who is in charge of somebody.
pub(super) fn whose(loads: &[Load], own: StaffId, typed: &str) -> Vec<Choice> {
    let mine = loads.iter().find(|load| load.staff == own);
    let count = mine.map_or(0, |load| load.count);
    let first = Choice::new(own.to_string(), format!("自分（{count}人）"), typed);
    let others = loads.iter().filter(|load| load.staff != own).map(|load| {
        let here = if load.is_here {
            ""
        } else {
            "、いまは所属なし"
        };
        let label = format!("{}（{}人{here}）", load.name, load.count);
        Choice::new(load.staff.to_string(), label, typed)
    });
    std::iter::once(first).chain(others).collect()
}

/// For a sentence to whoever sees the list that she stands in.
pub(super) fn name_of(line: &Line) -> &str {
    line.name.reveal()
}
