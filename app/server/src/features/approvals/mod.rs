//! Approvals (承認): what is dangerous needs a second person before it happens.
//!
//! Shape: a slice registers a [`Kind`] in `features::approval_kinds` and calls [`ask`] inside its own
//! transaction. The act waits as JSON with a summary in words; when somebody else who may decide about
//! that kind approves, [`Kind::run`] does it in the same transaction as the decision.
//! Invariant: whoever asked never approves; a request is decided once; after its last day it is void.
//! The try to approve one's own request leaves an entry.
//! Errors: staff meet 403 for the own request, 409 for one that was decided or ran out meanwhile, 422
//! when the act cannot be done any more as it was asked for.
//! Not here: tests of the walk through a request; they stand with the first kind (`staff::rights`).
//! Source: docs/decisions/0014-rights-are-rows.md.

pub mod model;
mod pages;
mod store;

use ::store::{Event, Operation, RecordKind, StaffId, StoreError, WriteTx};
use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::web::{Permission, Routes};

pub use model::{Act, ApprovalId, Ask, Halt, Kind, State};

/// Asks for a second person. The same request of the same person, still waiting, is not made twice.
/// The event belongs into the caller's transaction.
///
/// # Errors
/// [`StoreError`].
pub fn ask(
    tx: &WriteTx<'_>,
    by: StaffId,
    (now, today): (Timestamp, Date),
    ask: &Ask<'_>,
) -> Result<(ApprovalId, Event), StoreError> {
    let expires_on = today.saturating_add(model::DAYS_MAX.days());
    let id = match store::same_waiting(tx, by, today, ask)? {
        Some(id) => id,
        None => store::insert(tx, by, (&format!("{now:.6}"), expires_on), ask)?,
    };
    let event = Event::done(Operation::ApprovalRequest)
        .on(RecordKind::Approval, id.0)
        .detail(format!("{}：{}", ask.kind.label, ask.summary));
    Ok((id, event))
}

/// Where a request stands, for the slice that made it.
///
/// # Errors
/// [`StoreError`].
pub fn state(
    tx: &::store::ReadTx<'_>,
    id: ApprovalId,
    today: Date,
) -> Result<Option<State>, StoreError> {
    Ok(store::approval(tx, id)?.map(|approval| approval.state(today)))
}

/// Routes of this slice.
pub fn routes() -> Routes {
    let decide = Permission::ApprovalDecide;
    Routes::new("承認")
        .get("/approvals", decide, pages::list)
        .get("/approvals/{id}", decide, pages::show)
        .post("/approvals/{id}/decision", decide, pages::decide)
}
