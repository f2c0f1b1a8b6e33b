//! Entering, confirming and taking back a list.

use jiff::civil::Date;
use store::{Event, Operation, ReadTx, RecordKind, StaffId, WriteTx};

use super::model::{Effect, Line, LineId, Plan, State};
use super::{ITEMS_MAX, store as sql, view};
use crate::features::staff::accounts::acts::Hand;
use crate::features::staff::accounts::model::{Account, Fit, NewEnd, fit, leaving};
use crate::features::staff::accounts::store as accounts;
use crate::features::staff::rights::acts::{
    Refusal, Stamp, Undone, add_exception, change_role, words,
};
use crate::features::staff::rights::administration::Administration;
use crate::features::staff::rights::model::{
    ExceptionId, NewException, PlanId, RoleChange, RoleRightId,
};
use crate::features::staff::rights::store as rights;
use crate::features::staff::store as staff;
use crate::web::{Problem, Role};

fn plan(tx: &ReadTx<'_>, id: PlanId) -> Result<Plan, Undone> {
    Ok(sql::plan(tx, id)?.ok_or(Refusal::Absent)?)
}

/// What a list's page was opened on.
pub(in crate::features::staff::rights) fn stand(
    tx: &ReadTx<'_>,
    id: PlanId,
) -> Result<String, Undone> {
    Ok(plan(tx, id)?.stand)
}

/// A list in one line: its name, day and lines.
pub(in crate::features::staff::rights) fn summary(
    tx: &ReadTx<'_>,
    id: PlanId,
) -> Result<String, Undone> {
    let plan = plan(tx, id)?;
    let mut lines = Vec::new();
    for entered in &plan.lines {
        lines.push(view::line(tx, &entered.line)?);
    }
    Ok(format!(
        "年度切替「{}」（{}、{}件）：{}",
        plan.title,
        plan.starts_on,
        lines.len(),
        lines.join("、")
    ))
}

/// Does one of its lines concern administrators?
pub(in crate::features::staff::rights) fn concerns_administrators(
    tx: &ReadTx<'_>,
    id: PlanId,
) -> Result<bool, Undone> {
    let plan = plan(tx, id)?;
    let own = plan
        .lines
        .iter()
        .any(|entered| entered.line.concerns_administrators());
    if own {
        return Ok(true);
    }
    // An exception for somebody who administers touches an administrator, whatever it says.
    let holders = rights::holders(tx, plan.starts_on)?;
    let admin = crate::web::Role::SystemAdmin.code();
    let touches = |line: &Line| match line {
        Line::Exception { staff, .. } => {
            holders.iter().any(|h| h.staff == *staff && h.role == admin)
        }
        Line::Post { .. } | Line::Leave { .. } | Line::Role { .. } => false,
    };
    Ok(plan.lines.iter().any(|entered| touches(&entered.line)))
}

/// Was it confirmed by this person for this reason: the form sent twice?
pub(in crate::features::staff::rights) fn is_confirmed_by(
    tx: &ReadTx<'_>,
    id: PlanId,
    (by, reason): (Option<StaffId>, &str),
) -> Result<bool, Undone> {
    let last = plan(tx, id)?.last_step;
    Ok(last.is_some_and(|(step, w)| step == "confirmed" && w.by == by && w.reason == reason))
}

/// Writes everything a list says, dated; returns an entry for each line.
pub(in crate::features::staff::rights) fn apply(
    tx: &WriteTx<'_>,
    id: PlanId,
    (stand, reason): (&str, &str),
    stamp: &Stamp<'_>,
) -> Result<Vec<Event>, Undone> {
    let plan = plan(tx, id)?;
    if plan.stand != stand {
        return Err(words(
            "reason",
            "確かめたあとで、一覧が変わりました。もう一度確かめてください。",
        ));
    }
    match plan.state(stamp.today) {
        State::Draft => {}
        State::Missed => {
            return Err(words(
                "reason",
                "適用の日が過ぎています。新しい一覧を作ってください。",
            ));
        }
        State::Confirmed | State::InForce | State::Withdrawn => {
            return Err(words(
                "reason",
                "この一覧は、もう確定しているか、取りやめられています。",
            ));
        }
    }
    if plan.lines.is_empty() {
        return Err(words("reason", "一覧が空です。先に行を加えてください。"));
    }
    let mut lines: Vec<&Line> = plan.lines.iter().map(|entered| &entered.line).collect();
    lines.sort_by_key(|line| line.order());
    let mut events = Vec::new();
    for line in lines {
        let text = view::line(tx, line)?;
        let effects = write(tx, &plan, line, stamp).map_err(|undone| beside(undone, &text))?;
        for effect in effects {
            sql::insert_effect(tx, id, effect)?;
        }
        events.push(entry(&plan, line, &text, stamp));
    }
    sql::insert_step(tx, (id, "confirmed", reason), (stamp.by, stamp.now))?;
    Ok(events)
}

/// A refusal says which line it is about.
fn beside(undone: Undone, line: &str) -> Undone {
    match undone {
        Undone::Refused(Refusal::Words(_, text)) => words("reason", format!("「{line}」：{text}")),
        Undone::Refused(Refusal::Absent) => {
            words("reason", format!("「{line}」：対象がありません。"))
        }
        Undone::Refused(refusal) => refusal.into(),
        Undone::Failed(problem) => problem.into(),
    }
}

fn entry(plan: &Plan, line: &Line, text: &str, stamp: &Stamp<'_>) -> Event {
    let operation = match line {
        Line::Post { .. } => Operation::StaffPostAdd,
        Line::Leave { .. } => Operation::StaffPostEnd,
        Line::Role { .. } => Operation::RoleRightChange,
        Line::Exception { .. } => Operation::StaffRightAdd,
    };
    let on = line
        .staff()
        .map_or((RecordKind::RightPlan, plan.id.0), |id| {
            (RecordKind::Staff, id.0)
        });
    let detail = format!("{text}／適用＝{}／年度切替＝{}", plan.starts_on, plan.title);
    stamp.event(operation, on, detail)
}

fn write(
    tx: &WriteTx<'_>,
    plan: &Plan,
    line: &Line,
    stamp: &Stamp<'_>,
) -> Result<Vec<Effect>, Undone> {
    if stamp.by.is_some() && line.staff() == stamp.by {
        return Err(Refusal::Own.into());
    }
    let reason = format!("年度切替：{}", plan.title);
    let starts_on = plan.starts_on;
    match line {
        Line::Post {
            staff,
            role,
            centre,
            job,
        } => {
            let place = Place {
                role: *role,
                centre: centre.as_deref(),
                job,
                starts_on,
                reason: &reason,
            };
            move_to(tx, *staff, &place, stamp)
        }
        Line::Leave { staff } => {
            let account = account(tx, *staff)?;
            let ends = leaving(&account, starts_on.yesterday().unwrap_or(starts_on));
            if ends.is_empty() {
                return Err(words("reason", "この日から後の所属がありません。"));
            }
            ends.into_iter()
                .map(|end| end_post(tx, end, &reason, stamp))
                .collect()
        }
        Line::Role { role, step } => {
            let (role, steps) = (*role, vec![*step]);
            let change = RoleChange {
                role,
                starts_on,
                steps,
                reason,
            };
            let rows = change_role(tx, &change, stamp)?;
            Ok(rows.into_iter().map(Effect::RoleRight).collect())
        }
        Line::Exception {
            staff,
            step,
            ends_on,
        } => {
            let (staff, step, ends_on) = (*staff, *step, *ends_on);
            let new = NewException {
                staff,
                step,
                starts_on,
                ends_on,
                reason,
            };
            Ok(vec![Effect::StaffRight(add_exception(tx, &new, stamp)?)])
        }
    }
}

fn account(tx: &ReadTx<'_>, id: StaffId) -> Result<Account, Undone> {
    Ok(accounts::account(tx, id)?.ok_or(Refusal::Absent)?)
}

fn end_post(
    tx: &WriteTx<'_>,
    end: NewEnd,
    reason: &str,
    stamp: &Stamp<'_>,
) -> Result<Effect, Undone> {
    let row = accounts::end_post(tx, end, reason, (stamp.by, stamp.now))?;
    Ok(Effect::Ending(row))
}

/// Where somebody goes.
#[derive(Debug, Clone, Copy)]
pub(in crate::features::staff::rights) struct Place<'p> {
    pub(in crate::features::staff::rights) role: Role,
    /// Code; `None`: the city.
    pub(in crate::features::staff::rights) centre: Option<&'p str>,
    pub(in crate::features::staff::rights) job: &'p str,
    pub(in crate::features::staff::rights) starts_on: Date,
    pub(in crate::features::staff::rights) reason: &'p str,
}

/// A new post; an open one before it ends on the day before.
pub(in crate::features::staff::rights) fn move_to(
    tx: &WriteTx<'_>,
    id: StaffId,
    place: &Place<'_>,
    stamp: &Stamp<'_>,
) -> Result<Vec<Effect>, Undone> {
    let account = account(tx, id)?;
    let mut effects = Vec::new();
    match fit(&account.posts, place.starts_on) {
        Fit::Free => {}
        Fit::Ends(post, last) => {
            let end = NewEnd {
                post,
                ends_on: Some(last),
            };
            effects.push(end_post(tx, end, place.reason, stamp)?);
        }
        Fit::Overlaps(_) => {
            let text = "すでにある所属と期間が重なります。先にその期間を直してください。";
            return Err(words("reason", text));
        }
    }
    let centre_id = match place.centre {
        None => None,
        Some(code) => Some(centre_of(tx, code, place.starts_on)?),
    };
    let post = staff::Post {
        role: place.role.code(),
        job: place.job,
        centre_id,
        starts_on: place.starts_on,
        reason: place.reason,
    };
    let post = staff::insert_post(tx, id, &post, stamp.by, stamp.now)?;
    effects.push(Effect::Post(post));
    Ok(effects)
}

fn centre_of(tx: &ReadTx<'_>, code: &str, on: Date) -> Result<store::CentreId, Undone> {
    let known = accounts::centres(tx, on)?;
    let found = known.into_iter().find(|centre| centre.code == code);
    found
        .map(|centre| centre.id)
        .ok_or_else(|| words("reason", "その日にないセンターです。"))
}

/// Who edits a list.
pub(super) struct Editor<'h> {
    pub(super) hand: Hand<'h>,
    pub(super) by: StaffId,
    pub(super) now: String,
    pub(super) today: Date,
}

impl Editor<'_> {
    fn entry(&self, plan: PlanId, detail: String) -> Event {
        let event = Event::done(Operation::RightPlanEdit).on(RecordKind::RightPlan, plan.0);
        event.detail(detail)
    }

    /// A list that can still be edited.
    fn draft(&self, tx: &ReadTx<'_>, id: PlanId) -> Result<Plan, Undone> {
        let plan = plan(tx, id)?;
        if plan.state(self.today) == State::Draft {
            Ok(plan)
        } else {
            Err(words("line", "この一覧は、もう変えられません。"))
        }
    }

    /// A new, empty list; the same title for the same day is the form sent twice.
    pub(super) fn create(&self, title: &str, starts_on: Date) -> Result<PlanId, Undone> {
        self.hand.db.write(self.hand.actor, |tx| {
            let known = sql::plans(tx)?;
            let same = |p: &&Plan| {
                p.title == title && p.starts_on == starts_on && p.state(self.today) == State::Draft
            };
            if let Some(same) = known.iter().find(same) {
                let event = self.entry(same.id, "作成：もうあります".to_owned());
                return Ok(tx.audited(event, same.id));
            }
            let id = sql::insert(tx, (title, starts_on), (self.by, &self.now))?;
            let event = self.entry(id, format!("作成：{title}（{starts_on}）"));
            Ok::<_, Undone>(tx.audited(event, id))
        })
    }

    /// One more line; the same line a second time is the form sent twice.
    pub(super) fn add(&self, id: PlanId, line: &Line) -> Result<(), Undone> {
        let fault = |_| Problem::Fault("a line cannot be written as JSON");
        let content = serde_json::to_string(line).map_err(fault)?;
        self.hand.db.write(self.hand.actor, |tx| {
            let plan = self.draft(tx, id)?;
            if line.staff() == Some(self.by) {
                return Err(Refusal::Own.into());
            }
            if plan.lines.iter().any(|entered| entered.line == *line) {
                return Err(Refusal::Again.into());
            }
            if plan.lines.len() >= ITEMS_MAX {
                return Err(words("line", format!("一覧は{ITEMS_MAX}行までです。")));
            }
            sql::insert_line(tx, (id, &content), (self.by, &self.now))?;
            let text = view::line(tx, line)?;
            Ok(tx.audited(self.entry(id, format!("追加：{text}")), ()))
        })
    }

    /// A line less.
    pub(super) fn remove(&self, id: PlanId, line: LineId) -> Result<(), Undone> {
        self.hand.db.write(self.hand.actor, |tx| {
            let plan = self.draft(tx, id)?;
            let known = plan.lines.iter().find(|entered| entered.id == line);
            // Removed already, by whomever: there is nothing left to do.
            let known = known.ok_or(Refusal::Again)?;
            sql::remove_line(tx, line, (self.by, &self.now))?;
            let text = view::line(tx, &known.line)?;
            Ok(tx.audited(self.entry(id, format!("削除：{text}")), ()))
        })
    }

    /// Takes the whole list back, with everything it wrote.
    pub(super) fn withdraw(&self, id: PlanId, reason: &str) -> Result<(), Undone> {
        self.hand.db.write(self.hand.actor, |tx| {
            let plan = plan(tx, id)?;
            let stamp = Stamp {
                by: Some(self.by),
                approval: None,
                now: &self.now,
                today: self.today,
            };
            let before = Administration::read(tx)?;
            match plan.state(self.today) {
                State::Draft | State::Missed => {}
                State::Confirmed => {
                    // New posts go before the ends of old ones are taken back.
                    for effect in sql::effects(tx, id)?.into_iter().rev() {
                        undo(tx, effect, reason, &stamp)?;
                    }
                }
                State::Withdrawn => return Err(Refusal::Again.into()),
                State::InForce => {
                    return Err(words(
                        "reason",
                        "もう始まった一覧は取りやめられません。新しい変更で戻してください。",
                    ));
                }
            }
            if let Some(day) = Administration::read(tx)?.lost_since(&before, self.today) {
                return Err(Refusal::LastAdministrator(day).into());
            }
            sql::insert_step(tx, (id, "withdrawn", reason), (stamp.by, stamp.now))?;
            let on = (RecordKind::RightPlan, id.0);
            let was = view::state(plan.state(self.today)).0;
            let detail = format!("{}：前＝{was}／後＝取りやめ／理由＝{reason}", plan.title);
            Ok(tx.audited(stamp.event(Operation::RightPlanWithdraw, on, detail), ()))
        })
    }
}

fn undo(tx: &WriteTx<'_>, effect: Effect, reason: &str, stamp: &Stamp<'_>) -> Result<(), Undone> {
    let touched = || {
        words(
            "reason",
            "確定したあとで、ほかの変更が重なっています。職員の画面で1件ずつ直してください。",
        )
    };
    match effect {
        Effect::Post(id) => {
            let first = sql::untouched_post(tx, id)?.ok_or_else(touched)?;
            let post = crate::features::staff::accounts::model::PostId(id);
            let ends_on = first.yesterday().ok();
            accounts::end_post(tx, NewEnd { post, ends_on }, reason, (stamp.by, stamp.now))?;
        }
        Effect::Ending(id) => {
            let (post, ends_on) = sql::newest_ending(tx, id)?.ok_or_else(touched)?;
            accounts::end_post(tx, NewEnd { post, ends_on }, reason, (stamp.by, stamp.now))?;
        }
        Effect::RoleRight(id) => {
            let row = RoleRightId(id);
            rights::role_row_of(tx, row)?.ok_or_else(touched)?;
            rights::withdraw_role_row(tx, (row, reason), stamp)?;
        }
        Effect::StaffRight(id) => {
            let known = rights::exception(tx, ExceptionId(id))?;
            let known = known.filter(|e| e.ending.is_none()).ok_or_else(touched)?;
            let ends_on = known
                .term
                .starts_on
                .yesterday()
                .unwrap_or(known.term.starts_on);
            rights::end_exception(tx, (known.id, ends_on, reason), stamp)?;
        }
    }
    Ok(())
}
