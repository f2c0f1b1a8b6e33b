//! What goes on until somebody says stop hears it here: SIGINT of a keyboard, SIGTERM of systemd.

use base::report::{Kind, Report};
use tokio::signal::unix::{SignalKind, signal};

/// Calls `stop` once, on a thread of its own, when either signal comes.
pub(super) fn at_signal(stop: impl FnOnce() + Send + 'static) -> Result<(), Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Report::new(Kind::Fault, e))?;
    let entered = runtime.enter();
    let interrupt = signal(SignalKind::interrupt()).map_err(|e| Report::new(Kind::Fault, e))?;
    let terminate = signal(SignalKind::terminate()).map_err(|e| Report::new(Kind::Fault, e))?;
    drop(entered);
    let (mut interrupt, mut terminate) = (interrupt, terminate);
    std::thread::spawn(move || {
        runtime.block_on(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        stop();
    });
    Ok(())
}
