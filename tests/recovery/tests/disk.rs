//! A disk that fills up or turns read-only while staff work: a clear sentence, nothing lost, and work
//! goes on once there is room again. On a real file system of a few megabytes, which needs root.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use harness::process::{Client, Server, ended, listen_anywhere};
use store::DataDir;
use tempfile::TempDir;

/// Room for the small town, its log, and a little work.
const DISK: &str = "size=48m";
const NURSE: &str = "ch.nurse1";

/// A file system of its own; unmounted on drop, also when the test fails.
struct Disk(PathBuf);

impl Disk {
    fn mounted(at: PathBuf) -> Self {
        fs::create_dir(&at).unwrap();
        let place = at.to_str().unwrap();
        assert!(
            ran("mount", &["-t", "tmpfs", "-o", DISK, "tmpfs", place]),
            "mounting a small disk needs root: run this suite as root"
        );
        Self(at)
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        let place = self.0.to_str().unwrap();
        assert!(ran("mount", &["-o", &options, place]), "cannot {options}");
    }

    /// Writes until there is no room for one more byte; the file that takes it.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 20, 4_096, 1] {
            let bytes = vec![0_u8; size];
            while file.write_all(&bytes).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        ran("umount", &[self.0.to_str().unwrap_or_default()]);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "mounts a disk for a test, outside what we ship"
)]
fn ran(program: &str, words: &[&str]) -> bool {
    let status = std::process::Command::new(program).args(words).status();
    status.is_ok_and(|status| status.success())
}

struct Town {
    // Dropped, and with it unmounted, before the directory it is in.
    disk: Disk,
    site: PathBuf,
    _root: TempDir,
}

impl Town {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let disk = Disk::mounted(root.path().join("disk"));
        let dir = disk.0.join("town");
        let (server, _) = Server::demo(&dir);
        server.kill();
        let site = dir.join("site.toml");
        listen_anywhere(&site);
        Self {
            disk,
            site,
            _root: root,
        }
    }

    fn data(&self) -> DataDir {
        DataDir::new(self.site.parent().unwrap().join("data"))
    }

    fn signed_in(&self, base: &str) -> Client {
        let mut client = Client::trusting(self.data().tls().join("ca.pem"));
        assert!(client.sign_in(base, NURSE, &demo::staff::password(NURSE)));
        client
    }
}

/// Saves a consultation; status and page.
fn save(client: &Client, base: &str, content: &str) -> (u16, String) {
    let fields = [
        ("received_on", "今日"),
        ("channel", "01"),
        ("caller_kind", "01"),
        ("urgency", "C"),
        ("categories", "01"),
        ("content", content),
        ("outcome", "01"),
    ];
    let answer = client.post(&format!("{base}/consultations"), &fields);
    let mut answer = answer.expect("the server still answers");
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), text)
}

fn is_whole(data: &Path) {
    let (code, _, errors) = ended(["--data", data.to_str().unwrap(), "audit", "verify"]);
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn a_full_disk_refuses_the_record_keeps_its_words_and_takes_it_once_there_is_room() {
    let town = Town::new();
    let (server, base) = Server::serve(&town.site);
    let client = town.signed_in(&base);
    assert_eq!(save(&client, &base, "前の記録").0, 303);
    let filler = town.disk.fill();
    // What fits into the pages that the log has already is still saved, and rightly so.
    let long = "長い記録。".repeat(19_000);
    let (mut status, mut page) = save(&client, &base, &long);
    for _ in 0..40 {
        if status != 303 {
            break;
        }
        (status, page) = save(&client, &base, &long);
    }
    assert_eq!(status, 500, "{page}");
    assert!(page.contains("空き容量が足りない"), "{page}");
    assert!(page.contains("長い記録。長い記録。"), "the words are gone");
    fs::remove_file(filler).unwrap();
    assert_eq!(save(&client, &base, &long).0, 303);
    server.kill();
    is_whole(town.data().path());
}

#[test]
fn a_disk_that_turned_read_only_is_told_to_staff_and_to_the_operator() {
    let town = Town::new();
    let site = town.site.to_str().unwrap();
    town.disk.remount("ro");
    let (code, _, errors) = ended(["--site", site, "serve"]);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("runbooks/disk-read-only.md"), "{errors}");
    town.disk.remount("rw");
    let (server, base) = Server::serve(&town.site);
    let client = town.signed_in(&base);
    assert_eq!(save(&client, &base, "書ける").0, 303);
    server.kill();
    is_whole(town.data().path());
}

#[test]
fn a_disk_with_little_room_takes_records_and_no_files() {
    let town = Town::new();
    let (server, base) = Server::serve(&town.site);
    let client = town.signed_in(&base);
    assert_eq!(save(&client, &base, "記録は入る").0, 303);
    let newest = format!("{base}/consultations?done=saved");
    let mut looking = town.signed_in(&base);
    let (_, list) = looking.get(&newest);
    let ids = list.split("href=\"/consultations/").skip(1).map(|part| {
        let digits = part.chars().take_while(char::is_ascii_digit);
        digits.collect::<String>()
    });
    let id = ids.into_iter().find(|id| !id.is_empty()).expect("a record");
    let place = format!("{base}/consultations/{id}/attachments");
    let title = [("title", "残る表題")];
    let answer = client.upload(&place, &title, "a.txt", "本文".as_bytes());
    let mut answer = answer.expect("the server still answers");
    let page = answer.body_mut().read_to_string().unwrap();
    assert_eq!(answer.status(), 500, "{page}");
    assert!(page.contains("空き容量が足りない"), "{page}");
    assert!(page.contains("残る表題"), "the words are gone");
    server.kill();
    is_whole(town.data().path());
}
