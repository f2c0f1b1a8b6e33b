//! Files attached to people and consultations, through the slice's own routes.

use std::path::PathBuf;

use axum::http::Method;
use jiff::SignedDuration;
use store::{StoreError, SystemReason};

use super::kinds::tests::packed;
use crate::app::ServerSettings;
use crate::features::staff::tests::house::{
    Browser, DOOR, House, MULTIPART, Page, between, multipart,
};
use crate::web::Role;

const HERE: &str = "0101";
const THERE: &str = "0102";
pub(super) const PERSON: &str = "/residents/1/attachments";
const RECORD: &str = "/consultations/1/attachments";
const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0";
/// Passes as a マイナンバー and is none.
const NUMBER: &str = "123456789018";

/// One person of each centre, a consultation about the first, and staff of every sort.
pub(super) struct Desk {
    pub(super) house: House,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self::with(ServerSettings::standard())
    }

    pub(super) fn with(settings: ServerSettings) -> Self {
        let house = House::with(settings);
        for (login, role, centre) in [
            ("nurse", Role::Nurse, Some(HERE)),
            ("clerk", Role::Clerk, Some(HERE)),
            ("other", Role::Nurse, Some(THERE)),
            ("city", Role::CityLongevity, None),
            ("system", Role::SystemAdmin, None),
        ] {
            house.add(login, role, centre);
        }
        house.resident(1, "1940-01-01", HERE, "1");
        house.resident(2, "1940-01-01", THERE, "1");
        Self { house }
    }

    pub(super) fn nurse(&self) -> Browser<'_> {
        self.house.signed_in("nurse")
    }

    /// A consultation about the first person, written by this nurse.
    fn record(&self, nurse: &Browser<'_>) {
        nurse.get("/consultations/new?resident=1");
        let typed = [
            ("resident", "1"),
            ("received_on", "R8.11.24"),
            ("channel", "01"),
            ("caller_kind", "01"),
            ("urgency", "C"),
            ("categories", "01"),
            ("content", "夜に外へ出る"),
            ("outcome", "01"),
        ];
        let saved = nurse.post("/consultations", &typed);
        assert_eq!(saved.header("location"), "/consultations/1?done=saved");
    }

    pub(super) fn number(&self, sql: &str) -> i64 {
        let read: Result<i64, StoreError> = self
            .house
            .db()
            .system_read(SystemReason::Demo, |tx| tx.count(sql, []));
        read.unwrap()
    }

    pub(super) fn rows(&self) -> i64 {
        self.number("select count(*) from attachments")
    }

    /// Everything below the shelf, half-taken files as well.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        fn below(dir: &std::path::Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(dir).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    below(&path, found);
                } else {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        below(&self.house.db().dir().attachments(), &mut found);
        found
    }
}

/// Sends files as somebody who opened the page just now.
pub(super) fn attach(
    browser: &Browser<'_>,
    path: &str,
    fields: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> Page {
    let page = browser.get(path).body;
    let submission = between(&page, "name=\"submission\" value=\"", "\"").unwrap_or_default();
    let all = [&[("submission", submission.as_str())], fields].concat();
    browser.upload(path, &all, files)
}

pub(super) fn attached(browser: &Browser<'_>, path: &str, name: &str, bytes: &[u8]) {
    let page = attach(browser, path, &[], &[(name, bytes)]);
    assert_eq!(
        page.header("location"),
        format!("{path}?done=attached"),
        "{}",
        page.text()
    );
}

#[test]
fn several_files_are_attached_at_once_listed_and_opened_byte_for_byte() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    assert!(
        nurse
            .get("/residents/1")
            .text()
            .contains("添付ファイルはありません")
    );
    let files = [("意見書.pdf", PDF), ("写真.png", PNG)];
    let page = attach(&nurse, PERSON, &[("title", "主治医意見書")], &files);
    assert_eq!(
        page.header("location"),
        format!("{PERSON}?done=attached"),
        "{}",
        page.text()
    );
    let list = nurse.get(PERSON).text();
    for word in [
        "主治医意見書",
        "意見書.pdf",
        "写真.png",
        "PDF",
        "試験 nurse",
        "有効",
    ] {
        assert!(list.contains(word), "{word}: {list}");
    }
    assert!(nurse.get("/residents/1").text().contains("主治医意見書"));
    let content = nurse.get("/attachments/1/file");
    assert_eq!((content.status, content.bytes.as_slice()), (200, PDF));
    assert_eq!(content.header("content-type"), "application/pdf");
    assert_eq!(
        content.header("content-disposition"),
        "inline; filename=\"attachment.pdf\""
    );
    let picture = nurse.get("/attachments/2/file");
    let policy = picture.header("content-security-policy");
    assert!(
        policy.contains("sandbox") && policy.contains("default-src 'none'"),
        "{policy}"
    );
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    assert_eq!(desk.house.detail("attachment_view"), "content");
    let told = desk.house.detail("attachment_add");
    assert!(
        told.starts_with("resident kind=") && !told.contains("意見書"),
        "{told}"
    );
    let about =
        "select count(*) from audit_entries where resident_id = 1 and record_kind = 'attachment'";
    assert_eq!(desk.house.count(about), 4);
}

#[test]
fn equal_bytes_lie_on_the_disk_once_and_go_when_nobody_names_them() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    desk.record(&nurse);
    attached(&nurse, PERSON, "a.pdf", PDF);
    attached(&nurse, RECORD, "b.pdf", PDF);
    assert_eq!((desk.rows(), desk.files().len()), (2, 1));
    let place = desk.files()[0].clone();
    let name = place.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(name.len(), 64);
    assert!(place.parent().unwrap().ends_with(name.get(..2).unwrap()));
    assert!(nurse.get("/consultations/1").text().contains("b.pdf"));
    let actor = store::Actor::system("試験");
    desk.house
        .db()
        .forget_bytes(&actor, std::slice::from_ref(&name))
        .unwrap();
    assert_eq!(desk.files().len(), 1, "a row names them");
    for table in ["attachment_versions", "attachments"] {
        desk.house.execute(&format!("delete from {table}"));
    }
    desk.house.db().forget_bytes(&actor, &[name]).unwrap();
    assert_eq!(desk.files(), Vec::<PathBuf>::new());
}

#[test]
fn wrong_files_are_told_one_by_one_and_nothing_is_kept() {
    let desk = Desk::with(ServerSettings {
        upload_bytes_max: 2_000,
        ..ServerSettings::standard()
    });
    let nurse = desk.nurse();
    let large = vec![b'a'; 700_000];
    let docm = packed(&[("word/document.xml", ""), ("word/vbaProject.bin", "")]);
    let files: [(&str, &[u8]); 7] = [
        ("良い.pdf", PDF),
        ("空.pdf", b""),
        ("大きい.txt", &large),
        ("絵.svg", b"<svg/>"),
        ("動く.pdf", b"MZ\x90\0\x03"),
        ("表.docm", &docm),
        ("同じ.pdf", PDF),
    ];
    let page = attach(
        &nurse,
        PERSON,
        &[("title", "残る表題"), ("note", "残る説明")],
        &files,
    );
    assert_eq!(page.status, 422);
    for word in [
        "「空.pdf」は中身がありません",
        "「大きい.txt」は684KBあります。一つのファイルは2KBまで",
        "「絵.svg」：ウェブページやSVG",
        "「動く.pdf」：プログラム",
        "「表.docm」：マクロ",
        "「同じ.pdf」と同じ中身のファイルが、もう一つ",
        "まだ一つも添付していません",
    ] {
        assert!(page.text().contains(word), "{word}: {}", page.text());
    }
    assert!(page.body.contains("href=\"#files\"") && page.body.contains("残る説明"));
    assert!(page.body.contains("value=\"残る表題\""));
    assert_eq!((desk.rows(), desk.files()), (0, Vec::new()));
    let none = attach(&nurse, PERSON, &[], &[]);
    assert!(none.status == 422 && none.text().contains("ファイルを選んでください"));
    // What a browser sends when nothing was chosen.
    let empty = attach(&nurse, PERSON, &[], &[("", b"")]);
    assert!(
        empty.text().contains("ファイルを選んでください"),
        "{}",
        empty.text()
    );
    let many: Vec<(String, Vec<u8>)> = (0..12)
        .map(|n| (format!("{n}.txt"), vec![b'a' + n]))
        .collect();
    let many: Vec<(&str, &[u8])> = many
        .iter()
        .map(|(n, b)| (n.as_str(), b.as_slice()))
        .collect();
    let page = attach(&nurse, PERSON, &[], &many);
    assert!(
        page.status == 422 && page.text().contains("10個まで"),
        "{}",
        page.text()
    );
    assert_eq!((desk.rows(), desk.files()), (0, Vec::new()));
}

#[test]
fn odd_names_are_kept_for_reading_and_lead_nowhere() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    let long = format!("{}.txt", "長".repeat(300));
    for (number, name) in [
        "../../../etc/passwd.txt",
        "%0D%0ASet-Cookie: a=b.txt",
        long.as_str(),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("本文 {number}");
        attached(&nurse, PERSON, name, text.as_bytes());
    }
    let list = nurse.get(PERSON).text();
    assert!(
        list.contains("passwd.txt") && !list.contains(".."),
        "{list}"
    );
    let names = "select count(*) from attachments where length(file_name) <= 200";
    assert_eq!(desk.number(names), 3);
    let page = nurse.get("/attachments/2/file");
    assert_eq!(page.header("set-cookie"), "");
    assert_eq!(desk.files().len(), 3);
    assert_eq!(nurse.get("/attachments/99").status, 404);
    assert_eq!(nurse.get("/attachments/%2e%2e/file").status, 404);
}

#[test]
fn the_same_form_twice_is_one_and_the_same_file_again_is_told() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    let page = nurse.get(PERSON).body;
    let submission = between(&page, "name=\"submission\" value=\"", "\"").unwrap();
    let fields = [("submission", submission.as_str())];
    let first = nurse.upload(PERSON, &fields, &[("a.pdf", PDF)]);
    assert_eq!(first.header("location"), format!("{PERSON}?done=attached"));
    let again = nurse.upload(PERSON, &fields, &[("a.pdf", PDF)]);
    assert_eq!(again.header("location"), format!("{PERSON}?done=again"));
    let other = desk.house.signed_in("clerk");
    let same = attach(&other, PERSON, &[], &[("b.pdf", PDF)]);
    assert!(same.status == 422, "{}", same.status);
    assert!(
        same.text()
            .contains("もう添付されています（R8.11.24 09:00 試験 nurse）"),
        "{}",
        same.text()
    );
    assert_eq!((desk.rows(), desk.files().len()), (1, 1));
}

#[test]
fn a_number_like_a_my_number_is_saved_only_with_what_it_is() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    let text = format!("受付の番号\n{NUMBER}\n");
    let named = format!("{NUMBER}.pdf");
    for (fields, files, word) in [
        (vec![("title", NUMBER)], ("a.pdf", PDF), "href=\"#title\""),
        (vec![], (named.as_str(), PDF), "の名前に、マイナンバー"),
        (
            vec![],
            ("a.txt", text.as_bytes()),
            "「a.txt」の文の中に、マイナンバー",
        ),
    ] {
        let page = attach(&nurse, PERSON, &fields, &[files]);
        assert_eq!(page.status, 422);
        assert!(page.body.contains(word), "{word}: {}", page.text());
        assert!(page.body.contains("name=\"number_kind\""));
    }
    assert_eq!((desk.rows(), desk.files()), (0, Vec::new()));
    let kind = "select code from codes where list = 'number_kind' order by position limit 1";
    let kind: Option<String> = desk
        .house
        .db()
        .read(&store::Actor::system("試験"), |tx| {
            tx.one(kind, [], |row| row.get(0))
        })
        .map_err(|e: StoreError| e)
        .unwrap();
    let kind = kind.unwrap();
    let said = [("number_kind", kind.as_str())];
    let page = attach(&nurse, PERSON, &said, &[("a.txt", text.as_bytes())]);
    assert_eq!(
        page.header("location"),
        format!("{PERSON}?done=attached"),
        "{}",
        page.text()
    );
    let told = desk.house.detail("attachment_add");
    assert!(
        told.ends_with(&format!("my_number={kind} fields=content")),
        "{told}"
    );
    assert!(!told.contains(NUMBER));
}

#[test]
fn what_is_said_is_corrected_in_versions_and_late_forms_are_told() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    attached(&nurse, PERSON, "a.pdf", PDF);
    nurse.get("/attachments/1");
    let fields = [
        ("base_version", "1"),
        ("title", "診断書"),
        ("note", "写し"),
        ("reason", "表題の間違い"),
    ];
    let empty = nurse.post(
        "/attachments/1/versions",
        &[("base_version", "1"), ("title", "診断書")],
    );
    assert!(
        empty.status == 422 && empty.body.contains("href=\"#reason\""),
        "{}",
        empty.text()
    );
    assert!(
        empty.body.contains("value=\"診断書\""),
        "typed words are lost"
    );
    let saved = nurse.post("/attachments/1/versions", &fields);
    assert_eq!(
        saved.header("location"),
        "/attachments/1?done=corrected",
        "{}",
        saved.text()
    );
    let again = nurse.post("/attachments/1/versions", &fields);
    assert_eq!(again.header("location"), "/attachments/1?done=again");
    let clerk = desk.house.signed_in("clerk");
    clerk.get("/attachments/1");
    let late = clerk.post("/attachments/1/versions", &fields);
    assert!(late.status == 409 && late.text().contains("ほかの人が訂正しました"));
    let page = nurse.get("/attachments/1").text();
    for word in ["診断書", "第2版", "第1版", "表題の間違い", "写し"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert_eq!(desk.house.detail("attachment_correct"), "version=2");
}

#[test]
fn what_was_withdrawn_is_struck_through_and_opened_by_nobody() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    attached(&nurse, PERSON, "別人.pdf", PDF);
    nurse.get("/attachments/1");
    let empty = nurse.post("/attachments/1/withdrawal", &[]);
    assert!(empty.status == 422 && empty.body.contains("href=\"#withdrawal_reason\""));
    let why = [("withdrawal_reason", "別の方のファイルだった")];
    let done = nurse.post("/attachments/1/withdrawal", &why);
    assert_eq!(
        done.header("location"),
        format!("{PERSON}?done=attachment-withdrawn")
    );
    let list = nurse.get(PERSON);
    assert!(list.body.contains("<del>別人.pdf</del>"), "{}", list.body);
    assert!(
        list.text().contains("別の方のファイルだった") && !list.body.contains("/attachments/1\"")
    );
    for login in ["nurse", "city"] {
        let browser = desk.house.signed_in(login);
        let content = browser.get("/attachments/1/file");
        assert!(content.status == 409 && content.bytes != PDF);
        assert_eq!(browser.take_out("/attachments/1/export").status, 409);
    }
    assert_eq!(desk.house.detail("attachment_view"), "withdrawn");
    assert_eq!(nurse.post("/attachments/1/withdrawal", &why).status, 409);
    assert_eq!(
        desk.files().len(),
        1,
        "the bytes stay until their time is over"
    );
    // The right paper may have the same bytes: it is attached again.
    attached(&nurse, PERSON, "本人.pdf", PDF);
    assert_eq!(desk.rows(), 2);
}

#[test]
fn another_centre_and_whoever_sees_nobody_meet_nothing() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    desk.record(&nurse);
    attached(&nurse, PERSON, "a.pdf", PDF);
    attached(&nurse, RECORD, "b.pdf", PDF);
    let other = desk.house.signed_in("other");
    other.get("/");
    for path in [
        PERSON,
        RECORD,
        "/attachments/1",
        "/attachments/2",
        "/attachments/1/file",
        "/attachments/2/file",
        "/attachments/1/export",
    ] {
        assert_eq!(other.get(path).status, 404, "{path}");
    }
    for (path, fields) in [
        ("/attachments/1/opening", &[("shield_reason", "urgent")][..]),
        ("/attachments/1/export", DOOR),
        (
            "/attachments/1/versions",
            &[("title", "x"), ("reason", "x"), ("base_version", "1")],
        ),
        ("/attachments/1/withdrawal", &[("withdrawal_reason", "x")]),
    ] {
        assert_eq!(other.post(path, fields).status, 404, "{path}");
    }
    assert_eq!(other.upload(PERSON, &[], &[("c.pdf", PNG)]).status, 404);
    let system = desk.house.signed_in("system");
    assert_eq!(system.get(PERSON).status, 403);
    system.get("/");
    assert_eq!(system.upload(PERSON, &[], &[("c.pdf", PNG)]).status, 403);
    assert_eq!((desk.rows(), desk.files().len()), (2, 1));
    assert_eq!(
        desk.number("select count(*) from attachment_withdrawals"),
        0
    );
}

#[test]
fn whoever_may_not_read_consultations_opens_nothing_attached_to_them() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    desk.record(&nurse);
    attached(&nurse, RECORD, "b.pdf", PDF);
    attached(&nurse, PERSON, "a.pdf", PNG);
    desk.house.execute(
        "insert into staff_rights (staff_id, permission, granted, starts_on, ends_on, reason, recorded_at)
         select id, 'consultation_view', 0, '2026-11-01', null, '試験', '' from staff where login = 'clerk'",
    );
    let clerk = desk.house.signed_in("clerk");
    for path in [
        RECORD,
        "/attachments/1",
        "/attachments/1/file",
        "/attachments/1/export",
    ] {
        assert_eq!(clerk.get(path).status, 403, "{path}");
    }
    assert_eq!(clerk.get("/attachments/2/file").status, 200);
}

#[test]
fn of_a_shielded_person_content_opens_after_a_reason_and_only_for_the_named() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    attached(&nurse, PERSON, "a.pdf", PDF);
    desk.house
        .execute("update residents set shielded = 1 where id = 1");
    for login in ["nurse", "city", "clerk"] {
        let browser = desk.house.signed_in(login);
        for path in [PERSON, "/attachments/1", "/attachments/1/file"] {
            assert_eq!(browser.get(path).status, 404, "{login} {path}");
        }
    }
    desk.house.execute(
        "insert into approvals (kind, payload, facts, summary, reason, urgent, requested_by,
           requested_at, expires_on)
         select 'shield_grant', '{}', '[]', '', '', 1, id, '', '2026-12-31'
         from staff where login = 'nurse'",
    );
    desk.house.execute(
        "insert into shield_grants (resident_id, staff_id, starts_on, ends_on, reason, urgent,
           recorded_by, recorded_at, approval_id)
         select 1, id, '2026-11-24', '2026-11-25', 'x', 1, id, '', (select max(id) from approvals)
         from staff where login = 'nurse'",
    );
    let page = nurse.get("/attachments/1");
    assert!(page.status == 200 && page.body.contains("name=\"shield_reason\""));
    let bare = nurse.get("/attachments/1/file");
    assert!(bare.status == 422 && bare.bytes != PDF && bare.text().contains("開く理由"));
    assert_eq!(desk.house.detail("attachment_view"), "shield=no-reason");
    let opened = nurse.post("/attachments/1/opening", &[("shield_reason", "agency")]);
    assert_eq!((opened.status, opened.bytes.as_slice()), (200, PDF));
    assert_eq!(
        desk.house.detail("attachment_view"),
        "content shield=agency"
    );
}

#[test]
fn a_file_leaves_through_the_door_alone_and_under_no_name_of_a_person() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    let docx = packed(&[
        ("[Content_Types].xml", "<Types/>"),
        ("word/document.xml", "<w/>"),
    ]);
    attached(&nurse, PERSON, "架空太郎の計画.docx", &docx);
    let shown = nurse.get("/attachments/1/file");
    assert_eq!(
        shown.header("location"),
        "/attachments/1/export",
        "no browser shows it"
    );
    let asked = nurse.get("/attachments/1/export");
    assert!(asked.status == 200 && asked.text().contains("持出し台帳"));
    assert_eq!(asked.header("content-disposition"), "");
    let taken = nurse.post("/attachments/1/export", DOOR);
    assert_eq!((taken.status, &taken.bytes), (200, &docx));
    let name = taken.header("content-disposition");
    assert_eq!(name, "attachment; filename=\"attachment-20261124-1.docx\"");
    assert_eq!(
        desk.house.count("select count(*) from carried_out_files"),
        1
    );
    assert_eq!(
        desk.house.detail("attachment_export"),
        format!("resident bytes={}", docx.len())
    );
    assert_eq!(nurse.post("/attachments/1/export", &[]).status, 422);
}

#[test]
fn a_withdrawn_consultation_and_a_person_only_lent_take_no_files() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    desk.record(&nurse);
    nurse.get("/consultations/1/withdrawal");
    nurse.post("/consultations/1/withdrawal", &[("reason", "二重の記録")]);
    assert!(!nurse.get(RECORD).body.contains("type=\"file\""));
    let late = attach(&nurse, RECORD, &[("title", "残る")], &[("a.pdf", PDF)]);
    assert!(
        late.status == 409 && late.text().contains("取り下げられている"),
        "{}",
        late.text()
    );
    desk.house.execute(
        "insert into case_grants (resident_id, role, staff_id, may_write, starts_on, ends_on, reason,
           recorded_by, recorded_at)
         select 1, null, id, 0, '2026-11-24', '2026-12-24', 'x', id, '' from staff where login = 'other'",
    );
    let other = desk.house.signed_in("other");
    assert!(!other.get(PERSON).body.contains("type=\"file\""));
    let refused = attach(&other, PERSON, &[], &[("a.pdf", PDF)]);
    assert_eq!(refused.status, 403);
    assert_eq!((desk.rows(), desk.files()), (0, Vec::new()));
}

#[test]
fn a_forged_form_a_stranger_and_a_cut_connection_leave_not_one_byte() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    nurse.get(PERSON);
    let kind = [("content-type", MULTIPART)];
    let files: [(&str, &[u8]); 1] = [("a.pdf", PDF)];
    let forged = multipart(&[("csrf", "AAAA")], &files);
    let page = nurse.send_bytes(Method::POST, PERSON, &kind, forged);
    assert_eq!(page.status, 403);
    // The token behind the file comes too late for it.
    let mut turned = multipart(&[], &files);
    turned.truncate(turned.len() - b"------part--\r\n".len());
    let token = between(&nurse.get(PERSON).body, "name=\"csrf\" value=\"", "\"").unwrap();
    turned.extend(multipart(&[("csrf", &token)], &[]));
    let page = nurse.send_bytes(Method::POST, PERSON, &kind, turned);
    assert!(
        page.status == 422 && page.text().contains("受け取っていません"),
        "{}",
        page.text()
    );
    let stranger = desk.house.browser();
    let page = stranger.upload(PERSON, &[("title", "残る表題")], &files);
    assert!(
        page.status == 401 && page.body.contains("%E6%AE%8B"),
        "typed words are lost"
    );
    let mut cut = multipart(&[("csrf", &token)], &[("a.pdf", &vec![b'x'; 300_000])]);
    cut.truncate(200_000);
    let page = nurse.send_bytes(Method::POST, PERSON, &kind, cut);
    assert_eq!(page.status, 400);
    let sites = [
        ("content-type", MULTIPART),
        ("sec-fetch-site", "cross-site"),
    ];
    let page = nurse.send_bytes(
        Method::POST,
        PERSON,
        &sites,
        multipart(&[("csrf", &token)], &files),
    );
    assert_eq!(page.status, 403);
    assert_eq!((desk.rows(), desk.files()), (0, Vec::new()));
    // Elsewhere a body with files is none.
    let page = nurse.send_bytes(
        Method::POST,
        "/consultations",
        &kind,
        multipart(&[("csrf", &token)], &[]),
    );
    assert_eq!(page.status, 400);
}

#[test]
fn the_form_that_comes_back_after_signing_in_asks_for_the_files_again() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    nurse.get(PERSON);
    let page = nurse.post(PERSON, &[("title", "残る表題")]);
    assert!(page.status == 422 && page.text().contains("ファイルを選んでください"));
    assert!(page.body.contains("value=\"残る表題\""));
}

#[test]
fn missing_or_bent_bytes_are_told_and_never_shown() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    attached(&nurse, PERSON, "a.pdf", PDF);
    let place = desk.files()[0].clone();
    let put = |bytes: &[u8]| base::paths::write_atomic(&place, bytes, 0o600).unwrap();
    put(b"%PDF-1.7 of somebody else");
    let page = nurse.get("/attachments/1/file");
    assert!(
        page.status == 500 && page.text().contains("壊れている"),
        "{}",
        page.text()
    );
    let dir = desk.house.db().dir().clone();
    let check = || store::check_shelf(&dir.database(), &dir).unwrap();
    assert_eq!(
        (check().rows, check().bent, check().missing),
        (1, vec![1], vec![])
    );
    std::fs::remove_file(&place).unwrap();
    assert_eq!(nurse.get("/attachments/1/file").status, 500);
    assert_eq!(check().missing, [1]);
    // The same bytes attached elsewhere heal what names them.
    desk.record(&nurse);
    attached(&nurse, RECORD, "b.pdf", PDF);
    assert_eq!(nurse.get("/attachments/1/file").bytes, PDF);
    assert!(check().is_sound());
}

#[test]
fn the_sweep_takes_old_leftovers_and_nothing_that_a_row_names() {
    let desk = Desk::new();
    let nurse = desk.nurse();
    attached(&nurse, PERSON, "a.pdf", PDF);
    let shelf = desk.house.db().dir().attachments();
    let named = desk.files()[0].clone();
    let stray = shelf.join("00").join("0".repeat(64));
    let half = shelf.join(".part-left");
    base::paths::create_private_dir(stray.parent().unwrap()).unwrap();
    for path in [&stray, &half] {
        base::paths::write_atomic(path, b"left", 0o600).unwrap();
    }
    let swept = || super::sweep(desk.house.app()).unwrap();
    let age = |path: &PathBuf, hours: i64| {
        let at = desk.house.app().clock().now() - SignedDuration::from_hours(hours);
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let seconds = u64::try_from(at.as_second()).unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        file.set_modified(at).unwrap();
    };
    for path in [&stray, &half, &named] {
        age(path, 23);
    }
    swept();
    assert_eq!(desk.files().len(), 3, "somebody may be about to use them");
    for path in [&stray, &half, &named] {
        age(path, 25);
    }
    swept();
    assert_eq!(desk.files(), [named]);
}
