//! One virtual machine: QEMU of the tool tree, its console as lines with the second they came, its controls.
//!
//! No KVM: where `/dev/kvm` opens it may still not run a stock kernel, so the processor is always emulated
//! and limits are generous. The machine ends with the value that stands for it.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use qapi::Qmp;
use qapi::qmp::{Event, ImageFormat, device_add, device_del, quit, screendump, system_powerdown};

use crate::child::tail;
use crate::problem::{Problem, at, unclear};
use crate::room::Room;
use crate::tpm::Tpm;
use crate::tree;

/// How often somebody who waits looks again.
const LOOK: Duration = Duration::from_millis(300);
/// QEMU opens its control channel within this.
const CONTROL_MAX: Duration = Duration::from_secs(60);
/// Memory, MiB.
const MEMORY_MIB: u32 = 2048;
/// A processor without KVM is slow; nothing is limited by it.
const UNLIMITED: Duration = Duration::from_secs(24 * 60 * 60);
const SPARE: &str = "spare";
const FIRMWARE: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
/// The machine's own number: the image takes its machine id from it.
const UUID: &str = "6f1cbb2e-4c0b-4a0e-8d5e-0e6b3f5f7a11";

/// What a machine is made of; all paths lie below `target/image/`.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The system disk: a layer above an image (`.qcow2`), or a copy that keeps what is written (`.raw`).
    pub system: PathBuf,
    /// The firmware's variables; written to.
    pub variables: PathBuf,
    /// The disks in the two places of the array, raw.
    pub data: [Option<PathBuf>; 2],
    /// Disk A, raw.
    pub disk_a: Option<PathBuf>,
    /// What the machine's TPM keeps, a directory; none: the machine has no TPM.
    pub tpm: Option<PathBuf>,
    /// What the firmware hands over, a line each ([`crate::trial`]).
    pub trial: Option<PathBuf>,
    /// A USB stick, raw.
    pub stick: Option<PathBuf>,
    /// Where everything is kept that the disks of the array are told to write ([`crate::writes`]), in their order.
    pub writes: Option<[PathBuf; 2]>,
    /// Further disks, raw, each by its serial number.
    pub more: Vec<(&'static str, PathBuf)>,
    /// A disk that lies beside the machine, raw ([`Machine::plug`]).
    pub spare: Option<PathBuf>,
    /// Where the console is kept.
    pub log: PathBuf,
}

/// A line of the console.
#[derive(Debug, Clone)]
struct Line {
    second: f64,
    text: String,
    /// Its end has not come yet: a question.
    is_open: bool,
}

type Console = Arc<Mutex<Vec<Line>>>;
type Control = Qmp<qapi::Stream<BufReader<UnixStream>, UnixStream>>;

/// A running machine.
pub struct Machine {
    child: Child,
    /// Ends with the machine.
    _tpm: Option<Tpm>,
    control: Control,
    console: Console,
    /// What the operator's line shows.
    screen: Console,
    keyboard: UnixStream,
    /// Port of 127.0.0.1 that leads to the machine's 443.
    pub port: u16,
    begun: Instant,
}

impl Machine {
    /// Starts it.
    ///
    /// # Errors
    /// When QEMU does not come up.
    pub fn start(room: &Room, parts: &Parts) -> Result<Self, Problem> {
        let socket = fresh_socket(room, "qmp.sock")?;
        let line = fresh_socket(room, "line.sock")?;
        let port = free_port()?;
        let handed = match &parts.trial {
            Some(file) => std::fs::read_to_string(file).map_err(at(file, "read"))?,
            None => String::new(),
        };
        let handed = handed.lines().map(str::to_owned).collect();
        let tpm = parts.tpm.as_deref();
        let tpm = tpm.map(|kept| Tpm::start(room, kept)).transpose()?;
        let mut words = words(parts, handed, (&socket, &line), port);
        words.extend(tpm.iter().flat_map(Tpm::words));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let begun = Instant::now();
        let errors = parts.log.with_extension("qemu.log");
        let mut child = tree::inside(room, &words, UNLIMITED).start(&errors)?;
        let (console, screen) = (Console::default(), Console::default());
        if let Some(output) = child.stdout.take() {
            listen(output, console.clone(), begun, &parts.log)?;
        }
        let connected = control(&socket, &mut child, &errors).and_then(|control| {
            let keyboard = UnixStream::connect(&line).map_err(at(&line, "open"))?;
            let shown = keyboard.try_clone().map_err(at(&line, "read"))?;
            let log = parts.log.with_extension("line.log");
            listen(shown, screen.clone(), begun, &log)?;
            Ok((control, keyboard))
        });
        let (control, keyboard) = match connected {
            Ok(both) => both,
            Err(problem) => {
                end(&mut child);
                return Err(problem);
            }
        };
        Ok(Self {
            child,
            _tpm: tpm,
            control,
            console,
            screen,
            keyboard,
            port,
            begun,
        })
    }

    /// Seconds since it was started.
    #[must_use]
    pub fn second(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// When the console first showed these words, seconds from the start.
    #[must_use]
    pub fn shown(&self, words: &str) -> Option<f64> {
        let lines = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .find(|line| line.text.contains(words))
            .map(|line| line.second)
    }

    /// The last line with these words.
    #[must_use]
    pub fn line(&self, words: &str) -> Option<String> {
        let lines = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        let mut newest_first = lines.iter().rev();
        newest_first
            .find(|line| line.text.contains(words))
            .map(|line| line.text.clone())
    }

    /// How often the console showed these words.
    #[must_use]
    pub fn times(&self, words: &str) -> usize {
        let lines = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .filter(|line| line.text.contains(words))
            .count()
    }

    /// Lines of the operator's line from this one on; the last may be a question that waits.
    #[must_use]
    pub fn lines_from(&self, first: usize) -> Vec<String> {
        let lines = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        let later = lines.iter().skip(first);
        later.map(|line| line.text.clone()).collect()
    }

    /// Types a line at the operator's line.
    ///
    /// # Errors
    /// When the machine is gone.
    pub fn enter(&mut self, line: &str) -> Result<(), Problem> {
        let typed = writeln!(self.keyboard, "{line}").and_then(|()| self.keyboard.flush());
        typed.map_err(|error| Problem::Control(error.to_string()))
    }

    /// What its screen shows, as a picture.
    ///
    /// # Errors
    /// When QEMU cannot be told.
    pub fn picture(&mut self, to: &Path) -> Result<(), Problem> {
        let asked = screendump {
            filename: to.to_string_lossy().into_owned(),
            device: None,
            head: None,
            format: Some(ImageFormat::png),
        };
        let done = self.control.execute(&asked);
        done.map(drop)
            .map_err(|error| Problem::Control(error.to_string()))
    }

    /// Looks again and again until `look` gives something; at most until `limit` after now.
    ///
    /// # Errors
    /// [`Problem::Waited`] with the end of the console, or what `look` itself says.
    pub fn wait<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&Self) -> Result<Option<T>, Problem>,
    ) -> Result<T, Problem> {
        let until = Instant::now() + limit;
        loop {
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            if Instant::now() > until || self.has_ended() {
                return Err(Problem::Waited {
                    what: what.to_owned(),
                    seconds: limit.as_secs(),
                    tail: self.tail(),
                });
            }
            thread::park_timeout(LOOK);
        }
    }

    /// Pulls the disk out of this place of the array (1 or 2).
    ///
    /// # Errors
    /// When the machine does not let go of it within `limit`.
    pub fn pull(&mut self, place: usize, limit: Duration) -> Result<(), Problem> {
        let id = disk_in(place);
        let failed = |error: qapi::ExecuteError| Problem::Control(error.to_string());
        self.control
            .execute(&device_del { id: id.clone() })
            .map_err(failed)?;
        let until = Instant::now() + limit;
        loop {
            self.control
                .nop()
                .map_err(|error| Problem::Control(error.to_string()))?;
            let gone = self.control.events().any(|event| {
                matches!(event, Event::DEVICE_DELETED { data, .. } if data.device.as_ref() == Some(&id))
            });
            if gone {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Problem::Waited {
                    what: format!("{id} to be let go of"),
                    seconds: limit.as_secs(),
                    tail: self.tail(),
                });
            }
            thread::park_timeout(LOOK);
        }
    }

    /// Puts a disk into this place of the array, which is empty: the one that was in it, or the spare one.
    ///
    /// # Errors
    /// When QEMU does not take it.
    pub fn plug(&mut self, place: usize, is_spare: bool) -> Result<(), Problem> {
        let from = if is_spare {
            SPARE.to_owned()
        } else {
            node(place)
        };
        let words = [
            ("drive", from),
            ("serial", format!("hokatsu-{}", node(place))),
        ];
        let words = words.map(|(name, value)| (name.to_owned(), value.into()));
        let asked = device_add {
            driver: "virtio-blk-pci".to_owned(),
            bus: Some(slot(place)),
            id: Some(disk_in(place)),
            arguments: words.into_iter().collect(),
        };
        let done = self.control.execute(&asked);
        done.map(drop)
            .map_err(|error| Problem::Control(error.to_string()))
    }

    /// Presses the power button and waits until the machine is off; seconds that it took.
    ///
    /// # Errors
    /// When it does not go off within `limit`.
    pub fn power_off(mut self, limit: Duration) -> Result<f64, Problem> {
        self.control
            .execute(&system_powerdown {})
            .map_err(|error| Problem::Control(error.to_string()))?;
        self.goes_off(limit)
    }

    /// Waits until the machine is off; seconds that it took.
    ///
    /// # Errors
    /// When it does not go off within `limit`.
    pub fn goes_off(mut self, limit: Duration) -> Result<f64, Problem> {
        let begun = Instant::now();
        while !self.has_ended() {
            if begun.elapsed() > limit {
                return Err(Problem::Waited {
                    what: "the machine to go off".to_owned(),
                    seconds: limit.as_secs(),
                    tail: self.tail(),
                });
            }
            thread::park_timeout(LOOK);
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Ends it as a power cut would.
    ///
    /// # Errors
    /// When QEMU cannot be told.
    pub fn cut_off(mut self) -> Result<(), Problem> {
        self.control
            .execute(&quit {})
            .map(drop)
            .map_err(|error| Problem::Control(error.to_string()))
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn tail(&self) -> String {
        let lines = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        tail(&texts.join("\n"))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// One that has ended already is fine.
pub(crate) fn end(child: &mut Child) {
    if matches!(child.try_wait(), Ok(None)) && child.kill().is_ok() {
        drop(child.wait());
    }
}

fn words(
    parts: &Parts,
    handed: Vec<String>,
    (socket, line): (&Path, &Path),
    port: u16,
) -> Vec<String> {
    let mut words: Vec<String> = [
        "qemu-system-x86_64",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-machine",
        "q35",
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "max",
        "-smp",
        "2",
        "-serial",
        "stdio",
        "-device",
        "virtio-rng-pci",
        "-device",
        "qemu-xhci",
        "-device",
        "virtio-net-pci,netdev=net",
        "-device",
        "VGA",
        "-uuid",
        UUID,
    ]
    .map(str::to_owned)
    .to_vec();
    let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
    add("-m", MEMORY_MIB.to_string());
    // The second line is the operator's; the first is the system console.
    add(
        "-serial",
        format!("unix:{},server=on,wait=off", line.display()),
    );
    add(
        "-qmp",
        format!("unix:{},server=on,wait=off", socket.display()),
    );
    add(
        "-drive",
        format!("if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}"),
    );
    let variables = parts.variables.display();
    add(
        "-drive",
        format!("if=pflash,format=raw,unit=1,file={variables}"),
    );
    // What the host loses in a crash is not what is looked at here; a mirror of nothing takes no room.
    let disk = |id: &str, format: &str, path: &Path| {
        format!(
            "if=none,id={id},format={format},cache=unsafe,discard=unmap,detect-zeroes=unmap,file={}",
            path.display()
        )
    };
    let layered = parts.system.extension().is_some_and(|end| end == "qcow2");
    let format = if layered { "qcow2" } else { "raw" };
    add("-drive", disk("system", format, &parts.system));
    add(
        "-device",
        "virtio-blk-pci,drive=system,bootindex=1".to_owned(),
    );
    for (data, place) in parts.data.iter().zip(1..) {
        let (node, slot) = (node(place), slot(place));
        // A place from which a disk can be pulled.
        add(
            "-device",
            format!("pcie-root-port,id={slot},chassis={place},slot={place}"),
        );
        let Some(data) = data else { continue };
        let device = format!(
            "virtio-blk-pci,bus={slot},id={},drive={node},serial=hokatsu-{node}",
            disk_in(place)
        );
        let log = parts.writes.as_ref().and_then(|logs| logs.get(place - 1));
        if let Some(log) = log {
            add("-blockdev", logged(&node, data, log));
            // Of these a log would have to know what they leave behind.
            add("-device", format!("{device},discard=off,write-zeroes=off"));
        } else {
            add("-blockdev", kept(&node, data));
            add("-device", device);
        }
    }
    if let Some(spare) = &parts.spare {
        add("-blockdev", kept(SPARE, spare));
    }
    for (serial, path) in &parts.more {
        add("-drive", disk(serial, "raw", path));
        add(
            "-device",
            format!("virtio-blk-pci,drive={serial},serial={serial}"),
        );
    }
    if let Some(disk_a) = &parts.disk_a {
        add("-drive", disk("disk-a", "raw", disk_a));
        add(
            "-device",
            "virtio-blk-pci,drive=disk-a,serial=hokatsu-disk-a".to_owned(),
        );
    }
    for one in handed {
        add("-smbios", one);
    }
    if let Some(stick) = &parts.stick {
        add("-drive", disk("stick", "raw", stick));
        add("-device", "usb-storage,drive=stick".to_owned());
    }
    // Nothing leaves the machine that builds: the guest reaches nobody, and only the loopback reaches it.
    add(
        "-netdev",
        format!("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:443"),
    );
    words
}

/// Disks of the array, by their place (1 or 2): what they keep, where they are plugged in, and that they are.
fn node(place: usize) -> String {
    format!("data-{place}")
}

fn slot(place: usize) -> String {
    format!("slot-{place}")
}

fn disk_in(place: usize) -> String {
    format!("disk-{place}")
}

/// A disk that stays when its device is pulled; what the host loses in a crash is not what is looked at here.
fn kept(node: &str, data: &Path) -> String {
    format!(
        "driver=file,node-name={node},filename={},cache.no-flush=on,discard=unmap,detect-zeroes=unmap",
        data.display()
    )
}

/// A disk of which every write and every flush is kept. The host need not bring either to its own disk, but the flushes
/// have to come as far as the log.
fn logged(id: &str, data: &Path, log: &Path) -> String {
    let (data, log) = (data.display(), log.display());
    format!(
        "driver=blklogwrites,node-name={id},\
         file.driver=file,file.filename={data},file.cache.no-flush=on,\
         log.driver=file,log.filename={log},log.cache.no-flush=on"
    )
}

fn fresh_socket(room: &Room, name: &str) -> Result<PathBuf, Problem> {
    let socket = room.dir("vm")?.join(name);
    if socket.exists() {
        std::fs::remove_file(&socket).map_err(at(&socket, "remove"))?;
    }
    Ok(socket)
}

fn free_port() -> Result<u16, Problem> {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|port| port.local_addr());
    Ok(taken.map_err(unclear("the loopback"))?.port())
}

fn control(socket: &Path, child: &mut Child, errors: &Path) -> Result<Control, Problem> {
    let until = Instant::now() + CONTROL_MAX;
    let stream = loop {
        match UnixStream::connect(socket) {
            Ok(stream) => break stream,
            Err(error) if Instant::now() > until || !matches!(child.try_wait(), Ok(None)) => {
                let said = std::fs::read_to_string(errors).unwrap_or_default();
                return Err(Problem::Control(format!("{error}\n{}", tail(&said))));
            }
            Err(_) => thread::park_timeout(LOOK),
        }
    };
    let reading = stream.try_clone().map_err(at(socket, "read"))?;
    let mut control = Qmp::new(qapi::Stream::new(BufReader::new(reading), stream));
    control
        .handshake()
        .map_err(|error| Problem::Control(error.to_string()))?;
    Ok(control)
}

/// Keeps the console in a thread of its own, in memory and in a file.
fn listen(
    output: impl Read + Send + 'static,
    console: Console,
    begun: Instant,
    log: &Path,
) -> Result<(), Problem> {
    let mut file = std::fs::File::create(log).map_err(at(log, "write"))?;
    let mut output = BufReader::new(output);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        while let Ok(found) = output.fill_buf() {
            let count = found.len();
            if count == 0 {
                break;
            }
            let second = begun.elapsed().as_secs_f64();
            for piece in found.split_inclusive(|byte| *byte == b'\n') {
                bytes.extend_from_slice(piece);
                let is_open = !piece.ends_with(b"\n");
                let text = plain(&String::from_utf8_lossy(&bytes));
                if !is_open {
                    bytes.clear();
                    if !text.is_empty() {
                        // What is judged by is in memory; a full disk only costs the copy.
                        drop(writeln!(file, "{second:7.1} {text}"));
                    }
                }
                let mut lines = console.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.last().is_some_and(|last| last.is_open) {
                    lines.pop();
                }
                if !text.is_empty() {
                    lines.push(Line {
                        second,
                        text,
                        is_open,
                    });
                }
            }
            output.consume(count);
        }
    });
    Ok(())
}

/// Without colours and what moves the cursor.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            if !letter.is_control() {
                text.push(letter);
            }
            continue;
        }
        // A sequence begins with a bracket and ends with a letter or `~`.
        if letters.next() == Some('[') {
            letters.find(|end| end.is_ascii_alphabetic() || *end == '~');
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_console_is_read_without_its_colours() {
        let line = "\u{1b}[K[\u{1b}[0;32m  OK  \u{1b}[0m] Started \u{1b}[0;1;39mhokatsu.service\u{1b}[0m.\r";
        assert_eq!(plain(line), "[  OK  ] Started hokatsu.service.");
    }

    #[test]
    fn only_the_loopback_leads_into_the_machine_and_nothing_leads_out() {
        let parts = Parts {
            system: "/w/system.qcow2".into(),
            variables: "/w/vars.fd".into(),
            data: [Some("/w/1.raw".into()), None],
            disk_a: None,
            tpm: None,
            trial: None,
            stick: None,
            writes: None,
            more: vec![("desk", "/w/desk.raw".into())],
            spare: None,
            log: "/w/log".into(),
        };
        let sockets = (Path::new("/w/qmp.sock"), Path::new("/w/line.sock"));
        let words = words(&parts, Vec::new(), sockets, 4443);
        let net = words.iter().find(|word| word.starts_with("user,")).unwrap();
        assert_eq!(
            net,
            "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:4443-:443"
        );
        assert!(!words.iter().any(|word| word.contains("usb-storage")));
        assert!(
            words
                .iter()
                .any(|word| word.ends_with("serial=hokatsu-data-1"))
        );
        assert!(!words.iter().any(|word| word.ends_with("hokatsu-data-2")));
        assert!(words.iter().any(|word| word.ends_with("serial=desk")));
    }
}
