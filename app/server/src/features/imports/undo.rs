//! Takes the last import run back: what it changed is as before, what it brought is gone.

use store::{
    Actor, Db, Event, Operation, RecordKind, ResidentId, StoreError, SystemReason, WriteTx, params,
};

use super::error::ImportError;
use super::index;
use super::model::{Feed, Undone};
use super::tables::{self, Table};
use crate::features::transfers;

/// Takes back the last run that was not taken back yet: all files that were applied together.
///
/// Shape: the entries in `imports`, the changes of people who stay and the conflicts remain as
/// history; `import_undos` says that they hold no more.
/// # Errors
/// [`ImportError::NothingToUndo`]; [`ImportError::InUse`] when staff wrote something about a
/// person or a record that only this import brought. Then nothing was taken back.
pub fn undo(db: &Db, actor: &Actor) -> Result<Undone, ImportError> {
    let now = format!("{:.6}", db.clock().now());
    db.system(actor, SystemReason::ImportUndo, |tx| {
        let run = last_run(tx)?;
        let mut undone = Undone {
            imports: Vec::new(),
            restored: 0,
            removed: 0,
        };
        let mut events = Vec::new();
        for (import, _) in &run {
            refuse_when_used(tx, *import)?;
        }
        // Children first: what refers goes before what is referred to.
        for (import, feed) in run.iter().rev() {
            match feed.and_then(tables::table) {
                Some(table) => {
                    rows(tx, *import, table, &mut undone)?;
                    let today = db.clock().today();
                    transfers::take_back(tx, *import, today, (actor.staff_id, &now))?;
                }
                None => consultations(tx, *import, &mut undone)?,
            }
            tx.execute(
                "insert into import_undos (import_id, undone_by, recorded_at) values (?, ?, ?)",
                params![import, actor.staff_id, now],
            )?;
            undone.imports.push(*import);
            events.push(Event::done(Operation::ImportUndo).on(RecordKind::Import, *import));
        }
        if events.is_empty() {
            return Err(ImportError::NothingToUndo);
        }
        let first = events.remove(0).detail(format!(
            "restored={} removed={}",
            undone.restored, undone.removed
        ));
        Ok(tx.audited_all(first, events, undone))
    })
}

const LAST: &str = "select id, feed from imports where applied_at =
      (select max(i.applied_at) from imports i
       where not exists (select 1 from import_undos u where u.import_id = i.id))
    and not exists (select 1 from import_undos u where u.import_id = imports.id) order by id";

fn last_run(tx: &WriteTx<'_>) -> Result<Vec<(i64, Option<Feed>)>, StoreError> {
    tx.all(LAST, [], |row| {
        Ok((row.get(0)?, Feed::from_code(&row.get::<_, String>(1)?)))
    })
}

/// Records of staff about residents that this import brought.
const ABOUT_NEW: &str = "with brought as (select record_id as id from resident_changes
      where import_id = ?1 and feed = 'residents' and kind = 'new')
    select (select count(*) from consultation_clients k
            join consultations c on c.id = k.consultation_id
            where k.resident_id in (select id from brought)
              and not (c.created_by is null and k.staff_id is null))
         + (select count(*) from resident_corrections where resident_id in (select id from brought))
         + (select count(*) from centre_transfers where resident_id in (select id from brought))
         + (select count(*) from assignments where resident_id in (select id from brought))
         + (select count(*) from case_grants where resident_id in (select id from brought))
         + (select count(*) from shields where resident_id in (select id from brought))
         + (select count(*) from shield_grants where resident_id in (select id from brought))
         + (select count(*) from exclusions where resident_id in (select id from brought))
         + (select count(*) from resident_changes where resident_id in (select id from brought)
              and kind <> 'new')";
/// Records of staff on consultations that this import brought.
const ON_HISTORY: &str = "with brought as (select id from consultations
      where created_by is null and submission glob ?1)
    select (select count(*) from consultation_versions where version > 1
              and consultation_id in (select id from brought))
         + (select count(*) from consultation_withdrawals
            where consultation_id in (select id from brought))
         + (select count(*) from consultation_follow_ups
            where consultation_id in (select id from brought))
         + (select count(*) from consultation_clients where staff_id is not null
              and consultation_id in (select id from brought))";

fn glob(import: i64) -> String {
    super::history::submission(import, "*")
}

fn refuse_when_used(tx: &WriteTx<'_>, import: i64) -> Result<(), ImportError> {
    let records =
        tx.count(ABOUT_NEW, params![import])? + tx.count(ON_HISTORY, params![glob(import)])?;
    if records > 0 {
        Err(ImportError::InUse { records })
    } else {
        Ok(())
    }
}

fn rows(
    tx: &WriteTx<'_>,
    import: i64,
    table: &Table,
    undone: &mut Undone,
) -> Result<(), StoreError> {
    let changes = tx.all(
        "select record_id, before from resident_changes where import_id = ?1 order by id desc",
        params![import],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?)),
    )?;
    tx.batch(&tables::restore(table), |batch| {
        for (id, before) in changes.iter().filter(|(_, before)| before.is_some()) {
            batch.insert(params![before, id])?;
        }
        Ok::<_, StoreError>(())
    })?;
    tx.execute(
        "delete from resident_changes where import_id = ?1 and kind = 'new'",
        params![import],
    )?;
    let residents = table.name == "residents";
    let mut statements = vec![format!("delete from {} where id = ?1", table.name)];
    if residents {
        statements.insert(
            0,
            "delete from resident_names where resident_id = ?1".to_owned(),
        );
        statements.insert(
            0,
            "delete from resident_places where resident_id = ?1".to_owned(),
        );
    }
    for sql in statements {
        tx.batch(&sql, |batch| {
            for (id, _) in changes.iter().filter(|(_, before)| before.is_none()) {
                batch.insert(params![id])?;
            }
            Ok::<_, StoreError>(())
        })?;
    }
    for (id, before) in &changes {
        if before.is_none() {
            undone.removed += 1;
        } else {
            undone.restored += 1;
            if residents {
                index::reindex(tx, ResidentId(*id))?;
            }
        }
    }
    Ok(())
}

const HISTORY: &[&str] = &[
    "delete from consultation_categories where version_id in
       (select v.id from consultation_versions v join consultations c on c.id = v.consultation_id
        where c.created_by is null and c.submission glob ?1)",
    "delete from consultation_responses where version_id in
       (select v.id from consultation_versions v join consultations c on c.id = v.consultation_id
        where c.created_by is null and c.submission glob ?1)",
    "delete from consultation_versions where consultation_id in
       (select id from consultations where created_by is null and submission glob ?1)",
    "delete from consultation_clients where consultation_id in
       (select id from consultations where created_by is null and submission glob ?1)",
];

fn consultations(tx: &WriteTx<'_>, import: i64, undone: &mut Undone) -> Result<(), StoreError> {
    for sql in HISTORY {
        tx.execute(sql, params![glob(import)])?;
    }
    let last = "delete from consultations where created_by is null and submission glob ?1";
    let removed = tx.execute(last, params![glob(import)])?;
    undone.removed += u64::try_from(removed).unwrap_or(u64::MAX);
    Ok(())
}
