//! What the suites share: an invented town on a real file, and somebody who clicks.
//!
//! Shape: [`Town`] is a private copy of one prepared small town (residents loaded through the real
//! importer); [`Browser`] keeps cookies and sends forms through the real router, without a socket.
//! Nothing here is real: every person comes from the seeded generator.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a suite that cannot set itself up must stop at once and say where"
)]

mod browser;
pub mod process;
mod town;
pub mod writing;

pub use browser::{Browser, Page};
pub use town::{TODAY, Town};
