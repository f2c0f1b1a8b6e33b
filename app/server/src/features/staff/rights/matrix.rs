//! The matrix: what each role may do today, and what is planned.

use askama::Template;
use store::StoreError;

use super::model::RoleRow;
use super::{store as sql, view};
use crate::features::staff::accounts::view as words;
use crate::web::{Answer, Permission, Rights, Role, Shell, Visit};

#[derive(Template)]
#[template(path = "features/staff/rights/matrix.html")]
struct MatrixPage {
    shell: Shell,
    day: String,
    roles: Vec<RoleHead>,
    groups: Vec<Group>,
    planned: Vec<PlannedWords>,
    may_change: bool,
}

struct RoleHead {
    code: &'static str,
    label: &'static str,
    people: usize,
}

struct Group {
    name: &'static str,
    lines: Vec<Line>,
}

struct Line {
    label: &'static str,
    cells: Vec<Cell>,
}

/// One cell: whether, and what comes.
struct Cell {
    role: &'static str,
    may: bool,
    planned: Option<String>,
}

/// A planned row.
pub(super) struct PlannedWords {
    pub(super) id: i64,
    pub(super) role: &'static str,
    pub(super) from: String,
    pub(super) step: String,
    pub(super) reason: String,
    pub(super) made: String,
}

pub(super) fn planned_words(row: &RoleRow) -> PlannedWords {
    PlannedWords {
        id: row.id.0,
        role: row.role.label(),
        from: words::day(row.starts_on),
        step: view::step(row.step),
        reason: row.made.reason.clone(),
        made: view::stamp(&row.made),
    }
}

pub(super) fn page(visit: &Visit) -> Answer {
    let today = visit.today();
    let (rows, holders, held) = visit.app.db().read(&visit.actor, |tx| {
        let held: Result<Vec<(Role, Rights)>, StoreError> = Role::ALL
            .iter()
            .map(|role| Ok((*role, view::held_by_role(tx, *role, today)?)))
            .collect();
        Ok::<_, StoreError>((sql::role_rows(tx)?, sql::holders(tx, today)?, held?))
    })?;
    let planned: Vec<&RoleRow> = rows.iter().filter(|row| row.starts_on > today).collect();
    let roles = Role::ALL.iter().map(|role| RoleHead {
        code: role.code(),
        label: role.label(),
        people: holders.iter().filter(|h| h.role == role.code()).count(),
    });
    visit.page(&MatrixPage {
        shell: Shell::new(visit, "権限").under(&[]),
        day: words::day(today),
        roles: roles.collect(),
        groups: groups(&held, &planned),
        planned: planned.iter().map(|row| planned_words(row)).collect(),
        may_change: visit.may(Permission::StaffAdminister),
    })
}

fn groups(held: &[(Role, Rights)], planned: &[&RoleRow]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for permission in Permission::grantable() {
        let line = Line {
            label: permission.label(),
            cells: held
                .iter()
                .map(|(role, rights)| cell(*role, permission, rights, planned))
                .collect(),
        };
        match groups
            .iter_mut()
            .find(|group| group.name == permission.group())
        {
            Some(group) => group.lines.push(line),
            None => groups.push(Group {
                name: permission.group(),
                lines: vec![line],
            }),
        }
    }
    groups
}

fn cell(role: Role, permission: Permission, rights: &Rights, planned: &[&RoleRow]) -> Cell {
    let next = planned
        .iter()
        .find(|row| row.role == role && row.step.permission == permission);
    let words = |row: &&RoleRow| {
        format!(
            "{}から{}",
            words::day(row.starts_on),
            view::may(row.step.granted)
        )
    };
    Cell {
        role: role.label(),
        may: rights.has(permission),
        planned: next.map(words),
    }
}
