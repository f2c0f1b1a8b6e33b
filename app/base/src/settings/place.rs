//! `[server.network]`, `[server.time]`, `[server.disks]`: what a machine has to be told of the place where it stands.
//!
//! Invariant: what is not said leaves the machine as the image has it: an address by DHCP, no time, the disks of a
//! virtual machine. IPv4 alone: the packet filter knows no other.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::{Range, RangeInclusive};

use ipnet::Ipv4Net;
use serde::Deserialize;
use toml::Spanned;

/// Where it stands in the file, and the sentence for the operator.
pub(super) type Wrong = (Range<usize>, String);

/// Larger ones are no office, smaller ones have no room for machine and gateway.
const PREFIX: RangeInclusive<u8> = 8..=30;
/// What the C library reads.
const DNS_MAX: usize = 3;
const SOURCES_MAX: usize = 8;
const SERVES_MAX: usize = 16;
const DATA_DISKS: usize = 2;
const TEXT_CHARS_MAX: usize = 100;

/// `[server.network]`: an address of its own; without the section it comes by DHCP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    address: Spanned<Ipv4Net>,
    gateway: Option<Spanned<Ipv4Addr>>,
    #[serde(default)]
    dns: Vec<Spanned<Ipv4Addr>>,
}

/// `[server.time]`: whom the machine asks for the time, and whom it tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSettings {
    sources: Vec<Spanned<String>>,
    #[serde(default)]
    serves: Vec<Spanned<Ipv4Net>>,
}

/// `[server.disks]`: serial numbers, as they are printed on the disks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineDisks {
    data: Spanned<Vec<String>>,
    disk_a: Option<Spanned<String>>,
}

impl NetworkSettings {
    /// The machine's own address, with the length of its network's prefix.
    #[must_use]
    pub fn address(&self) -> Ipv4Net {
        *self.address.get_ref()
    }

    /// The way to other networks, when there is one.
    #[must_use]
    pub fn gateway(&self) -> Option<Ipv4Addr> {
        self.gateway.as_ref().map(|gateway| *gateway.get_ref())
    }

    /// Who knows names.
    pub fn dns(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.dns.iter().map(|server| *server.get_ref())
    }

    pub(super) fn check(&self, listen: SocketAddr) -> Result<(), Wrong> {
        let address = self.address();
        if !PREFIX.contains(&address.prefix_len()) {
            let (from, to) = (PREFIX.start(), PREFIX.end());
            let reason = format!("address の「/」のあとの数は {from} から {to} までです。");
            return Err((self.address.span(), reason));
        }
        if let Some(reason) = no_host(address.addr(), &address) {
            return Err((self.address.span(), format!("address {reason}")));
        }
        if let Some(gateway) = &self.gateway {
            let at = *gateway.get_ref();
            if !address.contains(&at) {
                let network = address.trunc();
                let reason =
                    format!("gateway {at} は、このサーバのネットワーク {network} の外です。");
                return Err((gateway.span(), reason));
            }
            if at == address.addr() {
                let reason = "gateway が、このサーバ自身のアドレスです。".to_owned();
                return Err((gateway.span(), reason));
            }
            if let Some(reason) = no_host(at, &address) {
                return Err((gateway.span(), format!("gateway {reason}")));
            }
        }
        few(&self.dns, DNS_MAX, "dns")?;
        once(&self.dns)?;
        let own = IpAddr::V4(address.addr());
        if !listen.ip().is_unspecified() && listen.ip() != own {
            let reason = format!(
                "[server] listen の {} は、このサーバのアドレスではありません。0.0.0.0 か {own} にしてください。",
                listen.ip()
            );
            return Err((self.address.span(), reason));
        }
        Ok(())
    }
}

/// Why no machine can have this address in this network.
fn no_host(address: Ipv4Addr, network: &Ipv4Net) -> Option<String> {
    if address == network.network() {
        return Some(format!("{address} は、ネットワーク自身のアドレスです。"));
    }
    if address == network.broadcast() {
        return Some(format!("{address} は、全員あてのアドレスです。"));
    }
    let special = address.is_loopback()
        || address.is_multicast()
        || address.is_link_local()
        || address
            .octets()
            .first()
            .is_none_or(|first| matches!(first, 0 | 240..));
    special.then(|| format!("{address} は、サーバに付けられないアドレスです。"))
}

impl TimeSettings {
    /// Time servers, by address or name.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.get_ref().as_str())
    }

    /// The same as addresses; nothing when one of them is a name.
    #[must_use]
    pub fn addresses(&self) -> Option<Vec<Ipv4Addr>> {
        self.sources().map(|source| source.parse().ok()).collect()
    }

    /// Networks whose machines may ask this one.
    pub fn serves(&self) -> impl Iterator<Item = Ipv4Net> {
        self.serves.iter().map(|network| *network.get_ref())
    }

    pub(super) fn check(&self, network: Option<&NetworkSettings>) -> Result<(), Wrong> {
        few(&self.sources, SOURCES_MAX, "sources")?;
        few(&self.serves, SERVES_MAX, "serves")?;
        once(&self.sources)?;
        once(&self.serves)?;
        let knows_names = network.is_some_and(|network| network.dns().next().is_some());
        let own = network.map(|network| network.address().addr());
        for source in &self.sources {
            let text = source.get_ref();
            if let Ok(address) = text.parse::<Ipv4Addr>() {
                if Some(address) == own {
                    let reason = "sources に、このサーバ自身のアドレスがあります。".to_owned();
                    return Err((source.span(), reason));
                }
            } else if !is_name(text) {
                let reason = format!(
                    "時刻サーバ「{text}」は「192.0.2.1」のようなアドレスか、ホスト名で書いてください。"
                );
                return Err((source.span(), reason));
            } else if !knows_names {
                let reason = format!(
                    "時刻サーバ「{text}」は名前なので、[server.network] の dns が要ります。アドレスなら要りません。"
                );
                return Err((source.span(), reason));
            }
        }
        for served in &self.serves {
            let network = served.get_ref();
            if *network != network.trunc()
                || !(*PREFIX.start()..=32).contains(&network.prefix_len())
            {
                let reason = format!(
                    "serves の「{network}」は「192.0.2.0/24」のように、ネットワークのアドレスと長さで書いてください。"
                );
                return Err((served.span(), reason));
            }
        }
        Ok(())
    }
}

impl MachineDisks {
    /// The data disks, first and second.
    #[must_use]
    pub fn data(&self) -> &[String] {
        self.data.get_ref()
    }

    /// The disk that is always plugged in for backups.
    #[must_use]
    pub fn disk_a(&self) -> Option<&str> {
        self.disk_a.as_ref().map(|serial| serial.get_ref().as_str())
    }

    pub(super) fn check(&self) -> Result<(), Wrong> {
        if self.data().len() != DATA_DISKS {
            let reason =
                format!("data には、データディスク{DATA_DISKS}台の製造番号を書いてください。");
            return Err((self.data.span(), reason));
        }
        let data = self.data().iter().map(|serial| (serial, self.data.span()));
        let disk_a = self
            .disk_a
            .iter()
            .map(|serial| (serial.get_ref(), serial.span()));
        let mut seen = BTreeSet::new();
        for (serial, span) in data.chain(disk_a) {
            if !is_serial(serial) {
                let reason = format!(
                    "製造番号「{serial}」は、ディスクに書かれたとおりに、半角の英数字と - _ . で書いてください。"
                );
                return Err((span, reason));
            }
            if !seen.insert(serial) {
                let reason = format!("製造番号「{serial}」が二度書かれています。");
                return Err((span, reason));
            }
        }
        Ok(())
    }
}

/// It becomes part of a rule of udev: nothing that means something there.
#[must_use]
pub fn is_serial(text: &str) -> bool {
    is_plain(text, &['-', '_', '.'])
}

/// A number with a part missing would be a name too, and nobody answers to it.
fn is_name(text: &str) -> bool {
    is_plain(text, &['-', '.']) && text.contains(|c: char| c.is_ascii_alphabetic())
}

fn is_plain(text: &str, more: &[char]) -> bool {
    text.len() <= TEXT_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
}

fn few<T>(items: &[Spanned<T>], most: usize, key: &str) -> Result<(), Wrong> {
    items.get(most).map_or(Ok(()), |item| {
        Err((item.span(), format!("{key} は {most} 件までです。")))
    })
}

fn once<T: Ord + std::fmt::Display>(items: &[Spanned<T>]) -> Result<(), Wrong> {
    let mut seen = BTreeSet::new();
    let twice = items.iter().find(|item| !seen.insert(item.get_ref()));
    twice.map_or(Ok(()), |item| {
        let reason = format!("「{}」が二度書かれています。", item.get_ref());
        Err((item.span(), reason))
    })
}
