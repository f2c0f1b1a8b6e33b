//! Faults × what is done at that moment, each with the outcome that is expected of it. The table is printed
//! and left as JSON in `target/faults`; a cell that comes out otherwise fails the suite.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

mod cells;
mod elsewhere;
mod real;
mod work;

use std::fmt::Write as _;

use faults::out_dir;
use serde::Serialize;

use crate::cells::{Cell, Trouble, cells};
use crate::work::Machine;

/// How a cell came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Came {
    /// The exit code of the command; for commits 0 when all were acknowledged and 3 when one was refused;
    /// for the shipper 0 when it follows and 3 when it stands.
    code: i32,
    /// Commits that were acknowledged and are not there.
    lost: i64,
    /// Something came back that was never written.
    wrong: bool,
    /// Once the fault is over the same goes well by itself.
    recovers: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    fault: String,
    at: String,
    during: String,
    expected: i32,
    came: Came,
    /// The disk acknowledged flushes that it did not perform: what it lost is on the other.
    by_lies: bool,
    /// What people were told, first line that matters.
    told: String,
    /// Why this is not what was expected; nothing when it is.
    differs: Option<String>,
}

fn row(machine: &mut Machine, cell: &Cell) -> Row {
    let before = machine.hits(cell.at);
    let (came, told) = machine.goes_through(cell);
    let mut differs = Vec::new();
    if matches!(cell.trouble, Trouble::Faults(_)) && machine.hits(cell.at) == before {
        differs.push("never struck".to_owned());
    }
    if came.code != cell.ends {
        differs.push(format!("ends with {}", came.code));
    }
    if !told.contains(cell.says) {
        differs.push(format!("does not say “{}”", cell.says));
    }
    if came.lost > cell.loses {
        differs.push(format!("loses {}", came.lost));
    }
    if came.wrong {
        differs.push("a wrong byte came back".to_owned());
    }
    if !came.recovers {
        differs.push("does not recover by itself".to_owned());
    }
    if told.contains("panicked") || told.contains("stack backtrace") {
        differs.push("shows a panic".to_owned());
    }
    if came.code == 3 && !told.contains(cell.at.named()) {
        differs.push(format!("does not name {}", cell.at.named()));
    }
    let differs = (!differs.is_empty()).then(|| format!("{}: {told}", differs.join(", ")));
    Row {
        fault: cell.fault.to_owned(),
        at: cell.at.words().to_owned(),
        during: cell.during.words().to_owned(),
        expected: cell.ends,
        came,
        by_lies: cell.loses > 0,
        told: told
            .lines()
            .find(|line| line.contains(cell.says))
            .unwrap_or_default()
            .to_owned(),
        differs,
    }
}

#[test]
fn every_fault_ends_as_the_table_says() {
    let mut machine = Machine::new();
    let mut rows = Vec::new();
    for cell in cells() {
        let row = row(&mut machine, &cell);
        println!("{}", line(&row));
        if let Some(told) = &row.differs {
            println!("    {told}");
        }
        rows.push(row);
    }
    machine.everything_is_there();
    let json = serde_json::to_vec_pretty(&rows).unwrap();
    let file = out_dir().join("table.json");
    base::paths::write_atomic(&file, &json, base::paths::MODE_PUBLIC).unwrap();
    let bad: Vec<&String> = rows.iter().filter_map(|row| row.differs.as_ref()).collect();
    let lost = |by_lies: bool| -> i64 {
        let of = rows.iter().filter(|row| row.by_lies == by_lies);
        of.map(|row| row.came.lost).sum()
    };
    let wrong = rows.iter().filter(|row| row.came.wrong).count();
    println!(
        "cells: {}, acknowledged and lost: {}, silent damage: {wrong}; from disks that lied, and whole on the \
         other: {}",
        rows.len(),
        lost(false),
        lost(true)
    );
    assert!(
        bad.is_empty(),
        "{} of {} cells:\n{bad:#?}",
        bad.len(),
        rows.len()
    );
    assert!(rows.len() >= 40, "{}", rows.len());
}

fn line(row: &Row) -> String {
    let mut line = String::new();
    let Came {
        code,
        lost,
        recovers,
        ..
    } = row.came;
    let ends = if row.differs.is_some() {
        "DIFFERS"
    } else {
        "as expected"
    };
    let how = if recovers {
        "recovers"
    } else {
        "does not recover"
    };
    write!(
        line,
        "{:<44} {:<22} {:<10} exit {code}, lost {lost}, {how}: {ends}",
        row.fault, row.at, row.during
    )
    .unwrap();
    line
}
