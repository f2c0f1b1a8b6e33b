//! Being built.

use crate::web::Routes;

/// Routes of this slice.
pub fn routes() -> Routes {
    Routes::new("residents")
}
