//! Who may name whom: the store owns the database crate, slices meet by their models, rooms meet
//! the app by file, HTTP or `hokatsu`.

use std::collections::BTreeSet;

use crate::rust::{code_of, has_word};
use crate::{Finding, Tree};

/// The bench room measures what the store costs above bare SQL, so it needs bare SQL;
/// the migrations suite looks at the bare file.
const MAY_NAME_THE_DATABASE_CRATE: [&str; 3] = ["app/store/", "tests/bench/", "tests/migrations/"];
const DATABASE_CRATE: &str = "rusqlite";

pub(crate) fn only_the_store_names_the_database_crate(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let manifests = |path: &str| path.ends_with("/Cargo.toml"); // The root one only pins versions.
    for file in tree.files() {
        let allowed = MAY_NAME_THE_DATABASE_CRATE
            .iter()
            .any(|room| file.path.starts_with(room));
        if allowed || file.path.starts_with("tests/tidy/") {
            continue;
        }
        if !file.is("rs") && !manifests(&file.path) {
            continue;
        }
        for (number, line) in file.lines() {
            if has_word(code_of(line), DATABASE_CRATE) {
                let message = "only app/store names `rusqlite`; ask `store::Db`";
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

const FEATURES: &str = "app/server/src/features/";

/// The slice that a path belongs to.
pub(crate) fn slice_of(path: &str) -> Option<&str> {
    let (slice, rest) = path.strip_prefix(FEATURES)?.split_once('/')?;
    (!rest.is_empty()).then_some(slice)
}

pub(crate) fn slices(tree: &Tree) -> BTreeSet<&str> {
    tree.of_kind("rs")
        .filter_map(|file| slice_of(&file.path))
        .collect()
}

pub(crate) fn slices_meet_by_model_only(tree: &Tree) -> Vec<Finding> {
    let slices = slices(tree);
    let mut findings = Vec::new();
    for file in tree.of_kind("rs") {
        let Some(own) = slice_of(&file.path) else {
            continue;
        };
        for (number, line) in file.lines() {
            for other in slices.iter().filter(|other| **other != own) {
                if let Some(part) = private_part(code_of(line), other) {
                    let message = format!(
                        "{own} imports {part} of {other}; use its model, or make the shared \
                         thing a slice of its own"
                    );
                    findings.push(Finding::at(&file.path, number, message));
                }
            }
        }
    }
    findings
}

/// `residents::store` or `residents::{model, store}` in a line.
fn private_part(code: &str, slice: &str) -> Option<&'static str> {
    ["store", "pages"].into_iter().find(|part| {
        let listed = code.split_once(&format!("{slice}::{{"));
        has_word(code, &format!("{slice}::{part}"))
            || listed.is_some_and(|(_, list)| has_word(list, part))
    })
}

const ROOMS: [&str; 4] = ["backup/", "image/", "monitoring/", "network/"];

/// What a crate does not depend on, it cannot import: the manifests are enough to look at.
pub(crate) fn rooms_do_not_import_the_server(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let room = |path: &str| ROOMS.iter().any(|room| path.starts_with(room));
    for file in tree
        .files()
        .iter()
        .filter(|file| room(&file.path) && file.name() == "Cargo.toml")
    {
        for (number, line) in file.lines() {
            if line.starts_with("server.") || line.starts_with("server ") {
                let message = "a room meets the app by file, HTTP or `hokatsu`, not by `server`";
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

const RECORDER: &str = "statements::record";

/// A recorded statement holds the values it ran with: names, numbers, what was said.
pub(crate) fn only_the_bench_room_records_statements(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let elsewhere = |path: &str| {
        let room = ["tests/bench/", "tests/tidy/"];
        !room.iter().any(|room| path.starts_with(room))
    };
    for file in tree.of_kind("rs").filter(|file| elsewhere(&file.path)) {
        for (number, line) in file.lines() {
            if has_word(code_of(line), RECORDER) {
                let message = "recorded statements hold residents' data; only tests/bench records";
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    #[test]
    fn the_database_crate_is_found_in_code_and_manifests_outside_the_store() {
        assert_eq!(
            said(
                only_the_store_names_the_database_crate,
                &[
                    ("app/store/src/db.rs", "use rusqlite::Connection;\n"),
                    (
                        "app/server/src/a.rs",
                        "//! No rusqlite here.\nuse rusqlite::Row;\n"
                    ),
                    ("backup/Cargo.toml", "rusqlite.workspace = true\n"),
                    ("Cargo.toml", "rusqlite = \"0.43.0\"\n"),
                ]
            ),
            [
                "app/server/src/a.rs:2: only app/store names `rusqlite`; ask `store::Db`",
                "backup/Cargo.toml:1: only app/store names `rusqlite`; ask `store::Db`",
            ]
        );
    }

    #[test]
    fn statements_recorded_outside_the_bench_room_are_found() {
        let text = "let run = store::statements::record(|| answer());\n";
        assert_eq!(
            said(
                only_the_bench_room_records_statements,
                &[
                    ("app/server/src/a.rs", text),
                    ("tests/bench/src/a.rs", text),
                    ("tests/access/a.rs", "statements::recorded_elsewhere();\n"),
                ]
            ),
            [
                "app/server/src/a.rs:1: recorded statements hold residents' data; \
                 only tests/bench records"
            ]
        );
    }

    #[test]
    fn a_slice_that_reaches_into_another_is_found_in_both_forms_of_import() {
        let a = "use crate::features::persons::store;\nuse super::super::persons::{model, pages};\n\
                 use crate::features::persons::model::PersonId;\n";
        assert_eq!(
            said(
                slices_meet_by_model_only,
                &[
                    ("app/server/src/features/visits/pages.rs", a),
                    (
                        "app/server/src/features/persons/mod.rs",
                        "use super::persons::store;\n"
                    ),
                ]
            ),
            [
                "app/server/src/features/visits/pages.rs:1: visits imports store of persons; \
                 use its model, or make the shared thing a slice of its own",
                "app/server/src/features/visits/pages.rs:2: visits imports pages of persons; \
                 use its model, or make the shared thing a slice of its own",
            ]
        );
    }

    #[test]
    fn a_room_that_depends_on_the_server_is_found() {
        assert_eq!(
            said(
                rooms_do_not_import_the_server,
                &[
                    (
                        "backup/Cargo.toml",
                        "[dependencies]\nserver.workspace = true\n"
                    ),
                    ("app/cli/Cargo.toml", "server.workspace = true\n"),
                ]
            ),
            [
                "backup/Cargo.toml:2: a room meets the app by file, HTTP or `hokatsu`, \
                 not by `server`"
            ]
        );
    }
}
