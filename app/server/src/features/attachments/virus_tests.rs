//! Viruses in attachments, through the slice's own routes and a scanner that follows a script.

use base::antivirus::Scanner;
use base::settings::AntivirusSettings;
use clamd::{FINDING, Mood, Scripted, eicar};

use super::tests::{Desk, PERSON, attach, attached};
use crate::app::ServerSettings;
use crate::features::staff::tests::house::DOOR;

const NOTE: &[u8] = "訪問の記録\n".as_bytes();
/// As a page says it, once the tags are gone.
const UNSCANNED: &str = "未検査";

fn scanned_by(clamd: &Scripted) -> Desk {
    let settings = AntivirusSettings {
        socket: clamd.socket(),
        signatures: "/nowhere".into(),
        ..AntivirusSettings::default()
    };
    Desk::with(ServerSettings {
        scanner: Some(Scanner::new(&settings)),
        ..ServerSettings::standard()
    })
}

/// Attached while nobody looked; what the redirect says.
fn attached_unscanned(desk: &Desk, name: &str, bytes: &[u8]) {
    let page = attach(&desk.nurse(), PERSON, &[], &[(name, bytes)]);
    let wanted = format!("{PERSON}?done=attached-unscanned");
    assert_eq!(page.header("location"), wanted, "{}", page.text());
}

#[test]
fn a_file_with_a_virus_is_refused_by_its_name_and_nothing_of_the_form_is_lost() {
    let clamd = Scripted::start(27_800);
    let desk = scanned_by(&clamd);
    let virus = eicar();
    let files = [("記録.txt", NOTE), ("添付.txt", &virus[..])];
    let page = attach(&desk.nurse(), PERSON, &[("title", "主治医意見書")], &files);
    assert_eq!(page.status, 422);
    let text = page.text();
    assert!(
        text.contains(&format!("「添付.txt」にウイルス（{FINDING}）が見つかった")),
        "{text}"
    );
    assert!(
        page.body.contains("主治医意見書"),
        "what was typed is still there"
    );
    assert_eq!((desk.rows(), desk.files().len()), (0, 0));
    let told = desk.house.detail("attachment_add");
    assert_eq!(told, format!("resident virus={FINDING}"));
    let refused = "select count(*) from audit_entries where operation = 'attachment_add'
        and outcome = 'refused' and resident_id = 1";
    assert_eq!(desk.house.count(refused), 1);
}

#[test]
fn what_was_looked_into_says_when_and_bears_no_mark() {
    let clamd = Scripted::start(27_800);
    let desk = scanned_by(&clamd);
    let nurse = desk.nurse();
    attached(&nurse, PERSON, "記録.txt", NOTE);
    for path in [PERSON, "/attachments/1", "/residents/1"] {
        assert!(!nurse.get(path).text().contains(UNSCANNED), "{path}");
    }
    assert!(
        nurse
            .get("/attachments/1")
            .text()
            .contains("見つかりませんでした")
    );
    let rows = "select count(*) from attachment_scans where signatures = 27800 and finding = ''";
    assert_eq!(desk.number(rows), 1);
}

#[test]
fn while_nobody_looks_work_goes_on_with_a_mark_that_goes_once_somebody_did() {
    let clamd = Scripted::start(27_800);
    let desk = scanned_by(&clamd);
    for mood in [Mood::Closes, Mood::Refuses, Mood::Stops] {
        clamd.set(mood);
        attached_unscanned(&desk, "記録.txt", format!("{mood:?}\n").as_bytes());
    }
    let nurse = desk.nurse();
    for path in [PERSON, "/attachments/1", "/residents/1"] {
        assert!(nurse.get(path).text().contains(UNSCANNED), "{path}");
    }
    // Somebody may need it.
    assert_eq!(nurse.get("/attachments/1/file").status, 200);
    desk.house.app().scan_due().unwrap();
    assert!(
        nurse.get(PERSON).text().contains(UNSCANNED),
        "still nobody there"
    );
    clamd.set(Mood::Works);
    desk.house.app().scan_due().unwrap();
    assert!(!nurse.get(PERSON).text().contains(UNSCANNED));
    assert_eq!(desk.house.detail("attachment_scan"), "files=3 found=0");
    let before = desk.number("select count(*) from attachment_scans");
    desk.house.app().scan_due().unwrap();
    assert_eq!(desk.number("select count(*) from attachment_scans"), before);
}

#[test]
fn a_file_that_nobody_looked_into_is_looked_into_when_it_is_opened() {
    let clamd = Scripted::start(27_800);
    let desk = scanned_by(&clamd);
    clamd.set(Mood::Closes);
    attached_unscanned(&desk, "記録.txt", NOTE);
    attached_unscanned(&desk, "添付.txt", &eicar());
    clamd.set(Mood::Works);
    let nurse = desk.nurse();
    assert_eq!(nurse.get("/attachments/1/file").status, 200);
    assert!(!nurse.get("/attachments/1").text().contains(UNSCANNED));
    let opened = nurse.get("/attachments/2/file");
    assert_eq!(opened.status, 409);
    assert!(!opened.body.contains("EICAR"));
    let page = nurse.get("/attachments/2").text();
    assert!(
        page.contains(&format!("ウイルス（{FINDING}）が見つかりました")),
        "{page}"
    );
    assert!(!page.contains("中身を開く"), "{page}");
    assert_eq!(
        nurse.get("/attachments/2/file").status,
        409,
        "and it stays so"
    );
    assert_eq!(nurse.post("/attachments/2/export", DOOR).status, 409);
}

#[test]
fn a_virus_that_newer_signatures_know_is_closed_and_told_until_it_is_withdrawn() {
    let clamd = Scripted::start(27_800);
    let desk = scanned_by(&clamd);
    clamd.set(Mood::Closes);
    attached_unscanned(&desk, "添付.txt", &eicar());
    // The signatures of that day did not know it.
    let looked = "insert into attachment_scans values (1, 1, '', 27800, '2026-11-24T00:00:00Z')";
    desk.house.execute(looked);
    clamd.set(Mood::Works);
    desk.house.app().scan_due().unwrap();
    assert_eq!(desk.nurse().get("/attachments/1/file").status, 200);
    clamd.load(27_801);
    desk.house.app().scan_due().unwrap();
    assert_eq!(desk.nurse().get("/attachments/1/file").status, 409);
    let admin = desk.house.signed_in("system");
    let words = "添付ファイル1件にウイルスが見つかり、開けなくしています（番号 1）";
    assert!(admin.get("/staff").text().contains(words));
    assert!(!desk.nurse().get(PERSON).text().contains(words));
    let reason = [("withdrawal_reason", "ウイルスが見つかったため")];
    let nurse = desk.nurse();
    nurse.get("/attachments/1");
    let done = nurse.post("/attachments/1/withdrawal", &reason);
    assert_eq!(done.status, 303, "{}", done.text());
    assert!(!admin.get("/staff").text().contains(words));
}

#[test]
fn without_a_scanner_nothing_is_marked_and_with_one_missing_signatures_are_told() {
    let desk = Desk::new();
    attached(&desk.nurse(), PERSON, "記録.txt", NOTE);
    desk.house.app().scan_due().unwrap();
    assert!(!desk.nurse().get(PERSON).text().contains(UNSCANNED));
    let told = |desk: &Desk| desk.house.signed_in("system").get("/staff").text();
    assert!(!told(&desk).contains("ウイルス定義"));
    let clamd = Scripted::start(0);
    assert!(told(&scanned_by(&clamd)).contains("ウイルス定義が導入されていません"));
}
