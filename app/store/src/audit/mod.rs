//! The access log: who did or looked at what, when, from where, chained so that it cannot be bent.
//!
//! Shape: one row per act. Each row's hash covers its own fields and the hash before it; the number
//! of rows and the last hash stand in `audit_head`, signed (Ed25519) with a key outside the
//! database, and go to the checkpoint file beside it. Changing, removing, swapping rows breaks the
//! chain; cutting the tail contradicts the head; forging the head needs the key; rolling the whole
//! file back contradicts the checkpoints.
//! A finished year may move into a file of its own (`archive`): the signed cut stays in its place.
//! A checkpoint can be printed ([`paper_lines`]) and typed back: the only one that root cannot
//! re-sign is the one on paper.
//! Invariant: an entry is written in the transaction of the act it records, and holds no content.

mod archive;
mod chain;
mod cut;
mod event;
mod paper;
mod seal;
mod terms;
#[cfg(test)]
mod tests;
mod verify;
mod walk;

pub use archive::{ArchivePlan, ArchiveRefusal};
pub(crate) use archive::{attach, perform, plan, remove_disposed, sweep};
pub use chain::EntryRow;
pub(crate) use chain::{Chain, Next};
pub use cut::Cut;
pub use event::{Audited, Event, Operation, Outcome, RecordKind};
pub use paper::{PAPER_LINES, PaperLine, paper_lines};
pub use seal::{Checkpoint, key_fingerprint};
pub(crate) use seal::{Head, PublicKey, Signer, create_key};
pub(crate) use terms::TermKey;
pub(crate) use verify::disposed_until;
pub use verify::{Extent, Finding, Verdict, verify, verify_extent, verify_year};
