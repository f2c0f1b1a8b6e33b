//! A number that leads somewhere is the number of what is found there.

use harness::{Browser, Town};
use server::web::Role;

/// Number and address of each counter of the start page that is a link.
fn counters(browser: &mut Browser) -> Vec<(String, String)> {
    let page = browser.get("/").text();
    let parts = page.split("<strong>").skip(1);
    let pairs = parts.filter_map(|part| {
        let (number, rest) = part.split_once("</strong><a href=\"")?;
        let (address, _) = rest.split_once('"')?;
        Some((number.to_owned(), address.replace("&amp;", "&")))
    });
    pairs.collect()
}

#[test]
fn the_numbers_of_my_day_are_those_of_the_lists_behind_them() {
    let town = Town::new();
    let mut compared = 0;
    for (role, centre) in [
        (Role::CityLongevity, None),
        (Role::Nurse, Some("0101")),
        (Role::SocialWorker, Some("0103")),
    ] {
        let mut browser = town.signed_in(role, centre);
        for (number, address) in counters(&mut browser) {
            // What waits for confirmation has its number on its own tabs.
            let elsewhere = ["/changes", "/carried-out?state=overdue", "/inspections"];
            if elsewhere.contains(&address.as_str()) {
                continue;
            }
            let list = browser.get(&address).text();
            let said = if address == "/transfers" {
                format!("（{number}）")
            } else if address == "/approvals" {
                format!("自分が決める依頼（{number}）")
            } else if address == "/approvals/own" {
                format!("決定待ち {number}）")
            } else if address.starts_with("/residents") {
                format!("{number}人見つかりました")
            } else {
                assert!(address.starts_with("/consultations"), "{address}");
                format!("<p>{number}件、")
            };
            assert!(list.contains(&said), "{role:?}: {address} is not {number}");
            compared += 1;
        }
    }
    assert!(
        compared >= 3,
        "too few numbers to prove anything: {compared}"
    );
}
