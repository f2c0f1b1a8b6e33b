//! The rules of the house that a machine can check, so that nobody has to remember or argue them.
//!
//! Shape: a rule is `fn(&Tree) -> Vec<Finding>`; it sees text, never a compiler, and says in its
//! message what to do instead. Each has a failing example with its exact message beside it.
//! Not here: what clippy and rustc see (lints in Cargo.toml, disallowed methods in clippy.toml).

mod borders;
mod demo_secrets;
mod finding;
mod glossary;
mod layout;
mod migrations;
mod personal;
mod runbooks;
mod rust;
mod size;
mod templates;
mod test_style;
mod text;
mod tree;

pub use finding::Finding;
pub use size::{Place, longest_files, longest_functions};
pub use tree::{SourceFile, Tree, TreeError};

type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: [Rule; 19] = [
    borders::only_the_store_names_the_database_crate,
    borders::slices_meet_by_model_only,
    borders::rooms_do_not_import_the_server,
    borders::only_the_bench_room_records_statements,
    demo_secrets::stay_in_demo,
    glossary::knows_every_slice_and_table,
    layout::every_file_has_a_header,
    layout::no_drawer_for_anything,
    migrations::names_tell_number_and_purpose,
    migrations::released_ones_are_frozen,
    personal::reveal_is_called_at_the_edge_only,
    runbooks::every_named_one_exists,
    runbooks::all_have_the_five_parts,
    templates::show_and_do_not_decide,
    test_style::tests_neither_wait_nor_hide,
    text::ends_whole_and_fits_the_page,
    text::open_ends_have_a_number,
    text::no_half_merged_file,
    text::no_registry_host,
];

/// Every finding of every rule, in the order of the paths.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort();
    findings
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_repository_keeps_every_rule() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let findings = check(&Tree::of_repository(&root).unwrap());
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }
}
