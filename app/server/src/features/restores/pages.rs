//! What came back, and taking note of it.

use askama::Template;
use store::{Event, Operation, ReadTx, RecordKind, StoreError, params};

use super::kinds::Kind;
use crate::web::banner::moment;
use crate::web::{Answer, Problem, Shell, Visit, redirect};

/// The newest ones: a machine is rarely brought back twice.
const SHOWN_MAX: i64 = 20;

#[derive(Template)]
#[template(path = "features/restores/list.html")]
struct ListPage {
    shell: Shell,
    restores: Vec<Line>,
}

struct Line {
    id: i64,
    title: String,
    taken_at: String,
    at: String,
    source: String,
    kept: String,
    readable: bool,
    seen_by: Option<String>,
    items: Vec<Item>,
}

struct Item {
    label: &'static str,
    applied: i64,
    /// What is left to people, in words.
    left: String,
    href: &'static str,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let restores = visit.app.db().read(&visit.actor, lines)?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "復元の記録").under(&[]),
        restores,
    })
}

const RESTORES: &str = "
    select r.id, r.kind, r.taken_at, r.recorded_at, r.source, r.kept, s.name
    from restores r left join restore_acknowledgements a on a.restore_id = r.id
    left join staff s on s.id = a.staff_id
    order by r.id desc limit ?1";

fn lines(tx: &ReadTx<'_>) -> Result<Vec<Line>, StoreError> {
    let mut found = tx.all(RESTORES, params![SHOWN_MAX], |row| {
        let kind: String = row.get(1)?;
        let (taken_at, at): (String, String) = (row.get(2)?, row.get(3)?);
        let what = if kind == "undo" {
            "復元の取りやめ"
        } else {
            "復元"
        };
        Ok(Line {
            id: row.get(0)?,
            title: format!("{}の{what}", moment(&at)),
            taken_at: moment(&taken_at),
            at: moment(&at),
            source: row.get(4)?,
            kept: row.get(5)?,
            readable: true,
            seen_by: row.get(6)?,
            items: Vec::new(),
        })
    })?;
    for line in &mut found {
        let sql = "select kind, applied, left_over, readable from restore_items
            where restore_id = ?1";
        let stored: Vec<(String, i64, i64, bool)> = tx.all(sql, params![line.id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        line.readable = stored.iter().all(|(_, _, _, readable)| *readable);
        line.items = super::KINDS
            .iter()
            .filter_map(|kind| {
                let (code, applied, left, readable) =
                    stored.iter().find(|(code, ..)| code == kind.code)?;
                Some(item(Kind::of(code)?, (*applied, *left, *readable)))
            })
            .collect();
    }
    Ok(found)
}

fn item(kind: &'static Kind, (applied, left, readable): (i64, i64, bool)) -> Item {
    let left = match (left, readable) {
        (0, true) => String::new(),
        (0, false) => format!("{}。", kind.look_at),
        (left, _) => format!("{left}件：{}。", kind.look_at),
    };
    Item {
        label: kind.label,
        applied,
        left,
        href: kind.href,
    }
}

pub(super) fn acknowledge(visit: &Visit) -> Answer {
    let id: i64 = visit.param("id")?;
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let done = visit.app.db().write(&visit.actor, |tx| {
        let there = "select count(*) from restores where id = ?1";
        if tx.count(there, params![id])? == 0 {
            return Err(Problem::NotFound);
        }
        let sql = "insert into restore_acknowledgements (restore_id, staff_id, recorded_at)
            values (?1, ?2, ?3) on conflict (restore_id) do nothing";
        let done = tx.execute(sql, params![id, staff, now])? > 0;
        let event = Event::done(Operation::RestoreAcknowledge).on(RecordKind::Backup, id);
        Ok(tx.audited(event, done))
    })?;
    let key = if done { "confirmed" } else { "again" };
    Ok(redirect(&format!("/restores?done={key}")))
}
