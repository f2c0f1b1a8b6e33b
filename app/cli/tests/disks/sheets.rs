//! The words of a recovery sheet on encrypted disks: let in, tried, and taken away again; what judges is
//! the stock `cryptsetup`.
//!
//! Needs `pdftoppm` and `zbarimg`, which `cargo xtask setup` installs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use backup::sheet::{Sheet, Sheets};
use backup::{Chunking, RepositorySettings};
use base::command::{self, Spec};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::machine::{Device, Machine, ran};

const LONG: Duration = Duration::from_secs(300);

/// A machine with sheets of paper, and maybe disk A.
struct Office {
    machine: Machine,
    /// In memory: a sheet is never on a disk.
    paper: TempDir,
}

impl Office {
    fn new(rotated: &[&str]) -> Self {
        Self {
            machine: Machine::with(rotated),
            paper: TempDir::new_in("/dev/shm").unwrap(),
        }
    }

    /// With disk A in the settings, which is not plugged in yet.
    fn with_disk_a(key: &str) -> Self {
        let office = Self::new(&[]);
        office.machine.encrypted("image-a");
        let mut text = fs::read_to_string(&office.machine.site).unwrap();
        text.push_str(&format!(
            "\n[backup.shipping]\npath = \"shipped\"\ndevice = \"{}\"\nkey_file = \"{}\"\n",
            office.link().display(),
            office.machine.path(key).display()
        ));
        base::paths::write_atomic(&office.machine.site, text.as_bytes(), 0o600).unwrap();
        office
    }

    /// As udev would call disk A.
    fn link(&self) -> PathBuf {
        let name = self.paper.path().file_name().unwrap().to_string_lossy();
        Path::new("/dev").join(format!("hokatsu-disk-a{name}"))
    }

    fn plug_a(&self) -> Plugged {
        let device = self.machine.plugged("image-a");
        symlink(&device.0, self.link()).unwrap();
        Plugged {
            device,
            link: self.link(),
        }
    }

    /// Makes a sheet: its words, and what was said.
    fn sheet(&self) -> (String, Value, String) {
        let (papers, made, errors) = self.papers(&["--holder", "保管 一"]);
        let [words] = papers.try_into().unwrap();
        (words, made, errors)
    }

    fn papers(&self, options: &[&str]) -> (Vec<String>, Value, String) {
        let to = self.paper.path().join("sheet");
        let words = ["backup", "sheet", "--yes", "--to", to.to_str().unwrap()];
        let (code, made, errors) = self.machine.json(&[&words[..], options].concat());
        assert_eq!(code, 0, "{errors}");
        let files = made.get("files").and_then(Value::as_array).unwrap();
        let words = files.iter().map(|file| scanned(file.as_str().unwrap()));
        (words.collect(), made, errors)
    }

    fn file(&self, name: &str, words: &str) -> String {
        let file = self.paper.path().join(name);
        base::paths::write_atomic(&file, words.as_bytes(), 0o600).unwrap();
        file.display().to_string()
    }

    fn prove(&self, words: &str) -> (i32, Value, String) {
        let file = self.file("words", words);
        self.machine
            .json(&["backup", "key", "prove", "--words-file", &file])
    }

    fn sheets(&self) -> Vec<Sheet> {
        let file = self.machine.data.recovery_sheets();
        Sheets::read(&file).unwrap().sheets
    }

    fn raid(&self) -> RepositorySettings {
        RepositorySettings {
            name: "raid".to_owned(),
            location: self.machine.path("raid").into(),
            password_file: self.machine.path("password"),
            chunking: Chunking::Fixed16KiB,
        }
    }

    fn opener(&self, words: &[&str], input: &str) -> (bool, String) {
        let spec = Spec::new(self.machine.path("opener"), LONG);
        let output = command::run(&spec.args(words).input(input)).unwrap();
        (output.status.success(), output.stderr.text())
    }

    fn key_opens(&self, device: &Path) -> bool {
        let key = self.machine.path("keys/luks");
        let words = ["open", "--test-passphrase", "--key-file"];
        let spec = Spec::new("cryptsetup", LONG)
            .args(words)
            .arg(key)
            .arg(device);
        command::run(&spec).unwrap().status.success()
    }
}

struct Plugged {
    device: Device,
    link: PathBuf,
}

impl Drop for Plugged {
    fn drop(&mut self) {
        fs::remove_file(&self.link).unwrap();
    }
}

/// What a scanner reads from the paper.
fn scanned(pdf: &str) -> String {
    let picture = pdf.trim_end_matches(".pdf");
    ran(
        "pdftoppm",
        &["-r", "200", "-singlefile", "-png", pdf, picture],
    );
    let words = ran("zbarimg", &["--quiet", "--raw", &format!("{picture}.png")]);
    assert_eq!(words.split(' ').count(), 18);
    words
}

/// By the stock command, as somebody types them.
fn typed(device: &Device, words: &str) -> bool {
    let spec = Spec::new("cryptsetup", LONG).args(["open", "--test-passphrase"]);
    let spec = spec.arg(&device.0).input(format!("{words}\n"));
    command::run(&spec).unwrap().status.success()
}

#[test]
fn a_new_sheet_opens_the_disk_beside_the_old_one_until_it_was_tried() {
    let office = Office::with_disk_a("keys/luks");
    let a = office.plug_a();
    let (first, made, errors) = office.sheet();
    assert_eq!(made["disks"], json!(["A"]), "{errors}");
    assert!(typed(&a.device, &first), "a stock tool opens by the words");
    let (code, proven, errors) = office.prove(&first);
    assert_eq!((code, &proven["disks"]), (0, &json!(["A"])), "{errors}");
    let (second, _, _) = office.sheet();
    assert!(typed(&a.device, &first) && typed(&a.device, &second));
    let (code, proven, errors) = office.prove(&second);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(
        (&proven["disks"], &proven["disk_slots_removed"]),
        (&json!(["A"]), &1.into())
    );
    assert!(!typed(&a.device, &first) && typed(&a.device, &second));
    assert!(office.key_opens(&a.device.0));
    let said =
        "backup key prove／番号＝2／開いた保管先＝raid／開かない保管先＝／開いたディスク＝A／";
    assert_eq!(office.machine.entries(said), 1);
    let [sheet] = office.sheets().try_into().unwrap();
    assert_eq!((sheet.number, sheet.disks[0].slot), (2, 3));
    let (code, proven, errors) = office.prove(&first);
    assert_eq!(
        (code, &proven["disks_shut"]),
        (1, &json!(["A"])),
        "{errors}"
    );
}

#[test]
fn a_sheet_that_was_not_tried_is_taken_back_from_the_disk_by_the_next() {
    let office = Office::with_disk_a("keys/luks");
    let a = office.plug_a();
    let (first, _, _) = office.sheet();
    let (second, _, _) = office.sheet();
    assert!(!typed(&a.device, &first) && typed(&a.device, &second));
    assert!(office.key_opens(&a.device.0));
}

#[test]
fn a_sheet_that_was_killed_at_the_disk_is_taken_back_by_the_next() {
    let office = Office::with_disk_a("keys/luks");
    let a = office.plug_a();
    let (key, device) = (office.machine.path("keys/luks"), &a.device.0);
    let (key, device) = (key.to_str().unwrap(), device.to_str().unwrap());
    office.machine.at_step("kill", &format!("admit {key}"), 1);
    let to = office.paper.path().join("sheet");
    let to = to.to_str().unwrap();
    let site = office.machine.site.to_str().unwrap();
    let words = ["--site", site, "backup", "sheet", "--yes", "--holder", "甲"];
    let mut sheet = harness::process::hokatsu([&words[..], &["--to", to]].concat());
    assert_eq!(sheet.output().unwrap().status.code(), None, "killed");
    let [cut] = office.sheets().try_into().unwrap();
    assert_eq!(cut.disks[0].slot, 2, "noted before it was done");
    // Its last moment may have been behind the change as well.
    assert!(
        office
            .opener(&["admit", device, key, "2"], "words of nobody")
            .0
    );
    assert!(typed(&a.device, "words of nobody"));
    let (second, _, _) = office.sheet();
    assert!(!typed(&a.device, "words of nobody") && typed(&a.device, &second));
}

#[test]
fn a_disk_that_was_away_lets_the_words_in_when_they_are_tried() {
    let office = Office::with_disk_a("keys/luks");
    let (words, made, errors) = office.sheet();
    assert_eq!(made["disks"], json!([]));
    assert!(
        errors.contains("ディスク「A」は、つながっていません"),
        "{errors}"
    );
    let (code, proven, _) = office.prove(&words);
    assert_eq!((code, &proven["disks_shut"]), (1, &json!(["A"])));
    let a = office.plug_a();
    assert!(!typed(&a.device, &words));
    let (code, proven, errors) = office.prove(&words);
    assert_eq!((code, &proven["disks"]), (0, &json!(["A"])), "{errors}");
    assert!(typed(&a.device, &words));
    assert_eq!(office.sheets()[0].disks.len(), 1);
}

#[test]
fn a_slot_that_stands_on_no_list_is_replaced_when_the_words_are_tried() {
    let office = Office::with_disk_a("keys/luks");
    let a = office.plug_a();
    let (key, device) = (office.machine.path("keys/luks"), &a.device.0);
    let (key, device) = (key.to_str().unwrap(), device.to_str().unwrap());
    // The list is older than the sheet: this machine was restored.
    assert!(
        office
            .opener(&["admit", device, key, "2"], "former words")
            .0
    );
    let (words, made, errors) = office.sheet();
    assert_eq!(made["disks"], json!([]), "{errors}");
    assert!(
        errors.contains("まだこの用紙のことばで開きません"),
        "{errors}"
    );
    assert!(typed(&a.device, "former words"), "until the new were tried");
    let (code, _, errors) = office.prove(&words);
    assert_eq!(code, 0, "{errors}");
    assert!(typed(&a.device, &words) && !typed(&a.device, "former words"));
}

#[test]
fn while_the_opener_fails_the_old_sheet_opens_the_disk_and_what_lies_on_it() {
    let office = Office::with_disk_a("keys/luks");
    // Here: the file system of the repository is the one that the log is shipped to.
    fs::create_dir(office.machine.path("shipped")).unwrap();
    let a = office.plug_a();
    let (first, _, _) = office.sheet();
    assert_eq!(office.prove(&first).0, 0);
    let opener = fs::read_to_string(office.machine.path("opener")).unwrap();
    let broken = "#!/bin/sh\necho 'no such device' >&2\nexit 1\n";
    office.machine.program("opener", broken);
    let (second, made, errors) = office.sheet();
    assert_eq!(made["disks"], json!([]));
    assert!(errors.contains("no such device"), "{errors}");
    assert!(
        errors.contains("hokatsu backup key prove を実行してください"),
        "{errors}"
    );
    let (code, proven, errors) = office.prove(&second);
    assert_eq!((code, &proven["opened"]), (1, &json!(["raid"])), "{errors}");
    assert_eq!(proven["disks_shut"], json!(["A"]));
    assert!(typed(&a.device, &first), "one paper opens both");
    assert!(backup::sheet::prove(&office.raid(), &first).is_ok());
    office.machine.program("opener", &opener);
    let (code, proven, errors) = office.prove(&second);
    assert_eq!((code, &proven["removed"]), (0, &1.into()), "{errors}");
    assert!(typed(&a.device, &second) && !typed(&a.device, &first));
    assert!(backup::sheet::prove(&office.raid(), &first).is_err());
}

#[test]
fn a_wrong_key_file_is_told_and_changes_nothing_on_the_disk() {
    let office = Office::with_disk_a("keys/other");
    office
        .machine
        .put("keys/other", b"the key of something else");
    let a = office.plug_a();
    let before = ran("cryptsetup", &["luksDump", a.device.0.to_str().unwrap()]);
    let (words, made, errors) = office.sheet();
    assert_eq!(made["disks"], json!([]));
    assert!(
        errors.contains("復旧シートのことばで開くようにできません"),
        "{errors}"
    );
    assert_eq!(office.sheets()[0].disks, []);
    let (code, proven, _) = office.prove(&words);
    assert_eq!((code, &proven["disks_shut"]), (1, &json!(["A"])));
    let after = ran("cryptsetup", &["luksDump", a.device.0.to_str().unwrap()]);
    assert_eq!(before, after);
}

#[test]
fn of_two_disks_with_one_number_neither_lets_the_words_in() {
    let office = Office::with_disk_a("keys/luks");
    let a = office.plug_a();
    fs::copy(office.machine.path("image-a"), office.machine.path("copy")).unwrap();
    let copy = office.machine.plugged("copy");
    let (words, made, errors) = office.sheet();
    assert_eq!(made["disks"], json!([]));
    assert!(errors.contains("2台以上つながっています"), "{errors}");
    assert!(!typed(&a.device, &words) && !typed(&copy, &words));
}

#[test]
fn a_rotated_disk_keeps_the_old_words_until_its_repository_opens_by_the_new() {
    let office = Office::new(&["b"]);
    let machine = &office.machine;
    let device = machine.enrolled("disk-b", "image-b");
    let at = device.0.to_str().unwrap();
    let key = machine.path("keys/luks");
    let visited = |words: &str| {
        let opened = office.opener(&["open", at, "b", key.to_str().unwrap()], "");
        assert!(opened.0 && office.opener(&["mount", "b", "write"], "").0);
        let proven = office.prove(words);
        assert!(office.opener(&["unmount", "b"], "").0 && office.opener(&["close", "b"], "").0);
        proven
    };
    let (first, made, errors) = office.sheet();
    assert_eq!(made["disks"], json!(["disk-b"]), "{errors}");
    let (code, proven, errors) = visited(&first);
    assert_eq!(
        (code, &proven["disks"]),
        (0, &json!(["disk-b"])),
        "{errors}"
    );
    let (second, _, _) = office.sheet();
    // Plugged in and shut: the repository behind the lock still wants the old words.
    let (code, proven, errors) = office.prove(&second);
    assert_eq!((code, &proven["shut"]), (1, &json!(["disk-b"])), "{errors}");
    assert!(typed(&device, &first) && typed(&device, &second));
    let (code, proven, errors) = visited(&second);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(proven["disk_slots_removed"], 1);
    assert!(!typed(&device, &first) && typed(&device, &second));
    assert!(office.key_opens(&device.0) && machine.is_shut());
    assert_eq!(machine.disk(&["run"], &device).0, 0, "a visit goes on");
}

#[test]
fn two_of_three_papers_open_a_disk_on_a_machine_without_a_key() {
    let office = Office::new(&["b"]);
    let machine = &office.machine;
    let device = machine.enrolled("disk-b", "image-b");
    let at = device.0.to_str().unwrap();
    let split = "--split --holder 甲 --holder 乙 --holder 丙";
    let (papers, made, errors) = office.papers(&split.split(' ').collect::<Vec<_>>());
    assert_eq!(made["disks"], json!(["disk-b"]), "{errors}");
    fs::remove_file(machine.path("keys/luks")).unwrap();
    let unlock = |papers: [&str; 2]| {
        let [first, second] = papers;
        let files = [office.file("first", first), office.file("second", second)];
        let words = [
            "restore",
            "unlock",
            "--device",
            at,
            "--words-file",
            &files[0],
        ];
        machine.json(&[&words[..], &["--second-words-file", &files[1]]].concat())
    };
    let (code, unlocked, errors) = unlock([&papers[2], &papers[0]]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(unlocked["at"], "/run/hokatsu/disks/sheet");
    let top = machine.path("disks/sheet");
    assert!(top.join("hokatsu/config").exists());
    assert!(fs::File::create(top.join("x")).is_err(), "only read");
    for step in [["unmount", "sheet"], ["close", "sheet"]] {
        assert!(office.opener(&step, "").0);
    }
    assert!(machine.is_shut());
    let (other, _, _) = office.papers(&split.split(' ').collect::<Vec<_>>());
    let (code, _, errors) = unlock([&other[0], &other[1]]);
    assert_eq!(code, 1, "{errors}");
    assert!(
        errors.contains("この用紙のことばでは開きません"),
        "{errors}"
    );
    assert!(machine.is_shut());
}

#[test]
fn the_opener_changes_no_slot_that_is_no_sheets_and_never_the_last_of_a_key() {
    let office = Office::with_disk_a("keys/luks");
    let a = office.plug_a();
    let device = a.device.0.to_str().unwrap();
    let of = |name| office.machine.path(name).display().to_string();
    let (key, other) = (of("keys/luks"), of("keys/other"));
    office.machine.put("keys/other", b"words of another key");
    for slot in ["0", "31", "08", "x", "", "-1", "2 3"] {
        let (done, said) = office.opener(&["admit", device, &key, slot], "words");
        assert!(!done && said == "not a slot\n", "{slot}: {said}");
        assert!(!office.opener(&["retire", device, &key, slot], "").0);
    }
    assert!(
        !office
            .opener(&["admit", device, &of("password"), "2"], "words")
            .0
    );
    assert!(!office.opener(&["prove", &of("image-a")], "words").0);
    assert!(
        office
            .opener(&["admit", device, &key, "5"], "words of another key")
            .0
    );
    let (done, said) = office.opener(&["admit", device, &key, "5"], "words");
    assert!(!done && said.contains("full"), "{said}");
    assert!(!office.opener(&["retire", device, &other, "5"], "").0);
    assert!(typed(&a.device, "words of another key"));
    assert!(
        office.opener(&["retire", device, &key, "9"], "").0,
        "empty already"
    );
    assert!(office.opener(&["retire", device, &key, "5"], "").0);
    assert!(!typed(&a.device, "words of another key") && office.key_opens(&a.device.0));
}
