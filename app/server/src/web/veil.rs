//! Entries about abuse cases, told to whoever reads a log and does not keep those cases.
//!
//! Shape: such an entry stands in the chain as it was. A reader who may not know reads in its place a
//! look at the person's page, or, where nobody is named, a look through a list: the words that are in
//! every log by the thousand, so that neither a row nor a gap nor a search tells that there is a case.
//! Invariant: who, when, where and with what result stay as they are.
//! Source: docs/decisions/0025-abuse-cases.md.

use store::Operation;

/// The menu of abuse cases; only its routes write such entries.
pub(crate) const ABUSE_MENU: &str = "虐待対応";
/// What all operations on abuse cases begin with, as stored.
const ABUSE_OPERATIONS: &str = "abuse_";

/// What stands in the place of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Veil {
    pub(crate) menu: &'static str,
    pub(crate) operation: Operation,
    pub(crate) detail: &'static str,
}

/// Where a person is named.
pub(crate) const OF_PERSON: Veil = Veil {
    menu: "個人画面",
    operation: Operation::ResidentView,
    detail: "",
};

/// Where nobody is.
pub(crate) const OF_NOBODY: Veil = Veil {
    menu: "住民",
    operation: Operation::ResidentFind,
    detail: "list 1",
};

/// Is it an operation on abuse cases?
pub(crate) fn is_veiled(operation: &str) -> bool {
    operation.starts_with(ABUSE_OPERATIONS)
}

/// All of them.
pub(crate) fn veiled() -> impl Iterator<Item = Operation> {
    let all = Operation::ALL.iter().copied();
    all.filter(|operation| is_veiled(operation.code()))
}

/// What stands in the place of an entry about somebody or nobody.
pub(crate) const fn over(names_person: bool) -> Veil {
    if names_person { OF_PERSON } else { OF_NOBODY }
}

/// The operation as such a reader meets it.
pub(crate) fn shown(operation: String, names_person: bool) -> String {
    if is_veiled(&operation) {
        over(names_person).operation.code().to_owned()
    } else {
        operation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::App;

    #[test]
    fn the_veil_is_made_of_menus_and_operations_that_others_write() {
        let routes = App::routes();
        for veil in [OF_PERSON, OF_NOBODY] {
            assert!(routes.table().iter().any(|route| route.menu == veil.menu));
            assert!(!is_veiled(veil.operation.code()));
        }
        assert!(routes.table().iter().any(|route| route.menu == ABUSE_MENU));
        assert!(veiled().count() >= 10);
    }
}
