//! The former state out of its name and the new one into it.
//!
//! Shape: the kernel exchanges both names in one step; then the former state gets the name under which
//! it is kept. Run again at any point, it does what is missing: what the state of the names says counts.
//! A file system that cannot exchange gets two renames, between which the name is free for a moment:
//! both states are whole then, too, and running again ends it.

use std::fs;
use std::path::Path;

use base::paths::sync_dir;
use base::report::Report;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::verbs::restore::journal::Journal;
use crate::verbs::restore::states::{Places, unusable};

pub(super) fn swap(journal: &Journal, places: &Places) -> Result<(), Report> {
    let (data, staging) = (places.data.path(), places.staging());
    let staging = staging.path();
    if !journal.is_swapped(places) {
        if journal.kept.exists() && !data.exists() {
            rename(staging, data)?;
        } else if places.is_used()? {
            exchange(journal, places)?;
        } else {
            // Nothing there, or an empty directory, whose place it takes.
            rename(staging, data)?;
        }
        flush(places)?;
    }
    if staging.exists() {
        rename(staging, &journal.kept)?;
        flush(places)?;
    }
    Ok(())
}

fn exchange(journal: &Journal, places: &Places) -> Result<(), Report> {
    let (data, staging) = (places.data.path(), places.staging());
    let staging = staging.path();
    match renameat_with(CWD, staging, CWD, data, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            rename(data, &journal.kept)?;
            rename(staging, data)
        }
        Err(e) => Err(unusable(data, std::io::Error::from(e))),
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Report> {
    fs::rename(from, to).map_err(|e| unusable(from, e))
}

pub(super) fn flush(places: &Places) -> Result<(), Report> {
    sync_dir(places.parent()).map_err(|e| unusable(places.parent(), e))
}

#[cfg(test)]
mod tests {
    use store::DataDir;
    use tempfile::TempDir;

    use super::*;
    use crate::verbs::restore::journal::{Stage, What};

    /// A data directory with its former state, and a new one beside it.
    struct Names {
        root: TempDir,
        places: Places,
        journal: Journal,
    }

    impl Names {
        fn new() -> Self {
            let root = TempDir::new().unwrap();
            let data = root.path().join("data");
            fs::create_dir(&data).unwrap();
            put(&data, "former");
            let places = Places::of(&DataDir::new(&data)).unwrap();
            let staging = places.staging();
            fs::create_dir(staging.path()).unwrap();
            put(staging.path(), "new");
            let journal = Journal {
                what: What::Restore,
                stage: Stage::Ready,
                token: "7".repeat(32),
                epoch: 1,
                source: String::new(),
                repository: String::new(),
                snapshot: String::new(),
                taken_at: String::new(),
                kept: root.path().join("data.before-x"),
                from: data,
                flawed: false,
            };
            journal.stamp(&staging).unwrap();
            Self {
                root,
                places,
                journal,
            }
        }

        fn at(&self, name: &str) -> String {
            let path = self.root.path().join(name).join("state");
            fs::read_to_string(path).unwrap_or_default()
        }

        fn ends(&self) {
            swap(&self.journal, &self.places).unwrap();
            assert_eq!((self.at("data"), self.at("data.before-x")), ended());
            assert!(!self.places.staging().path().exists());
            // Run once more it changes nothing.
            swap(&self.journal, &self.places).unwrap();
            assert_eq!((self.at("data"), self.at("data.before-x")), ended());
        }
    }

    fn ended() -> (String, String) {
        ("new".to_owned(), "former".to_owned())
    }

    fn put(dir: &Path, state: &str) {
        base::paths::write_atomic(&dir.join("state"), state.as_bytes(), 0o600).unwrap();
    }

    #[test]
    fn the_new_state_takes_the_name_and_the_former_one_is_kept() {
        Names::new().ends();
    }

    #[test]
    fn cut_behind_the_exchange_it_is_ended() {
        let names = Names::new();
        exchange(&names.journal, &names.places).unwrap();
        assert_eq!((names.at("data"), names.at("data.restoring")), ended());
        assert!(names.journal.is_swapped(&names.places));
        names.ends();
    }

    #[test]
    fn cut_between_two_renames_both_states_are_whole_and_it_is_ended() {
        let names = Names::new();
        let data = names.root.path().join("data");
        rename(&data, &names.journal.kept).unwrap();
        assert_eq!(
            (names.at("data.restoring"), names.at("data.before-x")),
            ended()
        );
        names.ends();
    }

    #[test]
    fn where_nothing_was_nothing_is_kept() {
        let names = Names::new();
        fs::remove_dir_all(names.root.path().join("data")).unwrap();
        swap(&names.journal, &names.places).unwrap();
        assert_eq!(
            (names.at("data"), names.at("data.before-x")),
            ("new".to_owned(), String::new())
        );
    }

    #[test]
    fn a_stamp_of_another_restore_does_not_count() {
        let names = Names::new();
        let stamp = names.root.path().join("data/.hokatsu-swapped");
        base::paths::write_atomic(&stamp, b"another", 0o600).unwrap();
        assert!(!names.journal.is_swapped(&names.places));
        names.ends();
    }
}
