//! Why an image could not be made or started.

use std::path::PathBuf;

use crate::child::ChildError;

/// Everything that ends a verb before its end.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A file or directory of ours.
    #[error("{path}: cannot {what}")]
    File {
        /// Which.
        path: PathBuf,
        /// As in "cannot write".
        what: &'static str,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// A program did not come to its end.
    #[error("a program did not run")]
    Child(#[from] ChildError),
    /// A program ended with another code than 0.
    #[error("{what} failed; the last lines:\n{tail}")]
    Failed {
        /// What it was for.
        what: &'static str,
        /// The end of what it said.
        tail: String,
    },
    /// A line of a lock file is none.
    #[error("{path}:{line}: expected name, version, architecture and SHA-256, with tabs between")]
    LockLine {
        /// The lock file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The archive has other versions by now, and no copy was kept on this machine.
    #[error(
        "the archive no longer has, and this machine never kept:\n{}\n\
         bring the files to {}, or take the present versions with `cargo xtask image lock`",
        .names.join("\n"), .store.display()
    )]
    Gone {
        /// Name and version.
        names: Vec<String>,
        /// Where a file is looked for, named by its SHA-256.
        store: PathBuf,
    },
    /// Bytes that are not what the lock says.
    #[error("{name}: the archive gave SHA-256 {found}, the lock says {locked}")]
    OtherBytes {
        /// Name and version.
        name: String,
        /// Of the bytes that came.
        found: String,
        /// Of the lock file.
        locked: String,
    },
    /// What was installed is not what was pinned.
    #[error("the image holds packages that packages.lock does not: {}", .0.join(", "))]
    NotLocked(Vec<String>),
    /// apt of this machine names no mirror of Debian.
    #[error("apt on this machine names no mirror of Debian to take Debian 13 from")]
    NoMirror,
    /// The binary to put into the image is not there.
    #[error("{0}: there is no such binary; build it, or name another with --binary")]
    NoBinary(PathBuf),
    /// A disk that may not be written to; why, and what to do.
    #[error("{0}")]
    Refused(String),
    /// No image has been made yet.
    #[error("there is no image yet; `cargo xtask image build` makes it")]
    NoImage,
    /// Words of another program that were not understood.
    #[error("{what} said something that is not understood")]
    NotUnderstood {
        /// Which program.
        what: &'static str,
        /// Why not.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The virtual machine cannot be talked to.
    #[error("the virtual machine's control channel: {0}")]
    Control(String),
    /// A slot was tried too often or too seldom.
    #[error("the machine started {starts} times, {wanted} were expected")]
    Starts {
        /// Starts that were seen.
        starts: usize,
        /// Tries of the bad slot and one of the good one.
        wanted: usize,
    },
    /// Something was found otherwise than it has to be.
    #[error("{what} does not hold; found: {found}")]
    Differs {
        /// What has to be.
        what: String,
        /// What is.
        found: String,
    },
    /// What was waited for did not come.
    #[error("waited {seconds} s for {what}; the end of the console:\n{tail}")]
    Waited {
        /// For what.
        what: String,
        /// How long.
        seconds: u64,
        /// What the console showed last.
        tail: String,
    },
}

/// Names file and deed for an error of the system.
pub fn at(path: impl Into<PathBuf>, what: &'static str) -> impl FnOnce(std::io::Error) -> Problem {
    let path = path.into();
    move |cause| Problem::File { path, what, cause }
}

/// Names the program whose words were not understood.
pub fn unclear<E: std::error::Error + Send + Sync + 'static>(
    what: &'static str,
) -> impl FnOnce(E) -> Problem {
    move |cause| Problem::NotUnderstood {
        what,
        cause: Box::new(cause),
    }
}
