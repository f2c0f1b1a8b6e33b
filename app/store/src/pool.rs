//! A few connections that many callers share, with a limit on the wait.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::error::StoreError;

/// Connections that wait for a caller. Over the limit the caller is told, not queued for ever.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    freed: Condvar,
    wait_max: Duration,
}

impl<T> Pool<T> {
    pub(crate) fn new(items: Vec<T>, wait_max: Duration) -> Self {
        Self {
            idle: Mutex::new(items),
            freed: Condvar::new(),
            wait_max,
        }
    }

    /// Takes one item, waiting at most the pool's limit.
    pub(crate) fn take(&self) -> Result<Taken<'_, T>, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut idle, _) = self
            .freed
            .wait_timeout_while(idle, self.wait_max, |idle| idle.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let waited_ms = u64::try_from(self.wait_max.as_millis()).unwrap_or(u64::MAX);
        let item = idle.pop().ok_or(StoreError::Busy { waited_ms })?;
        Ok(Taken {
            pool: self,
            item: Some(item),
        })
    }
}

/// One item on loan; goes back when dropped, also when its user panicked.
#[derive(Debug)]
pub(crate) struct Taken<'p, T> {
    pool: &'p Pool<T>,
    item: Option<T>,
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            self.pool
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(item);
            self.pool.freed.notify_one();
        }
    }
}

impl<T> Deref for Taken<'_, T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "the item leaves only in drop")]
    fn deref(&self) -> &T {
        self.item
            .as_ref()
            .expect("taken item is present until drop")
    }
}

impl<T> DerefMut for Taken<'_, T> {
    #[expect(clippy::expect_used, reason = "the item leaves only in drop")]
    fn deref_mut(&mut self) -> &mut T {
        self.item
            .as_mut()
            .expect("taken item is present until drop")
    }
}
