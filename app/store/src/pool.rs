//! A few connections that many callers share, with a limit on the wait.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::StoreError;

/// Connections that wait for a caller. Over the limit the caller is told, not queued for ever.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    desk: Mutex<Desk<T>>,
    freed: Condvar,
    wait_max: Duration,
}

#[derive(Debug)]
struct Desk<T> {
    idle: Vec<T>,
    /// Callers that wait. One goes away only while nothing is idle: what is laid down while somebody
    /// waits is taken up.
    waiting: usize,
}

impl<T> Pool<T> {
    pub(crate) fn new(items: Vec<T>, wait_max: Duration) -> Self {
        Self {
            desk: Mutex::new(Desk {
                idle: items,
                waiting: 0,
            }),
            freed: Condvar::new(),
            wait_max,
        }
    }

    /// Takes one item, waiting at most the pool's limit.
    pub(crate) fn take(&self) -> Result<Taken<'_, T>, StoreError> {
        let mut desk = self.desk();
        desk.waiting += 1;
        let (mut desk, _) = self
            .freed
            .wait_timeout_while(desk, self.wait_max, |desk| desk.idle.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        desk.waiting -= 1;
        let waited_ms = u64::try_from(self.wait_max.as_millis()).unwrap_or(u64::MAX);
        let item = desk.idle.pop().ok_or(StoreError::Busy { waited_ms })?;
        drop(desk);
        Ok(Taken {
            pool: self,
            item: Some(item),
        })
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.desk().waiting
    }

    fn desk(&self) -> MutexGuard<'_, Desk<T>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One item on loan; goes back when dropped, also when its user panicked.
#[derive(Debug)]
pub(crate) struct Taken<'p, T> {
    pool: &'p Pool<T>,
    item: Option<T>,
}

impl<T> Taken<'_, T> {
    /// Gives the item to somebody who waits for it; back to the caller when nobody does.
    pub(crate) fn hand_over(mut self) -> Option<Self> {
        let mut desk = self.pool.desk();
        if desk.waiting == 0 {
            drop(desk);
            return Some(self);
        }
        desk.idle.extend(self.item.take());
        drop(desk);
        self.pool.freed.notify_one();
        None
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            self.pool.desk().idle.push(item);
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
