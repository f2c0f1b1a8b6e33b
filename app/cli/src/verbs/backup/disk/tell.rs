//! How a disk stands, where people look: console, lamp and sounder, pages, monitoring.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use base::disks::{Disks, Here, Plugged, State};
use base::report::Report;
use base::settings::SignalSettings;

use super::{Rotation, listed};

/// Says it everywhere. A lamp that does not work keeps nobody from being saved.
pub(super) fn tell(
    rotation: &Rotation<'_>,
    (device, name): (&Path, Option<&str>),
    state: State,
    words: &str,
) -> Result<(), Report> {
    let keeper = rotation.keeper;
    keeper.voice.say(words);
    let plugged = Plugged {
        name: name.map(str::to_owned),
        state,
        since: keeper.now(),
        pid: std::process::id(),
        words: words.to_owned(),
    };
    let device = device.display().to_string();
    // Pulled out meanwhile, nothing is here.
    let is_here = Path::new(&device).exists();
    let noted = Here::note(
        &keeper.dir.disks_here(),
        &device,
        is_here.then_some(plugged),
    );
    noted.map_err(listed)?;
    for signal in &rotation.settings.signals {
        if let Err(error) = give(signal, state) {
            log::warn!("a signal cannot be given: {error}");
            keeper.voice.say(&format!(
                "合図の装置（{}）に書けません。設定ファイルの [[backup.disks.signals]] を確かめてください。",
                signal.path.display()
            ));
        }
    }
    Ok(())
}

fn give(signal: &SignalSettings, state: State) -> std::io::Result<()> {
    let text = match state {
        State::Working => &signal.working,
        State::Free => &signal.free,
        State::Refused => &signal.refused,
    };
    if text.is_empty() {
        return Ok(());
    }
    // A device is written to as it is: it has no content to replace.
    let mut device = File::options().append(true).open(&signal.path)?;
    device.write_all(text.as_bytes())
}

/// A device is gone: udev says so.
pub(super) fn unplugged(device: &Path, rotation: &Rotation<'_>) -> Result<ExitCode, Report> {
    let keeper = rotation.keeper;
    let name = device.display().to_string();
    let here = Here::note(&keeper.dir.disks_here(), &name, None).map_err(listed)?;
    let Some(disk) = here.and_then(|plugged| plugged.name) else {
        keeper.result(&None::<String>)?;
        return Ok(ExitCode::SUCCESS);
    };
    let now = keeper.now();
    let left = |disks: &mut Disks| {
        if let Some(disk) = disks.active_mut(&disk) {
            disk.left_at = Some(now);
        }
    };
    Disks::change(&keeper.dir.backup_disks(), left).map_err(listed)?;
    let words =
        format!("ディスク「{disk}」が取り外されました。持出し台帳のとおりに保管してください。");
    keeper.voice.say(&words);
    keeper.note(&format!("backup disk unplugged／ディスク＝{disk}"))?;
    keeper.result(&Some(disk))?;
    Ok(ExitCode::SUCCESS)
}
