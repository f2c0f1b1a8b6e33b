//! The page through its own route.

use base::antivirus::Scanner;
use base::paths::{MODE_PUBLIC, write_atomic};
use base::settings::AntivirusSettings;
use clamd::Scripted;

use crate::app::ServerSettings;
use crate::features::staff::tests::house::House;
use crate::web::Role;

fn text(settings: ServerSettings) -> String {
    let house = House::with(settings);
    house.add("admin", Role::SystemAdmin, None);
    house.add("nurse", Role::Nurse, Some("0101"));
    assert_eq!(house.signed_in("nurse").get("/viruses").status, 403);
    house.signed_in("admin").get("/viruses").text()
}

#[test]
fn without_a_scanner_the_page_says_that_nothing_is_looked_into() {
    let text = text(ServerSettings::standard());
    assert!(text.contains("ウイルス検査をしていません"), "{text}");
}

#[test]
fn with_one_it_says_by_signatures_of_which_day() {
    let clamd = Scripted::start(27_800);
    let dir = tempfile::tempdir().unwrap();
    let settings = AntivirusSettings {
        socket: clamd.socket(),
        signatures: dir.path().to_owned(),
        ..AntivirusSettings::default()
    };
    std::fs::create_dir(settings.installed()).unwrap();
    let header = "ClamAV-VDB:x:27800:1:90:a:b:nobody:1763942400";
    let file = settings.installed().join("daily.cvd");
    write_atomic(&file, header.as_bytes(), MODE_PUBLIC).unwrap();
    let text = text(ServerSettings {
        scanner: Some(Scanner::new(&settings)),
        ..ServerSettings::standard()
    });
    for word in ["動いています", "版 27800", "日前", "ありません"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}
