//! What a snapshot says about itself: rows and log, the program that made it, whose history it is.

use backup::Lineage;
use base::report::Report;
use serde::{Deserialize, Serialize};
use server::features::restores::{Beginning, lineages};
use store::{Facts, Former, SCHEMA_VERSION, StoreError};

/// In every snapshot, as JSON. What came later than the first snapshots may be missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    #[serde(flatten)]
    pub(crate) facts: Facts,
    /// Version of the program that made it.
    #[serde(default)]
    pub(crate) program: Option<String>,
    #[serde(default)]
    pub(crate) lineages: Vec<Lineage>,
}

/// What a copy of the database says, for a snapshot of it.
pub(crate) fn of(facts: Facts, database: &std::path::Path) -> Result<Told, Report> {
    let former = Former::look(database).map_err(StoreError::report)?;
    Ok(Told {
        lineages: history(&former)?,
        facts,
        program: Some(env!("CARGO_PKG_VERSION").to_owned()),
    })
}

/// Everything that a database grew out of; one from before there were lineages knows of none.
pub(crate) fn history(former: &Former) -> Result<Vec<Lineage>, Report> {
    const THERE: &str = "select count(*) from main.sqlite_schema
        where type = 'table' and name = 'lineages'";
    let all: Result<_, StoreError> = former.read(|tx| match tx.count(THERE, [])? {
        0 => Ok(Vec::new()),
        _ => lineages(tx),
    });
    let all: Vec<Beginning> = all.map_err(StoreError::report)?;
    Ok(all.into_iter().map(lineage).collect())
}

pub(crate) fn lineage(beginning: Beginning) -> Lineage {
    let Beginning { epoch, token } = beginning;
    Lineage { epoch, token }
}

impl Told {
    /// Is it of a later program than this one, so that nothing here can open it?
    pub(crate) fn is_newer(&self) -> bool {
        self.facts.schema > SCHEMA_VERSION
    }

    /// Which program it wants, as far as it says.
    pub(crate) fn wants(&self) -> String {
        match &self.program {
            Some(version) => format!("hokatsu {version} 以降"),
            None => format!("データの版 {} を扱える hokatsu", self.facts.schema),
        }
    }
}
