//! What each tool is told. All of them encrypt except `cp`; all of them read back every byte in `check`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base::paths::{MODE_PRIVATE, write_atomic};

use super::child::{Line, run};
use crate::city::empty;
use crate::problem::Problem;
use crate::program::Program;

const SECRET: &str = "only for what is invented";
/// Our own repository in the site file.
const OURS: &str = "bench";

/// Where everything of the comparison lies.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) place: PathBuf,
    pub(super) hokatsu: PathBuf,
    /// Where `cargo xtask bench` put the tools.
    pub(super) tools: PathBuf,
    pub(super) site: PathBuf,
    pub(super) log: PathBuf,
    data: PathBuf,
    /// One attachment, below the data directory.
    attachment: PathBuf,
}

/// One tool.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) version: Line,
    pub(super) prepare: Vec<Line>,
    pub(super) save: Vec<Line>,
    /// Into `back`, which is empty.
    pub(super) restore: Vec<Line>,
    /// Into `one`, which is empty.
    pub(super) one_file: Vec<Line>,
    pub(super) check: Vec<Line>,
    pub(super) kept: PathBuf,
    /// Each run adds a state; otherwise it replaces the one before.
    pub(super) adds: bool,
    pub(super) is_ours: bool,
    pub(super) attachment: PathBuf,
}

impl Room {
    pub(super) fn new(place: &Path, program: &Program, attachment: &Path) -> Result<Self, Problem> {
        let room = Self {
            place: place.to_owned(),
            hokatsu: program.path().to_owned(),
            tools: tools_beside(program.path()),
            site: place.join("site.toml"),
            log: place.with_file_name("backup.log"),
            data: place.join("data"),
            attachment: attachment.to_owned(),
        };
        drop(std::fs::remove_file(&room.log));
        for dir in ["ours", "restic", "borg", "copy", "back", "one", "second"] {
            empty(&place.join(dir))?;
        }
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\ndata = \"{data}\"\n\n[organisation]\nname = \"架空の町\"\n\
             insurer_no = \"112292\"\n\n[sign_in]\nwebauthn_host = \"localhost\"\n\n\
             [[backup.repositories]]\nname = \"{OURS}\"\npath = \"{place}/ours/repository\"\n\
             password_file = \"{place}/ours/password\"\n\n\
             [backup.shipping]\npath = \"{place}/second\"\n",
            data = room.data.display(),
            place = place.display()
        );
        write_atomic(&room.site, text.as_bytes(), MODE_PRIVATE)?;
        Ok(room)
    }

    pub(super) fn line(&self, program: &Path, words: &[&str]) -> Line {
        Line {
            program: program.to_owned(),
            words: words.iter().map(OsString::from).collect(),
            variables: Vec::new(),
            inside: self.place.clone(),
            log: self.log.clone(),
        }
    }

    pub(super) fn ours(&self, words: &[&str]) -> Line {
        let site = self.site.display().to_string();
        let who = ["--operator", "試験", "--reason", "計測"];
        let mut all = vec!["--site", &site];
        all.extend(who);
        all.extend(words);
        self.line(&self.hokatsu, &all)
    }

    fn path(&self, below: &str) -> String {
        self.place.join(below).display().to_string()
    }

    /// The attachment as it is called inside the data directory.
    fn inside(&self) -> String {
        let below = self.attachment.strip_prefix(&self.data);
        below.unwrap_or(&self.attachment).display().to_string()
    }
}

/// `target/bench-tools`, beside the profiles.
fn tools_beside(hokatsu: &Path) -> PathBuf {
    let target = hokatsu.parent().and_then(Path::parent);
    target.unwrap_or(Path::new(".")).join("bench-tools")
}

/// All of them, each asked once whether it is there.
pub(super) fn all(room: &Room) -> Result<Vec<Tool>, Problem> {
    Ok(vec![hokatsu(room), restic(room)?, borg(room)?, copy(room)])
}

fn hokatsu(room: &Room) -> Tool {
    let back = room.path("back/all");
    let one = room.path("one/file");
    Tool {
        name: "hokatsu",
        version: room.line(&room.hokatsu, &["--version"]),
        prepare: vec![room.ours(&["backup", "init"])],
        save: vec![room.ours(&["backup", "run"])],
        restore: vec![room.ours(&["restore", "--to", &back, "--yes"])],
        one_file: vec![room.ours(&["restore", "--only", &room.inside(), "--to", &one, "--yes"])],
        check: vec![room.ours(&["backup", "check", "--read-data"])],
        kept: room.place.join("ours"),
        adds: true,
        is_ours: true,
        attachment: room.attachment.clone(),
    }
}

fn restic(room: &Room) -> Result<Tool, Problem> {
    let program = there(room.tools.join("restic/usr/bin/restic"))?;
    let (repository, cache) = (room.path("restic/repository"), room.path("restic-cache"));
    let with = |words: &[&str]| {
        let mut all = vec!["--repo", &repository, "--cache-dir", &cache, "--quiet"];
        all.extend(words);
        let mut line = room.line(&program, &all);
        line.variables = vec![("RESTIC_PASSWORD", SECRET.into())];
        line
    };
    let (data, back, one) = (room.path("data"), room.path("back"), room.path("one"));
    let attachment = room.attachment.display().to_string();
    Ok(Tool {
        name: "restic",
        version: room.line(&program, &["version"]),
        prepare: vec![with(&["init"])],
        save: vec![with(&["backup", &data])],
        restore: vec![with(&["restore", "latest", "--target", &back])],
        one_file: vec![with(&[
            "restore",
            "latest",
            "--target",
            &one,
            "--include",
            &attachment,
        ])],
        check: vec![with(&["check", "--read-data"])],
        kept: room.place.join("restic"),
        adds: true,
        is_ours: false,
        attachment: room.attachment.clone(),
    })
}

fn borg(room: &Room) -> Result<Tool, Problem> {
    let program = there(room.tools.join("python/bin/borg"))?;
    let repository = room.path("borg/repository");
    let home = room.path("borg-home");
    let with = |words: &[&str], inside: &Path| {
        let mut line = room.line(&program, words);
        line.variables = vec![
            ("BORG_PASSPHRASE", SECRET.into()),
            ("BORG_BASE_DIR", home.clone().into()),
            ("BORG_REPO", repository.clone().into()),
        ];
        line.inside = inside.to_owned();
        line
    };
    let (root, data) = (room.place.as_path(), room.path("data"));
    let attachment = room.attachment.display().to_string();
    let stored = attachment.trim_start_matches('/');
    // Archives are told apart by the moment; extract wants a name, and gets the last one's.
    let shell = Path::new("/bin/sh");
    let last = |to: &str, what: &str| {
        let script = format!(
            "exec '{borg}' extract \"::$('{borg}' list --last 1 --short)\" {what}",
            borg = program.display()
        );
        let mut line = with(&["-c", &script], &room.place.join(to));
        line.program = shell.to_owned();
        line
    };
    Ok(Tool {
        name: "borg",
        version: room.line(&program, &["--version"]),
        prepare: vec![with(&["init", "--encryption", "repokey-blake2"], root)],
        save: vec![with(&["create", "::{utcnow:%Y%m%d%H%M%S%f}", &data], root)],
        restore: vec![last("back", "")],
        one_file: vec![last("one", &format!("'{stored}'"))],
        check: vec![with(&["check", "--verify-data"], root)],
        kept: room.place.join("borg"),
        adds: true,
        is_ours: false,
        attachment: room.attachment.clone(),
    })
}

/// No history, no encryption, no proof: what the disks can do.
fn copy(room: &Room) -> Tool {
    let (data, kept) = (room.path("data"), room.path("copy"));
    let (back, one) = (room.path("back"), room.path("one"));
    let cp = Path::new("/bin/cp");
    let sync = || room.line(Path::new("/bin/sync"), &[]);
    let stored = format!("{kept}/data/{}", room.inside());
    Tool {
        name: "cp + sync",
        version: room.line(cp, &["--version"]),
        prepare: Vec::new(),
        save: vec![room.line(cp, &["-a", &data, &kept]), sync()],
        restore: vec![room.line(cp, &["-a", &kept, &back]), sync()],
        one_file: vec![room.line(cp, &["-a", &stored, &one])],
        // It has no sums to compare with: every byte is read.
        check: vec![room.line(
            Path::new("/usr/bin/find"),
            &[&kept, "-type", "f", "-exec", "sum", "{}", "+"],
        )],
        kept: room.place.join("copy"),
        adds: false,
        is_ours: false,
        attachment: room.attachment.clone(),
    }
}

fn there(program: PathBuf) -> Result<PathBuf, Problem> {
    if program.is_file() {
        Ok(program)
    } else {
        Err(Problem::NoTool(program))
    }
}

/// Litestream, which ships commits only.
pub(super) fn litestream(room: &Room) -> Result<PathBuf, Problem> {
    there(room.tools.join("python/bin/litestream"))
}

/// Enrols the second place for our shipper.
pub(super) fn enrol(room: &Room) -> Result<(), Problem> {
    run(&room.ours(&["ship", "enrol", "--yes"])).map(drop)
}
