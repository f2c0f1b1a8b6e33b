//! Two towns that differ in one thing: in one a colleague opened a person's page, in the other she
//! received a report about her. Whoever does not know of the case meets the same town.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use harness::{Browser, Page, Town};
use server::web::Role;
use store::{Actor, Event, Operation, Params, StoreError, SystemReason, params};

const CENTRE: &str = "0101";

/// Somebody of the centre who does not live alone, and one of her household.
struct Her {
    id: i64,
    mate: i64,
    kana: String,
    insured_no: String,
}

const HER: &str = "
    select r.id, m.id, r.kana, i.insured_no from residents r
    join support_centres c on c.id = r.centre_id and c.code = '0101'
    join residents m on m.household_no = r.household_no and m.id <> r.id and m.resident_state = '1'
    join insured_persons i on i.resident_id = r.id
    where r.resident_state = '1' and r.shielded = 0 and m.shielded = 0
    order by r.id limit 1";

fn her(town: &Town) -> Her {
    let found = town.app.db().system_read(SystemReason::Backup, |tx| {
        tx.one(HER, [], |row| {
            Ok(Her {
                id: row.get(0)?,
                mate: row.get(1)?,
                kana: row.get(2)?,
                insured_no: row.get(3)?,
            })
        })
    });
    found.map_err(|e: StoreError| e).unwrap().unwrap()
}

fn run(town: &Town, sql: &str, values: impl Params) {
    let system = Actor::system("test");
    let done = town.app.db().system(&system, SystemReason::Demo, |tx| {
        tx.execute(sql, values)?;
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    });
    done.unwrap();
}

/// Takes the keeping of cases from the city's section: it reads the log and everything else.
fn no_keeper(town: &Town) {
    run(
        town,
        "insert into staff_rights (staff_id, permission, granted, starts_on, ends_on, reason,
           recorded_by, recorded_at)
         select t.staff_id, 'abuse_keep', 0, '2026-11-01', null, 'x', t.staff_id, ''
         from staff_terms t where t.role = ?1",
        params![Role::CityLongevity.code()],
    );
}

fn report(her: &Her) -> Vec<(&'static str, String)> {
    let fields = [
        ("case_type", "carer"),
        ("reported_on", "2026-11-20"),
        ("reported_at", "0:01"),
        ("received_at", "centre"),
        ("reporter_kind", "neighbour"),
        ("urgency", "today"),
        ("carer_relation", "son"),
        ("kinds", "physical"),
        ("content", "どなり声がする。"),
    ];
    let typed = fields.map(|(name, value)| (name, value.to_owned()));
    let whom = [
        ("resident", her.id.to_string()),
        ("carer_resident", her.mate.to_string()),
    ];
    typed.into_iter().chain(whom).collect()
}

fn receive(worker: &mut Browser, her: &Her) -> String {
    let fields = report(her);
    let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let page = worker.post("/abuse-cases", &fields);
    assert_eq!(page.status, 303, "{}", page.text());
    page.location().split('?').next().unwrap().to_owned()
}

fn surfaces(her: &Her) -> Vec<String> {
    let kana: String = form_urlencoded::byte_serialize(her.kana.as_bytes()).collect();
    let (id, mate, number) = (her.id, her.mate, &her.insured_no);
    let menu = |word: &str| -> String {
        let word: String = form_urlencoded::byte_serialize(word.as_bytes()).collect();
        format!("/access-log?menu={word}")
    };
    let mut all: Vec<String> = [
        "/",
        "/consultations",
        "/abuse-cases",
        "/abuse-cases?state=all",
        "/abuse-cases/new",
        "/former-states",
        "/changes",
        "/overview",
        "/transfers",
        "/case-grants",
        "/retention",
        "/retention/consultations",
        "/protections",
        "/protections/sealed-list",
        "/staff",
        "/staff/report",
        "/rights",
        "/approvals",
        "/imports",
        "/incidents",
        "/carried-out",
        "/data-holdings",
        "/inspections",
        "/area-changes",
        "/unusual-uses",
        "/access-log",
        "/access-log?operation=resident_view",
        "/access-log?operation=abuse_receive",
        "/access-log?outcome=refused",
        "/access-log?record=resident",
    ]
    .map(str::to_owned)
    .into();
    all.extend([
        format!("/residents?q={kana}"),
        format!("/residents?q={kana}&part=1"),
        format!("/residents/{id}"),
        format!("/residents/{mate}"),
        format!("/residents/{id}/former-state"),
        format!("/residents/{mate}/former-state"),
        format!("/residents/{id}/case-grants"),
        format!("/consultations?resident={id}"),
        format!("/consultations/new?resident={id}"),
        format!("/protections/residents/{id}"),
        format!("/protections/residents/{id}/viewers"),
        format!("/access-log?person={number}"),
        format!("/access-log?person={id}"),
        format!("/access-log?record=resident&record_id={id}"),
        format!("/access-log/disclosure?person={number}&receipt=1&reason=agent"),
        menu("虐待対応"),
        menu("個人画面"),
    ]);
    all
}

/// The page without what is drawn at random for each: tokens and the number of the request.
fn plain(page: &Page) -> String {
    let text = page.text();
    let text = match text.split_once("お問い合わせ番号") {
        Some((first, rest)) => {
            let rest = rest.split_once("</").map_or("", |(_, rest)| rest);
            format!("{first}{rest}")
        }
        None => text,
    };
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut kept = String::new();
    let mut run = String::new();
    for c in text.chars().chain([' ']) {
        if word(c) {
            run.push(c);
            continue;
        }
        kept.push_str(if run.len() >= 32 { "…" } else { &run });
        run.clear();
        kept.push(c);
    }
    format!("{} {kept}", page.status)
}

#[test]
fn whoever_does_not_know_of_a_case_meets_the_same_town_with_it_and_without() {
    let (without, with) = (Town::new(), Town::new());
    let her = her(&with);
    for town in [&without, &with] {
        no_keeper(town);
    }
    let worker = |town: &Town| town.signed_in(Role::SocialWorker, Some(CENTRE));
    let (mut one, mut other) = (worker(&without), worker(&with));
    let opened = one.get(&format!("/residents/{}", her.id));
    assert_eq!(opened.status, 200);
    let case = receive(&mut other, &her);
    assert_eq!(other.get("/abuse-cases").text().matches(&case).count(), 1);
    let (mut compared, mut later) = (0, Vec::new());
    for role in [
        Role::Nurse,
        Role::CentreManager,
        Role::Clerk,
        Role::CityLongevity,
        Role::CityWelfare,
        Role::SystemAdmin,
    ] {
        let centre = role.is_of_centre().then_some(CENTRE);
        let mut browsers = [&without, &with].map(|town| town.signed_in(role, centre));
        for surface in surfaces(&her) {
            let [before, after] = browsers.each_mut().map(|b| plain(&b.get(&surface)));
            assert!(
                before == after,
                "{role:?} {surface}:\n{}",
                differing(&before, &after)
            );
            compared += 1;
        }
        let fields = [("insured_no", her.insured_no.as_str()), ("reason", "01")];
        let [before, after] = browsers
            .each_mut()
            .map(|b| plain(&b.post("/inquiries", &fields)));
        assert!(
            before == after,
            "{role:?} inquiry:\n{}",
            differing(&before, &after)
        );
        later.push(browsers);
    }
    // Last: a refused try is an entry.
    for [_, browser] in &mut later {
        let pages = [
            "",
            "/edit",
            "/members",
            "/reporter",
            "/sheet.pdf",
            "/former-state",
            "/former-state/comparison.pdf",
        ];
        for page in pages {
            let status = browser.get(&format!("{case}{page}")).status;
            assert!(status == 404 || status == 403, "{page}: {status}");
        }
    }
    println!("abuse cases: {compared} surfaces x viewers alike");
}

/// The lines that differ.
fn differing(before: &str, after: &str) -> String {
    let pairs = before.lines().zip(after.lines());
    let pairs = pairs.filter(|(before, after)| before != after);
    pairs
        .take(5)
        .map(|(before, after)| format!("- {before}\n+ {after}\n"))
        .collect()
}

#[test]
fn whoever_knows_of_a_case_meets_no_page_that_is_refused_missing_or_broken() {
    let town = Town::new();
    let her = her(&town);
    let mut worker = town.signed_in(Role::SocialWorker, Some(CENTRE));
    let case = receive(&mut worker, &her);
    let mut city = town.signed_in(Role::CityLongevity, None);
    let mut met = 0;
    for browser in [&mut worker, &mut city] {
        for page in [
            "/abuse-cases".to_owned(),
            case.clone(),
            format!("{case}/members"),
        ] {
            let text = browser.get(&page).text();
            let links = text.split("href=\"").skip(1);
            let links: Vec<String> = links
                .filter_map(|part| part.split('"').next())
                .filter(|link| {
                    link.starts_with("/abuse-cases") || link.starts_with("/protections/")
                })
                .map(|link| link.replace("&#38;", "&").replace("&amp;", "&"))
                .collect();
            for link in links {
                let status = browser.get(&link).status;
                assert_eq!(status, 200, "{page} offers {link}");
                met += 1;
            }
        }
    }
    assert!(met > 20, "too few links to prove anything: {met}");
}
