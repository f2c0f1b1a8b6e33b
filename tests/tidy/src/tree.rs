//! The files of the repository as text: what Git tracks, and what it would offer to track.

use std::fs;
use std::path::Path;
use std::process::Command;

/// One text file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    pub text: String,
}

impl SourceFile {
    /// The last part of the path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The file is of this kind; `extension` comes without its dot.
    #[must_use]
    pub fn is(&self, extension: &str) -> bool {
        self.name()
            .rsplit_once('.')
            .is_some_and(|(_, found)| found == extension)
    }

    /// Lines with their numbers, counted from 1 as editors do.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .zip(1..)
            .map(|(line, number)| (number, line))
    }
}

/// All text files of a repository, or those of an example.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: Vec<SourceFile>,
}

/// Why the files could not be listed or read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    #[error("git could not be started")]
    Git(#[source] std::io::Error),
    #[error("git refused to list the files: {0}")]
    Refused(String),
    #[error("cannot read {path}")]
    Read {
        path: String,
        #[source]
        cause: std::io::Error,
    },
}

impl Tree {
    /// Reads tracked files and untracked ones that are not ignored; binary files are left out.
    ///
    /// # Errors
    /// [`TreeError`] when Git is missing, or a listed file cannot be read.
    pub fn of_repository(root: &Path) -> Result<Tree, TreeError> {
        let mut files = Vec::new();
        for path in listed(root)? {
            let file = root.join(&path);
            // Links lead to files that are listed themselves; a deleted file is still in the index.
            if !file.symlink_metadata().is_ok_and(|found| found.is_file()) {
                continue;
            }
            let bytes = match fs::read(&file) {
                Ok(bytes) => bytes,
                Err(cause) => return Err(TreeError::Read { path, cause }),
            };
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(SourceFile { path, text });
            }
        }
        Ok(Tree { files })
    }

    /// An example: pairs of path and text.
    #[must_use]
    pub fn of(pairs: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Tree {
            files: pairs.iter().map(file).collect(),
        }
    }

    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Files of one kind; `extension` comes without its dot.
    pub fn of_kind<'a>(&'a self, extension: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| file.is(extension))
    }

    #[must_use]
    pub fn find(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "git answers from the local disk; the checker must not compile what it checks"
)]
fn listed(root: &Path) -> Result<Vec<String>, TreeError> {
    let arguments = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let answer = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(TreeError::Git)?;
    if !answer.status.success() {
        return Err(TreeError::Refused(
            String::from_utf8_lossy(&answer.stderr).into_owned(),
        ));
    }
    let names = String::from_utf8_lossy(&answer.stdout).into_owned();
    Ok(names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}
