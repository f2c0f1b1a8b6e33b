//! Which statements a run prepared, and through which view each read a person table.
//!
//! Kept only in builds with debug assertions: the suites list every statement of the run from it.
//! A statement without an entry in `reads` touched no person table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// One read of a person table by a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonRead {
    /// The table.
    pub table: String,
    /// The scoped view it came through; `None` in the system's own (unscoped) work.
    pub view: Option<String>,
    /// True when the store ran it for the system (import, undo, verification).
    pub unscoped: bool,
}

type Seen = BTreeMap<String, BTreeSet<PersonRead>>;

static SEEN: Mutex<Seen> = Mutex::new(BTreeMap::new());

thread_local! {
    static READS: std::cell::RefCell<BTreeSet<PersonRead>> =
        const { std::cell::RefCell::new(BTreeSet::new()) };
}

/// Every statement prepared by this process so far with its reads of person tables.
///
/// Empty in builds without debug assertions.
pub fn seen() -> Vec<(String, Vec<PersonRead>)> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.iter()
        .map(|(sql, reads)| (sql.clone(), reads.iter().cloned().collect()))
        .collect()
}

pub(crate) fn note_read(read: PersonRead) {
    if cfg!(debug_assertions) {
        READS.with_borrow_mut(|reads| reads.insert(read));
    }
}

/// Called after a statement was prepared on this thread.
pub(crate) fn note_statement(sql: &str) {
    if cfg!(debug_assertions) {
        let reads = READS.with_borrow_mut(std::mem::take);
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get_mut(sql) {
            Some(known) => known.extend(reads),
            None => {
                seen.insert(sql.to_owned(), reads);
            }
        }
    }
}
