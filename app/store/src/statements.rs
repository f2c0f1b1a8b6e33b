//! Which statements a run prepared, and through which view each read a person table.
//!
//! Kept only in builds with debug assertions: the suites list every statement of the run from it.
//! A statement without an entry in `reads` touched no person table.
//!
//! [`record`] is for the bench room, which repeats what a page asked on a bare connection. It works
//! in every build, since only the shipped one is worth measuring, and is off unless it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
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

static RECORDING: AtomicBool = AtomicBool::new(false);
static RUN: Mutex<Vec<String>> = Mutex::new(Vec::new());

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

/// Runs `work` and returns, in their order, the statements that this process ran meanwhile, each
/// with its values in place. The values are residents' data: only the bench room, where everybody
/// is invented, calls this (a rule of `tests/tidy`).
///
/// One recording at a time; statements of other threads are in it too.
pub fn record<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    RECORDING.store(true, Ordering::SeqCst);
    let value = work();
    RECORDING.store(false, Ordering::SeqCst);
    let run = std::mem::take(&mut *RUN.lock().unwrap_or_else(PoisonError::into_inner));
    (value, run)
}

/// Called after a statement ran, while its values are still bound.
pub(crate) fn note_run(statement: &rusqlite::Statement<'_>) {
    if RECORDING.load(Ordering::Relaxed)
        && let Some(sql) = statement.expanded_sql()
    {
        RUN.lock().unwrap_or_else(PoisonError::into_inner).push(sql);
    }
}
