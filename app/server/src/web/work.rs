//! The only place where a request leaves the asynchronous world.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::web::limits::{QUEUE_TIME_MAX, REQUEST_TIME_MAX, REQUESTS_AT_ONCE_MAX};
use crate::web::problem::Problem;

/// Runs page functions on blocking threads, a bounded number at a time.
#[derive(Debug, Clone)]
pub(crate) struct Desk(Arc<Semaphore>);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(REQUESTS_AT_ONCE_MAX)))
    }

    /// Runs `f`; a request that waits or works too long is told so. Work that was begun is finished
    /// even when its answer is no longer waited for.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = timeout(QUEUE_TIME_MAX, Arc::clone(&self.0).acquire_owned()).await;
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
