//! The newest attachments beside a person or a consultation, for the pages of both.

use store::{ReadTx, StoreError};

use super::model::Owner;
use super::store as sql;
use super::view::{self, RowWords};
use crate::web::{Permission, Visit};

/// Files that a card shows; the rest is behind its link.
const ROWS_MAX: usize = 5;

/// What `features/attachments/card.html` draws.
pub struct Card {
    pub(in crate::features) rows: Vec<RowWords>,
    /// All of them, withdrawn ones as well.
    pub(in crate::features) total: usize,
    pub(in crate::features) href: String,
    pub(in crate::features) may_add: bool,
}

impl Card {
    /// Reads it within a look that leaves its own entry; nothing for whoever may not open attachments.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(
        visit: &Visit,
        tx: &ReadTx<'_>,
        owner: Owner,
        may_write: bool,
    ) -> Result<Option<Self>, StoreError> {
        if !visit.may(Permission::AttachmentView) {
            return Ok(None);
        }
        let all = sql::of_owner(tx, owner)?;
        Ok(Some(Self {
            total: all.len(),
            rows: view::rows(visit, all.iter().take(ROWS_MAX)),
            href: owner.list(),
            may_add: may_write && visit.may(Permission::AttachmentWrite),
        }))
    }
}
