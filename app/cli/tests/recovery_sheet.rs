//! The paper that opens the backups: printed, typed back, replaced, split, and used by a stock tool.
//!
//! Needs `pdftotext`, `zbarimg` and `restic`, which `cargo xtask setup` installs; without them this fails.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::process::{ended, hokatsu, prepared_for_backups};
use serde_json::Value;
use tempfile::TempDir;

struct Machine {
    root: TempDir,
    /// In memory: a sheet is never on a disk.
    paper: TempDir,
    site: PathBuf,
    data: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let (data, site) = prepared_for_backups(root.path());
        let machine = Self {
            root,
            paper: TempDir::new_in("/dev/shm").unwrap(),
            site,
            data,
        };
        machine.well(&["backup", "init"]);
        machine.well(&["backup", "run"]);
        machine
    }

    fn run(&self, words: &[&str]) -> (i32, Value, String) {
        let site = self.site.display().to_string();
        let all = ["--json", "--site", &site]
            .into_iter()
            .chain(words.iter().copied());
        let (code, out, errors) = ended(all);
        (code, serde_json::from_str(&out).unwrap_or_default(), errors)
    }

    fn well(&self, words: &[&str]) -> Value {
        let (code, out, errors) = self.run(words);
        assert_eq!(code, 0, "{words:?}: {errors}");
        out
    }

    /// Makes a sheet; the words of each paper.
    fn sheet(&self, options: &[&str]) -> Vec<String> {
        let to = self.paper.path().join("sheet").display().to_string();
        let words = [&["backup", "sheet", "--yes", "--to", &to], options].concat();
        let made = self.well(&words);
        let files = made["files"].as_array().unwrap();
        let papers = files
            .iter()
            .map(|file| printed(Path::new(file.as_str().unwrap())));
        papers.collect()
    }

    /// What a terminal shows on which somebody types this.
    fn on_a_terminal(&self, words: &[&str], typed: &str) -> String {
        let quoted = |word: &str| format!("'{word}'");
        let program_here = hokatsu::<&str>([])
            .get_program()
            .to_string_lossy()
            .into_owned();
        let own = [
            program_here.as_str(),
            "--site",
            &self.site.display().to_string(),
        ]
        .map(quoted);
        let line: Vec<String> = own
            .into_iter()
            .chain(words.iter().map(|one| quoted(one)))
            .collect();
        let mut terminal = program("script")
            .args([
                "--quiet",
                "--return",
                "--echo=never",
                "--command",
                &line.join(" "),
                "/dev/null",
            ])
            .envs([
                ("HOKATSU_OPERATOR", "試験 太郎"),
                ("HOKATSU_REASON", "試験"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script is not installed: run `cargo xtask setup`");
        let mut keyboard = terminal.stdin.take().unwrap();
        keyboard.write_all(typed.as_bytes()).unwrap();
        drop(keyboard);
        let output = terminal.wait_with_output().unwrap();
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.paper.path().join(name);
        fs::File::create(&path).unwrap();
        base::paths::write_atomic(&path, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
        path.display().to_string()
    }

    fn prove(&self, papers: &[&str]) -> (i32, Value, String) {
        let first = self.file("first", papers.first().unwrap());
        let mut words = vec!["backup", "key", "prove", "--words-file", &first];
        let second = papers.get(1).map(|text| self.file("second", text));
        if let Some(second) = &second {
            words.extend(["--second-words-file", second]);
        }
        self.run(&words)
    }

    fn restic(&self, password: &str) -> bool {
        let file = self.file("password", password);
        let output = program("restic")
            .args(["--no-cache", "--no-lock", "-r"])
            .arg(self.root.path().join("raid"))
            .args(["--password-file", &file, "snapshots"])
            .output();
        output
            .expect("restic is not installed: run `cargo xtask setup`")
            .status
            .success()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "runs a stock tool, outside anything we ship"
)]
fn program(name: &str) -> Command {
    Command::new(name)
}

/// The words as they stand on the paper, each behind its number.
fn printed(pdf: &Path) -> String {
    let output = program("pdftotext").arg("-raw").arg(pdf).arg("-").output();
    let output = output.expect("pdftotext is not installed: run `cargo xtask setup`");
    let text = String::from_utf8(output.stdout).unwrap();
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let word = |number: usize| {
        let number = number.to_string();
        let is_word =
            |token: &str| token.len() > 2 && token.chars().all(|c| c.is_ascii_lowercase());
        let found = tokens
            .windows(2)
            .find(|two| two[0] == number && is_word(two[1]));
        found.unwrap_or_else(|| panic!("no word {number} in {tokens:?}"))[1]
    };
    let words = (1..=18).map(word).collect::<Vec<_>>().join(" ");
    assert_eq!(scanned(pdf), words, "the code on the paper says the same");
    words
}

/// What a scanner reads from the paper.
fn scanned(pdf: &Path) -> String {
    let picture = pdf.with_extension("");
    let drawn = program("pdftoppm")
        .args(["-r", "200", "-singlefile", "-png"])
        .args([pdf, &picture])
        .status();
    assert!(drawn.unwrap().success());
    let output = program("zbarimg")
        .args(["--quiet", "--raw"])
        .arg(picture.with_extension("png"))
        .output();
    let output = output.expect("zbarimg is not installed: run `cargo xtask setup`");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_words_on_the_paper_open_and_the_sheet_before_it_does_no_more() {
    let machine = Machine::new();
    let [first] = machine.sheet(&["--holder", "保管 一"]).try_into().unwrap();
    let (code, proven, errors) = machine.prove(&[&first]);
    assert_eq!((code, &proven["number"]), (0, &1.into()), "{errors}");
    assert!(machine.restic(&first), "a stock tool opens by the words");
    let [second] = machine
        .sheet(&["--holder", "保管 二", "--holder", "保管 三"])
        .try_into()
        .unwrap();
    assert!(
        machine.restic(&first),
        "until the new one was tried the old one opens"
    );
    let (code, proven, errors) = machine.prove(&[&second]);
    assert_eq!((code, &proven["removed"]), (0, &1.into()), "{errors}");
    assert!(!machine.restic(&first) && machine.restic(&second));
    let (code, proven, _) = machine.prove(&[&first]);
    assert_eq!((code, &proven["shut"][0]), (1, &"raid".into()));
    let beginning = second.split(' ').take(3).collect::<Vec<_>>().join(" ");
    for place in [
        machine.data.join("keys/recovery-sheets.json"),
        machine.site.clone(),
    ] {
        let text = fs::read_to_string(place).unwrap();
        assert!(!text.contains(&beginning), "words are in no file");
    }
}

#[test]
fn words_that_are_copied_by_hand_open_and_leave_the_screen() {
    let machine = Machine::new();
    let options = ["backup", "sheet", "--by-hand", "--yes", "--holder", "甲"];
    let (code, _, errors) = machine.run(&options);
    assert_eq!(code, 2, "nobody is there to copy them");
    assert!(errors.contains("何も変えていません"), "{errors}");
    let screen = machine.on_a_terminal(&options, "\n");
    let (shown, after) = screen.split_once("\u{1b}[2J\u{1b}[3J").unwrap();
    let tokens: Vec<&str> = shown.split_whitespace().collect();
    let word = |number: usize| {
        let at = tokens.iter().rposition(|one| *one == number.to_string());
        tokens[at.unwrap() + 1]
    };
    let paper = (1..=18).map(word).collect::<Vec<_>>().join(" ");
    assert!(!after.contains(word(1)), "{after}");
    let (code, proven, errors) = machine.prove(&[&paper]);
    assert_eq!((code, &proven["number"]), (0, &1.into()), "{errors}");
    assert!(machine.restic(&paper), "a stock tool opens by the words");
}

#[test]
fn a_disk_that_was_away_is_let_in_when_the_words_are_tried() {
    let machine = Machine::new();
    let disk = machine.root.path().join("disk-b");
    let settings = fs::read_to_string(&machine.site).unwrap();
    let password = machine.root.path().join("password").display().to_string();
    let text = format!(
        "{settings}\n[[backup.repositories]]\nname = \"disk-b\"\npath = \"{}\"\n\
         password_file = \"{password}\"\n",
        disk.display()
    );
    base::paths::write_atomic(&machine.site, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
    let [paper] = machine.sheet(&["--holder", "保管 一"]).try_into().unwrap();
    let (code, proven, _) = machine.prove(&[&paper]);
    assert_eq!((code, &proven["shut"][0]), (1, &"disk-b".into()));
    let away = backup::RepositorySettings {
        name: "disk-b".to_owned(),
        location: disk.into(),
        password_file: password.into(),
        chunking: backup::Chunking::Fixed16KiB,
    };
    backup::init(&away).unwrap();
    let (code, proven, errors) = machine.prove(&[&paper]);
    assert_eq!((code, &proven["number"]), (0, &1.into()), "{errors}");
    assert!(backup::sheet::prove(&away, &paper).is_ok());
}

#[test]
fn a_slip_of_the_pen_is_named() {
    let machine = Machine::new();
    let [paper] = machine.sheet(&["--holder", "保管 一"]).try_into().unwrap();
    let mut words: Vec<&str> = paper.split(' ').collect();
    words[6] = "zzzz";
    let (code, _, errors) = machine.prove(&[&words.join(" ")]);
    assert_eq!(code, 2);
    assert!(errors.contains("7番目は、用紙にないことばです"), "{errors}");
    words.remove(6);
    let (code, _, errors) = machine.prove(&[&words.join(" ")]);
    assert_eq!(code, 2);
    assert!(errors.contains("17語が入力されました"), "{errors}");
}

#[test]
fn two_of_three_papers_open_and_one_does_not() {
    let machine = Machine::new();
    let holders = [
        "--split", "--holder", "甲", "--holder", "乙", "--holder", "丙",
    ];
    let papers = machine.sheet(&holders);
    assert_eq!(papers.len(), 3);
    let (code, proven, errors) = machine.prove(&[&papers[2], &papers[0]]);
    assert_eq!((code, &proven["number"]), (0, &1.into()), "{errors}");
    let (code, _, errors) = machine.prove(&[&papers[1]]);
    assert_eq!(code, 2, "{errors}");
    assert!(!machine.restic(&papers[1]));
}

#[test]
fn a_sheet_is_not_written_onto_a_disk() {
    let machine = Machine::new();
    let to = machine.root.path().join("sheet").display().to_string();
    let (code, _, errors) =
        machine.run(&["backup", "sheet", "--yes", "--to", &to, "--holder", "甲"]);
    assert_eq!(code, 2);
    assert!(errors.contains("メモリ上の場所"), "{errors}");
    assert_eq!(fs::read_dir(&to).unwrap().count(), 0);
}

#[test]
fn a_new_password_leaves_the_sheet_valid() {
    let machine = Machine::new();
    let [paper] = machine.sheet(&["--holder", "保管 一"]).try_into().unwrap();
    machine.well(&["backup", "key", "rotate", "--yes"]);
    assert_eq!(machine.prove(&[&paper]).0, 0);
    machine.well(&["backup", "run"]);
}
