//! A contract that ends: images with a known content, a list, a plan, and the verbs.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use base::command::{Output, Spec, run};
use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use harness::process::{ended, hokatsu};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const ONE_MIB: u64 = 1024 * 1024;
/// What a record looks like in clear.
pub(crate) const MARKER: &[u8] = "架空花子の相談記録-7f3a91".as_bytes();
/// What each copy of a LUKS2 header begins with; the second one's bytes are turned round.
pub(crate) const HEADER: &[u8] = b"\xba\xbe\x00\x02";
const TOOL_MAX: Duration = Duration::from_secs(120);

pub(crate) struct Contract {
    root: TempDir,
    /// No database, unless a test makes one.
    pub(crate) data: PathBuf,
}

pub(crate) struct Made {
    pub(crate) file: PathBuf,
    pub(crate) sha256: String,
    pub(crate) application: PathBuf,
    pub(crate) schedule: PathBuf,
    pub(crate) items: Vec<Value>,
}

impl Made {
    fn item(&self, image: &Path) -> &Value {
        let path = fs::canonicalize(image).unwrap();
        let path = path.to_str().unwrap();
        let mut items = self.items.iter();
        items.find(|item| item["device"]["path"] == path).unwrap()
    }

    pub(crate) fn number(&self, image: &Path) -> u64 {
        self.item(image)["number"].as_u64().unwrap()
    }

    pub(crate) fn numbered(&self, number: u64) -> &Value {
        let mut items = self.items.iter();
        items.find(|item| item["number"] == number).unwrap()
    }

    pub(crate) fn serial(&self, number: u64) -> String {
        let serial = &self.numbered(number)["device"]["serial"];
        serial.as_str().unwrap().to_owned()
    }
}

impl Contract {
    pub(crate) fn new() -> Self {
        let root = TempDir::new().unwrap();
        let data = root.path().join("no-data");
        Self { root, data }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.root().join("papers/records")
    }

    /// Written everywhere, with the marker at its beginning, in each MiB, and at its end.
    pub(crate) fn raw(&self, name: &str, bytes: u64) -> PathBuf {
        let path = self.root().join(name);
        let file = File::create(&path).unwrap();
        file.set_len(bytes).unwrap();
        scatter(&file, 0, bytes);
        path
    }

    /// A LUKS2 header of the stock tool, and content behind it.
    pub(crate) fn luks(&self, name: &str) -> PathBuf {
        let path = self.raw(name, 32 * ONE_MIB);
        let spec = Spec::new("cryptsetup", TOOL_MAX)
            .args(["luksFormat", "--batch-mode", "--type", "luks2"])
            .args(["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"])
            .args(["--key-file", "-"])
            .arg(&path)
            .input("words");
        run(&spec).unwrap().success(&spec).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        scatter(&file, 16 * ONE_MIB, 32 * ONE_MIB);
        path
    }

    /// A file system with a file in it.
    pub(crate) fn ext4(&self, name: &str) -> PathBuf {
        let path = self.root().join(name);
        let inside = self.root().join("inside");
        create_private_dir(&inside).unwrap();
        write_atomic(&inside.join("record"), MARKER, MODE_PRIVATE).unwrap();
        File::create(&path).unwrap().set_len(16 * ONE_MIB).unwrap();
        tool("mkfs.ext4", &["-q", "-d", text(&inside), text(&path)]);
        assert!(count(&path, MARKER) > 0);
        path
    }

    pub(crate) fn list(&self, rest: &str) -> PathBuf {
        let path = self.root().join("list.toml");
        let list = format!(
            "addressee = \"みどり市長\"\ncontractor = \"架空システム株式会社\"\nplanned_on = \
             \"2199-03-31\"\nattendants = []\n{rest}"
        );
        write_atomic(&path, list.as_bytes(), MODE_PRIVATE).unwrap();
        path
    }

    pub(crate) fn planned(&self, images: &[&Path], rest: &str) -> (i32, Value, String) {
        let (list, to) = (self.list(rest), self.root().join("papers"));
        let mut words = vec!["plan", "--list", text(&list), "--to", text(&to)];
        for image in images {
            words.extend(["--image", text(image)]);
        }
        self.erase(&words)
    }

    pub(crate) fn plan(&self, images: &[&Path], rest: &str) -> Made {
        let (code, made, errors) = self.planned(images, rest);
        assert_eq!(code, 0, "{errors}");
        let path = |name: &str| PathBuf::from(made[name].as_str().unwrap());
        Made {
            file: path("plan"),
            sha256: made["sha256"].as_str().unwrap().to_owned(),
            application: path("application"),
            schedule: path("schedule"),
            items: made["items"].as_array().unwrap().clone(),
        }
    }

    pub(crate) fn erase(&self, words: &[&str]) -> (i32, Value, String) {
        let (code, out, errors) = ended([&self.before()[..], words].concat());
        assert!(out.lines().count() <= 1, "one object: {out}");
        let value = serde_json::from_str(&out).unwrap_or(Value::Null);
        (code, value, errors)
    }

    fn before(&self) -> [&str; 4] {
        ["--json", "--data", text(&self.data), "erase"]
    }

    /// As somebody types it who has the paper and the disk in hand.
    pub(crate) fn run(&self, plan: &Made, number: u64, more: &[&str]) -> (i32, Value, String) {
        let serial = plan.serial(number);
        self.run_typed(plan, number, &serial, more)
    }

    pub(crate) fn run_typed(
        &self,
        plan: &Made,
        number: u64,
        serial: &str,
        more: &[&str],
    ) -> (i32, Value, String) {
        let words = typed(plan, number, serial);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.erase(&[&words[..], more].concat())
    }

    pub(crate) fn started(&self, plan: &Made, number: u64) -> Child {
        let words = typed(plan, number, &plan.serial(number));
        let before = self.before().into_iter().map(str::to_owned);
        let mut command = hokatsu(before.chain(words));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null()).spawn().unwrap()
    }

    pub(crate) fn certificate(&self, plan: &Made, number: u64) -> (i32, Value, String) {
        create_private_dir(&self.records()).unwrap();
        let (records, number) = (self.records(), number.to_string());
        let to = self.root().join("certificates");
        let words = ["certificate", "--plan", text(&plan.file), "--item", &number];
        let more = ["--records", text(&records), "--to", text(&to)];
        self.erase(&[&words[..], &more[..]].concat())
    }

    pub(crate) fn report(&self, plan: &Made, number: u64, more: &[&str]) -> (i32, Value, String) {
        let number = number.to_string();
        let now = base::clock::Clock::system().now().to_string();
        let words = [
            "record",
            "--yes",
            "--plan",
            text(&plan.file),
            "--item",
            &number,
        ];
        let how = [
            "--sha256",
            &plan.sha256,
            "--on",
            &now,
            "--how",
            "破砕機で20mm角に破砕",
        ];
        let who = [
            "--by",
            "架空リサイクル株式会社",
            "--proof",
            "破砕証明書 第12号",
        ];
        self.erase(&[&words[..], &how[..], &who[..], more].concat())
    }

    /// As a run leaves it that was killed when it had come so far.
    pub(crate) fn unfinished(&self, plan: &Made, number: u64, written: u64) {
        create_private_dir(&self.records()).unwrap();
        let state = json!({
            "plan_sha256": plan.sha256, "item": number, "serial": plan.serial(number),
            "size_bytes": plan.numbered(number)["device"]["size_bytes"],
            "written_bytes": written, "keys_destroyed": 0, "keys_left": 0,
            "began_at": "2026-11-30T00:00:00Z", "sittings": 1,
        });
        let name = format!("item-{number:03}.unfinished.json");
        write_atomic(
            &self.records().join(name),
            state.to_string().as_bytes(),
            MODE_PRIVATE,
        )
        .unwrap();
    }

    pub(crate) fn newest_record(&self) -> Value {
        let entries = fs::read_dir(self.records()).unwrap();
        let mut names: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        names.retain(|path| !text(path).ends_with(".unfinished.json"));
        names.sort();
        serde_json::from_slice(&fs::read(names.last().unwrap()).unwrap()).unwrap()
    }
}

fn typed(plan: &Made, number: u64, serial: &str) -> Vec<String> {
    let number = number.to_string();
    let words = ["run", "--yes", "--image", "--plan", text(&plan.file)];
    // Eight characters, as from paper.
    let more = ["--sha256", plan.sha256.get(..8).unwrap(), "--item", &number];
    let all = words.into_iter().chain(more).chain(["--confirm", serial]);
    all.map(str::to_owned).collect()
}

fn scatter(file: &File, from: u64, to: u64) {
    let filler = vec![0x5a; usize::try_from(ONE_MIB).unwrap()];
    let mut at = from;
    while at < to {
        file.write_all_at(&filler, at).unwrap();
        file.write_all_at(MARKER, at).unwrap();
        at += ONE_MIB;
    }
    let length = u64::try_from(MARKER.len()).unwrap();
    file.write_all_at(MARKER, to - length).unwrap();
}

/// How often these bytes stand anywhere in a file.
pub(crate) fn count(path: &Path, wanted: &[u8]) -> usize {
    let bytes = fs::read(path).unwrap();
    let first = wanted[0];
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts
        .filter(|(at, _)| bytes[*at..].starts_with(wanted))
        .count()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn tool(program: &str, words: &[&str]) -> String {
    let spec = Spec::new(program, TOOL_MAX).args(words);
    let output: Output = run(&spec).unwrap();
    let said = output.stderr.text();
    assert!(output.status.success(), "{program} {words:?}: {said}");
    output.stdout.text().trim().to_owned()
}

/// A loop device; gone when dropped, with what was mounted from it.
pub(crate) struct Loop {
    pub(crate) device: PathBuf,
    mounted: Option<PathBuf>,
}

impl Loop {
    pub(crate) fn of(image: &Path, more: &[&str]) -> Self {
        let words = [&["--find", "--show"], more, &[text(image)]].concat();
        Self {
            device: PathBuf::from(tool("losetup", &words)),
            mounted: None,
        }
    }

    pub(crate) fn mount(&mut self, at: &Path) {
        create_private_dir(at).unwrap();
        tool("mount", &[text(&self.device), text(at)]);
        self.mounted = Some(at.to_owned());
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        if let Some(at) = &self.mounted {
            tool("umount", &[text(at)]);
        }
        tool("losetup", &["--detach", text(&self.device)]);
    }
}
