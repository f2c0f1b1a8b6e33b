//! Where a repository lies: a directory of a mounted disk, or off-site at the other end of a network.
//!
//! Shape: a repository names exactly one of `path`, `rest`, `s3` and `sftp`.
//! Invariant: secrets are files here, never values; what leaves the house is encrypted on its way unless
//! it does not leave this machine.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::{Host, Url};

/// Where the repository lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryPlace {
    /// `path`: a directory of a mounted disk.
    Directory(PathBuf),
    /// `[backup.repositories.rest]`.
    Rest(RestPlace),
    /// `[backup.repositories.s3]`.
    S3(S3Place),
    /// `[backup.repositories.sftp]`.
    Sftp(SftpPlace),
}

/// `[backup.repositories.rest]`: a server that speaks restic's REST protocol (`rest-server`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestPlace {
    /// `https://host/path/`, without user and password.
    pub url: String,
    /// Who signs in; nobody when absent.
    pub user: Option<String>,
    /// The file that holds the user's password, readable by its owner alone.
    pub login_file: Option<PathBuf>,
    /// The authority that vouches for the server; those of the system when absent.
    pub ca_file: Option<PathBuf>,
    /// The server refuses to delete: nothing is pruned from here.
    #[serde(default)]
    pub append_only: bool,
}

/// `[backup.repositories.s3]`: a bucket of an S3-compatible store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Place {
    /// `https://host`, without user and password.
    pub endpoint: String,
    /// As the store names it.
    pub region: String,
    /// The bucket, which is there already.
    pub bucket: String,
    /// The directory in it; its root when empty.
    #[serde(default)]
    pub prefix: String,
    /// Two lines: the access key and its secret. Readable by its owner alone.
    pub login_file: PathBuf,
    /// The authority that vouches for the server; those of the system when absent.
    pub ca_file: Option<PathBuf>,
    /// The store refuses to delete: nothing is pruned from here.
    #[serde(default)]
    pub append_only: bool,
}

/// `[backup.repositories.sftp]`: a directory of an SSH server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SftpPlace {
    /// Its name or address.
    pub host: String,
    /// Its port.
    #[serde(default = "ssh_port")]
    pub port: u16,
    /// Who signs in.
    pub user: String,
    /// The directory there, from its root.
    pub path: String,
    /// Our private key, readable by its owner alone.
    pub key_file: PathBuf,
    /// The server's key as `ssh-keyscan` prints it, once somebody compared it.
    pub known_hosts_file: PathBuf,
    /// The server refuses to delete: nothing is pruned from here.
    #[serde(default)]
    pub append_only: bool,
}

fn ssh_port() -> u16 {
    22
}

/// The keys of which one is named.
pub(super) struct Named {
    pub(super) path: Option<PathBuf>,
    pub(super) rest: Option<RestPlace>,
    pub(super) s3: Option<S3Place>,
    pub(super) sftp: Option<SftpPlace>,
}

impl TryFrom<Named> for RepositoryPlace {
    type Error = &'static str;

    fn try_from(named: Named) -> Result<Self, Self::Error> {
        let (rest, s3) = (named.rest.map(Self::Rest), named.s3.map(Self::S3));
        let all = [
            named.path.map(Self::Directory),
            rest,
            s3,
            named.sftp.map(Self::Sftp),
        ];
        let mut all = all.into_iter().flatten();
        let (Some(place), None) = (all.next(), all.next()) else {
            return Err("保管先には path、rest、s3、sftp のどれか一つだけを書きます。");
        };
        place.check().map_or(Ok(place), Err)
    }
}

impl RepositoryPlace {
    /// Whether it lies at the other end of a network.
    #[must_use]
    pub fn is_offsite(&self) -> bool {
        !matches!(self, Self::Directory(_))
    }

    /// Relative paths mean "beside the site file".
    pub(super) fn anchor(&mut self, base: &Path) {
        let place = |path: &mut PathBuf| *path = base.join(&*path);
        match self {
            Self::Directory(path) => place(path),
            Self::Rest(rest) => {
                rest.login_file.iter_mut().for_each(place);
                rest.ca_file.iter_mut().for_each(place);
            }
            Self::S3(s3) => {
                place(&mut s3.login_file);
                s3.ca_file.iter_mut().for_each(place);
            }
            Self::Sftp(sftp) => {
                place(&mut sftp.key_file);
                place(&mut sftp.known_hosts_file);
            }
        }
    }

    /// The first thing that is wrong.
    fn check(&self) -> Option<&'static str> {
        match self {
            Self::Directory(_) => None,
            Self::Rest(rest) => {
                let half = rest.user.is_some() != rest.login_file.is_some();
                let half = half.then_some("user と login_file は、両方を書くか、両方を省きます。");
                half.or_else(|| url_problem(&rest.url))
            }
            Self::S3(s3) => {
                let odd = [&s3.bucket, &s3.region].iter().any(|word| !is_word(word));
                let odd = odd || s3.bucket.contains('/');
                let odd = odd.then_some("bucket と region は空白や「/」のない名前です。");
                odd.or_else(|| url_problem(&s3.endpoint))
            }
            Self::Sftp(sftp) => {
                let words = [&sftp.host, &sftp.user, &sftp.path];
                let odd = words.iter().any(|word| !is_word(word)) || !sftp.path.starts_with('/');
                let odd = odd || sftp.host.contains(['@', '/']) || sftp.user.contains([':', '@']);
                odd.then_some(
                    "host、user、path に空白や「@」は使えません。path は「/」で始めます。パスワードは書きません。",
                )
            }
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace())
}

/// What is wrong with an address to which what leaves the house is sent.
fn url_problem(text: &str) -> Option<&'static str> {
    const SHAPE: &str = "URL は「https://ホスト名/場所/」のように書いてください。";
    if !text.contains("://") {
        return Some("場所は「https://」で始めます。");
    }
    let Ok(url) = Url::parse(text) else {
        return Some(SHAPE);
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some(
            "URL に利用者名やパスワードを書けません。user と login_file（または鍵のファイル）に分けてください。",
        );
    }
    // The parser would mend blanks and the like, each program in its own way.
    let is_plain = is_word(text) && !text.contains(['@', '\\']) && !text.contains(":///");
    let has_more = url.query().is_some() || url.fragment().is_some();
    let Some(host) = url.host().filter(|_| is_plain && !has_more) else {
        return Some(SHAPE);
    };
    match url.scheme() {
        "https" => None,
        "http" if is_loopback(&host) => None,
        "http" => Some("建物の外へは暗号化して送ります。URL を「https://」にしてください。"),
        _ => Some("場所は「https://」で始めます。"),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_on_this_machine_may_go_unencrypted() {
        for fine in [
            "https://backup.example.jp/wako/",
            "https://backup.example.jp:8000",
            "http://127.0.0.1:8000/",
            "http://localhost/x",
            "http://[::1]:8000/",
        ] {
            assert_eq!(url_problem(fine), None, "{fine}");
        }
        let bare = url_problem("http://127.0.0.1.example.jp/");
        assert!(bare.is_some_and(|reason| reason.contains("https")));
        for wrong in [
            "backup.example.jp",
            "rest:https://a/",
            "ftp://a/",
            "https:///x",
            "https://a/b c",
            "https://a/?x",
        ] {
            assert!(url_problem(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused() {
        for wrong in ["https://u:secret@a.example/", "http://u@127.0.0.1/"] {
            let reason = url_problem(wrong).unwrap();
            assert!(reason.contains("login_file") && !reason.contains("secret"));
        }
    }
}
