//! The shipper as a process: woken by writes to SQLite's log, asked over its socket.
//!
//! Shape: one thread has the [`Shipper`]; one hears from the kernel that a file beside the database was
//! written to, one waits for callers, and each caller has one. They send events; whatever came meanwhile
//! is answered by one turn, so that many commits share one flush.
//! Limits: [`CALLERS_MAX`] callers; [`TICK`] without an event before it looks by itself.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::Duration;

use base::clock::Clock;
use base::paths::create_private_dir;
use base::shipping::{Answer, LINE_BYTES_MAX, Request, listen};
use rustix::fs::inotify;
use rustix::fs::{FlockOperation, flock};

use super::error::ShipError;
use super::shelf;
use super::shipper::{ShipSettings, Shipper};

/// Callers at a time: the service has a few lines, an operator one.
const CALLERS_MAX: usize = 64;
/// Looks at disk and database at least so often.
const TICK: Duration = Duration::from_secs(1);
/// Attachments are compared at least so often, and whenever the disk comes or goes.
const SHELF_EVERY: Duration = Duration::from_secs(600);
const LOCK: &str = "lock";

enum Event {
    /// Something beside the database was written to.
    Written,
    Asked(Request, Sender<Answer>),
    Stop,
}

/// Ends a shipper that runs.
#[derive(Debug, Clone)]
pub struct Stopper(Sender<Event>);

impl Stopper {
    /// Asks it to end after the turn it is in.
    pub fn stop(&self) {
        // Fails when it has ended, which is what is wanted.
        drop(self.0.send(Event::Stop));
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Event")
    }
}

/// A shipper that has its socket and waits to run.
#[derive(Debug)]
pub struct Service {
    shipper: Shipper,
    events: Receiver<Event>,
    stopper: Stopper,
    written: Arc<AtomicBool>,
    /// Says that the disk is back, to whoever brings the attachments.
    shelf: Sender<()>,
    _lock: std::fs::File,
}

impl Service {
    /// Takes the machine's place for shipping, opens the socket and begins to listen.
    ///
    /// # Errors
    /// [`ShipError::InUse`] when another shipper runs; those of the file system.
    pub fn open(shipper: Shipper) -> Result<Self, ShipError> {
        let machine = shipper.settings().machine.clone();
        create_private_dir(&machine)?;
        let lock = locked(&machine)?;
        let (sender, events) = channel();
        let written = Arc::new(AtomicBool::new(true));
        let database = &shipper.settings().database;
        let beside = database.parent().unwrap_or(Path::new(".")).to_owned();
        watch(&beside, sender.clone(), Arc::clone(&written))?;
        accept(shipper.settings().clone(), sender.clone())?;
        let shelf = keep_shelf(shipper.settings().clone(), shipper.clock().clone());
        Ok(Self {
            shipper,
            events,
            stopper: Stopper(sender),
            written,
            shelf,
            _lock: lock,
        })
    }

    /// Ends it from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Ships until it is stopped. What the world does to the disks is a state, not an end.
    pub fn run(mut self) {
        let mut waiting: Vec<(Request, Sender<Answer>)> = Vec::new();
        let mut more = true;
        loop {
            let first = if more {
                self.events.try_recv().map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                })
            } else {
                self.events.recv_timeout(TICK)
            };
            let mut next = match first {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut stop = false;
            while let Some(event) = next {
                match event {
                    Event::Written => {}
                    Event::Asked(request, reply) => waiting.push((request, reply)),
                    Event::Stop => stop = true,
                }
                next = self.events.try_recv().ok();
            }
            // Cleared before the look: what is written after it sends another event.
            self.written.store(false, Ordering::SeqCst);
            let before = self.shipper.answer().state;
            let turn = self.shipper.turn();
            let changed = self.shipper.answer().state != before;
            if changed && self.shelf.send(()).is_err() {
                log::debug!("nobody brings attachments any more");
            }
            more = turn.again;
            // While the first base is copied nobody is told "no": their own limit says how long to wait.
            if !turn.behind {
                for (request, reply) in waiting.drain(..) {
                    let answer = match request {
                        Request::Fold => self.shipper.may_fold(),
                        Request::Wait | Request::Status | Request::Bytes { .. } => {
                            self.shipper.answer()
                        }
                    };
                    // A caller that went away needs no answer.
                    drop(reply.send(answer));
                }
            }
            if stop {
                return;
            }
        }
    }
}

fn locked(machine: &Path) -> Result<std::fs::File, ShipError> {
    let path = machine.join(LOCK);
    let mut options = std::fs::File::options();
    let file = options.write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|e| ShipError::io("open", &path, e))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(ShipError::InUse(machine.to_owned())),
        Err(error) => Err(ShipError::io("lock", &path, error.into())),
    }
}

/// Hears of writes beside the database. What it is about is not asked: a look costs microseconds.
fn watch(dir: &Path, events: Sender<Event>, written: Arc<AtomicBool>) -> Result<(), ShipError> {
    let at = |error: rustix::io::Errno| ShipError::io("watch", dir, error.into());
    let kernel = inotify::init(inotify::CreateFlags::CLOEXEC).map_err(at)?;
    let what = inotify::WatchFlags::MODIFY | inotify::WatchFlags::CREATE;
    inotify::add_watch(&kernel, dir, what | inotify::WatchFlags::MOVED_TO).map_err(at)?;
    let mut kernel = std::fs::File::from(kernel);
    std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        loop {
            match kernel.read(&mut buffer) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    log::error!(
                        "the kernel tells of no more writes, so they are looked for: {error}"
                    );
                    return;
                }
            }
            if !written.swap(true, Ordering::SeqCst) && events.send(Event::Written).is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn accept(settings: ShipSettings, events: Sender<Event>) -> Result<(), ShipError> {
    let machine = &settings.machine;
    let listener = listen(machine).map_err(|e| ShipError::io("listen in", machine, e))?;
    let callers = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for caller in listener.incoming() {
            let Ok(caller) = caller else {
                log::warn!("a caller at {} was lost", settings.machine.display());
                continue;
            };
            if callers.fetch_add(1, Ordering::SeqCst) >= CALLERS_MAX {
                callers.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            let (events, callers) = (events.clone(), Arc::clone(&callers));
            let settings = settings.clone();
            std::thread::spawn(move || {
                if let Err(error) = converse(caller, &settings, &events) {
                    log::debug!("a caller hung up: {error}");
                }
                callers.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Ok(())
}

/// Catches up with attachments that were taken in while the disk was away.
fn keep_shelf(settings: ShipSettings, clock: Clock) -> Sender<()> {
    let (sender, woken) = channel();
    std::thread::spawn(move || {
        loop {
            match shelf::sync(&settings, clock.now()) {
                Ok((0, 0)) => {}
                Ok((brought, gone)) => {
                    log::info!("attachments: {brought} brought, {gone} put aside");
                }
                // The disk: its state says so already.
                Err(error) => log::debug!("attachments wait: {}", base::report::chain(&error)),
            }
            if woken.recv_timeout(SHELF_EVERY) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
    });
    sender
}

/// Answers one caller until it hangs up or says what nobody understands.
fn converse(caller: UnixStream, settings: &ShipSettings, events: &Sender<Event>) -> io::Result<()> {
    let mut reader = BufReader::new(caller);
    let (reply, answers) = channel();
    loop {
        let mut line = String::new();
        reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut line)?;
        let Some(request) = Request::parse(&line) else {
            return Ok(());
        };
        // Copied here, by whoever asked, so that transactions need not wait for a photograph.
        let taken = match &request {
            Request::Bytes { sha256, name } => Some(shelf::take(settings, sha256, name)),
            Request::Wait | Request::Fold | Request::Status => None,
        };
        let asked = Event::Asked(request, reply.clone());
        events.send(asked).map_err(io::Error::other)?;
        let mut answer = answers.recv().map_err(io::Error::other)?;
        if let Some(taken) = taken {
            answer.yes = taken.is_ok();
            if let Err(error) = taken {
                log::error!(
                    "an attachment is not shipped yet: {}",
                    base::report::chain(&error)
                );
            }
        }
        let mut text = serde_json::to_string(&answer).map_err(io::Error::other)?;
        text.push('\n');
        reader.get_mut().write_all(text.as_bytes())?;
    }
}
