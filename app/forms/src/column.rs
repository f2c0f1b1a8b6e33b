//! One column of a printed table.

use serde::Serialize;

/// A heading with its share of the width.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    label: String,
    /// Compared with the others; the sum does not matter.
    share: u16,
}

impl Column {
    /// A heading with its share of the width.
    pub fn new(label: &str, share: u16) -> Self {
        Self {
            label: label.to_owned(),
            share,
        }
    }
}
