//! No file leaves without its entry in the register of what was carried out.

use std::num::NonZeroU32;

use harness::{Page, Town};
use server::app::{App, ServerSettings};
use server::web::Role;
use store::Scope;

/// Files that hold nothing of anybody: the signatures of the log, the certificate of our authority.
const OF_NOBODY: [&str; 2] = ["/access-log/checkpoints.jsonl", "/terminals/ca.crt"];

fn leaves(page: &Page) -> bool {
    let kind = page.headers.get("content-disposition");
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"attachment"))
}

/// An address for a pattern, and for the form that stands there.
fn address(path: &str, id: i64) -> String {
    let part = |part: &str| match part.starts_with('{') {
        true => id.to_string(),
        false => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn no_page_that_is_only_looked_at_gives_a_file() {
    let town = Town::new();
    let mut tried = 0;
    for role in [Role::SystemAdmin, Role::CityLongevity, Role::CentreManager] {
        let mut browser = town.signed_in(role, None);
        for route in App::routes().table().iter().filter(|r| r.method == "GET") {
            let page = browser.get(&address(route.path, 1));
            assert!(
                !leaves(&page) || OF_NOBODY.contains(&route.path),
                "GET {} gives a file to {role:?}",
                route.path
            );
            tried += 1;
        }
    }
    assert!(tried > 50, "too few pages to prove anything: {tried}");
}

#[test]
fn every_file_that_a_form_gives_has_its_entry() {
    // More forms in a second than anybody at a keyboard sends.
    let town = Town::with(ServerSettings {
        requests_per_second: NonZeroU32::MAX,
        ..ServerSettings::standard()
    });
    let entries = || town.count("select count(*) from carried_out_files");
    let door = [
        ("purpose", "01"),
        ("destination", "市役所"),
        ("medium", "04"),
        ("carried_by", "試験"),
        ("encrypted", "no"),
        ("protection", "手渡し"),
        ("stays", "1"),
    ];
    let mut given = 0;
    for role in Role::ALL {
        let mut browser = town.signed_in(*role, None);
        for route in App::routes().table().iter().filter(|r| r.method == "POST") {
            if route.path.starts_with("/sign-") || route.path.starts_with("/lock") {
                continue;
            }
            let before = entries();
            let resident = town.residents(Scope::City, 1)[0];
            let page = browser.post(&address(route.path, resident), &door);
            if leaves(&page) {
                assert_eq!(entries(), before + 1, "POST {} as {role:?}", route.path);
                given += 1;
            }
        }
    }
    assert!(given >= 4, "too few files to prove anything: {given}");
}
