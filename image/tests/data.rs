//! The image's data agree with themselves: lists are sorted, what is asked for is pinned, what starts exists.

#![expect(clippy::unwrap_used, reason = "what cannot be read is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use appliance::child::Spec;
use appliance::lock::Lock;
use appliance::room::Room;
use appliance::{assemble, tree};

const LIMIT: Duration = Duration::from_secs(10);

/// The indented lines below `key=` of mkosi.conf, without those for people.
fn list(key: &str) -> Vec<String> {
    let text = fs::read_to_string(Room::here().source().join("mkosi.conf")).unwrap();
    let head = format!("{key}=");
    let lines = text.lines().skip_while(|line| *line != head).skip(1);
    let items = lines.take_while(|line| line.starts_with(' '));
    let found: Vec<String> = items.map(|line| line.trim().to_owned()).collect();
    assert!(!found.is_empty(), "mkosi.conf has no list {key}=");
    found
        .into_iter()
        .filter(|line| !line.starts_with('#'))
        .collect()
}

fn locked(path: &Path) -> BTreeSet<String> {
    let packages = Lock::read(path).unwrap().packages;
    packages.into_iter().map(|one| one.name).collect()
}

#[test]
fn packages_and_drivers_stand_once_and_in_order() {
    for key in ["Packages", "KernelModulesInitrdInclude"] {
        let found = list(key);
        assert!(
            found.is_sorted_by(|one, next| one < next),
            "{key}: {found:?}"
        );
    }
}

#[test]
fn every_package_that_is_asked_for_is_pinned() {
    let room = Room::here();
    let known = locked(&assemble::lock_file(&room));
    let missing: Vec<String> = list("Packages")
        .into_iter()
        .filter(|name| !known.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "run `cargo xtask image lock`: {missing:?}"
    );
}

#[test]
fn every_tool_that_is_asked_for_is_pinned() {
    let known = locked(&tree::lock_file(&Room::here()));
    let missing: Vec<&str> = tree::TOOLS
        .into_iter()
        .filter(|name| !known.contains(*name))
        .collect();
    assert!(
        missing.is_empty(),
        "run `cargo xtask image lock`: {missing:?}"
    );
}

#[test]
fn every_unit_of_ours_that_can_be_enabled_is_named_in_the_preset() {
    let extra = Room::here().source().join("mkosi.extra/usr/lib/systemd");
    let preset = fs::read_to_string(extra.join("system-preset/00-hokatsu.preset")).unwrap();
    let mut forgotten = Vec::new();
    for entry in fs::read_dir(extra.join("system")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !path.is_file() || !fs::read_to_string(&path).unwrap().contains("[Install]") {
            continue;
        }
        // Of a template its instances follow.
        let enables = |line: &str| {
            let rest = line.strip_prefix("enable ");
            rest.and_then(|rest| rest.split(' ').next()) == Some(&name)
        };
        if !preset.lines().any(enables) {
            forgotten.push(name);
        }
    }
    assert!(forgotten.is_empty(), "{forgotten:?}");
}

/// A root that is read-only has its mount points or none; git keeps no empty directory.
#[test]
fn every_mount_point_outside_var_and_run_is_in_the_image() {
    let extra = Room::here().source().join("mkosi.extra");
    let table = fs::read_to_string(extra.join("etc/fstab")).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let points: Vec<&str> = lines
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|point| !point.starts_with("/var/") && !point.starts_with("/run/"))
        .collect();
    assert!(points.len() >= 3, "{points:?}");
    for point in points {
        let kept = extra.join(point.trim_start_matches('/')).join(".keep");
        assert!(kept.exists(), "{point} is nowhere in the image");
    }
}

#[test]
fn every_script_can_be_started_and_read() {
    let scripts = Room::here().source().join("mkosi.extra/usr/lib/hokatsu");
    let mut found = 0;
    for entry in fs::read_dir(scripts).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() || path.extension().is_some() {
            continue;
        }
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{} cannot be started", path.display());
        let words = ["sh", "-n", &path.to_string_lossy()];
        Spec::of(&words, LIMIT).must("sh").unwrap();
        found += 1;
    }
    assert!(found >= 4, "{found}");
}

/// mdadm's own rules would start both halves of two arrays, and whatever is plugged in.
#[test]
fn no_array_is_started_because_it_was_plugged_in() {
    let extra = Room::here().source().join("mkosi.extra");
    let settings = fs::read_to_string(extra.join("etc/mdadm/mdadm.conf")).unwrap();
    assert!(settings.lines().any(|line| line == "AUTO -all"));
    let rules = fs::read_to_string(extra.join("usr/lib/udev/rules.d/70-hokatsu.rules")).unwrap();
    for role in ["data-1", "data-2"] {
        assert!(settings.contains(&format!("/dev/hokatsu/{role}")));
        assert!(rules.contains(&format!("SYMLINK+=\"hokatsu/{role}\"")));
    }
}

/// From the machine's own seed the data volume and disk A get the same numbers, and XFS mounts no number twice.
#[test]
fn every_disk_that_is_formatted_gets_numbers_of_its_own() {
    let scripts = Room::here().source().join("mkosi.extra/usr/lib/hokatsu");
    for script in ["disk-a", "volume-format"] {
        let text = fs::read_to_string(scripts.join(script)).unwrap();
        assert!(text.contains("systemd-repart --dry-run=no --empty=require --seed=random"));
    }
}

/// A place is given by the superblock, else by the site, else because it is free; and it is kept.
#[test]
fn a_data_disk_has_one_of_two_places_and_a_third_one_has_none() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name).display().to_string();
    let put = |name: &str, text: &str, mode: u32| {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        base::paths::write_atomic(&path, text.as_bytes(), mode).unwrap();
    };
    put(
        "mdadm",
        &format!("#!/bin/sh\ncat {}/$(basename $2)\n", at("superblocks")),
        0o755,
    );
    put("logger", "#!/bin/sh\nexit 0\n", 0o755);
    let script = Room::here()
        .source()
        .join("mkosi.extra/usr/lib/hokatsu/place");
    let script = fs::read_to_string(script).unwrap();
    let script = script.replace("/run/hokatsu-places", &at("places"));
    let script = script.replace("/sys/class/block", &at("block"));
    put("place", &script, 0o755);
    let here =
        |disk: &str, number: u32| put(&format!("block/{disk}/diskseq"), &number.to_string(), 0o644);
    let half = |disk: &str, role: &str| {
        let text = format!("     Checksum : 1\n   Device Role : {role}\n");
        put(&format!("superblocks/{disk}"), &text, 0o644);
    };
    let path = format!("PATH={}:/usr/bin:/bin", root.path().display());
    let place = |disk: &str, wish: &str| {
        let said = Spec::of(&["env", &path, "sh", &at("place"), disk, wish], LIMIT).capture();
        said.unwrap().output.trim().replace("HOKATSU_PLACE=", "")
    };
    for (disk, number) in [("sda", 5), ("sdb", 6), ("sdc", 7)] {
        here(disk, number);
    }
    assert_eq!(place("sdb", "2"), "2");
    assert_eq!(place("sda", "1"), "1");
    assert_eq!(place("sdb", "1"), "2", "it is kept");
    assert_eq!(place("sdc", "1"), "", "a third one");
    here("sdb", 9);
    assert_eq!(place("sdc", "0"), "2", "of one that is gone");

    fs::remove_dir_all(root.path().join("places")).unwrap();
    half("sda", "Active device 1");
    half("sdb", "Active device 1");
    half("sdc", "spare");
    assert_eq!(place("sda", "1"), "2", "the superblock knows better");
    assert_eq!(place("sdb", "0"), "1", "the free one");
    assert_eq!(place("sdc", "0"), "");
}
