//! argon2id with its cost stated: 19 MiB, 2 passes, 1 lane (OWASP's first choice, about 20 ms on
//! the build machine).
//!
//! One thread hashes for everybody, one password after the other. When each request hashed on its
//! own thread, the allocator kept 19 MiB for each of them: sixty sign-ins left 1 GB behind. Thirty
//! people who sign in at nine wait less than a second in all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::web::Problem;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Passwords that wait for their turn; the desk lets no more requests in than this.
const WAITING_MAX: usize = crate::web::limits::REQUESTS_AT_ONCE_MAX;

type Job = Box<dyn FnOnce() + Send>;

/// `None` when the machine could not start one more thread.
static QUEUE: OnceLock<Option<SyncSender<Job>>> = OnceLock::new();

fn queue() -> Option<SyncSender<Job>> {
    let (sender, jobs) = sync_channel::<Job>(WAITING_MAX);
    let work = move || {
        for job in jobs {
            // A job that panics takes its own answer with it and nobody else's.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                log::error!("a password could not be hashed");
            }
        }
    };
    let named = thread::Builder::new().name("passwords".to_owned());
    named.spawn(work).is_ok().then_some(sender)
}

/// Waits for the turn and the answer.
fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let gone = Problem::Fault("nobody hashes passwords");
    let Some(queue) = QUEUE.get_or_init(queue) else {
        return Err(gone);
    };
    let (sender, answer) = sync_channel(1);
    let job = Box::new(move || drop(sender.send(work())));
    if queue.send(job).is_err() {
        return Err(gone);
    }
    answer.recv().or(Err(gone))
}

fn hasher() -> Result<Argon2<'static>, Problem> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .or(Err(Problem::Fault("argon2 parameters are out of range")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password with a salt of its own.
pub(super) fn hash(password: &str) -> Result<String, Problem> {
    let (hasher, password) = (hasher()?, password.to_owned());
    let hashed = in_turn(move || {
        let hashed = hasher.hash_password(password.as_bytes());
        hashed.map(|hash| hash.to_string())
    })?;
    hashed.or(Err(Problem::Fault("password cannot be hashed")))
}

/// Does the password fit? A hash that cannot be read fits nothing.
pub(super) fn fits(password: &str, stored: &str) -> Result<bool, Problem> {
    let (hasher, password, stored) = (hasher()?, password.to_owned(), stored.to_owned());
    in_turn(move || {
        PasswordHash::new(&stored)
            .is_ok_and(|parsed| hasher.verify_password(password.as_bytes(), &parsed).is_ok())
    })
}

/// Takes as long as [`fits`] for an ID that does not exist.
pub(super) fn pretend(password: &str) -> Result<(), Problem> {
    hash(password).map(drop)
}

/// What one guess at a password costs whoever has the hashes; at this machine's speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes that could run beside each other.
    pub lanes: u32,
    /// Milliseconds, the middle one of [`MEASURED`] times.
    pub duration_ms: u64,
}

/// So many times it is measured: the first may wait for memory, one may wait for another process.
const MEASURED: usize = 5;

static COST: OnceLock<Cost> = OnceLock::new();

/// Hashes a few times and takes the middle of the times.
///
/// # Errors
/// [`Problem::Fault`] when nothing can be hashed; then nobody could sign in either.
pub fn measure_cost() -> Result<Cost, Problem> {
    let mut times = Vec::new();
    for _ in 0..MEASURED {
        let started = Instant::now();
        pretend("what a guess costs")?;
        times.push(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
    times.sort_unstable();
    Ok(Cost {
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        duration_ms: times.get(MEASURED / 2).copied().unwrap_or_default(),
    })
}

/// What was measured first since the start, at the latest now.
pub(super) fn cost() -> Result<Cost, Problem> {
    if let Some(known) = COST.get() {
        return Ok(*known);
    }
    let measured = measure_cost()?;
    Ok(*COST.get_or_init(|| measured))
}

/// Measures at the start, and says it in the log.
///
/// # Errors
/// As [`measure_cost`].
pub fn note_cost() -> Result<(), Problem> {
    let Cost {
        memory_kib,
        passes,
        duration_ms,
        ..
    } = cost()?;
    log::info!(
        memory_kib, passes, duration_ms;
        "a password costs {memory_kib} KiB, {passes} passes, {duration_ms} ms"
    );
    Ok(())
}
