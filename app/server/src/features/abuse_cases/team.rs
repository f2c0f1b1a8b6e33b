//! Who knows of a case, and who never does.

use std::collections::HashSet;

use askama::Template;
use axum::http::StatusCode;
use store::{Operation, ReadTx, StaffId};

use super::model::{Case, Member};
use super::store::{self as sql, NewMember};
use super::view::{self, BarWords, Choice, MemberWords};
use super::{form, pages};
use crate::features::staff::rights::{Holder, holders};
use crate::web::{
    Answer, FieldProblem, Fields, Permission, Problem, Shell, Visit, problem_of, redirect,
};

#[derive(Template)]
#[template(path = "features/abuse_cases/members.html")]
struct TeamPage {
    shell: Shell,
    id: i64,
    rows: Vec<MemberWords>,
    bars: Vec<BarWords>,
    offered: Vec<Choice>,
    barrable: Vec<Choice>,
    access: Vec<Choice>,
    writes: bool,
    keeps: bool,
    typed: Fields,
    problems: Vec<FieldProblem>,
}

impl TeamPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

/// A case with everybody who could be named.
struct Known {
    case: Case,
    team: Vec<Member>,
    colleagues: Vec<Holder>,
    kept_away: HashSet<i64>,
}

impl Known {
    fn read(visit: &Visit, tx: &ReadTx<'_>) -> Result<Self, Problem> {
        let (case, today) = (pages::load(visit, tx)?, visit.today());
        Ok(Self {
            team: sql::members(tx, case.id, today)?,
            colleagues: holders(tx, today)?,
            kept_away: sql::excluded(tx, case.id)?,
            case,
        })
    }

    /// Who may be named: works here in a role that meets cases, is not kept from this one, not named.
    fn offered(&self, visit: &Visit) -> impl Iterator<Item = &Holder> {
        let today = visit.today();
        self.colleagues.iter().filter(move |one| {
            let mut team = self.team.iter();
            let named = team.any(|member| member.staff == one.staff && member.lasts(today));
            one.rights.has(Permission::AbuseView)
                && !named
                && !self.kept_away.contains(&one.staff.0)
        })
    }
}

fn team_page(
    visit: &Visit,
    tx: &ReadTx<'_>,
    known: &Known,
    problems: Vec<FieldProblem>,
) -> Result<TeamPage, Problem> {
    let (case, today) = (&known.case, visit.today());
    let keeps = visit.may(Permission::AbuseKeep);
    let bars = if keeps {
        sql::bars(tx, case.id)?
    } else {
        Vec::new()
    };
    let barred = |id: StaffId| bars.iter().any(|b| b.staff == id && b.ending.is_none());
    let barrable = known.colleagues.iter().filter(|one| !barred(one.staff));
    let access = [("write", "閲覧と記録"), ("read", "閲覧のみ")];
    Ok(TeamPage {
        shell: pages::shell(visit, case, "関係者"),
        id: case.id.0,
        rows: known
            .team
            .iter()
            .map(|member| view::member(member, today))
            .collect(),
        bars: bars.iter().map(view::bar).collect(),
        offered: view::colleagues(known.offered(visit), visit.form.trimmed("staff")),
        barrable: view::colleagues(barrable, visit.form.trimmed("bar_staff")),
        access: view::choices(access.into_iter(), "access", &visit.form, ""),
        writes: case.writable && visit.may(Permission::AbuseWrite),
        keeps,
        typed: visit.form.clone(),
        problems,
    })
}

pub(super) fn page(visit: &Visit) -> Answer {
    pages::open(visit, Operation::AbuseView)?;
    let page = visit.app.db().read(&visit.actor, |tx| {
        let known = Known::read(visit, tx)?;
        team_page(visit, tx, &known, Vec::new())
    })?;
    visit.page(&page)
}

fn not_yet(visit: &Visit, tx: &ReadTx<'_>, known: &Known, problems: Vec<FieldProblem>) -> Problem {
    let page = team_page(visit, tx, known, problems);
    let page = page.and_then(|page| visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page));
    match page {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

/// What stands against naming somebody so.
fn objection(one: &Holder, typed: &form::TypedMember) -> Option<FieldProblem> {
    let bad = |field, text: &str| FieldProblem {
        field,
        text: text.to_owned(),
    };
    if typed.may_write && !one.rights.has(Permission::AbuseWrite) {
        return Some(bad(
            "access",
            "この職員の役割では記録できません。「閲覧のみ」にしてください。",
        ));
    }
    (typed.reads_reporter && !one.rights.has(Permission::AbuseReporterRead)).then(|| {
        bad(
            "reads_reporter",
            "この職員の役割では、通報者を見られません。印を外してください。",
        )
    })
}

pub(super) fn add(visit: &Visit) -> Answer {
    let (by, now, today) = (
        visit.signed_in()?.staff_id,
        pages::now(visit),
        visit.today(),
    );
    let id = pages::id_of(visit)?;
    visit.app.db().write(&visit.actor, |tx| {
        let known = Known::read(visit, tx)?;
        pages::writable(visit, &known.case)?;
        let typed = match form::member(&visit.form, today) {
            Ok(typed) => typed,
            Err(problems) => return Err(not_yet(visit, tx, &known, problems)),
        };
        if sql::has_member(tx, id, StaffId(typed.staff), today)? {
            let again = redirect(&format!("/abuse-cases/{id}/members?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        let Some(one) = known.offered(visit).find(|one| one.staff.0 == typed.staff) else {
            let text = "この職員は関係者にできません。選び直してください。".to_owned();
            let problem = FieldProblem {
                field: "staff",
                text,
            };
            return Err(not_yet(visit, tx, &known, vec![problem]));
        };
        if let Some(problem) = objection(one, &typed) {
            return Err(not_yet(visit, tx, &known, vec![problem]));
        }
        if typed.reads_reporter && !known.case.reporter.readable {
            let text =
                "通報者を見られる関係者だけが、ほかの人にも見られるようにできます。".to_owned();
            let problem = FieldProblem {
                field: "reads_reporter",
                text,
            };
            return Err(not_yet(visit, tx, &known, vec![problem]));
        }
        let new = NewMember {
            staff: one.staff,
            may_write: typed.may_write,
            reads_reporter: typed.reads_reporter,
            starts_on: today,
            ends_on: typed.ends_on,
            reason: typed.reason,
        };
        sql::add_member(tx, id, &new, (by, &now))?;
        let words = format!(
            "old=なし new=職員番号{}・{}{}",
            one.staff,
            if new.may_write { "記録" } else { "閲覧" },
            if new.reads_reporter {
                "・通報者"
            } else {
                ""
            },
        );
        let event = pages::event_with(Operation::AbuseMember, &known.case, &words);
        Ok(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("/abuse-cases/{id}/members?done=shared")))
}

pub(super) fn end(visit: &Visit) -> Answer {
    let (no, id): (i64, _) = (visit.param("no")?, pages::id_of(visit)?);
    let (by, now, today) = (
        visit.signed_in()?.staff_id,
        pages::now(visit),
        visit.today(),
    );
    let own = visit.app.db().write(&visit.actor, |tx| {
        let known = Known::read(visit, tx)?;
        pages::writable(visit, &known.case)?;
        let member = known.team.iter().find(|member| member.no == no);
        let member = member.ok_or(Problem::NotFound)?;
        if !member.lasts(today) {
            let again = redirect(&format!("/abuse-cases/{id}/members?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        let reason = match form::reason(&visit.form, "ending_reason", "終わらせる理由") {
            Ok(reason) => reason,
            Err(problems) => return Err(not_yet(visit, tx, &known, problems)),
        };
        sql::end_member(tx, (id, no), &reason, (by, &now))?;
        let words = format!("old=職員番号{} new=なし", member.staff);
        let event = pages::event_with(Operation::AbuseMember, &known.case, &words);
        Ok(tx.audited(event, member.staff == by))
    })?;
    // Whoever ended their own row sees the case no more, unless they keep it.
    let leaves = own && !visit.may(Permission::AbuseKeep);
    let to = if leaves {
        "/abuse-cases?done=share-ended".to_owned()
    } else {
        format!("/abuse-cases/{id}/members?done=share-ended")
    };
    Ok(redirect(&to))
}

pub(super) fn bar(visit: &Visit) -> Answer {
    let (by, now) = (visit.signed_in()?.staff_id, pages::now(visit));
    let id = pages::id_of(visit)?;
    visit.app.db().write(&visit.actor, |tx| {
        let known = Known::read(visit, tx)?;
        let (staff, reason) = match form::bar(&visit.form) {
            Ok(checked) => checked,
            Err(problems) => return Err(not_yet(visit, tx, &known, problems)),
        };
        let refuse = |text: &str| {
            let problem = FieldProblem {
                field: "bar_staff",
                text: text.to_owned(),
            };
            not_yet(visit, tx, &known, vec![problem])
        };
        let Some(one) = known.colleagues.iter().find(|one| one.staff.0 == staff) else {
            return Err(refuse(
                "この職員は、いま在職していません。選び直してください。",
            ));
        };
        if one.staff == by {
            return Err(refuse(
                "自分は除外できません。ほかの担当者に頼んでください。",
            ));
        }
        let bars = sql::bars(tx, id)?;
        if bars
            .iter()
            .any(|b| b.staff == one.staff && b.ending.is_none())
        {
            let again = redirect(&format!("/abuse-cases/{id}/members?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        sql::add_bar(tx, id, one.staff, &reason, (by, &now))?;
        let words = format!("old=なし new=職員番号{}", one.staff);
        let event = pages::event_with(Operation::AbuseBar, &known.case, &words);
        Ok(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("/abuse-cases/{id}/members?done=saved")))
}

pub(super) fn unbar(visit: &Visit) -> Answer {
    let (no, id): (i64, _) = (visit.param("no")?, pages::id_of(visit)?);
    let (by, now) = (visit.signed_in()?.staff_id, pages::now(visit));
    visit.app.db().write(&visit.actor, |tx| {
        let known = Known::read(visit, tx)?;
        let bars = sql::bars(tx, id)?;
        let bar = bars.iter().find(|bar| bar.no == no);
        let bar = bar.ok_or(Problem::NotFound)?;
        let reason = match form::reason(&visit.form, "unbar_reason", "除外を終わらせる理由")
        {
            Ok(reason) => reason,
            Err(problems) => return Err(not_yet(visit, tx, &known, problems)),
        };
        if !sql::end_bar(tx, (id, no), &reason, (by, &now))? {
            let again = redirect(&format!("/abuse-cases/{id}/members?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        let words = format!("old=職員番号{} new=なし", bar.staff);
        let event = pages::event_with(Operation::AbuseBar, &known.case, &words);
        Ok(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("/abuse-cases/{id}/members?done=saved")))
}
