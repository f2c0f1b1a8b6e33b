//! The second person of a grant (`approvals`): what is asked, and what it is about.

use jiff::civil::Date;
use store::{Event, ReadTx, ResidentId, StaffId, WriteTx};

use super::model::{Grant, State, state};
use super::store::{self as sql, NewGrant, Wanted};
use super::view;
use crate::features::approvals::{
    self, Act, ApprovalId, Ask, Asked, Facts, Halt, Kind, Look, Urgency,
};
use crate::web::{Permission, Problem, Visit};

/// One member of staff shall open one shielded person.
pub static GRANTS: Kind = Kind {
    code: "shield_grant",
    label: "支援措置の方の閲覧許可",
    permission: Permission::ProtectionAdminister,
    then: "承認すると、期間の間、この職員が支援措置の方を開けるようになります。",
    reasoned: true,
    seen: "exists (select 1 from known_shield_grants g where g.approval_id = a.id)",
    gains: "exists (select 1 from known_shield_grants g
                    where g.approval_id = a.id and g.staff_id = eyes.staff)",
    look,
    run,
};

/// Who would open whom, in words that do not say whom.
struct Wish {
    staff: StaffId,
    from: Date,
    to: Date,
}

impl Wish {
    fn new(new: &NewGrant) -> Self {
        Self {
            staff: new.staff,
            from: new.starts_on,
            to: new.ends_on,
        }
    }

    fn of(grant: &Grant) -> Self {
        Self {
            staff: grant.staff,
            from: grant.starts_on,
            to: grant.ends_on,
        }
    }

    fn term(&self) -> String {
        format!("{} ～ {}", view::day(self.from), view::day(self.to))
    }

    /// What the decision is about: who opens, where she works, how long, and that it is needed.
    fn facts(&self, tx: &ReadTx<'_>, today: Date, shielded: bool) -> Result<Facts, Problem> {
        let colleagues = sql::colleagues(tx, today)?;
        let colleague = colleagues.iter().find(|known| known.id == self.staff);
        let words = |of: fn(&super::model::Colleague) -> String| {
            colleague.map_or_else(|| "在職していません".to_owned(), of)
        };
        Ok(Facts::new([
            (
                "開ける職員",
                words(|c| format!("{}（{}）", c.name, c.login)),
            ),
            (
                "所属",
                words(|c| format!("{} {}", c.centre, view::role(&c.role))),
            ),
            ("期間", self.term()),
            (
                "支援措置",
                if shielded {
                    "あり"
                } else {
                    "ありません"
                }
                .to_owned(),
            ),
        ]))
    }
}

/// Asks for a second person.
pub(super) fn ask(
    visit: &Visit,
    tx: &WriteTx<'_>,
    (person, new): (ResidentId, &NewGrant),
    by: StaffId,
) -> Result<(ApprovalId, Event), Problem> {
    let today = visit.today();
    let shielded = sql::is_shielded(tx, person)?;
    let ask = request(tx, today, new, shielded)?;
    let ask = Ask {
        centre: visit.actor.centre_id,
        ..ask
    };
    approvals::ask(tx, by, (visit.app.clock().now(), today), &ask)
}

/// What is asked for. The reason stays with the grant.
pub(super) fn request(
    tx: &ReadTx<'_>,
    today: Date,
    new: &NewGrant,
    shielded: bool,
) -> Result<Ask<'static>, Problem> {
    let wish = Wish::new(new);
    let facts = wish.facts(tx, today, shielded)?;
    let who = facts.0.first().map_or("", |(_, who)| who.as_str());
    let urgent = if new.urgent { "（緊急）" } else { "" };
    Ok(Ask {
        kind: &GRANTS,
        payload: "{}".to_owned(),
        summary: format!("職員＝{who}／期間＝{}{urgent}", wish.term()),
        facts,
        reason: "",
        urgency: if new.urgent {
            Urgency::WorksAlready
        } else {
            Urgency::Waits
        },
        centre: None,
    })
}

fn asked_for(tx: &ReadTx<'_>, id: ApprovalId) -> Result<Option<Grant>, Problem> {
    Ok(sql::grants(tx, Wanted::Asked(id))?.pop())
}

fn look(tx: &ReadTx<'_>, asked: &Asked<'_>) -> Result<Look, Problem> {
    // Excluded from her since she asked: she keeps her request and learns no more of it.
    let Some(grant) = asked_for(tx, asked.id)? else {
        return Ok(Look::default());
    };
    let shielded = sql::is_shielded(tx, grant.made.resident)?;
    Ok(Look {
        facts: Wish::of(&grant).facts(tx, asked.today, shielded)?,
        beside: Facts::new([("申請の理由", grant.made.reason)]),
        resident: Some(grant.made.resident),
        page: Some(format!("/protections/grants/{}", grant.made.id)),
        own_page: None,
    })
}

/// The row opens by the decision itself; one that is over opens nothing.
fn run(act: &Act<'_, '_>) -> Result<Vec<Event>, Halt> {
    let grant = asked_for(act.tx, act.asked.id)?.ok_or(Problem::NotFound)?;
    if state(&grant, act.asked.today) == State::Over && !grant.urgent {
        let text = "申請された期間は、もう過ぎています。却下してください。";
        return Err(Halt::Refused(text.to_owned()));
    }
    Ok(Vec::new())
}
