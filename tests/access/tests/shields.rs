//! A person under 支援措置, looked for on every surface by every sort of viewer: only whoever may open
//! her meets anything of her. The table is printed and kept.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use harness::{Browser, Page, Town};
use server::web::Role;
use store::{Actor, Event, Operation, Params, StoreError, SystemReason, params};

/// Somebody shielded who does not live alone, and one of her household who is not shielded.
struct Her {
    id: i64,
    mate: i64,
    centre: String,
    name: String,
    kana: String,
    address: String,
    phone: String,
    insured_no: String,
    born_on: String,
}

const HER: &str = "
    select r.id, m.id, c.code, r.name, r.kana, r.address, r.phone, i.insured_no, r.born_on
    from residents r
    join residents m on m.household_no = r.household_no and m.id <> r.id and m.resident_state = '1'
    join support_centres c on c.id = r.centre_id
    join insured_persons i on i.resident_id = r.id
    where r.resident_state = '1' and r.addressee_no <> '' and r.phone <> ''
    order by r.shielded desc, r.id limit 1";

impl Her {
    fn of(town: &Town) -> Self {
        let found = town.app.db().system_read(SystemReason::Backup, |tx| {
            tx.one(HER, [], |row| {
                Ok(Self {
                    id: row.get(0)?,
                    mate: row.get(1)?,
                    centre: row.get(2)?,
                    name: row.get(3)?,
                    kana: row.get(4)?,
                    address: row.get(5)?,
                    phone: row.get(6)?,
                    insured_no: row.get(7)?,
                    born_on: row.get(8)?,
                })
            })
        });
        found.map_err(|e: StoreError| e).unwrap().unwrap()
    }

    /// Is anything on this page that only her record holds? What was typed stands in the box again and
    /// tells nothing: her name, number and telephone would stand beside one another.
    fn shows(&self, page: &Page, typed: &str) -> bool {
        let text = if typed.is_empty() {
            page.text()
        } else {
            page.text().replace(typed, "")
        };
        let link = format!("/residents/{}\"", self.id);
        [&self.name, &self.kana, &self.insured_no, &self.phone, &link]
            .into_iter()
            .any(|known| text.contains(known.as_str()))
    }
}

fn run(town: &Town, sql: &str, values: impl Params) {
    let system = Actor::system("test");
    let done = town.app.db().system(&system, SystemReason::Demo, |tx| {
        tx.execute(sql, values)?;
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    });
    done.unwrap();
}

fn login_id(town: &Town, login: &str) -> i64 {
    town.count(&format!("select id from staff where login = '{login}'"))
}

/// Shielded by the city today; a record about her; the mate of her household is shielded from nobody.
fn prepare(town: &Town) -> Her {
    let her = Her::of(town);
    run(
        town,
        "update residents set shielded = 0 where id = ?1",
        [her.mate],
    );
    run(
        town,
        "insert into shields (resident_id, kind, reason, recorded_at) values (?1, 'city', 'x', '')",
        [her.id],
    );
    run(
        town,
        "insert into consultations (id, number, centre_id, submission, created_by, created_at)
         select 900001, 'K-SHIELD', centre_id, 'shield', null, '2026-11-20T00:00:00Z'
         from residents where id = ?1",
        [her.id],
    );
    run(
        town,
        "insert into consultation_clients (consultation_id, resident_id, staff_id, recorded_at)
         values (900001, ?1, null, '2026-11-20T00:00:00Z')",
        [her.id],
    );
    run(
        town,
        "insert into consultation_versions (consultation_id, version, received_on, started_at,
           ended_at, minutes, channel, caller_kind, caller_name, caller_relation, caller_contact,
           client_name, client_note, urgency, content, response, referred_to, outcome,
           closing_reason, next_action, next_due_on, recorded_by, recorded_at, correction_reason)
         values (900001, 1, '2026-11-20', '', '', null, '01', '01', '', '', '', '', '', '1',
           'K-SHIELD の相談', '', '', '1', '', '電話する', '2026-11-21', null, '', '')",
        [],
    );
    run(
        town,
        "insert into resident_changes (import_id, feed, resident_id, record_id, kind, fields)
         values (1, 'residents', ?1, ?1, 'changed', 'phone')",
        [her.id],
    );
    run(
        town,
        "insert into centre_transfers (id, resident_id, from_centre_id, to_centre_id, effective_on,
           cause, readable_until, recorded_by, recorded_at)
         select 900001, ?1, centre_id, centre_id, '2026-11-01', 'register', '2027-05-01', null, ''
         from residents where id = ?1",
        [her.id],
    );
    run(
        town,
        "insert into approvals (id, kind, payload, facts, summary, reason, urgent, requested_by,
           requested_at, expires_on)
         values (900001, 'shield_grant', '{}', '[]', '職員＝だれか', '', 0, 1, '', '2026-12-31')",
        [],
    );
    run(
        town,
        "insert into shield_grants (id, resident_id, staff_id, starts_on, ends_on, reason, urgent,
           recorded_by, recorded_at, approval_id)
         values (900001, ?1, 1, '2026-11-20', '2026-12-20', 'x', 0, 1, '', 900001)",
        [her.id],
    );
    attach(town, &her);
    her
}

/// A paper with her name on it at her own page, and one at the consultation about her.
fn attach(town: &Town, her: &Her) {
    let shelf = town.app.db().shelf();
    let paper = format!("{}の書類", her.name);
    let mut part = shelf.part(0).unwrap();
    part.write(paper.as_bytes()).unwrap();
    let whole = part.finish().unwrap();
    let system = Actor::system("test");
    let placed = town.app.db().system(&system, SystemReason::Demo, |tx| {
        for (id, person, record) in [
            (900_001, Some(her.id), None),
            (900_002, None, Some(900_001)),
        ] {
            tx.execute(
                "insert into attachments (id, resident_id, consultation_id, sha256, bytes, kind,
                   file_name, submission, position, centre_id, created_by, created_at)
                 values (?1, ?2, ?3, ?4, ?5, 'text', ?6, ?1, 0, null, 1, '2026-11-20T00:00:00Z')",
                params![
                    id,
                    person,
                    record,
                    whole.sha256(),
                    i64::try_from(paper.len()).unwrap(),
                    paper
                ],
            )?;
            tx.execute(
                "insert into attachment_versions (attachment_id, version, title, note,
                   correction_reason, recorded_by, recorded_at)
                 values (?1, 1, ?2, '', '', 1, '2026-11-20T00:00:00Z')",
                params![id, paper],
            )?;
        }
        shelf.place(tx, &whole)?;
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    });
    placed.unwrap();
}

fn grant(town: &Town, her: &Her, login: &str) {
    run(
        town,
        "insert into approvals (kind, payload, facts, summary, reason, urgent,
           requested_by, requested_at, expires_on)
         values ('shield_grant', '{}', '[]', '', '', 1, ?1, '', '2026-12-31')",
        [login_id(town, login)],
    );
    run(
        town,
        "insert into shield_grants (resident_id, staff_id, starts_on, ends_on, reason, urgent,
           recorded_by, recorded_at, approval_id)
         values (?1, ?2, '2026-11-20', '2026-11-21', 'x', 1, ?2, '',
                 (select max(id) from approvals))",
        params![her.id, login_id(town, login)],
    );
}

/// One place where somebody may be met. Without fields it is asked for, with them sent.
struct Surface {
    name: &'static str,
    address: String,
    fields: Vec<(&'static str, String)>,
    /// What the viewer knows already.
    typed: String,
}

fn surfaces(her: &Her) -> Vec<Surface> {
    let encode =
        |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let surface = |name, address, typed: &str| Surface {
        name,
        address,
        fields: Vec::new(),
        typed: typed.to_owned(),
    };
    let find = |name, q: &str| surface(name, format!("/residents?q={}", encode(q)), q);
    let get = |name, address| surface(name, address, "");
    let number = &her.insured_no;
    vec![
        find("find: kana", &her.kana),
        find("find: kanji", &her.name),
        find("find: number", number),
        find("find: telephone", &her.phone),
        find("find: address", &her.address.replace("埼玉県和光市", "")),
        find("find: birth", &her.born_on),
        surface(
            "suggestions",
            format!("/residents?q={}&part=1", encode(&her.kana)),
            &her.kana,
        ),
        get("person", format!("/residents/{}", her.id)),
        get("person, next page", format!("/residents/{}?page=2", her.id)),
        get(
            "correction",
            format!("/residents/{}/corrections/new?field=phone", her.id),
        ),
        // They share a telephone.
        surface(
            "household of the other",
            format!("/residents/{}", her.mate),
            &her.phone,
        ),
        get("consultations", "/consultations?text=K-SHIELD".to_owned()),
        get("consultation", "/consultations/900001".to_owned()),
        get("slip (PDF)", "/consultations/900001/slip.pdf".to_owned()),
        get(
            "new consultation",
            format!("/consultations/new?resident={}", her.id),
        ),
        get("my day", "/".to_owned()),
        get("changes", "/changes".to_owned()),
        get("statistics", "/overview".to_owned()),
        surface("log search", format!("/access-log?person={number}"), number),
        surface(
            "log export",
            format!("/access-log/export?person={number}"),
            number,
        ),
        surface(
            "log on paper",
            format!("/access-log/list.pdf?person={number}"),
            number,
        ),
        surface(
            "disclosure report",
            format!("/access-log/disclosure?person={number}&receipt=1&reason=self"),
            number,
        ),
        get("unusual uses", "/unusual-uses".to_owned()),
        get("attachments", format!("/residents/{}/attachments", her.id)),
        get("attachment", "/attachments/900001".to_owned()),
        get("content of it", "/attachments/900001/file".to_owned()),
        Surface {
            fields: vec![("shield_reason", "agency".to_owned())],
            ..get(
                "content, reason said",
                "/attachments/900001/opening".to_owned(),
            )
        },
        get("taking it out", "/attachments/900001/export".to_owned()),
        get(
            "attachments of record",
            "/consultations/900001/attachments".to_owned(),
        ),
        get("attachment of record", "/attachments/900002".to_owned()),
        get("content of that", "/attachments/900002/file".to_owned()),
        get("transfers", "/transfers".to_owned()),
        get("hand-over", "/transfers/900001".to_owned()),
        get(
            "hand-over sheet (PDF)",
            "/transfers/900001/sheet.pdf".to_owned(),
        ),
        get("referred people", "/case-grants".to_owned()),
        get(
            "referring her",
            format!("/residents/{}/case-grants", her.id),
        ),
        get("retention", "/retention/consultations".to_owned()),
        get("retention of people", "/retention/residents".to_owned()),
        get("retention of hand-overs", "/retention/transfers".to_owned()),
        get(
            "retention of assignments",
            "/retention/assignments".to_owned(),
        ),
        surface(
            "disposed of, by number",
            format!("/retention?number={number}"),
            number,
        ),
        get("register of exports", "/carried-out".to_owned()),
        get("requests to a second person", "/approvals/all".to_owned()),
        get("request about her", "/approvals/900001".to_owned()),
        get("area changes", "/area-changes".to_owned()),
        Surface {
            fields: vec![("insured_no", number.clone()), ("reason", "01".to_owned())],
            ..surface("inquiry", "/inquiries".to_owned(), number)
        },
    ]
}

fn ask(browser: &mut Browser, surface: &Surface) -> Page {
    if surface.fields.is_empty() {
        return browser.get(&surface.address);
    }
    let fields = surface.fields.iter().map(|(n, v)| (*n, v.as_str()));
    browser.post(&surface.address, &fields.collect::<Vec<_>>())
}

#[test]
fn nobody_without_a_grant_meets_anything_of_a_shielded_person() {
    let town = Town::new();
    let her = prepare(&town);
    let viewers = [
        ("system", Role::SystemAdmin, false),
        ("city", Role::CityLongevity, false),
        ("centre", Role::Nurse, false),
        ("manager", Role::CentreManager, false),
        ("clerk", Role::Clerk, false),
        ("welfare", Role::CityWelfare, false),
        ("named nurse", Role::Nurse, true),
    ];
    let mut table = String::new();
    let mut cells = 0;
    for (label, role, named) in viewers {
        let centre = role.is_of_centre().then_some(her.centre.as_str());
        let mut browser = town.signed_in(role, centre);
        if named {
            grant(&town, &her, &nurse_of(&her.centre));
        }
        for surface in surfaces(&her) {
            let page = ask(&mut browser, &surface);
            let shows = her.shows(&page, &surface.typed);
            let name = surface.name;
            table.push_str(&format!(
                "{label:<12} {name:<24} {} {}\n",
                page.status.as_u16(),
                if shows { "shown" } else { "hidden" }
            ));
            cells += 1;
            assert_ne!(page.status, 500, "{label}: {name}");
            let may = named && name != "household of the other";
            assert!(!shows || may, "{label}: {name} shows her\n{}", page.text());
        }
    }
    println!("{table}shields: {cells} surfaces x viewers");
    let place = std::env::current_exe().unwrap();
    let place = place.ancestors().nth(3).unwrap().join("artefacts/access");
    std::fs::create_dir_all(&place).unwrap();
    base::paths::write_atomic(
        &place.join("shields.txt"),
        table.as_bytes(),
        base::paths::MODE_PUBLIC,
    )
    .unwrap();
}

fn nurse_of(centre: &str) -> String {
    let all = demo::staff::all().unwrap();
    let nurse = all
        .into_iter()
        .find(|m| m.role == Role::Nurse.code() && m.centre == Some(centre));
    nurse.unwrap().login.to_owned()
}

#[test]
fn whoever_is_named_finds_her_in_every_list_and_her_address_behind_the_reason_only() {
    let town = Town::new();
    let her = prepare(&town);
    grant(&town, &her, &nurse_of(&her.centre));
    let mut nurse = town.signed_in(Role::Nurse, Some(&her.centre));
    let kana: String = form_urlencoded::byte_serialize(her.kana.as_bytes()).collect();
    let found = nurse.get(&format!("/residents?q={kana}"));
    assert!(her.shows(&found, &her.kana), "hidden means forgotten");
    let list = nurse.get("/consultations").text();
    assert!(list.contains("K-SHIELD"));
    let record = nurse.get("/consultations/900001");
    // Her paper is no page of ours: it opens after a reason, and to the named alone.
    let paper = nurse.get("/attachments/900001/file");
    assert_eq!(paper.status, 422);
    assert_ne!(paper.headers["content-type"], "text/plain; charset=utf-8");
    let opening = [("shield_reason", "agency")];
    let opened = nurse.post("/attachments/900001/opening", &opening);
    assert_eq!(opened.text(), format!("{}の書類", her.name));
    for page in [
        found,
        record,
        nurse.get("/"),
        nurse.get(&format!("/residents/{}", her.id)),
    ] {
        let text = page.text();
        assert!(!text.contains(&her.address) && !text.contains(&her.phone));
    }
    let door = format!("/residents/{}/shield-acknowledgement", her.id);
    let opened = nurse.post(&door, &[("shield_reason", "agency")]).text();
    assert!(opened.contains(&her.phone));
}

/// What a list says of its length.
fn count_told(page: &Page) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("data-count>").unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

#[test]
fn a_count_is_the_same_whether_a_shielded_person_is_there_or_not() {
    let town = Town::new();
    let her = Her::of(&town);
    let centre = her.centre.clone();
    let mut manager = town.signed_in(Role::CentreManager, Some(&centre));
    run(
        &town,
        "update residents set shielded = 1 where id = ?1",
        [her.id],
    );
    // Alone, with her family, and among many: where nobody else is found the page shows no number.
    let family = her.kana.split_whitespace().next().unwrap();
    let letter: String = family.chars().take(1).collect();
    let asked = [her.kana.as_str(), family, &letter].map(|words| {
        let words: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
        format!("/residents?q={words}")
    });
    let mut counts = || {
        asked
            .clone()
            .map(|address| count_told(&manager.get(&address)))
    };
    let with = counts();
    run(
        &town,
        "update residents set resident_state = '2', centre_id =
           (select id from support_centres where code <> ?2 limit 1) where id = ?1",
        params![her.id, centre],
    );
    let without = counts();
    assert!(
        with[2].ends_with("人見つかりました。"),
        "nobody to hide among: {with:?}"
    );
    assert_eq!(with, without);
}
