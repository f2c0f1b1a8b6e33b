//! How far a job has come, for whoever shows it.

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading the source to write its manifest.
    Hash,
    /// Writing into the repository.
    Save,
    /// Reading the snapshot back into files.
    Restore,
}

/// Told by the job; called from several threads.
pub trait Progress: Send + Sync {
    /// A step begins that will handle so many bytes.
    fn start(&self, step: Step, bytes: u64);
    /// So many more bytes are done.
    fn advance(&self, bytes: u64);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Progress for Quiet {
    fn start(&self, _step: Step, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}
