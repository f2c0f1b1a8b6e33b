//! The page: what the machine knows of its disks beside what the register says.

use std::collections::BTreeMap;

use askama::Template;
use base::disks::{Disks, Here, Plugged};
use base::small_file::SmallFileError;
use store::{Event, Operation, ReadTx, StoreError};

use super::view::{self, Line, Next};
use crate::features::carried_out::{Out, disk_out};
use crate::web::printing::{self, Sheet};
use crate::web::{Answer, Problem, Shell, Visit, redirect};

#[derive(Template)]
#[template(path = "features/backup_disks/list.html")]
struct ListPage {
    shell: Shell,
    lines: Vec<Line>,
    /// Which disk comes next; nothing when none takes part.
    next: Option<Next>,
    /// The list of disks cannot be read.
    unreadable: bool,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let known = known(visit);
    let unreadable = known.is_err();
    let (disks, here) = known.unwrap_or_else(|error| {
        log::error!("the list of backup disks cannot be read: {error}");
        Default::default()
    });
    let (lines, next) = shown(visit, &disks, &here)?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "バックアップディスク").under(&[]),
        lines,
        next,
        unreadable,
    })
}

/// The same on paper, for the folder beside the safe. A list that cannot be read is not printed as an empty one:
/// the page says so.
pub(super) fn print(visit: &Visit) -> Answer {
    let Ok((disks, here)) = known(visit) else {
        return Ok(redirect(super::PAGE));
    };
    let (lines, next) = shown(visit, &disks, &here)?;
    let count = lines.len();
    let next = next.map(|next| {
        let late = if next.is_late {
            "（過ぎています）"
        } else {
            ""
        };
        format!(
            "次につなぐのは「{}」です。{}までにつないでください{late}。",
            next.name, next.until
        )
    });
    let pdf = printing::draw(
        visit,
        Sheet {
            title: "バックアップディスク",
            subtitle: format!("{count}台"),
            identity: "backup-disks".to_owned(),
            columns: vec![
                ("ディスク", 4),
                ("番号", 4),
                ("状態", 6),
                ("最後の控え", 5),
                ("ある場所", 7),
                ("戻る期限", 4),
                ("持出し台帳", 3),
            ],
            rows: lines.into_iter().map(view::cells).collect(),
            notes: next
                .into_iter()
                .chain(["1台はいつも建物の外にあるようにします。".to_owned()])
                .collect(),
        },
    )?;
    let event =
        Event::done(Operation::CarriedOutPrint).detail(format!("backup-disks rows={count}"));
    visit
        .app
        .db()
        .view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    Ok(printing::shown("backup-disks.pdf", pdf))
}

fn shown(
    visit: &Visit,
    disks: &Disks,
    here: &BTreeMap<String, Plugged>,
) -> Result<(Vec<Line>, Option<Next>), Problem> {
    let out = visit.app.db().read(&visit.actor, |tx| out(tx, disks))?;
    let days = visit.app.settings().rotate_days_max;
    let today = visit.today();
    let lines = view::lines(disks, here, &out, today);
    Ok((lines, view::next(disks, days, today)))
}

fn known(visit: &Visit) -> Result<(Disks, BTreeMap<String, Plugged>), SmallFileError> {
    let dir = visit.app.db().dir();
    let disks = Disks::read(&dir.backup_disks())?;
    Ok((disks, Here::read(&dir.disks_here())?))
}

/// By name: the entries of the register that nobody has ended.
fn out(tx: &ReadTx<'_>, disks: &Disks) -> Result<BTreeMap<String, Out>, StoreError> {
    let mut found = BTreeMap::new();
    for disk in disks.disks.iter() {
        if let Some(out) = disk_out(tx, &disk.name)? {
            found.insert(disk.name.clone(), out);
        }
    }
    Ok(found)
}
