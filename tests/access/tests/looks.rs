//! Whoever opens a page of one record leaves an entry: shown by every route with an id, not by trust.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use harness::Town;
use server::app::App;
use server::web::Role;
use store::{CentreId, Scope, StoreError, SystemReason};

fn names(town: &Town, id: i64) -> (String, String) {
    let sql = "select name, kana from residents where id = ?1";
    let read = town.app.db().system_read(SystemReason::Backup, |tx| {
        tx.one(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))
    });
    read.map_err(|e: StoreError| e).unwrap().unwrap()
}

#[test]
fn every_page_of_one_record_that_names_a_person_leaves_an_entry_about_her() {
    let town = Town::new();
    let mut naming = 0;
    for role in [Role::CityLongevity, Role::CentreManager] {
        let centre = role.is_of_centre().then_some("0101");
        let own = "select id from support_centres where code = '0101'";
        let scope = if role.is_of_centre() {
            Scope::Centre(CentreId(town.count(own)))
        } else {
            Scope::City
        };
        let mut browser = town.signed_in(role, centre);
        let person = town.residents(scope, 1)[0];
        let (name, kana) = names(&town, person);
        let entries = format!("select count(*) from audit_entries where resident_id = {person}");
        for route in App::routes().table().iter().filter(|r| r.method == "GET") {
            if !route.path.contains('{') {
                continue;
            }
            let address = route.path.replace("{id}", &person.to_string());
            if address.contains('{') {
                continue;
            }
            let before = town.count(&entries);
            let page = browser.get(&address).text();
            if page.contains(&name) || page.contains(&kana) {
                naming += 1;
                let after = town.count(&entries);
                assert!(after > before, "GET {} names her unseen", route.path);
            }
        }
    }
    println!("pages of one record that name a person: {naming}");
    assert!(naming >= 4, "too few pages to prove anything: {naming}");
}
