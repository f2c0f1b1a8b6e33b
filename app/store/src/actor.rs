//! Who is asking, from where, and what they may see.

use crate::ids::{CentreId, StaffId};

/// What of the residents' data somebody may see.
///
/// `Nothing` is the default everywhere: a connection whose scope nobody set shows no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// No person at all (system administration, vendor, a section without referred cases).
    #[default]
    Nothing,
    /// The people whom one centre looks after, except shielded ones.
    Centre(CentreId),
    /// Everybody.
    City,
}

/// The person (or the system) on whose behalf a transaction runs.
#[derive(Debug, Clone)]
pub struct Actor {
    /// `None`: the system itself, or nobody signed in yet.
    pub staff_id: Option<StaffId>,
    /// `None`: the city.
    pub centre_id: Option<CentreId>,
    /// What they may see.
    pub scope: Scope,
    /// May ask for people outside the scope by exact match (照会).
    pub may_inquire: bool,
    /// The machine they sit at, as far as it is known (address today, certificate later).
    pub terminal: String,
    /// The menu that the request came through, as the access log prints it.
    pub menu: &'static str,
}

impl Actor {
    /// The system acting by itself or for an operator on the console.
    ///
    /// `menu` names the verb, e.g. `コマンド import residents`.
    pub fn system(menu: &'static str) -> Self {
        Self {
            staff_id: None,
            centre_id: None,
            scope: Scope::Nothing,
            may_inquire: false,
            terminal: "console".to_owned(),
            menu,
        }
    }
}
