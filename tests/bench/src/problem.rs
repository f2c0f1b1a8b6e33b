//! Why something could not be measured at all.

use std::path::{Path, PathBuf};

/// What the machine, the city or the tools had against it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{} is not built: cargo build --package cli, with the profile of this run", path.display())]
    NotBuilt { path: PathBuf },
    #[error("cannot use {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("'hokatsu {verb}' ended with {status}; see {}", log.display())]
    Ended {
        verb: String,
        status: std::process::ExitStatus,
        log: PathBuf,
    },
    #[error("'hokatsu {verb}' took longer than {seconds} s")]
    TooLong { verb: String, seconds: u64 },
    #[error("what 'hokatsu {0}' printed is not what it promises")]
    Output(String),
    #[error("{address} answered {status}")]
    Refused { address: String, status: u16 },
    #[error("nobody of the role is in the invented staff: {0}")]
    NobodyOf(&'static str),
    #[error("the city has nobody to ask for: {0}")]
    Empty(String),
    #[error("the store")]
    Store(#[from] store::StoreError),
    #[error("the bare database")]
    Bare(#[from] rusqlite::Error),
    #[error("the request could not be made")]
    Request(#[from] axum::http::Error),
    #[error("no answer within the server")]
    Inside(#[from] axum::Error),
    #[error("no answer over the line")]
    Line(#[from] ureq::Error),
    #[error("the histogram")]
    Histogram(#[from] hdrhistogram::CreationError),
    #[error("the table of the invented staff")]
    Staff(#[from] demo::TableError),
    #[error("a file that is no CSV")]
    Csv(#[from] csv::Error),
    #[error("JSON")]
    Json(#[from] serde_json::Error),
    #[error("the site file, or the room on the disk")]
    Path(#[from] base::paths::PathError),
    #[error("less than {0} bytes are free")]
    NoRoom(u64),
    #[error("{} is not there: start this by `cargo xtask bench backup`", .0.display())]
    NoTool(PathBuf),
    #[error("what came back is not what was saved: {0}")]
    Differs(&'static str),
    #[error("a paper could not be attached: {0}")]
    Page(String),
    #[error("a thread gave up")]
    Thread,
}

impl Problem {
    /// For `map_err` on whatever touches a file.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { path, cause }
    }

    /// The sentence with all its causes.
    pub(crate) fn told(&self) -> String {
        let mut words = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(below) = cause {
            words.push_str(&format!(": {below}"));
            cause = below.source();
        }
        words
    }
}
