//! What the invented town's staff decided before today: who may open whom of the shielded.

use jiff::ToSpan as _;
use jiff::civil::Date;
use server::features::protections;
use server::web::{Problem, Role};
use store::{Actor, Db, Event, Operation, SystemReason};

/// Each shielded person but the last has a nurse who may open her; the last still waits for the second
/// person.
pub(super) fn write(db: &Db, today: Date) -> Result<(), Problem> {
    let actor = Actor::system("コマンド demo");
    db.system(&actor, SystemReason::Demo, |tx| {
        let people = protections::flagged(tx)?;
        let keepers = protections::staff_of(tx, Role::CityLongevity.code(), None)?;
        let (asker, second) = match keepers.as_slice() {
            [asker, second, ..] => (*asker, *second),
            _ => return Ok(tx.audited(Event::done(Operation::SetUp), ())),
        };
        let at = (db.clock().now(), today);
        let term = (today, today.saturating_add(6.months()));
        let last = people.last().copied();
        for (person, centre) in people {
            let nurses = protections::staff_of(tx, Role::Nurse.code(), Some(centre))?;
            let agreed = (last != Some((person, centre))).then_some(second);
            if let Some(nurse) = nurses.first() {
                protections::insert_history(tx, person, (*nurse, asker, agreed), term, at)?;
            }
        }
        Ok::<_, Problem>(tx.audited(Event::done(Operation::SetUp), ()))
    })
}
