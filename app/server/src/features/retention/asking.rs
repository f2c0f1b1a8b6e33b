//! The second person of a disposal (`approvals`): what is asked, and what it is about.

use jiff::civil::Date;
use store::{Event, ReadTx, StaffId, WriteTx};

use super::model::{Rule, State, rules_on};
use super::pages::day;
use super::requests::event;
use super::store as sql;
use crate::features::approvals::{
    self, Act, ApprovalId, Ask, Asked, Facts, Halt, Kind, Look, Urgency,
};
use crate::web::{Permission, Problem, Visit};

/// Records past their time shall be erased.
pub static DISPOSALS: Kind = Kind {
    code: "disposal",
    label: "保存期間の過ぎた記録の廃棄",
    permission: Permission::RetentionDecide,
    then: "承認すると、廃棄の画面で「廃棄する」を押せるようになります。そのときまで何も消えません。",
    reasoned: true,
    seen: "1",
    gains: "0",
    look,
    run,
};

/// A list as it is asked for.
pub(super) struct Listed {
    pub(super) rule: &'static Rule,
    pub(super) records: usize,
    pub(super) on: Date,
}

impl Listed {
    /// What the decision is about: so many records, by the rule as it reads.
    fn facts(&self) -> Facts {
        Facts::new([
            ("件数", format!("{}件", self.records)),
            ("基準日", day(self.on)),
            ("保存期間", self.rule.words()),
        ])
    }
}

/// Asks for a second person.
pub(super) fn ask(
    visit: &Visit,
    tx: &WriteTx<'_>,
    (list, reason): (&Listed, &str),
    by: StaffId,
) -> Result<(ApprovalId, Event), Problem> {
    let ask = Ask {
        kind: &DISPOSALS,
        payload: "{}".to_owned(),
        facts: list.facts(),
        summary: format!(
            "{}{}件の廃棄／基準日＝{}",
            list.rule.label,
            list.records,
            day(list.on)
        ),
        reason,
        urgency: Urgency::Waits,
        centre: visit.actor.centre_id,
    };
    approvals::ask(tx, by, (visit.app.clock().now(), visit.today()), &ask)
}

/// By the rules of today: a rule that became another since it was asked for is told.
fn look(tx: &ReadTx<'_>, asked: &Asked<'_>) -> Result<Look, Problem> {
    let request = sql::asked_for(tx, asked.id)?.ok_or(Problem::NotFound)?;
    let rules = rules_on(asked.today);
    let rule = rules.into_iter().find(|rule| rule.class == request.class);
    let facts = rule.map(|rule| {
        let list = Listed {
            rule,
            records: usize::try_from(request.records).unwrap_or(0),
            on: request.due_on.parse().unwrap_or(Date::MIN),
        };
        list.facts()
    });
    Ok(Look {
        facts: facts.unwrap_or_default(),
        beside: Facts::default(),
        resident: None,
        page: Some(format!("/disposals/{}", request.id)),
        own_page: None,
    })
}

/// From now on it may be erased, in a step of its own.
fn run(act: &Act<'_, '_>) -> Result<Vec<Event>, Halt> {
    let request = sql::asked_for(act.tx, act.asked.id)?.ok_or(Problem::NotFound)?;
    let detail = format!(
        "状態：{}→{}",
        State::Requested.words().1,
        State::Approved.words().1
    );
    Ok(vec![event(request.id).detail(detail)])
}
