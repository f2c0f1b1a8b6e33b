//! Backup disks (バックアップディスク): which disks are carried away, what is on each, where it is, and
//! which one is next.
//!
//! Shape: the machine keeps the list (`base::disks`), the register of what was carried out says where a
//! disk is; this page joins both and writes neither. Enrolling, saving and releasing happen at the
//! machine (`hokatsu backup disk`).
//! Errors: a list that cannot be read is said, never shown as an empty one.
//! Not here: the entry of a disk (`carried_out`), the alarm (`hokatsu backup status`).
//! Source: docs/decisions/0038-rotated-disks.md.

mod pages;
#[cfg(test)]
mod tests;
mod view;

use crate::web::{Permission, Routes};

const PAGE: &str = "/backup-disks";

/// The page, and the same on paper.
pub fn routes() -> Routes {
    let see = Permission::BackupDiskView;
    Routes::new("バックアップディスク")
        .get(PAGE, see, pages::list)
        .get("/backup-disks/list.pdf", see, pages::print)
}
