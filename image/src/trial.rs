//! What is asked of a machine from inside it, without a way in: a unit that the machine's firmware hands over
//! (SMBIOS) and that says what it found on the console.
//!
//! Shape: `TRIAL name what was found`, a line each; `TRIAL end` is the last.
//! Source: systemd.system-credentials(7) (`systemd.extra-unit.*`), systemd-stub(7) (`kernel-cmdline-extra`).

use std::path::Path;

use base::paths::{MODE_PUBLIC, write_atomic};
use data_encoding::BASE64;

use crate::problem::{Problem, unclear};
use crate::vm::Machine;

const MARK: &str = "TRIAL ";
const END: &str = "TRIAL end";
const TRIAL: &str = "trial.service";
/// On the second serial line, which only a trial has.
const MENU: &str = "console@ttyS1.service";
/// Its own file: a script would have to be quoted for a shell inside a unit.
const UNIT: &str = "[Service]\nType=oneshot\nTimeoutStartSec=6h\nStandardOutput=journal+console\n\
    StandardError=journal+console\nLoadCredential=script:trial-script\n\
    ExecStart=/bin/sh ${CREDENTIALS_DIRECTORY}/script\n[Unit]\nDescription=trial\n";
const AFTER_THE_SERVICE: &str = "After=hokatsu.service\n";
/// Of a machine without data disks: nobody waits for them, and nobody restarts it for that.
const MASKED: [&str; 2] = ["volume.mount", "slot-bad.service"];

/// Writes what QEMU hands over: the unit, its script, and that it is started.
///
/// # Errors
/// When the file cannot be written.
pub fn hand_over(script: &str, to: &Path) -> Result<(), Problem> {
    let unit = format!("{UNIT}{AFTER_THE_SERVICE}");
    write(&script_lines(&unit, script), &[wants(TRIAL)], to)
}

/// The same of a machine without data disks, which does nothing else.
///
/// # Errors
/// When the file cannot be written.
pub fn instead(script: &str, to: &Path) -> Result<(), Problem> {
    let masked = MASKED.map(|unit| format!("systemd.mask={unit}"));
    let line = [&masked[..], &[wants(TRIAL)]].concat();
    write(&script_lines(UNIT, script), &line, to)
}

/// The same, and the menu on the operator's line; the script may be missing.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn with_menu(script: Option<&str>, to: &Path) -> Result<(), Problem> {
    match script {
        Some(script) => {
            let unit = format!("{UNIT}{AFTER_THE_SERVICE}");
            let lines = script_lines(&unit, script);
            write(&lines, &[wants(TRIAL), wants(MENU)], to)
        }
        None => write(&[], &[wants(MENU)], to),
    }
}

fn wants(unit: &str) -> String {
    format!("systemd.wants={unit}")
}

fn script_lines(unit: &str, script: &str) -> Vec<String> {
    // QEMU takes commas for its own.
    let credential = |name: &str, text: &str| {
        let text = BASE64.encode(text.as_bytes());
        format!("type=11,value=io.systemd.credential.binary:{name}={text}")
    };
    let script = format!("{PREPARED}{script}{FAILED}say end\n");
    vec![
        credential("systemd.extra-unit.trial.service", unit),
        credential("trial-script", &script),
    ]
}

fn write(lines: &[String], line: &[String], to: &Path) -> Result<(), Problem> {
    let line = line.join(" ");
    let line = format!("type=11,value=io.systemd.stub.kernel-cmdline-extra={line}");
    let text = [lines, &[line]].concat().join("\n");
    write_atomic(to, text.as_bytes(), MODE_PUBLIC).map_err(unclear("the file system"))
}

/// What every script may say.
const PREPARED: &str = r#"
say() { echo "TRIAL $*"; }
as_service() { setpriv --reuid=hokatsu --regid=hokatsu --clear-groups "$@"; }
until_it_is() { i=0; until "$@"; do i=$((i + 1)); [ $i -lt 150 ] || return 0; sleep 2; done; }
"#;

/// Of what failed, the last words: for whoever reads the console afterwards.
const FAILED: &str = r#"
for unit in $(systemctl --failed --plain --no-legend | cut -d ' ' -f 1); do
  journalctl --boot --unit="$unit" --output=cat --lines=60 |
    grep --invert-match "^reading\|^finished" | sed "s/^/$unit: /"
done
"#;

/// Is everything said?
#[must_use]
pub fn has_ended(machine: &Machine) -> bool {
    machine.shown(END).is_some()
}

/// What was found under this name.
#[must_use]
pub fn found(machine: &Machine, name: &str) -> Option<String> {
    let mark = format!("{MARK}{name} ");
    let line = machine.line(&mark)?;
    let (_, found) = line.split_once(&mark)?;
    Some(found.to_owned())
}
