//! The most memory that a process held at once, as the kernel counted it (`VmHWM`).

use std::fs::{File, read_to_string};
use std::io::Write as _;

/// Bytes; nothing when the process is gone or the kernel does not say.
pub(crate) fn peak_of(process: u32) -> Option<u64> {
    parse(&read_to_string(format!("/proc/{process}/status")).ok()?)
}

/// This process.
pub(crate) fn own_peak() -> Option<u64> {
    peak_of(std::process::id())
}

/// From here on the peak counts anew, from what is held now. Without that right (an odd kernel) the
/// peak stays that of the whole run, which is never too small.
pub(crate) fn forget_own_peak() {
    let reset = File::options().write(true).open("/proc/self/clear_refs");
    if let Ok(mut file) = reset {
        // 5 resets the high-water mark: proc_pid_clear_refs(5).
        drop(file.write_all(b"5"));
    }
}

fn parse(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        let status = "Name:\tbench\nVmPeak:\t  900 kB\nVmHWM:\t  12 kB\nVmRSS:\t 8 kB\n";
        assert_eq!(parse(status), Some(12 * 1024));
        assert_eq!(parse("Name:\tzombie\n"), None);
    }

    #[test]
    fn this_process_holds_more_than_nothing() {
        forget_own_peak();
        assert!(own_peak().unwrap() > 1024 * 1024);
    }
}
