//! Every route × every role × every scope, from the table of routes itself. A route without a row
//! here fails, and so does a row without a route.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use base::settings::{Site, first_site};
use harness::{Browser, Page, Town};
use server::app::{App, ServerSettings};
use server::web::{Permission, Rights, Role};
use store::{CentreId, Scope};

const CENTRE_ROLES: &[Role] = &[
    Role::CentreManager,
    Role::SocialWorker,
    Role::Nurse,
    Role::Clerk,
];

/// Method, path, permission: written by hand, on purpose a second time.
const ROWS: &[(&str, &str, Permission)] = include!("rows.in");

/// A town that lets this suite ask as fast as it can: it stands for many terminals, and how often one
/// may ask is not its question.
fn open_town() -> Town {
    Town::with(ServerSettings {
        requests_per_second: NonZeroU32::MAX,
        ..ServerSettings::standard()
    })
}

fn all_roles() -> impl Iterator<Item = Role> {
    Role::ALL.iter().copied()
}

fn sign_in(town: &Town, role: Role) -> Browser {
    let centre = CENTRE_ROLES.contains(&role).then_some("0001");
    town.signed_in(role, centre.filter(|code| town_has(town, code)))
}

fn town_has(town: &Town, code: &str) -> bool {
    town.count(&format!(
        "select count(*) from support_centres where code = '{code}'"
    )) == 1
}

#[test]
fn the_table_of_routes_and_the_rows_of_this_suite_are_the_same() {
    let routes = App::routes();
    let table: BTreeMap<(String, &str), Permission> = routes
        .table()
        .iter()
        .map(|route| ((route.method.to_string(), route.path), route.permission))
        .collect();
    let rows: BTreeMap<(String, &str), Permission> = ROWS
        .iter()
        .map(|(method, path, p)| (((*method).to_owned(), *path), *p))
        .collect();
    let missing: Vec<_> = table
        .iter()
        .filter(|(key, _)| !rows.contains_key(*key))
        .collect();
    let stale: Vec<_> = rows
        .keys()
        .filter(|key| !table.contains_key(*key))
        .collect();
    assert!(
        missing.is_empty(),
        "routes without a row in tests/access: {missing:?}"
    );
    assert!(stale.is_empty(), "rows without a route: {stale:?}");
    for (key, permission) in &rows {
        assert_eq!(table.get(key), Some(permission), "{key:?}");
    }
    assert_eq!(ROWS.len(), rows.len(), "a row stands twice");
}

/// An address for a pattern: ids that belong to `id`, anything for the rest.
fn address(path: &str, id: i64) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/') {
        parts.push(if part.starts_with('{') {
            id.to_string()
        } else {
            part.to_owned()
        });
    }
    parts.join("/")
}

fn ask(browser: &mut Browser, method: &str, address: &str) -> Page {
    if method == "GET" {
        browser.get(address)
    } else {
        browser.post(address, &[])
    }
}

#[test]
fn every_route_is_closed_to_whoever_is_not_signed_in() {
    let town = open_town();
    for (method, path, permission) in ROWS {
        let mut browser = town.browser();
        let page = ask(&mut browser, method, &address(path, 1));
        if *permission == Permission::Public {
            assert!(
                page.status.as_u16() < 500,
                "{method} {path}: {}",
                page.status
            );
        } else {
            assert_eq!(page.status, 401, "{method} {path}");
        }
    }
}

/// As `hokatsu init` writes it.
fn town_of_the_first_site_file() -> Town {
    let place = std::path::Path::new("/srv/data");
    let site = Site::parse(&first_site(place), place).unwrap();
    Town::with(ServerSettings {
        requests_per_second: NonZeroU32::MAX,
        ..ServerSettings::signing_in(&site.sign_in()).unwrap()
    })
}

#[test]
fn by_the_first_site_file_the_password_alone_opens_nothing_to_anybody() {
    let town = town_of_the_first_site_file();
    for role in all_roles() {
        let (half_in, page) = town.after_password(role, None);
        let enrols = matches!(role, Role::SystemAdmin | Role::Vendor);
        let said = if enrols {
            (200, "はじめに一度だけ登録")
        } else {
            (403, "登録した端末からだけ")
        };
        assert_eq!(page.status, said.0, "{role:?}");
        assert!(page.text().contains(said.1), "{role:?}: {}", page.text());
        for (method, path, permission) in ROWS {
            if *permission == Permission::Public {
                continue;
            }
            let (mut browser, address) = (half_in.clone(), address(path, 1));
            // The door is before the form's token.
            let page = if *method == "GET" {
                browser.get(&address)
            } else {
                browser.post_raw(&address, &[])
            };
            let shut = match page.status.as_u16() {
                303 => page.location().starts_with("/second-factor?to="),
                status => status == 401,
            };
            assert!(shut, "{role:?} {method} {path}: {}", page.status);
        }
    }
}

#[test]
fn every_route_opens_for_exactly_the_roles_of_the_matrix() {
    let town = open_town();
    let mut tried = 0;
    for role in all_roles() {
        // One sign-in a role: a password costs more than all that is asked here.
        let signed_in = sign_in(&town, role);
        for (method, path, permission) in ROWS {
            // Those end or lock the session that all rows share.
            if path.starts_with("/sign-") || path.starts_with("/lock") {
                continue;
            }
            let mut browser = signed_in.clone();
            let page = ask(&mut browser, method, &address(path, 999_999_999));
            let refused = page.status == 403;
            // A public page may ask for what this session does not owe.
            let asked_in = *permission == Permission::Public;
            assert!(
                page.status != 401 || asked_in,
                "{role:?} {method} {path}: signed out"
            );
            assert_eq!(
                refused,
                !Rights::shipped(role).has(*permission),
                "{role:?} {method} {path}: {}",
                page.status
            );
            assert_ne!(
                page.status,
                500,
                "{role:?} {method} {path}: {}",
                page.text()
            );
            tried += 1;
        }
    }
    println!("routes x roles tried: {tried}");
    assert!(tried >= ROWS.len() * 5, "too few combinations: {tried}");
}

#[test]
fn outside_the_scope_every_page_of_a_record_is_not_there() {
    let town = open_town();
    let mut tried = 0;
    for own in 1..=5 {
        let code = centre_code(&town, own);
        let other = if own == 5 { 1 } else { own + 1 };
        let ours = consultations(&town, own);
        let theirs = consultations(&town, other);
        let stranger = theirs
            .iter()
            .find(|id| !ours.contains(id))
            .copied()
            .unwrap();
        let neighbour = town.residents(Scope::Centre(CentreId(other)), 1)[0];
        let own_person = town.residents(Scope::Centre(CentreId(own)), 1)[0];
        let form = "corrections/new?field=phone";
        let persons = [
            format!("/residents/{neighbour}"),
            format!("/residents/{neighbour}/{form}"),
            format!("/residents/{neighbour}/attachments"),
        ];
        for role in CENTRE_ROLES {
            let mut browser = town.signed_in(*role, Some(&code));
            for address in &persons {
                let page = browser.get(address);
                assert_eq!(page.status, 404, "{role:?} of {code} sees {address}");
                tried += 1;
            }
            let page = browser.get(&format!("/residents/{own_person}"));
            assert_eq!(
                page.status, 200,
                "{role:?} of {code} cannot open her own resident"
            );
            // What the role may not do at all is told before anybody looks for the record.
            let rights = Rights::shipped(*role);
            let pages = ROWS.iter().filter(|(method, path, permission)| {
                *method == "GET"
                    && path.starts_with("/consultations/{id}")
                    && rights.has(*permission)
            });
            for (method, path, _) in pages {
                let page = ask(&mut browser, method, &address(path, stranger));
                assert_eq!(page.status, 404, "{role:?} of {code} sees {path}");
                tried += 1;
            }
            let page = browser.get(&format!("/consultations/{}", ours[0]));
            assert_eq!(
                page.status, 200,
                "{role:?} of {code} cannot open her own record"
            );
        }
    }
    println!("scopes x roles x record pages tried: {tried}");
    assert!(tried >= 20, "too few combinations: {tried}");
}

fn consultations(town: &Town, centre: i64) -> Vec<i64> {
    let actor = store::Actor {
        scope: Scope::Centre(CentreId(centre)),
        ..store::Actor::system("test")
    };
    let sql = "select id from visible_consultations order by id";
    let read = town
        .app
        .db()
        .read(&actor, |tx| tx.all(sql, [], |row| row.get(0)));
    read.map_err(|e: store::StoreError| e).unwrap()
}

fn centre_code(town: &Town, id: i64) -> String {
    let actor = store::Actor::system("test");
    let sql = "select code from support_centres where id = ?1";
    let found = town.app.db().read(&actor, |tx| {
        tx.one(sql, [id], |row| row.get::<_, String>(0))
    });
    found.map_err(|e: store::StoreError| e).unwrap().unwrap()
}

#[test]
fn nobody_without_a_scope_is_shown_a_single_person() {
    let town = open_town();
    for role in [Role::SystemAdmin, Role::CityWelfare, Role::Vendor] {
        let scope = role.scope(None);
        assert_eq!(town.residents(scope, 10), [0_i64; 0], "{role:?}");
    }
}

/// Every statement that the routes prepare, with the views through which it reads people.
#[test]
fn person_tables_are_read_only_through_the_scoped_views() {
    let town = open_town();
    for role in [Role::CityLongevity, Role::SocialWorker, Role::SystemAdmin] {
        for (method, path, _) in ROWS
            .iter()
            .filter(|(_, path, _)| !path.starts_with("/sign-"))
        {
            let mut browser = sign_in(&town, role);
            let id = town.residents(Scope::Centre(CentreId(1)), 1)[0];
            ask(&mut browser, method, &address(path, id));
        }
        let mut browser = sign_in(&town, role);
        for words in [
            "サトウ",
            "佐藤",
            "0480000000",
            "S12.3.4",
            "本町1-1",
            "サトウ S12",
        ] {
            let words: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
            browser.get(&format!("/residents?q={words}"));
        }
    }
    let seen = store::statements::seen();
    let reading: Vec<_> = seen.iter().filter(|(_, reads)| !reads.is_empty()).collect();
    let mut past = Vec::new();
    let mut listed = String::new();
    for (sql, reads) in &seen {
        listed.push_str(&format!(
            "{}\n",
            sql.split_whitespace().collect::<Vec<_>>().join(" ")
        ));
        for read in reads {
            let view = read.view.as_deref().unwrap_or("(system)");
            listed.push_str(&format!("    {} through {view}\n", read.table));
        }
    }
    keep("statements.txt", &listed);
    for (sql, reads) in &reading {
        for read in reads {
            if read.view.is_none() && !(read.unscoped || read.table == "drafts") {
                past.push(sql.clone());
            }
        }
    }
    println!(
        "statements: {}, reading people: {}",
        seen.len(),
        reading.len()
    );
    assert_eq!(past, [""; 0]);
    assert!(
        reading.len() >= 5,
        "the walk read too little to prove anything: {}",
        reading.len()
    );
}

/// Leaves a file for whoever wants to read what the run did, beside those of the other suites.
fn keep(name: &str, text: &str) {
    let test = std::env::current_exe().unwrap();
    let place = test.ancestors().nth(3).unwrap().join("artefacts/access");
    std::fs::create_dir_all(&place).unwrap();
    base::paths::write_atomic(&place.join(name), text.as_bytes(), base::paths::MODE_PUBLIC)
        .unwrap();
}

/// Every page that links lead to from the start page, each with its text.
fn walk(browser: &mut Browser) -> BTreeMap<String, String> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut waiting = VecDeque::from(["/".to_owned()]);
    while let Some(address) = waiting.pop_front() {
        if seen.len() >= PAGES_MAX || seen.contains_key(&address) {
            continue;
        }
        let mut page = browser.get(&address);
        if page.status == 303 {
            page = browser.get(page.location());
        }
        let text = page.text();
        for part in text.split("href=\"").skip(1) {
            let link = part.split('"').next().unwrap_or_default();
            let ours = link.starts_with('/') && !link.starts_with("/assets");
            if ours && !link.contains("done=") {
                waiting.push_back(link.replace("&#38;", "&").replace("&amp;", "&"));
            }
        }
        seen.insert(address, text);
    }
    seen
}

/// Pages that one walk opens at most.
const PAGES_MAX: usize = 200;

/// Names of residents whom no member of staff shares one with, and their numbers.
fn names_and_numbers(town: &Town) -> Vec<String> {
    let actor = store::Actor {
        scope: Scope::City,
        ..store::Actor::system("test")
    };
    let sql = "select name from visible_residents where name not in (select name from staff)
        union select insured_no from visible_insured_persons
        union select addressee_no from visible_residents";
    let read = town
        .app
        .db()
        .read(&actor, |tx| tx.all(sql, [], |row| row.get::<_, String>(0)));
    read.map_err(|e: store::StoreError| e).unwrap()
}

#[test]
fn whoever_sees_nobody_meets_no_name_and_no_number_on_any_page_she_reaches() {
    let town = open_town();
    let person = town.residents(Scope::City, 1)[0];
    // Traces of people, so that there is something to hide.
    let mut city = sign_in(&town, Role::CityLongevity);
    city.get(&format!("/residents/{person}"));
    city.get("/residents?q=%E3%82%B5%E3%83%88%E3%82%A6");
    let hidden = names_and_numbers(&town);
    assert!(hidden.len() > 1_000, "too few to hide: {}", hidden.len());
    let told = city.get(&format!("/residents/{person}")).text();
    assert!(hidden.iter().any(|word| told.contains(word.as_str())));
    for role in [Role::SystemAdmin, Role::Vendor] {
        let mut browser = sign_in(&town, role);
        let pages = walk(&mut browser);
        let least = if role == Role::Vendor { 4 } else { 15 };
        assert!(pages.len() >= least, "{role:?}: {:?}", pages.keys());
        for (address, text) in &pages {
            let found = hidden.iter().find(|word| text.contains(word.as_str()));
            assert_eq!(found, None, "{role:?} reads a person on {address}");
        }
        println!("{role:?}: {} pages without a name", pages.len());
    }
}
