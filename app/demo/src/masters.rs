//! Centres and 町丁 as the generator uses them: the shape of `app/server/data/wako.toml`.

use crate::tables::{Area, TableError, areas};

/// The masters do not read, or contradict each other.
#[derive(Debug, thiserror::Error)]
pub enum MastersError {
    /// A committed table does not read.
    #[error("the masters of the demo do not read")]
    Table(#[from] TableError),
}

/// What the generated files refer to by code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masters {
    /// Every 町丁, with the centre that serves it.
    pub areas: Vec<Area>,
}

impl Masters {
    /// Reads the masters that are compiled in.
    ///
    /// # Errors
    /// [`MastersError`] when a table does not read.
    pub fn load() -> Result<Self, MastersError> {
        Ok(Self { areas: areas()? })
    }

    /// The codes of the centres, sorted, each once.
    #[must_use]
    pub fn centre_codes(&self) -> Vec<&'static str> {
        let mut codes: Vec<_> = self.areas.iter().map(|area| area.centre).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

/// Where these numbers come from, for whoever looks at the masters.
pub const INVENTED: &str = "架空の町のための番号";

/// The telephone of a centre in the invented town. No exchange begins with 0, so it rings nowhere.
#[must_use]
pub fn phone(centre_code: &str) -> String {
    format!("048-000-{centre_code}")
}
