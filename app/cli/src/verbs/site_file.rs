//! `site check`, `site render`: is the site file right, and what of it do the machine's own programs read?

use std::path::Path;
use std::process::ExitCode;

use base::report::{Kind, Report, Runbook};
use base::settings::Site;
use base::site_files::{self, Part};
use serde::Serialize;

use crate::arguments::RenderArguments;
use crate::output::Voice;

/// What the file says of the machine. Nothing where it says nothing.
#[derive(Serialize)]
struct Said {
    organisation: String,
    listen: String,
    address: Option<String>,
    gateway: Option<String>,
    dns: Vec<String>,
    time_sources: Vec<String>,
    time_serves: Vec<String>,
    data_disks: Vec<String>,
    disk_a: Option<String>,
}

impl Said {
    fn of(site: &Site) -> Self {
        let server = &site.server;
        let (network, time) = (server.network.as_ref(), server.time.as_ref());
        let disks = server.disks.as_ref();
        let words = |disk: &str| disk.to_owned();
        Self {
            organisation: site.organisation.name.clone(),
            listen: server.listen.to_string(),
            address: network.map(|network| network.address().to_string()),
            gateway: network.and_then(|network| Some(network.gateway()?.to_string())),
            dns: network.map_or_else(Vec::new, |network| strings(network.dns())),
            time_sources: time.map_or_else(Vec::new, |time| strings(time.sources())),
            time_serves: time.map_or_else(Vec::new, |time| strings(time.serves())),
            data_disks: disks.map_or_else(Vec::new, |disks| disks.data().to_vec()),
            disk_a: disks.and_then(|disks| disks.disk_a()).map(words),
        }
    }

    fn lines(&self) -> Vec<String> {
        let or = |said: String, unsaid: &str| {
            if said.is_empty() {
                unsaid.to_owned()
            } else {
                said
            }
        };
        let one = |said: &Option<String>| said.clone().unwrap_or_default();
        [
            ("待ち受け", self.listen.clone()),
            ("アドレス", or(one(&self.address), "自動（DHCP）")),
            ("ゲートウェイ", or(one(&self.gateway), "書かれていません")),
            ("DNS", or(self.dns.join("、"), "書かれていません")),
            (
                "時刻を尋ねる先",
                or(
                    self.time_sources.join("、"),
                    "書かれていません。時刻は合わせられません",
                ),
            ),
            ("時刻を教える先", or(self.time_serves.join("、"), "なし")),
            (
                "データディスク",
                or(
                    self.data_disks.join("、"),
                    "書かれていません（仮想機械の名前）",
                ),
            ),
            (
                "ディスクA",
                or(one(&self.disk_a), "書かれていません（仮想機械の名前）"),
            ),
        ]
        .into_iter()
        .map(|(name, said)| format!("  {name}: {said}"))
        .collect()
    }
}

fn strings<T: ToString>(items: impl Iterator<Item = T>) -> Vec<String> {
    items.map(|item| item.to_string()).collect()
}

/// A wrong file did not get here: reading it has told the line.
pub(super) fn check(site: &Site, voice: &Voice) -> Result<ExitCode, Report> {
    let said = Said::of(site);
    voice.say(&format!(
        "設定ファイル（{}）は正しく書けています。",
        said.organisation
    ));
    for line in said.lines() {
        voice.say(&line);
    }
    voice.result(&said)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn render(
    asked: &RenderArguments,
    site: &Site,
    file: &Path,
) -> Result<ExitCode, Report> {
    let written = if asked.disks_only {
        site_files::write(site, &[], Part::Disks, &asked.root)
    } else {
        let remembered = site_files::remembered(file);
        remembered.and_then(|disks| site_files::write(site, &disks, Part::All, &asked.root))
    };
    written.map_err(|error| {
        Report::new(Kind::Disk, error)
            .operator(
                "アドレス・時刻・ディスクの設定を、装置のプログラムに渡せません。装置は前のまま動いています",
                Runbook::FirstBoot,
            )
            .at(&asked.root)
    })?;
    Ok(ExitCode::SUCCESS)
}
