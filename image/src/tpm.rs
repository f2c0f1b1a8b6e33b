//! The TPM of a virtual machine: swtpm of the tool tree, which keeps in a directory what a chip would keep.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use crate::child::tail;
use crate::problem::{Problem, at};
use crate::room::Room;
use crate::{tree, vm};

/// swtpm opens its control channel within this.
const READY_MAX: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);
const UNLIMITED: Duration = Duration::from_secs(24 * 60 * 60);

/// A running TPM; ends with the value that stands for it.
#[derive(Debug)]
pub(crate) struct Tpm {
    child: Child,
    socket: PathBuf,
}

impl Tpm {
    /// Starts it on what it kept before; an empty directory is a new chip.
    ///
    /// # Errors
    /// When swtpm does not come up.
    pub(crate) fn start(room: &Room, kept: &Path) -> Result<Self, Problem> {
        let socket = room.dir("vm")?.join("tpm.sock");
        if socket.exists() {
            std::fs::remove_file(&socket).map_err(at(&socket, "remove"))?;
        }
        let state = format!("dir={},mode=0600", kept.display());
        let control = format!("type=unixio,path={}", socket.display());
        let words = [
            "swtpm",
            "socket",
            "--tpm2",
            "--tpmstate",
            &state,
            "--ctrl",
            &control,
        ];
        let errors = room.dir("vm")?.join("tpm.log");
        let child = tree::inside(room, &words, UNLIMITED).start(&errors)?;
        let mut tpm = Self { child, socket };
        let until = Instant::now() + READY_MAX;
        while !tpm.socket.exists() {
            if Instant::now() > until || !matches!(tpm.child.try_wait(), Ok(None)) {
                let said = std::fs::read_to_string(&errors).unwrap_or_default();
                return Err(Problem::Control(tail(&said)));
            }
            thread::park_timeout(LOOK);
        }
        Ok(tpm)
    }

    /// What QEMU is told of it.
    pub(crate) fn words(&self) -> Vec<String> {
        let socket = self.socket.display();
        let channel = format!("socket,id=tpm,path={socket}");
        let words = [
            "-chardev",
            &channel,
            "-tpmdev",
            "emulator,id=tpm,chardev=tpm",
            "-device",
            "tpm-crb,tpmdev=tpm",
        ];
        words.map(str::to_owned).to_vec()
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        vm::end(&mut self.child);
    }
}
