//! One line of a choice: of a list, of radio buttons, of boxes.

/// As `macros.html` draws it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What staff read.
    pub label: String,
    /// Chosen, as the page stands.
    pub selected: bool,
}
