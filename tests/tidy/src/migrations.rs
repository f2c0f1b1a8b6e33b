//! Migrations: one purpose each, frozen once released.

use sha2::{Digest, Sha256};

use crate::{Finding, SourceFile, Tree};

const DIRECTORY: &str = "app/store/migrations/";
/// `sha256  NNNN_verb_object.sql` a line, as `sha256sum` writes it; absent before a release.
const RELEASED: &str = "app/store/migrations/RELEASED";

fn migrations(tree: &Tree) -> impl Iterator<Item = &SourceFile> {
    tree.of_kind("sql")
        .filter(|file| file.path.starts_with(DIRECTORY))
}

pub(crate) fn names_tell_number_and_purpose(tree: &Tree) -> Vec<Finding> {
    let nameless = |file: &&SourceFile| !has_number_and_purpose(file.name());
    let message = "name a migration NNNN_verb_object.sql";
    migrations(tree)
        .filter(nameless)
        .map(|file| Finding::in_file(&file.path, message))
        .collect()
}

fn has_number_and_purpose(name: &str) -> bool {
    let Some((number, purpose)) = name.trim_end_matches(".sql").split_once('_') else {
        return false;
    };
    let digits = number.len() == 4 && number.chars().all(|c| c.is_ascii_digit());
    let words = purpose
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    digits && words && purpose.contains('_')
}

pub(crate) fn released_ones_are_frozen(tree: &Tree) -> Vec<Finding> {
    let Some(released) = tree.find(RELEASED) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (number, line) in released.lines() {
        let Some((hash, name)) = line.split_once("  ") else {
            findings.push(Finding::at(
                RELEASED,
                number,
                "write `sha256  NNNN_verb_object.sql`",
            ));
            continue;
        };
        let path = format!("{DIRECTORY}{name}");
        match tree.find(&path) {
            None => {
                let message = format!("{name} is released and must stay");
                findings.push(Finding::at(RELEASED, number, message));
            }
            Some(file) if sha256(&file.text) != hash => {
                let message = "this migration is released; write a new one instead";
                findings.push(Finding::in_file(&path, message));
            }
            Some(_) => {}
        }
    }
    findings
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    const FIRST: &str = "app/store/migrations/0001_create_residents.sql";
    // printf 'select 1;\n' | sha256sum
    const HASH: &str = "4a45092ccf992ea92250053a80b931b787924ba61648f420555511b84f10ab6c";

    #[test]
    fn a_migration_without_number_or_purpose_is_found() {
        let files = [
            (FIRST, ""),
            ("app/store/migrations/2_x.sql", ""),
            ("app/store/schema.sql", ""),
        ];
        assert_eq!(
            said(names_tell_number_and_purpose, &files),
            ["app/store/migrations/2_x.sql: name a migration NNNN_verb_object.sql"]
        );
    }

    #[test]
    fn a_released_migration_that_changed_is_found() {
        let released = format!("{HASH}  0001_create_residents.sql\n");
        assert_eq!(
            said(
                released_ones_are_frozen,
                &[(RELEASED, &released), (FIRST, "select 2;\n")]
            ),
            [format!(
                "{FIRST}: this migration is released; write a new one instead"
            )]
        );
    }

    #[test]
    fn a_released_migration_that_is_gone_is_found() {
        let released = format!("{HASH}  0001_create_residents.sql\n");
        assert_eq!(
            said(released_ones_are_frozen, &[(RELEASED, &released)]),
            [format!(
                "{RELEASED}:1: 0001_create_residents.sql is released and must stay"
            )]
        );
    }

    #[test]
    fn an_unchanged_one_is_no_finding() {
        let released = format!("{}  0001_create_residents.sql\n", sha256("select 1;\n"));
        assert!(
            said(
                released_ones_are_frozen,
                &[(RELEASED, &released), (FIRST, "select 1;\n")]
            )
            .is_empty()
        );
    }
}
