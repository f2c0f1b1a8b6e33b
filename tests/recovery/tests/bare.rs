//! Everything is gone but one disk and one sheet of paper.
//!
//! Needs root (a disk image is mounted), `pdftotext`, `restic` and `sqlite3`, which `cargo xtask setup`
//! installs. The scripts in `bare/` are given nothing else: no environment, no settings, no password.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failed step of a test is a failed test; disks and stock tools are outside what we ship"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use harness::process::{Server, ended, hokatsu};
use tempfile::TempDir;

/// Of the invented town and its history.
const DISK_MIB: u64 = 128;

fn ran(program: &str, words: &[&str]) -> Output {
    let output = Command::new(program).args(words).output();
    let output = output.unwrap_or_else(|error| unreachable!("{program}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {words:?}: {errors}");
    output
}

/// Mounted until dropped, also when the test fails.
struct Mounted(PathBuf);

impl Mounted {
    fn of(image: &Path, at: &Path) -> Self {
        fs::create_dir(at).unwrap();
        let words = ["-o", "loop", image.to_str().unwrap(), at.to_str().unwrap()];
        ran("mount", &words);
        Self(at.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

/// A disk with a day's repository of a living town, and the text of the paper; the machine is gone.
struct Left {
    root: TempDir,
    image: PathBuf,
    sheet: PathBuf,
    residents: String,
    end_of_log: String,
}

fn left() -> Left {
    let root = TempDir::new().unwrap();
    let image = root.path().join("disk.img");
    fs::File::create(&image)
        .unwrap()
        .set_len(DISK_MIB * 1024 * 1024)
        .unwrap();
    ran("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()]);
    let machine = root.path().join("machine");
    let (server, _) = Server::demo(&machine);
    drop(server);
    let disk = Mounted::of(&image, &root.path().join("mnt"));
    let site = machine.join("site.toml");
    let text = format!(
        "{}\n[[backup.repositories]]\nname = \"disk-b\"\npath = \"{}/hokatsu\"\n\
         password_file = \"{}/disk-b.password\"\n",
        fs::read_to_string(&site).unwrap(),
        disk.0.display(),
        machine.display()
    );
    base::paths::write_atomic(&site, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
    let site = site.to_str().unwrap();
    // A sheet is written to memory only.
    let memory = TempDir::new_in("/dev/shm").unwrap();
    let paper = memory.path().join("sheet");
    let paper = paper.to_str().unwrap();
    for words in [
        &["backup", "init", "--repository", "disk-b"][..],
        &[
            "backup",
            "sheet",
            "--yes",
            "--holder",
            "保管 一",
            "--to",
            paper,
        ],
    ] {
        let all = ["--quiet", "--site", site];
        let (code, _, errors) = ended(all.iter().chain(words));
        assert_eq!(code, 0, "{words:?}: {errors}");
    }
    let (code, saved, errors) = ended(["--json", "--quiet", "--site", site, "backup", "run"]);
    assert_eq!(code, 0, "{errors}");
    let saved: serde_json::Value = serde_json::from_str(&saved).unwrap();
    let end_of_log = saved.as_array().unwrap().last().unwrap()["audit_head"].clone();
    let end_of_log = end_of_log.as_str().unwrap().to_owned();
    let pdf = fs::read_dir(paper).unwrap().next().unwrap().unwrap().path();
    let text = ran("pdftotext", &["-raw", pdf.to_str().unwrap(), "-"]).stdout;
    let sheet = root.path().join("sheet.txt");
    fs::File::create(&sheet).unwrap();
    base::paths::write_atomic(&sheet, &text, base::paths::MODE_PRIVATE).unwrap();
    let database = machine.join("data/hokatsu.db");
    let counted = "select count(*) from residents";
    let counted = ran("sqlite3", &[database.to_str().unwrap(), counted]).stdout;
    let residents = String::from_utf8(counted).unwrap().trim().to_owned();
    drop(disk);
    fs::remove_dir_all(&machine).unwrap();
    Left {
        root,
        image,
        sheet,
        residents,
        end_of_log,
    }
}

/// Runs a script with an empty environment in an empty place; what it said, line by line.
fn alone(left: &Left, script: &str, more: &[&str]) -> Vec<String> {
    let place = left.root.path().join(script);
    fs::create_dir(&place).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("bare")
        .join(script);
    let begun = Instant::now();
    let output = Command::new("/bin/sh")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(&place)
        .arg(file)
        .args([&left.image, &left.sheet, &place])
        .args(more)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    let seconds = begun.elapsed().as_secs_f64();
    println!("{script}: {seconds:.1} s from the disk and the paper to records that are proven");
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().map(str::to_owned).collect()
}

#[test]
fn a_disk_and_a_paper_are_enough_with_what_debian_has_and_with_ours() {
    let left = left();
    let said = alone(&left, "restic.sh", &[]);
    assert_eq!(said, [left.residents.clone(), left.end_of_log.clone()]);
    let program = hokatsu([""; 0]);
    let program = program.get_program().to_str().unwrap().to_owned();
    let said = alone(&left, "hokatsu.sh", &[&program]);
    assert_eq!(said.last(), Some(&left.residents));
}
