//! Disks that are carried away, through the command and on real block devices: loop devices with a LUKS
//! header and XFS behind it. What needs the kernel's device mapper is done by a small program in its
//! place, which asks the real `cryptsetup` whether the key is right; everything else is the opener that
//! we ship.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

mod faults;
mod machine;
mod sheets;
mod strangers;
mod visits;
