//! The condition of the machine (装置の状態): array, disks, system area and versions, on one page and on paper.
//!
//! Shape: `base::machine` looks and words it; this shows it. Nothing is stored and nothing can be done here: hands are
//! needed at the machine.
//! Errors: a machine that is no appliance has no such condition, and the page says so.
//! Not here: what stands above every page (`web::banner`), the supplies (`web::power`), backups.
//! Source: docs/decisions/0050-condition-of-the-machine.md.

mod pages;
#[cfg(test)]
mod tests;
mod view;

use crate::web::{Permission, Routes};

const PAGE: &str = "/conditions";

/// The page, and the same on paper.
pub fn routes() -> Routes {
    let see = Permission::MachineView;
    Routes::new("装置の状態").get(PAGE, see, pages::list).get(
        "/conditions/list.pdf",
        see,
        pages::print,
    )
}
