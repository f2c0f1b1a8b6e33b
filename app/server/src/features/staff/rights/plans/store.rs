//! SQL about lists.

use jiff::civil::Date;
use store::{ReadTx, Row, RowResult, StaffId, StoreError, WriteTx, day, params};

use super::model::{Effect, Entered, LineId, Plan};
use crate::features::staff::accounts::model::{PostId, Written};
use crate::features::staff::rights::model::PlanId;

const PLANS: &str = "
    select p.id, p.title, p.starts_on, p.recorded_by, m.name, p.recorded_at, '',
           t.step, t.recorded_by, w.name, t.recorded_at, t.reason,
           (select coalesce(max(i.id), 0) from right_plan_items i where i.plan_id = p.id) || '-' ||
           (select count(*) from right_plan_removals r join right_plan_items i on i.id = r.item_id
            where i.plan_id = p.id) || '-' || coalesce(t.id, 0)
    from right_plans p join staff m on m.id = p.recorded_by
    left join right_plan_steps t on t.id =
      (select max(l.id) from right_plan_steps l where l.plan_id = p.id)
    left join staff w on w.id = t.recorded_by
    where (?1 = 0 or p.id = ?1) order by p.starts_on desc, p.id desc limit 100";

const LINES: &str = "
    select i.id, i.content, i.recorded_by, s.name, i.recorded_at, ''
    from right_plan_items i join staff s on s.id = i.recorded_by
    where i.plan_id = ?1
      and not exists (select 1 from right_plan_removals r where r.item_id = i.id)
    order by i.id";

/// One list.
pub(super) fn plan(tx: &ReadTx<'_>, id: PlanId) -> Result<Option<Plan>, StoreError> {
    let Some(mut plan) = tx.one(PLANS, params![id], plan_row)? else {
        return Ok(None);
    };
    plan.lines = lines(tx, id)?;
    Ok(Some(plan))
}

/// The newest lists, with their lines.
pub(super) fn plans(tx: &ReadTx<'_>) -> Result<Vec<Plan>, StoreError> {
    let mut plans = tx.all(PLANS, params![0], plan_row)?;
    for plan in &mut plans {
        plan.lines = lines(tx, plan.id)?;
    }
    Ok(plans)
}

fn plan_row(row: &Row<'_>) -> RowResult<Plan> {
    let step: Option<String> = row.get(7)?;
    Ok(Plan {
        id: row.get(0)?,
        title: row.get(1)?,
        starts_on: day(row, 2)?,
        made: written(row, 3)?,
        lines: Vec::new(),
        last_step: match step {
            Some(step) => Some((step, written(row, 8)?)),
            None => None,
        },
        stand: row.get(12)?,
    })
}

fn lines(tx: &ReadTx<'_>, id: PlanId) -> Result<Vec<Entered>, StoreError> {
    let found = tx.all(LINES, params![id], |row| {
        let content: String = row.get(1)?;
        let (id, made) = (row.get(0)?, written(row, 2)?);
        // Written by us; what cannot be read any more does nothing.
        Ok(serde_json::from_str(&content)
            .ok()
            .map(|line| Entered { id, line, made }))
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn written(row: &Row<'_>, first: usize) -> RowResult<Written> {
    Ok(Written {
        by: row.get(first)?,
        by_name: row.get(first + 1)?,
        at: row.get(first + 2)?,
        reason: row.get(first + 3)?,
    })
}

pub(super) fn insert(
    tx: &WriteTx<'_>,
    (title, starts_on): (&str, Date),
    (by, now): (StaffId, &str),
) -> Result<PlanId, StoreError> {
    let sql = "insert into right_plans (title, starts_on, recorded_by, recorded_at)
        values (?, ?, ?, ?)";
    Ok(PlanId(tx.insert(
        sql,
        params![title, starts_on.to_string(), by, now],
    )?))
}

pub(super) fn insert_line(
    tx: &WriteTx<'_>,
    (plan, content): (PlanId, &str),
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into right_plan_items (plan_id, content, recorded_by, recorded_at)
        values (?, ?, ?, ?)";
    tx.insert(sql, params![plan, content, by, now])?;
    Ok(())
}

pub(super) fn remove_line(
    tx: &WriteTx<'_>,
    line: LineId,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql =
        "insert into right_plan_removals (item_id, recorded_by, recorded_at) values (?, ?, ?)";
    tx.execute(sql, params![line, by, now])?;
    Ok(())
}

pub(super) fn insert_step(
    tx: &WriteTx<'_>,
    (plan, step, reason): (PlanId, &str, &str),
    (by, now): (Option<StaffId>, &str),
) -> Result<(), StoreError> {
    let sql = "insert into right_plan_steps (plan_id, step, reason, recorded_by, recorded_at)
        values (?, ?, ?, ?, ?)";
    tx.insert(sql, params![plan, step, reason, by, now])?;
    Ok(())
}

pub(super) fn insert_effect(
    tx: &WriteTx<'_>,
    plan: PlanId,
    effect: Effect,
) -> Result<(), StoreError> {
    let (kind, id) = effect.parts();
    let sql = "insert into right_plan_effects (plan_id, kind, row_id) values (?, ?, ?)";
    tx.insert(sql, params![plan, kind, id])?;
    Ok(())
}

pub(super) fn effects(tx: &ReadTx<'_>, plan: PlanId) -> Result<Vec<Effect>, StoreError> {
    let sql = "select kind, row_id from right_plan_effects where plan_id = ?1 order by id";
    let found = tx.all(sql, params![plan], |row| {
        let (kind, id): (String, i64) = (row.get(0)?, row.get(1)?);
        Ok(Effect::of(&kind, id))
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// A post's first day, if nobody has ended it since.
pub(super) fn untouched_post(tx: &ReadTx<'_>, post: i64) -> Result<Option<Date>, StoreError> {
    let sql = "select p.starts_on from staff_posts p where p.id = ?1
        and not exists (select 1 from staff_post_endings e where e.post_id = p.id)";
    let day: Option<String> = tx.one(sql, params![post], |row| row.get(0))?;
    Ok(day.and_then(|day| day.parse().ok()))
}

/// The post of an ending and the last day before it, if that ending is still the newest.
pub(super) fn newest_ending(
    tx: &ReadTx<'_>,
    ending: i64,
) -> Result<Option<(PostId, Option<Date>)>, StoreError> {
    let sql = "select e.post_id,
          (select b.ends_on from staff_post_endings b
           where b.post_id = e.post_id and b.id < e.id order by b.id desc limit 1)
        from staff_post_endings e where e.id = ?1
        and not exists (select 1 from staff_post_endings l where l.post_id = e.post_id and l.id > e.id)";
    tx.one(sql, params![ending], |row| {
        let before: Option<String> = row.get(1)?;
        Ok((row.get(0)?, before.and_then(|day| day.parse().ok())))
    })
}
