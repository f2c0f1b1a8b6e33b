//! What is asked of an image that runs: does an empty machine become one that serves, and is it still that
//! after a restart?

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::paths::{MODE_PUBLIC, write_atomic};

use crate::assemble::Made;
use crate::child::Spec;
use crate::problem::{Problem, at, unclear};
use crate::room::Room;
use crate::vm::{Machine, Parts};
use crate::{say, tree};

/// From power to the sign-in page of a machine that was empty, on two emulated and busy processors.
pub const SERVES_MAX: Duration = Duration::from_secs(15 * 60);
/// From the power button to off.
pub const OFF_MAX: Duration = Duration::from_secs(3 * 60);
const LIMIT: Duration = Duration::from_secs(60);
/// One request; an emulated machine takes seconds for a handshake.
const REQUEST_SECONDS: &str = "20";
const DATA_BYTES: u64 = 4 * 1024 * 1024 * 1024;
const STICK_BYTES: u64 = 16 * 1024 * 1024;
/// The site of a trial: an invented one, with the real municipality's number only because it must check.
pub const SITE: &str = "[server]\nlisten = \"0.0.0.0:443\"\ndata = \"/var/lib/hokatsu\"\n\n\
    [organisation]\nname = \"試験の町\"\ninsurer_no = \"112292\"\n";
/// Words of the sign-in page.
const SIGN_IN: &str = "サインイン";
/// What the console shows, in the order in which it comes.
const MARKS: [(&str, &str); 6] = [
    ("kernel", "EFI stub"),
    ("initrd", "systemd-journald.service - Journal Service"),
    ("root verified", "Reached target initrd-switch-root.target"),
    ("data volume", "Mounted volume.mount"),
    ("service", "Started hokatsu.service"),
    ("slot proven good", "Finished slot-good.service"),
];

/// A machine of the trial, made anew.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Its disks are in the directory `vm` of the room.
    pub parts: Parts,
    authority: PathBuf,
}

/// Boots an empty machine with a stick, waits for the sign-in page, restarts it and waits again.
///
/// # Errors
/// What did not come, with the end of the console.
pub fn boot(room: &Room, made: &Made) -> Result<(), Problem> {
    let trial = prepare(room, &made.part("raw"))?;
    let mut machine = Machine::start(room, &trial.parts)?;
    let first = serves(room, &mut machine, &trial)?;
    say::line(&format!("first start: sign-in page after {first:.0} s"));
    proven(&mut machine)?;
    marks(&machine);
    let off = machine.power_off(OFF_MAX)?;
    say::line(&format!("off {off:.0} s after the power button"));
    let again = Parts {
        stick: None,
        log: room.dir("vm")?.join("console-again.log"),
        ..trial.parts.clone()
    };
    let mut machine = Machine::start(room, &again)?;
    let second = serves(room, &mut machine, &trial)?;
    say::line(&format!("second start: sign-in page after {second:.0} s"));
    proven(&mut machine)?;
    marks(&machine);
    machine.cut_off()
}

pub(crate) fn prepare(room: &Room, raw: &Path) -> Result<Trial, Problem> {
    prepare_as(room, raw, SITE)
}

/// The machine of this site: blank disks, a TPM that knows nothing, a stick with its settings, above an image.
///
/// # Errors
/// When a disk cannot be made.
pub fn prepare_as(room: &Room, raw: &Path, site_text: &str) -> Result<Trial, Problem> {
    let vm = room.dir("vm")?;
    let at_vm = |name: &str| vm.join(name);
    let parts = Parts {
        system: at_vm("system.qcow2"),
        variables: at_vm("variables.fd"),
        data: [Some(at_vm("data-1.raw")), Some(at_vm("data-2.raw"))],
        disk_a: None,
        tpm: Some(room.empty_dir("vm/tpm")?),
        trial: None,
        stick: Some(at_vm("stick.raw")),
        writes: None,
        more: Vec::new(),
        spare: None,
        log: at_vm("console.log"),
    };
    let authority = at_vm("hokatsu-ca.pem");
    if authority.exists() {
        fs::remove_file(&authority).map_err(at(&authority, "remove"))?;
    }
    let (system, base) = (parts.system.to_string_lossy(), raw.to_string_lossy());
    run(
        room,
        &[
            "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", &base, &system,
        ],
    )?;
    let variables = room.work().join("tree/usr/share/OVMF/OVMF_VARS_4M.fd");
    fs::copy(&variables, &parts.variables).map_err(at(&variables, "copy"))?;
    for data in parts.data.iter().flatten() {
        blank(data, DATA_BYTES)?;
    }
    if let Some(stick) = &parts.stick {
        blank(stick, STICK_BYTES)?;
        let site = at_vm("site.toml");
        write_atomic(&site, site_text.as_bytes(), MODE_PUBLIC)
            .map_err(unclear("the file system"))?;
        let (stick, site) = (stick.to_string_lossy(), site.to_string_lossy());
        run(room, &["mkfs.vfat", "-n", "HOKATSU", &stick])?;
        run(room, &["mcopy", "-i", &stick, &site, "::site.toml"])?;
    }
    Ok(Trial { parts, authority })
}

pub(crate) fn run(room: &Room, words: &[&str]) -> Result<(), Problem> {
    tree::inside(room, words, LIMIT)
        .must("preparing a disk")
        .map(drop)
}

/// A disk that holds nothing.
///
/// # Errors
/// [`Problem::File`].
pub fn blank(path: &Path, bytes: u64) -> Result<(), Problem> {
    let file = fs::File::create(path).map_err(at(path, "write"))?;
    file.set_len(bytes).map_err(at(path, "write"))
}

/// Waits for the page, over TLS that the machine's own authority vouches for; seconds from the start.
pub(crate) fn serves(room: &Room, machine: &mut Machine, trial: &Trial) -> Result<f64, Problem> {
    machine.wait("the sign-in page", SERVES_MAX, |machine| {
        Ok((knows(room, trial)? && answers(machine, trial)?).then(|| machine.second()))
    })
}

/// The first start leaves the authority's certificate on the stick, as it does for the terminals.
fn knows(room: &Room, trial: &Trial) -> Result<bool, Problem> {
    // Copied while the machine was writing it, it is empty.
    let is_whole = || fs::metadata(&trial.authority).is_ok_and(|found| found.len() > 0);
    if is_whole() {
        return Ok(true);
    }
    let Some(stick) = &trial.parts.stick else {
        return Ok(false);
    };
    let (stick, to) = (stick.to_string_lossy(), trial.authority.to_string_lossy());
    let words = ["mcopy", "-n", "-o", "-i", &stick, "::hokatsu-ca.pem", &to];
    let copied = tree::inside(room, &words, LIMIT).capture()?;
    Ok(copied.success && is_whole())
}

fn answers(machine: &Machine, trial: &Trial) -> Result<bool, Problem> {
    let (port, authority) = (machine.port, trial.authority.to_string_lossy());
    let name = format!("hokatsu:{port}:127.0.0.1");
    let url = format!("https://hokatsu:{port}/sign-in");
    let words = [
        "curl",
        "--silent",
        "--fail",
        "--location",
        "--noproxy",
        "*",
        "--max-time",
        REQUEST_SECONDS,
        "--cacert",
        &authority,
        "--resolve",
        &name,
        &url,
    ];
    let got = Spec::of(&words, LIMIT).capture()?;
    Ok(got.success && got.output.contains(SIGN_IN))
}

fn marks(machine: &Machine) {
    for (name, words) in MARKS {
        let when = machine
            .shown(words)
            .map_or("not shown".to_owned(), |second| format!("{second:.1} s"));
        say::line(&format!("  {name:<18} {when}"));
    }
}

pub(crate) fn proven(machine: &mut Machine) -> Result<(), Problem> {
    let words = "Finished slot-good.service";
    machine
        .wait("the slot to be proven good", OFF_MAX, |machine| {
            Ok(machine.shown(words))
        })
        .map(drop)
}
