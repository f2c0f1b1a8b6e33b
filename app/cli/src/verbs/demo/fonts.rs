//! Fonts for print and screen: installed through the machine's package manager when it may.

use std::time::Duration;

use base::command::{Spec, run};

use crate::output::Voice;

const PACKAGES: &[&str] = &[
    "fonts-morisawa-bizud-gothic",
    "fonts-morisawa-bizud-mincho",
    "fonts-ipamj-mincho",
];
const INSTALL_TIME_MAX: Duration = Duration::from_secs(180);

/// Sees to the fonts; without them the demonstration still runs and printing says what is missing.
pub(super) fn ensure(voice: &Voice) {
    let Err(missing) = forms_missing() else {
        return;
    };
    if rustix::process::geteuid().is_root() {
        voice.say("印刷用のフォントを入れています。");
        let install = [&["install", "-y", "--no-install-recommends"], PACKAGES].concat();
        for arguments in [vec!["update"], install] {
            let spec = Spec::new("apt-get", INSTALL_TIME_MAX).args(arguments);
            if let Err(error) = run(&spec) {
                log::warn!("fonts could not be installed: {error}");
            }
        }
        if forms_missing().is_ok() {
            return;
        }
    }
    voice.say(&missing);
    voice.say(&format!(
        "次のようにすると入ります: sudo apt-get install {}",
        PACKAGES.join(" ")
    ));
}

fn forms_missing() -> Result<(), String> {
    server::fonts_found().map_err(|missing| missing.to_string())
}
