//! A disk that fails half-way is told as not erased, and no certificate says otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use base::paths::create_private_dir;

use crate::contract::{Contract, ONE_MIB, text, tool};

/// A disk of a size that is smaller than the file on it believes: writing fails half-way.
struct Small(PathBuf);

impl Small {
    fn mounted(at: &Path) -> Self {
        create_private_dir(at).unwrap();
        tool(
            "mount",
            &["-t", "tmpfs", "-o", "size=8m", "tmpfs", text(at)],
        );
        Self(at.to_owned())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        tool("umount", &[text(&self.0)]);
    }
}

#[test]
fn a_disk_that_fails_half_way_is_not_certified_until_its_destruction_is_reported() {
    let contract = Contract::new();
    let small = Small::mounted(&contract.root().join("small"));
    let image = small.0.join("disk.img");
    fs::File::create(&image)
        .unwrap()
        .set_len(32 * ONE_MIB)
        .unwrap();
    let plan = contract.plan(&[&image], "");
    let number = plan.number(&image);
    let (code, ran, errors) = contract.run(&plan, number, &[]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("消去できていません") && errors.contains("上書き"),
        "{errors}"
    );
    assert!(errors.contains("物理的に破壊"), "{errors}");
    let done = &ran["record"]["done"];
    assert_eq!(done["outcome"], "not-erased");
    assert_eq!(done["step"], "overwrite");
    assert_eq!(done["verified_bytes"], 0);
    assert!(done["at_byte"].as_u64().unwrap() > 0);
    let (code, issued, errors) = contract.certificate(&plan, number);
    assert_eq!(code, 1);
    assert_eq!(issued["unproven"][0], number);
    assert!(errors.contains("消去できなかったという記録"), "{errors}");

    let (code, _, errors) = contract.report(&plan, number, &[]);
    assert_eq!(code, 0, "{errors}");
    let (code, issued, errors) = contract.certificate(&plan, number);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(issued["certificates"][0]["measured"], false);
}
