//! The only place where a request leaves the asynchronous world.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::web::limits::{
    QUEUE_TIME_MAX, REQUEST_TIME_MAX, REQUESTS_AT_ONCE_MAX, UPLOADS_AT_ONCE_MAX,
};
use crate::web::problem::Problem;

/// Runs page functions on blocking threads, a bounded number at a time.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    turns: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(REQUESTS_AT_ONCE_MAX)),
            uploads: Arc::new(Semaphore::new(UPLOADS_AT_ONCE_MAX)),
        }
    }

    /// Waits for one of the few places at which files are taken in; held until dropped.
    pub(crate) async fn upload_turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = timeout(QUEUE_TIME_MAX, Arc::clone(&self.uploads).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(Problem::Busy)
    }

    /// Runs `f`; a request that waits or works too long is told so. Work that was begun is finished
    /// even when its answer is no longer waited for.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = timeout(QUEUE_TIME_MAX, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(permit)) = turn else {
            return Err(Problem::Busy);
        };
        let task = tokio::task::spawn_blocking(move || {
            let result = f();
            drop(permit);
            result
        });
        match timeout(REQUEST_TIME_MAX, task).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Problem::Fault("page function panicked")),
            Err(_) => Err(Problem::Busy),
        }
    }
}

/// A short piece of work on the disk within a request that has its turn already.
pub(crate) async fn aside<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(f).await {
        Ok(result) => result,
        Err(_) => Err(Problem::Fault("work on the disk panicked")),
    }
}

/// Starts a task that lives as long as the server (certificate watch, watchdog).
#[expect(
    clippy::disallowed_methods,
    reason = "background tasks of the server start here"
)]
pub(crate) fn background(
    task: impl Future<Output = ()> + Send + 'static,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(task)
}
