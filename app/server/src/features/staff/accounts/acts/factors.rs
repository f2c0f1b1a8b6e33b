//! Taking back what somebody shows besides the password.

use store::{Event, Operation, StaffId};

use super::{Hand, Undone};
use crate::features::staff::factors::{self, store as sql};
use crate::web::session;

/// Takes back every factor; sessions end, and the next sign-in enrols anew. False when there was
/// none: that changes nothing, and is written down as refused.
///
/// # Errors
/// `Absent`, `Own`, and the store's.
pub fn reset_factors(hand: &Hand<'_>, id: StaffId, reason: &str) -> Result<bool, Undone> {
    let operation = Operation::SecondFactorReset;
    let at = hand.db.clock().now();
    hand.act(operation, id, |tx, _| {
        let held = sql::held(tx, id)?;
        let before = factors::words(&held);
        let Some(last) = held.last() else {
            let event = hand.detail(Event::refused(operation), id, "前＝なし");
            return Ok(tx.audited(event, Ok(false)));
        };
        let by = hand.actor.staff_id;
        sql::reset(tx, id, last.id, (reason, by), &hand.now())?;
        let ended = session::end_all(tx, id, None, "factor", at)?;
        let text = format!("前＝{before}／後＝なし／終えたセッション＝{ended}／{reason}");
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(true)))
    })
}
