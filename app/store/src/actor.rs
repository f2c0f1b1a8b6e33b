//! Who is asking, from where, and what they may see.

use crate::ids::{CentreId, StaffId};

/// What of the residents' data somebody may see.
///
/// `Nothing` is the default everywhere: a connection whose scope nobody set shows no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scope {
    /// No person at all (system administration, vendor, a section without referred cases).
    #[default]
    Nothing,
    /// Only the people whom this member of staff is in charge of (担当); of one centre, or of any
    /// (`None`: the city).
    Assigned(Option<CentreId>),
    /// The people whom one centre looks after.
    Centre(CentreId),
    /// Everybody.
    City,
}

/// Which abuse cases (虐待対応) somebody may meet at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AbuseSight {
    /// None: there are none.
    #[default]
    Nothing,
    /// Those whose team names them.
    Member,
    /// Every one: they keep them for the city.
    Keeper,
}

/// Whoever types at the console, by name, and why. Stands at the end of each entry.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Operator {
    /// The person's name.
    pub name: String,
    /// Why it is done.
    pub reason: String,
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
    /// Code of the role: persons can be referred to everybody who has it. `None`: the system.
    pub role: Option<&'static str>,
    /// May ask for people outside the scope by exact match (照会).
    pub may_inquire: bool,
    /// Decides who is kept from whom (閲覧制限の管理): meets the shielded by number and name.
    pub may_protect: bool,
    /// Abuse cases: a case exists for whom its rows name, and for whoever keeps them.
    pub abuse: AbuseSight,
    /// The machine they sit at, as far as it is known (address today, certificate later).
    pub terminal: String,
    /// The menu that the request came through, as the access log prints it.
    pub menu: &'static str,
    /// Who sits at the console; nobody for pages and timers.
    pub operator: Option<Operator>,
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
            role: None,
            may_inquire: false,
            may_protect: false,
            abuse: AbuseSight::Nothing,
            terminal: "console".to_owned(),
            menu,
            operator: None,
        }
    }
}
