//! A repository at the other end of a network: restic's REST protocol, spoken by a server there or by the
//! stock `rclone` here, which knows S3 and SFTP.
//!
//! Shape: [`Offsite`] connects when it is first asked and is shared by everything that uses the repository;
//! [`Client`] is the engine's backend. `rclone` is a child that ends with this process.
//! Invariant: a secret is in a file or the child's environment, never in an argument, a message or a log.
//! Nothing waits for ever: each request has a time by its size, is tried a few times, and once the line
//! is lost what follows fails at once for a while.
//! Errors: [`OffsiteError`], with a [`Problem`] that the operator is told.
//! Source: docs/decisions/0039-off-site-repositories.md.

mod backend;
mod client;
mod login;
mod problem;
mod rclone;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(crate) use self::backend::Backend;
pub(crate) use self::client::Client;
pub use self::problem::{OffsiteError, Problem};
use self::rclone::Rclone;

/// How it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    Rest(Rest),
    S3(S3),
    Sftp(Sftp),
}

/// A server that speaks the protocol itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    pub url: String,
    /// Who signs in, and the file that holds the password.
    pub login: Option<(String, PathBuf)>,
    pub ca_file: Option<PathBuf>,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    pub endpoint: String,
    pub region: String,
    pub bucket: String,
    pub prefix: String,
    /// The access key and its secret, a line each.
    pub login_file: PathBuf,
    pub ca_file: Option<PathBuf>,
}

/// A directory of an SSH server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sftp {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub path: String,
    pub key_file: PathBuf,
    pub known_hosts_file: PathBuf,
}

/// How long is waited, and how often tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until a line stands.
    pub connect: Duration,
    /// For one request, beside the time that its bytes need.
    pub request: Duration,
    /// A line that is slower than this counts as broken.
    pub bytes_per_second_min: u64,
    /// How often a request that was lost is made.
    pub tries: usize,
    /// Before the second of them; doubled before each that follows.
    pub pause: Duration,
    /// Once a request was lost in all its tries, others are not tried for so long.
    pub lost: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            request: Duration::from_secs(60),
            bytes_per_second_min: 16 * 1024,
            tries: 4,
            pause: Duration::from_secs(1),
            lost: Duration::from_secs(60),
        }
    }
}

/// A repository elsewhere. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Offsite(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    reach: Reach,
    append_only: bool,
    state: PathBuf,
    patience: Patience,
    connected: Mutex<Option<Arc<Client>>>,
    /// What went wrong so far, and how often.
    last: Mutex<(u64, Option<OffsiteError>)>,
}

impl PartialEq for Offsite {
    fn eq(&self, other: &Self) -> bool {
        self.0.reach == other.0.reach
    }
}

impl Eq for Offsite {}

impl Offsite {
    /// One that is reached like this.
    ///
    /// Shape: `state` is a directory of this machine for what a server cannot hold for us: the lock, and
    /// what was seen there. With `append_only` nothing is ever deleted from here.
    #[must_use]
    pub fn new(reach: Reach, append_only: bool, state: PathBuf) -> Self {
        Self::patient(reach, append_only, state, Patience::default())
    }

    /// As [`Offsite::new`], with a patience of one's own.
    #[must_use]
    pub fn patient(reach: Reach, append_only: bool, state: PathBuf, patience: Patience) -> Self {
        Self(Arc::new(Shared {
            reach,
            append_only,
            state,
            patience,
            connected: Mutex::default(),
            last: Mutex::default(),
        }))
    }

    pub(crate) fn is_append_only(&self) -> bool {
        self.0.append_only
    }

    pub(crate) fn state(&self) -> &Path {
        &self.0.state
    }

    pub(crate) fn for_restic(&self) -> String {
        match &self.0.reach {
            Reach::Rest(rest) => format!("rest:{}", client::with_slash(&rest.url)),
            Reach::S3(s3) => {
                let endpoint = s3.endpoint.trim_end_matches('/');
                format!("s3:{endpoint}/{}", s3.below())
            }
            Reach::Sftp(sftp) => {
                format!(
                    "sftp://{}@{}:{}/{}",
                    sftp.user, sftp.host, sftp.port, sftp.path
                )
            }
        }
    }

    /// The connection, which is made when there is none.
    pub(crate) fn client(&self) -> Result<Arc<Client>, OffsiteError> {
        let mut connected = lock(&self.0.connected);
        if let Some(client) = connected.as_ref().filter(|client| client.is_alive()) {
            return Ok(Arc::clone(client));
        }
        let client = self.connect().inspect_err(|error| self.noted(error))?;
        let client = Arc::new(client);
        *connected = Some(Arc::clone(&client));
        Ok(client)
    }

    fn connect(&self) -> Result<Client, OffsiteError> {
        let patience = self.0.patience;
        let home = self.clone();
        let Reach::Rest(rest) = &self.0.reach else {
            let rclone = Rclone::start(&self.0.reach, &self.0.state, patience)?;
            return Client::through(rclone, patience, home);
        };
        let password = rest.login.as_ref().map(|(user, file)| {
            let mut lines = login::lines(file, 1)?;
            Ok::<_, OffsiteError>((user.clone(), lines.pop().unwrap_or_default()))
        });
        Client::new(rest, password.transpose()?, patience, home)
    }

    fn noted(&self, error: &OffsiteError) {
        let mut last = lock(&self.0.last);
        *last = (last.0 + 1, Some(error.clone()));
    }

    /// How often something went wrong so far.
    pub(crate) fn problems(&self) -> u64 {
        lock(&self.0.last).0
    }

    /// What went wrong last, when that was since `before`.
    pub(crate) fn problem_since(&self, before: u64) -> Option<OffsiteError> {
        let last = lock(&self.0.last);
        last.1.clone().filter(|_| last.0 > before)
    }
}

impl S3 {
    fn below(&self) -> String {
        let prefix = self.prefix.trim_matches('/');
        if prefix.is_empty() {
            self.bucket.clone()
        } else {
            format!("{}/{prefix}", self.bucket)
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A thread that died while it held this left a whole value: each is replaced at once.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
