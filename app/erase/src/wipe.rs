//! Overwrites a whole disk and reads it back.
//!
//! Shape: keys first, then zeros from the first byte to the last, flushed and noted every [`NOTED_BYTES`]; then
//! everything is read back around the cache. A run that was cut short goes on where it was flushed last; reading
//! back always begins anew, because what was read yesterday says nothing about today.
//! Why zeros, once, and why by us and not by `dd` or `blkdiscard -z`: docs/decisions/0047-erasing.md.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use base::clock::Clock;
use base::command::{Spec, run};
use base::report::chain;
use rustix::fs::{Advice, OFlags, fadvise};

use crate::error::EraseError;
use crate::medium::Medium;
use crate::plan::{Device, Sealed};
use crate::records::{Cache, Measured, Outcome, Unfinished};

/// Written or read at once.
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;
/// What no disk's sector is larger than; memory and places of direct reads and writes are multiples of it.
const SECTOR_BYTES: u64 = 4096;
/// Flushed and noted as often: what a power cut costs.
const NOTED_BYTES: u64 = 64 * 1024 * 1024;
const OVERWRITE: &str = "overwrite";
const VERIFY: &str = "verify";
/// For a tool that looks at one header or drops one device's buffers.
const TOOL_MAX: Duration = Duration::from_secs(120);

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Zeros are written.
    Overwrite,
    /// They are read back.
    Verify,
}

/// Hears how far it is.
pub trait Progress {
    /// So many bytes of so many; `from` is where this sitting began.
    fn at(&self, step: Step, from: u64, done: u64, total: u64);
}

/// How far it came, and what went wrong there.
struct Stopped {
    step: &'static str,
    at_byte: u64,
    cause: String,
}

/// Erases it. `dir` is where the records are; how far it is is noted there.
///
/// A disk that cannot be written or read is no error: it is measured as not erased.
///
/// # Errors
/// Before anything was written: [`EraseError::Device`] when it cannot be opened or somebody has it,
/// [`EraseError::Tool`]. [`EraseError::Files`] when it cannot be noted how far it is.
pub fn erase(
    medium: &Medium,
    device: &Device,
    (sealed, item): (&Sealed, u16),
    dir: &Path,
    clock: &Clock,
    progress: &dyn Progress,
) -> Result<(Measured, jiff::Timestamp), EraseError> {
    let size = medium.size_bytes();
    let tools = tools()?;
    // Tells whether somebody has it before a key is destroyed, and gives it free for cryptsetup.
    drop(Opened::new(medium, device.image)?);
    let before = Unfinished::read(dir, item)?;
    let before = before.filter(|one| one.goes_on(sealed, &device.serial, size));
    let mut state = before.unwrap_or_else(|| Unfinished {
        plan_sha256: sealed.sha256.clone(),
        item,
        serial: device.serial.clone(),
        size_bytes: size,
        written_bytes: 0,
        keys_destroyed: 0,
        keys_left: 0,
        began_at: clock.now(),
        sittings: 0,
    });
    state.sittings = state.sittings.saturating_add(1);
    base::paths::create_private_dir(dir)?;
    state.write(dir)?;
    for header in medium.locked() {
        if keys_destroyed(header) {
            state.keys_destroyed = state.keys_destroyed.saturating_add(1);
        } else {
            state.keys_left = state.keys_left.saturating_add(1);
        }
        state.write(dir)?;
    }
    // From here on something is gone: whatever the disk refuses is a result.
    let (verified_bytes, cache, outcome) = match Opened::new(medium, device.image) {
        Err(error) => (
            0,
            None,
            Stopped::at(OVERWRITE, state.written_bytes, &error).outcome(),
        ),
        Ok(opened) => match opened.overwritten(&mut state, dir, progress)? {
            Err(stopped) => (0, None, stopped.outcome()),
            Ok(()) => match opened.verified(size, medium.path(), device.image, progress) {
                Ok(cache) => (size, Some(cache), Outcome::Erased),
                Err(stopped) => (stopped.at_byte, None, stopped.outcome()),
            },
        },
    };
    let measured = Measured {
        serial: device.serial.clone(),
        model: device.model.clone(),
        device: medium.path().to_owned(),
        image: device.image,
        size_bytes: size,
        keys_destroyed: state.keys_destroyed,
        keys_left: state.keys_left,
        passes: 1,
        written_bytes: state.written_bytes,
        verified_bytes,
        cache,
        sittings: state.sittings,
        tools,
        outcome,
    };
    Ok((measured, state.began_at))
}

impl Stopped {
    fn at(step: &'static str, at_byte: u64, error: &dyn std::error::Error) -> Self {
        Self {
            step,
            at_byte,
            cause: chain(error),
        }
    }

    fn outcome(self) -> Outcome {
        Outcome::NotErased {
            step: self.step.to_owned(),
            at_byte: self.at_byte,
            cause: self.cause,
        }
    }
}

/// All keys of a header, so that nothing opens it any more whatever else may go wrong. A header that is too
/// broken for it is overwritten like everything else.
fn keys_destroyed(header: &Path) -> bool {
    let spec = Spec::new("cryptsetup", TOOL_MAX)
        .args(["erase", "--batch-mode"])
        .arg(header);
    run(&spec).is_ok_and(|output| output.status.success())
}

fn tools() -> Result<BTreeMap<String, String>, EraseError> {
    let mut tools = BTreeMap::new();
    let own = concat!("hokatsu ", env!("CARGO_PKG_VERSION"));
    tools.insert("hokatsu".to_owned(), own.to_owned());
    let kernel = rustix::system::uname();
    let kernel = kernel.release().to_string_lossy().into_owned();
    tools.insert("linux".to_owned(), kernel);
    for name in ["cryptsetup", "lsblk"] {
        let spec = Spec::new(name, TOOL_MAX).arg("--version");
        let told = run(&spec)?.success(&spec)?.stdout.text();
        let told = told.lines().next().unwrap_or_default().to_owned();
        tools.insert(name.to_owned(), told);
    }
    Ok(tools)
}

/// A disk that is ours alone as long as this lives.
struct Opened {
    /// Through the cache: for an odd end of a file, and for file systems that know no other way.
    plain: File,
    /// Around the cache.
    direct: Option<File>,
}

impl Opened {
    fn new(medium: &Medium, image: bool) -> Result<Self, EraseError> {
        let open = |flags: OFlags| {
            // Without its flags it would be opened beside whoever has it.
            let bits = i32::try_from(flags.bits()).map_err(io::Error::other)?;
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(bits);
            options.open(medium.path())
        };
        let at = |source| EraseError::Device {
            path: medium.path().to_owned(),
            source,
        };
        // The kernel gives a device to one alone: not to us while it is mounted, nor to mount while it is ours.
        let alone = if image { OFlags::empty() } else { OFlags::EXCL };
        let plain = open(alone).map_err(at)?;
        let direct = match open(OFlags::DIRECT) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => None,
            Err(error) => return Err(at(error)),
        };
        Ok(Self { plain, direct })
    }

    /// Who takes the next bytes, and how many.
    fn next(&self, at: u64, size: u64) -> (&File, u64) {
        let rest = size.saturating_sub(at).min(CHUNK_BYTES);
        let whole = rest - rest % SECTOR_BYTES;
        match &self.direct {
            Some(direct) if whole > 0 => (direct, whole),
            Some(_) | None => (&self.plain, rest),
        }
    }

    fn flushed(&self) -> io::Result<()> {
        if let Some(direct) = &self.direct {
            direct.sync_all()?;
        }
        self.plain.sync_all()
    }

    fn overwritten(
        &self,
        state: &mut Unfinished,
        dir: &Path,
        progress: &dyn Progress,
    ) -> Result<Result<(), Stopped>, EraseError> {
        let zeros = Aligned::new();
        let (from, size) = (state.written_bytes, state.size_bytes);
        let stopped = |at_byte, error: &io::Error| Stopped::at(OVERWRITE, at_byte, error);
        let mut at = from;
        while at < size {
            let (file, bytes) = self.next(at, size);
            if let Err(error) = file.write_all_at(zeros.first(bytes), at) {
                return Ok(Err(stopped(at, &error)));
            }
            at = at.saturating_add(bytes);
            progress.at(Step::Overwrite, from, at, size);
            if at - state.written_bytes >= NOTED_BYTES || at == size {
                if let Err(error) = self.flushed() {
                    return Ok(Err(stopped(state.written_bytes, &error)));
                }
                state.written_bytes = at;
                state.write(dir)?;
            }
        }
        Ok(Ok(()))
    }

    /// How the caches were kept out, when every byte is zero.
    fn verified(
        &self,
        size: u64,
        path: &Path,
        image: bool,
        progress: &dyn Progress,
    ) -> Result<Cache, Stopped> {
        let cache = self.without_cache(path, image);
        let cache = cache.map_err(|error| Stopped::at(VERIFY, 0, &error))?;
        let zeros = Aligned::new();
        let mut read = Aligned::new();
        let mut at = 0;
        while at < size {
            let (file, bytes) = self.next(at, size);
            let place = read.first_mut(bytes);
            let got = file.read_exact_at(place, at);
            got.map_err(|error| Stopped::at(VERIFY, at, &error))?;
            if *place != *zeros.first(bytes) {
                let odd = place.iter().position(|byte| *byte != 0).unwrap_or_default();
                return Err(Stopped {
                    step: VERIFY,
                    at_byte: at.saturating_add(u64::try_from(odd).unwrap_or_default()),
                    cause: "not zero".to_owned(),
                });
            }
            at = at.saturating_add(bytes);
            progress.at(Step::Verify, 0, at, size);
        }
        Ok(cache)
    }

    /// What was written is in the machine's memory, too: that must not answer.
    fn without_cache(&self, path: &Path, image: bool) -> Result<Cache, EraseError> {
        if !image {
            let spec = Spec::new("blockdev", TOOL_MAX).arg("--flushbufs").arg(path);
            run(&spec)?.success(&spec)?;
        }
        let dropped = fadvise(&self.plain, 0, None, Advice::DontNeed);
        dropped.map_err(|source| EraseError::Device {
            path: path.to_owned(),
            source: source.into(),
        })?;
        Ok(match (&self.direct, image) {
            (Some(_), _) => Cache::Direct,
            (None, false) => Cache::Flushed,
            (None, true) => Cache::Advised,
        })
    }
}

/// Memory that direct reads and writes take: it begins at a multiple of a sector.
struct Aligned {
    bytes: Vec<u8>,
    start: usize,
}

impl Aligned {
    fn new() -> Self {
        let sector = usize::try_from(SECTOR_BYTES).unwrap_or_default();
        let length = usize::try_from(CHUNK_BYTES).unwrap_or_default() + sector;
        let bytes = vec![0; length];
        let start = bytes.as_ptr().align_offset(sector);
        Self { bytes, start }
    }

    /// Less than was asked for would be erased and proven without a word.
    fn range(&self, bytes: u64) -> std::ops::Range<usize> {
        let end = usize::try_from(bytes).ok();
        let end = end.and_then(|length| self.start.checked_add(length));
        let end = end.filter(|end| *end <= self.bytes.len());
        assert!(end.is_some(), "a piece of {bytes} bytes");
        self.start..end.unwrap_or(self.start)
    }

    /// So many bytes, at most [`CHUNK_BYTES`].
    fn first(&self, bytes: u64) -> &[u8] {
        self.bytes.get(self.range(bytes)).unwrap_or_default()
    }

    fn first_mut(&mut self, bytes: u64) -> &mut [u8] {
        let range = self.range(bytes);
        self.bytes.get_mut(range).unwrap_or_default()
    }
}
